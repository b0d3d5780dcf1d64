#pragma once
/// Type-erased tokenizer for options, and tokenizers by name for command lines.

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/metric/tokenize/characters.hpp"
#include "rc3/metric/tokenize/concept.hpp"
#include "rc3/metric/tokenize/intl.hpp"
#include "rc3/metric/tokenize/none.hpp"
#include "rc3/metric/tokenize/v13a.hpp"
#include "rc3/metric/tokenize/zh.hpp"

namespace rc3::metric::tokenize {

/// Holds a tokenizer of any type; converts implicitly, `BleuOptions{.tokenizer = tokenize::Intl()}`. Is itself a
/// Policy.
class Tokenizer {
 public:
  /// @param tokenizer  a Policy; copied or moved
  template <class T>
  requires(!std::same_as<std::remove_cvref_t<T>, Tokenizer> && Policy<std::remove_cvref_t<T>>)
      Tokenizer(T&& tokenizer)  // NOLINT: meant to convert
      : name_(tokenizer.name()), separate_(std::forward<T>(tokenizer)) {}

  const std::string& name() const { return name_; }  ///< in signatures
  /// @param line  without trailing white space  @return tokens, separated by white space
  std::u32string operator()(std::u32string_view line) const { return separate_(line); }

 private:
  std::string name_;
  std::function<std::u32string(std::u32string_view)> separate_;
};

/// Tokenizer with the signature name @p name. @throws rc3::Error if it is none of: 13a, none, intl, zh, char
inline Tokenizer by_name(std::string_view name) {
  std::string known;
  for (const Tokenizer& tokenizer :
       {Tokenizer(V13a()), Tokenizer(None()), Tokenizer(Intl()), Tokenizer(Zh()), Tokenizer(Characters())}) {
    if (tokenizer.name() == name) return tokenizer;
    known += (known.empty() ? "" : ", ") + tokenizer.name();
  }
  fail("metric::tokenize::by_name: there is no tokenizer \"", name, "\", but: ", known);
}

}  // namespace rc3::metric::tokenize
