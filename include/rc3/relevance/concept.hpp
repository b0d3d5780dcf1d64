#pragma once
/// Concepts of a relevance policy, see docs/concepts/relevance.md. LibTorch-free.

#include <cstdint>
#include <type_traits>

#include "rc3/fwd.hpp"

namespace rc3::relevance {

/// `score(const Batch&)` returns the relevance of each sample's text b to its text a: float [B] in [0, 1], no gradient.
template <class P>
concept Policy = requires(P& p, const Batch& batch) {
  requires std::is_same_v<decltype(p.score(batch)), at::Tensor>;
};

/// Optional, for regularizers over rows: `score_rows(const Batch&, begin, end)`. It returns the relevance of every
/// sample's text b to text a of the samples begin to end: float [end - begin, B] in [0, 1], no gradient.
template <class P>
concept ScoresRows = requires(P& p, const Batch& batch, std::int64_t i) {
  requires std::is_same_v<decltype(p.score_rows(batch, i, i)), at::Tensor>;
};

/// Optional, for policies whose scale comes from translations: `needs_calibration` is true and `calibrate(const Texts&
/// a, const Texts& b)` sets the scale. `calibrated() const` returns whether calibrate() or a checkpoint has set it;
/// before that, scoring throws rc3::Error.
template <class P>
concept NeedsCalibration = requires {
  requires P::needs_calibration;
};

/// Whether a policy with `needs_calibration` has the members for calibration.
template <class P>
concept Calibrates = requires(P& p, const P& c, const Texts& t) {
  requires std::is_same_v<decltype(p.calibrate(t, t)), void>;
  requires std::is_same_v<decltype(c.calibrated()), bool>;
};

}  // namespace rc3::relevance
