#pragma once
/// Concept of a tokenizer for metrics.

#include <concepts>
#include <string>
#include <string_view>

namespace rc3::metric::tokenize {

/// Type that puts white space between the tokens of a line.
///
/// `name()` is its name in the signature; `operator()` receives a line of Unicode characters without trailing white
/// space. A custom type may call an external tool, such as MeCab for Japanese.
template <class T>
concept Policy = requires(const T& tokenizer, std::u32string_view line) {
  { tokenizer.name() } -> std::convertible_to<std::string>;
  { tokenizer(line) } -> std::convertible_to<std::u32string>;
};

}  // namespace rc3::metric::tokenize
