#pragma once
/// What a relevance policy must offer. See docs/concepts/relevance.md. LibTorch-free.

#include <cstdint>
#include <type_traits>

#include "rc3/fwd.hpp"

namespace rc3::relevance {

/// `score(const Batch&)` says how relevant text b of each sample is to its text a: float [B] in [0, 1], no gradient.
template <class P>
concept Policy = requires(P& p, const Batch& batch) {
  requires std::is_same_v<decltype(p.score(batch)), at::Tensor>;
};

/// Optional, for regularizers that look at rows: `score_rows(const Batch&, begin, end)` says how relevant text b of
/// every sample is to text a of the samples begin to end: float [end - begin, B] in [0, 1], no gradient.
template <class P>
concept ScoresRows = requires(P& p, const Batch& batch, std::int64_t i) {
  requires std::is_same_v<decltype(p.score_rows(batch, i, i)), at::Tensor>;
};

}  // namespace rc3::relevance
