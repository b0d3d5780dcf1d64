#pragma once
/// R-XVtCL: regularized cross-lingual visio-textual contrastive learning, what RC³ is named after.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include "rc3/core/memory.hpp"
#include "rc3/core/nn/unit.hpp"
#include "rc3/objective/concept.hpp"
#include "rc3/objective/info_nce.hpp"
#include "rc3/objective/negatives/concept.hpp"
#include "rc3/objective/negatives/in_batch.hpp"
#include "rc3/objective/negatives/same_image.hpp"
#include "rc3/objective/pass.hpp"
#include "rc3/objective/representations.hpp"
#include "rc3/regularizer/concept.hpp"
#include "rc3/regularizer/pairs.hpp"
#include "rc3/regularizer/schedule.hpp"
#include "rc3/relevance/concept.hpp"

namespace rc3::objective {

struct RXvtclOptions {
  double tau = 0.07;                 ///< first temperature, >= 0.01
  regularizer::Lambda lambda = 1.0;  ///< weight of the regularizer at each step, >= 0
};

/// symmetric InfoNCE(ẑ^a_i, ẑ^b_j) + lambda * Omega(s, rho), with s_i = cos(z^a_i, z^b_i) and rho_i the relevance of
/// text b to text a. Source: RC³ (Findings of ACL 2023); the exact form of Omega is this library's.
/// @tparam Regularizer  regularizer::Policy: how far relevance bounds proximity
/// @tparam Relevance    relevance::Policy: how relevant two texts are to each other
/// @tparam Negatives    negatives::Policy: candidates beside the other samples of the batch
template <class Regularizer, class Relevance, class Negatives>
class RXvtcl : public torch::nn::Module {
  static constexpr bool regularizes = regularizer::Policy<Regularizer>;
  static constexpr bool relates = relevance::Policy<Relevance>;
  static constexpr bool rows = regularizer::looks_at_rows<Regularizer>;
  static constexpr bool relates_rows = !regularizes || !relates || !rows || relevance::ScoresRows<Relevance>;
  static_assert(regularizes,
                "objective::RXvtcl<Regularizer>: penalty(const regularizer::Pairs&) const must return torch::Tensor "
                "[docs/concepts/regularizer.md]");
  static_assert(relates,
                "objective::RXvtcl<Regularizer, Relevance>: score(const Batch&) must return torch::Tensor [B] "
                "[docs/concepts/relevance.md]");
  static_assert(
      relates_rows,
      "objective::RXvtcl<Regularizer, Relevance>: this regularizer looks at rows, so score_rows(const Batch&, "
      "begin, end) must return torch::Tensor [end - begin, B] [docs/concepts/relevance.md]");

 public:
  explicit RXvtcl(RXvtclOptions options = {}, Regularizer regularizer = Regularizer{},
                  Relevance relevance = Relevance{}, Negatives negatives = Negatives{})
      : options_(options),
        regularizer_(std::move(regularizer)),
        relevance_(std::move(relevance)),
        negatives_(std::move(negatives)),
        temperature_(register_module("temperature", std::make_shared<Temperature>(options.tau))) {}

  template <class Model>
  at::Tensor loss(Pass<Model>& pass) {
    const auto loss = rows_loss(represent(pass), pass.batch(), 0, pass.batch().size());
    after(pass);
    return loss;
  }

  /// The end of a training step, for who computes the loss in parts: negatives that remember learn of the batch.
  template <class Model>
  void after(Pass<Model>& pass) {
    if constexpr (requires { negatives_.after(pass); })
      if (c10::GradMode::is_enabled()) negatives_.after(pass);
  }

  /// What of a batch the loss is a function of: z^a, z^b, and one further candidate a row for each. See
  /// Representations.
  template <class Model>
  requires negatives::Policy<Negatives, Model> Representations represent(Pass<Model>& pass) {
    const auto more_a = negatives_.for_a(pass), more_b = negatives_.for_b(pass);
    return {{pass.z_a(), pass.z_b(), more_a.own, more_b.own},
            {relevance_.score(pass.batch()), more_a.allowed, more_b.allowed},
            {more_a.shared, more_b.shared}};
  }

