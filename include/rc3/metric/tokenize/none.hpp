#pragma once
/// Tokenizer for tokenized text.

#include <string>
#include <string_view>

#include "rc3/metric/tokenize/concept.hpp"

namespace rc3::metric::tokenize {

/// Returns the line unchanged: tokens are separated by white space. Scores of texts tokenized by others are not
/// comparable between papers (Post 2018, "A Call for Clarity in Reporting BLEU Scores").
class None {
 public:
  std::string name() const { return "none"; }  ///< in signatures
  /// @param line  without trailing white space  @return tokens, separated by white space
  std::u32string operator()(std::u32string_view line) const { return std::u32string(line); }
};

static_assert(Policy<None>);

}  // namespace rc3::metric::tokenize
