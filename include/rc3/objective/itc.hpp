#pragma once
/// Image-text contrastive loss on separate embeddings: search over millions then needs no fusion pass per pair.

#include <ATen/ops/arange.h>

#include "rc3/objective/concept.hpp"
#include "rc3/objective/forward_cache.hpp"
#include "rc3/objective/info_nce.hpp"
#include "rc3/objective/representations.hpp"

namespace rc3::objective {

/// Symmetric InfoNCE between image embeddings and text embeddings, mean over both texts of each image.
class Itc : public torch::nn::Module, public ImageTextEmbeddings {
 public:
  /// @param tau  initial temperature, >= 0.01
  /// @throws rc3::Error for a smaller tau
  explicit Itc(double tau = 0.07) : temperature_(register_module("temperature", std::make_shared<Temperature>(tau))) {}

  /// @return scalar >= 0; zero for a batch of one
  /// @throws rc3::Error for ids of another shape than [B]
  template <class Model>
  at::Tensor loss(ForwardCache<Model>& forward) {
    return rows_loss(represent(forward), forward.batch(), 0, forward.batch().size());
  }

  /// Share of the rows @p begin to @p end in the loss.
  /// @param r  of the whole batch, unit-norm embeddings [B, E]
  /// @return scalar >= 0
  at::Tensor rows_loss(const Representations& r, const Batch& batch, std::int64_t begin, std::int64_t end) {
    const auto rows = at::arange(begin, end, batch.device());
    const auto allowed = true_negatives(batch, begin, end).scatter(1, rows.unsqueeze(1), true);
    const auto scale = temperature_->scale();
    const auto terms = [&](const at::Tensor& x, const at::Tensor& y) {
      return info_nce_terms((x.narrow(0, begin, end - begin) * scale).matmul(y.t()), rows, allowed);
    };
    const auto &p = r.learned[image], &a = r.learned[text_a], &b = r.learned[text_b];
    return (terms(p, a) + terms(a, p) + terms(p, b) + terms(b, p)).sum() / (4.0 * static_cast<double>(p.size(0)));
  }

 private:
  std::shared_ptr<Temperature> temperature_;
};

}  // namespace rc3::objective
