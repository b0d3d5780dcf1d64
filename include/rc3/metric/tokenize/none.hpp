#pragma once
/// Text that is tokenized already.

#include <string>
#include <string_view>

#include "rc3/metric/tokenize/concept.hpp"

namespace rc3::metric::tokenize {

/// Leaves the line as it is: tokens are what stands between white space. Scores of texts that were tokenized by others
/// cannot be compared between papers (Post 2018, "A Call for Clarity in Reporting BLEU Scores").
class None {
 public:
  std::string name() const { return "none"; }
  std::u32string operator()(std::u32string_view line) const { return std::u32string(line); }
};

static_assert(Policy<None>);

}  // namespace rc3::metric::tokenize
