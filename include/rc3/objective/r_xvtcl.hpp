#pragma once
/// R-XVtCL: regularized cross-lingual visio-textual contrastive learning, the objective of RC³.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/nn/l2_normalize.hpp"
#include "rc3/core/random.hpp"
#include "rc3/core/state_dict.hpp"
#include "rc3/objective/concept.hpp"
#include "rc3/objective/forward_cache.hpp"
#include "rc3/objective/info_nce.hpp"
#include "rc3/objective/negatives/concept.hpp"
#include "rc3/objective/negatives/in_batch.hpp"
#include "rc3/objective/negatives/same_image.hpp"
#include "rc3/objective/representations.hpp"
#include "rc3/regularizer/concept.hpp"
#include "rc3/regularizer/pairs.hpp"
#include "rc3/regularizer/weight_schedule.hpp"
#include "rc3/relevance/concept.hpp"

namespace rc3::objective {

/// Temperature, weight of the regularizer and hidden images in RXvtcl. Defaults are those of the study on photographs,
/// docs/results/study.md.
struct RXvtclOptions {
  double tau = 0.07;                         ///< initial temperature, >= 0.01
  regularizer::WeightSchedule lambda = 5.0;  ///< weight of the regularizer at each step, >= 0
  /// Fraction of pairs, in training, in which the image is hidden from one of the two inputs, in [0, 1]. An image is
  /// often enough to find z^b by z^a among other images; then z need not contain the text, and the loss is near zero.
  /// 0 is the loss of the paper.
  double hidden_images = 1;
  std::uint64_t seed = 1;  ///< seed of what is hidden, together with the step
};

/// symmetric InfoNCE(ẑ^a_i, ẑ^b_j) + lambda * Omega(s, rho), with s_i = cos(z^a_i, z^b_i) and rho_i the relevance of
/// text b to text a. Source: RC³ (Findings of ACL 2023); the exact form of Omega is this library's.
/// @tparam Regularizer  regularizer::Policy: bound on proximity from relevance
/// @tparam Relevance    relevance::Policy: relevance of two texts to each other
/// @tparam Negatives    negatives::Policy: candidates beyond the other samples of the batch
template <class Regularizer, class Relevance, class Negatives>
class RXvtcl : public torch::nn::Module {
  static constexpr bool regularizes = regularizer::Policy<Regularizer>;
  static constexpr bool relates = relevance::Policy<Relevance>;
  static constexpr bool rows = regularizer::uses_rows<Regularizer>;
  static constexpr bool relates_rows = !regularizes || !relates || !rows || relevance::ScoresRows<Relevance>;
  static constexpr bool calibrates = !regularizes || !relates || !relates_rows ||
                                     !relevance::NeedsCalibration<Relevance> || relevance::Calibrates<Relevance>;
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
  static_assert(
      calibrates,
      "objective::RXvtcl<Regularizer, Relevance>: needs_calibration is true, so calibrate(const Texts&, const "
      "Texts&) and calibrated() const, a bool, must exist [docs/concepts/relevance.md]");

 public:
  /// @throws rc3::Error for tau below 0.01 or hidden_images outside [0, 1]
  explicit RXvtcl(RXvtclOptions options = {}, Regularizer regularizer = Regularizer{},
                  Relevance relevance = Relevance{}, Negatives negatives = Negatives{})
      : options_(options),
        regularizer_(std::move(regularizer)),
        relevance_(std::move(relevance)),
        negatives_(std::move(negatives)),
        temperature_(register_module("temperature", std::make_shared<Temperature>(options.tau))) {
    require(options.hidden_images >= 0 && options.hidden_images <= 1,
            "objective::RXvtcl: hidden_images must be in [0, 1], is ", options.hidden_images);
  }

  /// Loss of the whole batch. With gradients enabled, negatives with a memory then store the batch.
  /// @return scalar
  /// @throws rc3::Error as the relevance and the negatives do, for example before calibration
  template <class Model>
  at::Tensor loss(ForwardCache<Model>& forward) {
    const auto loss = rows_loss(represent(forward), forward.batch(), 0, forward.batch().size());
    after(forward);
    return loss;
  }

  /// End of a training step for a loss computed in parts: negatives with a memory store the batch.
  template <class Model>
  void after(ForwardCache<Model>& forward) {
    if constexpr (requires { negatives_.after(forward); })
      if (c10::GradMode::is_enabled()) negatives_.after(forward);
  }

  /// Inputs of the loss: z^a, z^b, and one extra candidate per row for each, see Representations.
  template <class Model>
  requires negatives::Policy<Negatives, Model> Representations represent(ForwardCache<Model>& forward) {
    const auto more_a = negatives_.for_a(forward), more_b = negatives_.for_b(forward);
    const auto [a, b] = inputs(forward);
    return {{a, b, more_a.per_row, more_b.per_row},
            {relevance_.score(forward.batch()), more_a.allowed, more_b.allowed},
            {more_a.shared, more_b.shared}};
  }

  /// Compile-time error for an incomplete negatives policy.
  template <class Model>
  Representations represent(ForwardCache<Model>&) {
    static constexpr bool negates = negatives::Policy<Negatives, Model>;
    static_assert(negates,
                  "objective::RXvtcl<..., Negatives>: for_a(ForwardCache&) and for_b(ForwardCache&) must return "
                  "negatives::ExtraNegatives "
                  "[docs/concepts/objective.md]");
    return {};
  }

