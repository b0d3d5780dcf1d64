#pragma once
/// Cross-lingual textual contrastive loss: brings translations of each other together.

#include <ATen/ops/arange.h>
#include <ATen/ops/searchsorted.h>

#include "rc3/objective/concept.hpp"
#include "rc3/objective/forward_cache.hpp"
#include "rc3/objective/info_nce.hpp"
#include "rc3/objective/representations.hpp"

namespace rc3::objective {

/// Symmetric InfoNCE between both text embeddings of the strictly aligned samples; zero for a batch without any.
class Xtcl : public torch::nn::Module {
 public:
  static constexpr bool embeddings_only = true;  ///< reads no z and no token, see objective::embeddings_only

  /// @param tau  initial temperature, >= 0.01
  /// @throws rc3::Error for a smaller tau
  explicit Xtcl(double tau = 0.07) : temperature_(register_module("temperature", std::make_shared<Temperature>(tau))) {}

  /// @return scalar >= 0; zero for a batch without strictly aligned samples
  /// @throws rc3::Error if Batch::strict is not [B]; undefined, every sample counts as strictly aligned
  template <class Model>
  at::Tensor loss(ForwardCache<Model>& forward) {
    return rows_loss(represent(forward), forward.batch(), 0, forward.batch().size());
  }

  /// Embeddings of both texts, see Representations.
  template <class Model>
  Representations represent(ForwardCache<Model>& forward) {
    return {{forward.text_a_embeddings(), forward.text_b_embeddings()}, {}};
  }

  /// Share of the rows @p begin to @p end in the loss.
  /// @param r  of the whole batch, unit-norm embeddings [B, E]
  /// @return scalar >= 0
  /// @throws rc3::Error if Batch::strict is not [B]
  at::Tensor rows_loss(const Representations& r, const Batch& batch, std::int64_t begin, std::int64_t end) {
    const auto &a = r.learned[text_a], &b = r.learned[text_b];
    auto strict = at::arange(batch.size(), batch.device()), rows = at::arange(begin, end, batch.device());
    if (batch.strict.defined()) {
      check_shape("objective::Xtcl", "strict", batch.strict, {{'B', batch.size()}});
      strict = batch.strict.nonzero().squeeze(1);
      rows = strict.masked_select((strict >= begin) & (strict < end));
    }
    if (rows.numel() == 0) return (a.sum() + b.sum()) * 0;
    const auto allowed = true_negatives(batch.ids().select(rows), batch.ids())
                             .scatter(1, rows.unsqueeze(1), true)
                             .index_select(1, strict);
    const auto partner = at::searchsorted(strict, rows);  // index of each row's sample among the strict ones
    const auto scale = temperature_->scale();
    const auto terms = [&](const at::Tensor& x, const at::Tensor& y) {
      return info_nce_terms((x.index_select(0, rows) * scale).matmul(y.index_select(0, strict).t()), partner, allowed);
    };
    return (terms(a, b) + terms(b, a)).sum() / (2.0 * static_cast<double>(strict.numel()));
  }

 private:
  enum Learned : std::size_t { text_a, text_b };  ///< indices in Representations

  std::shared_ptr<Temperature> temperature_;
};

}  // namespace rc3::objective
