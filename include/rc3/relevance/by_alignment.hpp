#pragma once
/// Relevance by alignment: 1 for translations, less for other captions of the same image.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <limits>
#include <type_traits>
#include <utility>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/core/state_dict.hpp"
#include "rc3/relevance/concept.hpp"
#include "rc3/relevance/constant.hpp"

namespace rc3::relevance {

/// rho_i = 1 for a strict pair (Batch::strict), else Batch::relevance[i] where known (not NaN), else the score of @p
/// Inner. Inner scores only the remaining pairs, so that an encoder encodes no text needlessly.
/// @tparam Inner  relevance::Policy for weak pairs of unknown relevance; by default Constant, the value `weak`
template <class Inner>
class ByAlignment {
  static constexpr bool constant = std::is_same_v<Inner, Constant>;
  static_assert(Policy<Inner>,
                "relevance::ByAlignment<Inner>: score(const Batch&) of Inner must return torch::Tensor [B] "
                "[docs/concepts/relevance.md]");

 public:
  /// As Inner; strict pairs and known relevances need none.
  static constexpr bool needs_calibration = NeedsCalibration<Inner>;

  /// @param weak  relevance of a weak pair of unknown relevance, in [0, 1]. The default, 0.3, assumes that two captions
  ///              written independently for one image share about a third of their content
  explicit ByAlignment(double weak = 0.3) requires constant : inner_(checked(weak)) {}

  /// @param inner  calibrated before the first weak pair of unknown relevance, if it needs calibration
  explicit ByAlignment(Inner inner) : inner_(std::move(inner)) {}

  /// @return float [B] in [0, 1]
  /// @throws rc3::Error for a known relevance outside [0, 1]; with a constant Inner also for a pair with neither
  ///         alignment nor relevance
  at::Tensor score(const Batch& batch) {
    auto rho = known(batch);
    const auto open = rho.isnan().nonzero().squeeze(1);
    if (open.numel() == 0) return rho;
    if constexpr (constant)
      require(batch.strict.defined(), "relevance::ByAlignment: the relevance of ", open.numel(), " of ", batch.size(),
              " pairs is unknown, and the batch does not say which pairs are translations: set Batch::strict or "
              "Batch::relevance");
    const auto missing = inner_.score(batch.select(open));
    check_shape("relevance::ByAlignment", "score of the inner policy", missing, {{'N', open.numel()}});
    rho = rho.to(c10::promoteTypes(rho.scalar_type(), missing.scalar_type()));
    return rho.index_copy(0, open, missing.detach().to(rho.options()));
  }

  /// rho_ij of text b of every sample to text a of the samples @p begin to @p end. The diagonal equals score(). Other
  /// entries come from Inner if it has score_rows.
  /// Otherwise equal texts (caption ids) have 1 and texts of different images have 0. Texts of one image (image_ids)
  /// have the constant, or 0 if Inner is not a constant.
  /// @return float [end - begin, B]
  at::Tensor score_rows(const Batch& batch, std::int64_t begin, std::int64_t end) {
    const auto diagonal = score(batch.select(at::arange(begin, end, batch.device())));
    at::Tensor rows;
    if constexpr (ScoresRows<Inner> && !constant) {
      rows = inner_.score_rows(batch, begin, end).clone();
    } else {
      rows = at::zeros({end - begin, batch.size()}, diagonal.options());
      const auto set = [&](const at::Tensor& x, const at::Tensor& y, const at::Tensor& value) {
        if (x.defined() && y.defined())
          rows = at::where(x.slice(0, begin, end).unsqueeze(1) == y.unsqueeze(0), value.to(rows.options()), rows);
      };
      if constexpr (constant) set(batch.image_ids, batch.image_ids, inner_.score_rows(batch, begin, end));
      set(batch.caption_a_ids, batch.caption_b_ids, at::full({}, 1.0, rows.options()));
    }
    rows.diagonal(begin).copy_(diagonal);
    return rows;
  }

  /// Calibration of the inner policy, see relevance::NeedsCalibration.
  void calibrate(const Texts& a, const Texts& b) requires Calibrates<Inner> { inner_.calibrate(a, b); }
  /// Whether pairs of unknown relevance can be scored. Others can be without calibration.
  bool calibrated() const requires Calibrates<Inner> { return inner_.calibrated(); }

  /// State of the inner policy, under its own names.
  StateDict state_dict() const requires Stateful<Inner> { return inner_.state_dict(); }
  /// @throws rc3::Error as the inner policy does
  void check_state_dict(const StateDict& all) const requires Stateful<Inner> { rc3::check_state_dict(all, "", inner_); }
  /// @throws rc3::Error as the inner policy does
  void load_state_dict(const StateDict& all) requires Stateful<Inner> { inner_.load_state_dict(all); }

  /// Policy for pairs of unknown relevance, for example to call Encoder::follow.
  Inner& inner() { return inner_; }

 private:
  static Constant checked(double weak) {
    require(weak >= 0 && weak <= 1, "relevance::ByAlignment: weak must be in [0, 1], is ", weak);
    return Constant(weak);
  }

  /// float [B], NaN for weak pairs of unknown relevance.
  static at::Tensor known(const Batch& batch) {
    constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
    at::Tensor rho;
    if (batch.relevance.defined()) {
      rho = batch.relevance.detach();
      check_shape("relevance::ByAlignment", "relevance", rho, {{'B', batch.size()}});
      check_floating("relevance::ByAlignment", "relevance", rho);
      require(!((rho < 0) | (rho > 1)).any().item<bool>(),
              "relevance::ByAlignment: relevance must be in [0, 1], NaN where it is unknown");
    } else {
      rho = at::full({batch.size()}, unknown, at::TensorOptions(batch.device()).dtype(at::kFloat));
    }
    if (!batch.strict.defined()) return rho;
    check_shape("relevance::ByAlignment", "strict", batch.strict, {{'B', batch.size()}});
    check_dtype("relevance::ByAlignment", "strict", batch.strict, at::kBool);
    return rho.masked_fill(batch.strict, 1.0);
  }

  Inner inner_;
};

ByAlignment(double)->ByAlignment<Constant>;

static_assert(Policy<ByAlignment<>> && ScoresRows<ByAlignment<>> && !NeedsCalibration<ByAlignment<>>);

}  // namespace rc3::relevance
