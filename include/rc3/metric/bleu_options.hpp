#pragma once
/// Tokenization of BLEU by language. LibTorch-free.

#include <string>

#include "rc3/metric/bleu.hpp"
#include "rc3/metric/tokenize/characters.hpp"
#include "rc3/metric/tokenize/intl.hpp"
#include "rc3/metric/tokenize/zh.hpp"

namespace rc3::metric {

/// How BLEU counts words in a language: sacreBLEU's tokenizer for Chinese, characters where there are no blanks, else
/// punctuation apart from letters.
inline BleuOptions bleu_options(const std::string& language) {
  if (language == "zh") return {.tokenizer = tokenize::Zh()};
  if (language == "ja" || language == "th" || language == "km" || language == "lo" || language == "my")
    return {.tokenizer = tokenize::Characters()};
  return {.tokenizer = tokenize::Intl()};
}

}  // namespace rc3::metric
