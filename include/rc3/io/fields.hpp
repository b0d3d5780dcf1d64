#pragma once
/// Fields of delimiter-separated values (CSV, TSV).

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rc3::io {

/// Rules of Python's csv module and RFC 4180: a field that starts with a quote ends at the next quote that is not
/// doubled. Delimiters and line ends inside it are text. A quote elsewhere is text.
class FieldSplitter {
 public:
  /// @param delimiter  between fields, for example a tab; no quote
  explicit FieldSplitter(char delimiter) : delimiter_(delimiter) {}

  /// Appends a record's first or next line, without its line end.
  /// @return whether the record is complete; otherwise a quote is open, and the next line belongs to it
  bool add(std::string_view line) {
    if (state_ == State::quoted)
      fields_.back() += '\n';
    else
      fields_.assign(1, "");
    for (const char c : line) take(c);
    if (state_ == State::quoted) return false;
    state_ = State::begin;
    return true;
  }

  /// Fields of the last record.
  const std::vector<std::string>& fields() const { return fields_; }

 private:
  enum class State { begin, plain, quoted, quote };  ///< quote: after a quote in a quoted field

  void take(char c) {
    if (state_ == State::quoted) {
      if (c == '"')
        state_ = State::quote;
      else
        fields_.back() += c;
    } else if (c == delimiter_) {
      fields_.emplace_back();
      state_ = State::begin;
    } else if (c == '"' && (state_ == State::begin || state_ == State::quote)) {
      if (state_ == State::quote) fields_.back() += c;
      state_ = State::quoted;
    } else {
      fields_.back() += c;
      state_ = State::plain;
    }
  }

  char delimiter_;
  State state_ = State::begin;
  std::vector<std::string> fields_;
};

}  // namespace rc3::io
