#pragma once
/// What a tokenizer for metrics must offer.

#include <concepts>
#include <string>
#include <string_view>

namespace rc3::metric::tokenize {

/// A type that puts white space between the tokens of a line, so that splitting there gives them.
///
/// `name()` is what the signature calls it; `operator()` gets a line of Unicode characters without white space at its
/// end. Where a language's words need a tool of their own, such as MeCab for Japanese, a user's type calls it.
template <class T>
concept Policy = requires(const T& tokenizer, std::u32string_view line) {
  { tokenizer.name() } -> std::convertible_to<std::string>;
  { tokenizer(line) } -> std::convertible_to<std::u32string>;
};

}  // namespace rc3::metric::tokenize