  /// What is said of a negatives policy that lacks something.
  template <class Model>
  Representations represent(Pass<Model>&) {
    static constexpr bool negates = negatives::Policy<Negatives, Model>;
    static_assert(negates,
                  "objective::RXvtcl<..., Negatives>: for_a(Pass&) and for_b(Pass&) must return negatives::More "
                  "[docs/concepts/objective.md]");
    return {};
  }

  /// The rows @p begin to @p end of the sum that the loss is. All rows: the loss.
  at::Tensor rows_loss(const Representations& r, const Batch& batch, std::int64_t begin, std::int64_t end) {
    const auto a = nn::unit(r.learned[0]), b = nn::unit(r.learned[1]);
    const auto all = static_cast<double>(a.size(0));
    const auto block = [&](const at::Tensor& t) { return t.defined() ? t.narrow(0, begin, end - begin) : t; };
    const auto rho = r.fixed[0].to(a.options());
    const auto rows_of_block = at::arange(begin, end, batch.device()).unsqueeze(1);
    const auto allowed = true_negatives(batch, begin, end).scatter(1, rows_of_block, true);

    auto terms = (direction(block(a), b, begin, block(r.learned[2]), r.shared[0], block(r.fixed[1]), allowed) +
                  direction(block(b), a, begin, block(r.learned[3]), r.shared[1], block(r.fixed[2]), allowed)) /
                 2;
    if constexpr (regularizer::Weighs<Regularizer>) terms = terms * block(regularizer_.weights(rho));

    regularizer::Pairs pairs{(block(a) * block(b)).sum(1), block(rho)};
    if constexpr (rows) {
      pairs.logits = (block(a) * temperature_->scale()).matmul(b.t());
      pairs.relevances = relevance_.score_rows(batch, begin, end).to(a.options());
    }
    const double share = static_cast<double>(end - begin) / all;  // penalties are means over their rows
    return terms.sum() / all + lambda_ * share * regularizer_.penalty(pairs);
  }

  /// Told by the trainer which step comes: lambda follows its schedule.
  void at_step(std::int64_t step) { lambda_ = options_.lambda.at(step); }

  Memory memory() const {
    Memory all;
    add_memory(all, "relevance.", relevance_);
    add_memory(all, "negatives.", negatives_);
    return all;
  }
  void set_memory(const Memory& all) {
    rc3::set_memory(all, "relevance.", relevance_);
    rc3::set_memory(all, "negatives.", negatives_);
  }

  Relevance& relevance() { return relevance_; }
  Negatives& negatives() { return negatives_; }
  double lambda() const { return lambda_; }

 private:
  /// InfoNCE of each anchor of @p a, the samples from @p begin on, among @p b [N, D]; where defined, one further
  /// negative a row, @p own, and further ones for all rows, @p shared, where @p shared_allowed says so.
  at::Tensor direction(const at::Tensor& a, const at::Tensor& b, std::int64_t begin, const at::Tensor& own,
                       const at::Tensor& shared, const at::Tensor& shared_allowed, const at::Tensor& allowed) {
    const auto scaled = a * temperature_->scale();
    std::vector<at::Tensor> logits{scaled.matmul(b.t())}, counted{allowed};
    if (own.defined()) {
      logits.push_back((scaled * nn::unit(own)).sum(1, /*keepdim=*/true));
      counted.push_back(own.detach().ne(0).any(1, /*keepdim=*/true));
    }
    if (shared.defined()) {
      logits.push_back(scaled.matmul(nn::unit(shared).to(a.scalar_type()).t()));
      counted.push_back(shared_allowed);
    }
    return info_nce_terms(at::cat(logits, 1), at::arange(begin, begin + a.size(0), a.device()), at::cat(counted, 1));
  }

  RXvtclOptions options_;
  Regularizer regularizer_;
  Relevance relevance_;
  Negatives negatives_;
  std::shared_ptr<Temperature> temperature_;
  double lambda_ = options_.lambda.at(0);
};

}  // namespace rc3::objective
