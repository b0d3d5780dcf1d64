#pragma once
/// Every character a token.

#include <string>
#include <string_view>

#include "rc3/metric/tokenize/concept.hpp"
#include "rc3/metric/tokenize/separate.hpp"

namespace rc3::metric::tokenize {

/// Each character but white space is a token: sacreBLEU's `char`. For languages that are written without blanks.
/// Japanese too: the words that sacreBLEU's `ja-mecab` counts need MeCab and its dictionary, which rc3 does not depend
/// on; a user's Policy can call it.
class Characters {
 public:
  std::string name() const { return "char"; }
  std::u32string operator()(std::u32string_view line) const {
    return separate(line, [](char32_t) { return true; });
  }
};

static_assert(Policy<Characters>);

}  // namespace rc3::metric::tokenize