  /// Share of the rows @p begin to @p end in the loss. All rows: the loss.
  /// @param r      of the whole batch, learned [B, D]
  /// @param begin, end  0 <= begin < end <= B
  /// @return scalar
  at::Tensor rows_loss(const Representations& r, const Batch& batch, std::int64_t begin, std::int64_t end) {
    const auto a = nn::l2_normalize(r.learned[z_a]), b = nn::l2_normalize(r.learned[z_b]);
    const auto all = static_cast<double>(a.size(0));
    const auto block = [&](const at::Tensor& t) { return t.defined() ? t.narrow(0, begin, end - begin) : t; };
    const auto rho = r.fixed[relevance_a_b].to(a.options());
    const auto rows_of_block = at::arange(begin, end, batch.device()).unsqueeze(1);
    const auto allowed = true_negatives(batch, begin, end).scatter(1, rows_of_block, true);

    auto terms = (direction(block(a), b, begin, block(r.learned[extra_a]), r.shared[shared_a],
                            block(r.fixed[allowed_a]), allowed) +
                  direction(block(b), a, begin, block(r.learned[extra_b]), r.shared[shared_b],
                            block(r.fixed[allowed_b]), allowed)) /
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

  /// Sets lambda for a step by its schedule; the trainer calls it.
  void at_step(std::int64_t step) {
    lambda_ = options_.lambda.at(step);
    step_ = step;
  }

  /// State of the relevance and negatives policies. The temperature is a parameter, so it is not included.
  StateDict state_dict() const {
    StateDict all;
    add_state_dict(all, "relevance.", relevance_);
    add_state_dict(all, "negatives.", negatives_);
    return all;
  }
  /// @throws rc3::Error for state that does not fit: see rc3::check_state_dict
  void check_state_dict(const StateDict& all) const {
    const auto known =
        rc3::check_state_dict(all, "relevance.", relevance_) + rc3::check_state_dict(all, "negatives.", negatives_);
    require(known == all.size(), "objective::RXvtcl: the state has ", all.size() - known,
            " tensors of neither relevance nor negatives");
  }
  /// @throws rc3::Error as check_state_dict; nothing is then changed
  void load_state_dict(const StateDict& all) {
    check_state_dict(all);
    rc3::load_state_dict(all, "relevance.", relevance_);
    rc3::load_state_dict(all, "negatives.", negatives_);
  }

  Relevance& relevance() { return relevance_; }
  Negatives& negatives() { return negatives_; }
  /// Weight of the regularizer, >= 0, as the last at_step() set it; at first that of step 0.
  double lambda() const { return lambda_; }

 private:
  // Indices in Representations, in the order of represent().
  enum Learned : std::size_t { z_a, z_b, extra_a, extra_b };
  enum Fixed : std::size_t { relevance_a_b, allowed_a, allowed_b };
  enum Shared : std::size_t { shared_a, shared_b };

  /// z^a and z^b, some without their image. What is hidden is a function of seed, step and place in the whole batch.
  template <class Model>
  std::pair<at::Tensor, at::Tensor> inputs(ForwardCache<Model>& forward) {
    if (!is_training() || options_.hidden_images == 0) return {forward.z_a(), forward.z_b()};
    Random random(options_.seed, static_cast<std::uint64_t>(step_));
    std::vector<std::int64_t> hidden;  // 1: from a, 2: from b
    for (std::int64_t i = 0; i < forward.begin() + forward.batch().size(); ++i) {
      const bool hides = random.chance(options_.hidden_images), from_a = random.chance(0.5);
      if (i >= forward.begin()) hidden.push_back(hides ? (from_a ? 1 : 2) : 0);
    }
    const auto which = at::tensor(hidden, at::kLong).to(forward.batch().device());
    const auto fused = [&](const Tokens& text, std::int64_t side) {
      return forward.model().fuse(forward.visual().without(which == side), text);
    };
    return {fused(forward.text_a(), 1), fused(forward.text_b(), 2)};
  }

  /// InfoNCE of each anchor of @p a, the samples from @p begin on, among @p b [N, D]. If defined, @p own adds one
  /// negative per row and @p shared adds negatives for all rows where @p shared_allowed is true.
  at::Tensor direction(const at::Tensor& a, const at::Tensor& b, std::int64_t begin, const at::Tensor& own,
                       const at::Tensor& shared, const at::Tensor& shared_allowed, const at::Tensor& allowed) {
    const auto scaled = a * temperature_->scale();
    std::vector<at::Tensor> logits{scaled.matmul(b.t())}, counted{allowed};
    if (own.defined()) {
      logits.push_back((scaled * nn::l2_normalize(own)).sum(1, /*keepdim=*/true));
      counted.push_back(own.detach().ne(0).any(1, /*keepdim=*/true));
    }
    if (shared.defined()) {
      logits.push_back(scaled.matmul(nn::l2_normalize(shared).to(a.scalar_type()).t()));
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
  std::int64_t step_ = 0;
};

}  // namespace rc3::objective
