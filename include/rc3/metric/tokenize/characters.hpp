#pragma once
/// Tokenization by characters.

#include <string>
#include <string_view>

#include "rc3/metric/tokenize/concept.hpp"
#include "rc3/metric/tokenize/separate.hpp"

namespace rc3::metric::tokenize {

/// Each character except white space is a token: sacreBLEU's `char`. For languages without spaces, including Japanese:
/// sacreBLEU's `ja-mecab` needs MeCab and its dictionary, which are no dependencies of rc3; a custom Policy can call
/// it.
class Characters {
 public:
  std::string name() const { return "char"; }  ///< in signatures
  /// @param line  without trailing white space  @return tokens, separated by white space
  std::u32string operator()(std::u32string_view line) const {
    return separate(line, [](char32_t) { return true; });
  }
};

static_assert(Policy<Characters>);

}  // namespace rc3::metric::tokenize
