#pragma once
/// Members of one large JSON object, one at a time. Reading a file thus costs its text and the parsed form of its
/// largest member, not twenty times the whole.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/io/json.hpp"

namespace rc3::io {

namespace detail {

/// Finds the ranges of keys and values; parse_json() validates values.
class MemberScanner {
 public:
  MemberScanner(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  /// Next character except white space; NUL at the end.
  char peek() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void expect(char c) {
    if (peek() != c) wrong(join('\'', c, '\''));
    ++at_;
  }
  void expect_end() {
    peek();
    if (at_ < text_.size()) wrong("the end");
  }
  /// String with its quotes.
  std::string_view string() {
    if (peek() != '"') wrong("a string");
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) wrong("the end of a string");
    return text_.substr(begin, ++at_ - begin);
  }
  /// Value of any type, with trailing white space.
  std::string_view value() {
    const std::size_t begin = at_;
    for (std::size_t depth = 0; at_ < text_.size();) {
      const char c = text_[at_];
      if (c == '"') {
        string();
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}' || c == ']')) return text_.substr(begin, at_ - begin);
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    }
    wrong("the end of a value");
  }

 private:
  [[noreturn]] void wrong(std::string_view expected) const {
    fail(name_, ": not JSON: ", expected, " expected at byte ", std::min(at_, text_.size()));
  }

  std::string_view text_;
  std::string_view name_;
  std::size_t at_ = 0;
};

}  // namespace detail

/// Calls @p member(key, text) for each member of the object @p json, in order. The text is not yet validated:
/// parse_json() does this, and a caller may continue after a damaged member.
/// @param name  name of the whole in errors
/// @throws rc3::Error "<name>: not JSON: ..." if the members cannot be separated; earlier ones are delivered
template <class F>
void for_each_member(std::string_view json, std::string_view name, F member) {
  if (json.starts_with("\xEF\xBB\xBF")) json.remove_prefix(3);
  detail::MemberScanner scan(json, name);
  scan.expect('{');
  for (bool first = true; scan.peek() != '}'; first = false) {
    if (!first) scan.expect(',');
    const auto key = parse_json(scan.string(), name).get<std::string>();
    scan.expect(':');
    member(key, scan.value());
  }
  scan.expect('}');
  scan.expect_end();
}

}  // namespace rc3::io
