#pragma once
/// Lines of delimiter-separated values (CSV, TSV) to fields.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rc3::io {

/// As Python's csv module and RFC 4180 have it: a field that begins with a quote goes on to the next quote that is not
/// doubled, and delimiters and line ends in it are text. A quote elsewhere is text.
class FieldSplitter {
 public:
  explicit FieldSplitter(char delimiter) : delimiter_(delimiter) {}

  /// Takes a record's first or next line, without its end.
  /// @return whether the record is whole; else a quote is open, and the next line belongs to it
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

  /// Of the last record.
  const std::vector<std::string>& fields() const { return fields_; }

 private:
  enum class State { begin, plain, quoted, quote };  ///< quote: after one in a quoted field

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
