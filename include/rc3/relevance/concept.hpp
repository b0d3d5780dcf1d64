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

/// Optional, for policies whose numbers have no scale until they have seen translations: `needs_calibration` is true,
/// `calibrate(const Texts& a, const Texts& b)` sets the scale from translations, and `calibrated() const` says whether
/// that, or a checkpoint, has set it. Scored before, such a policy throws an rc3::Error.
template <class P>
concept NeedsCalibration = requires {
  requires P::needs_calibration;
};

/// Whether a policy that says needs_calibration can be calibrated.
template <class P>
concept Calibrates = requires(P& p, const P& c, const Texts& t) {
  requires std::is_same_v<decltype(p.calibrate(t, t)), void>;
  requires std::is_same_v<decltype(c.calibrated()), bool>;
};

}  // namespace rc3::relevance
