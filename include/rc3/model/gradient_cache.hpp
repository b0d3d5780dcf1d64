#pragma once
/// Gradient cache: contrastive batches of any size in the memory of a small one.

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Generator.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "rc3/model/pretrainer.hpp"
#include "rc3/objective/representations.hpp"

namespace rc3 {

/// Sizes that bound the memory of backward_cached().
struct GradientCacheOptions {
  std::int64_t chunk = 64;   ///< samples encoded at a time, with their graph, > 0
  std::int64_t block = 256;  ///< rows of the similarity matrix in memory at a time, > 0
};

namespace detail {

/// Random state of a device, so that a second pass draws the same dropout masks as the first.
inline at::Tensor random_state(const at::Device& device) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return generator.get_state();
}

inline void set_random_state(const at::Device& device, const at::Tensor& state) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(state);
}

/// Concatenated parts of a batch.
inline objective::Representations joined(const std::vector<objective::Representations>& parts) {
  objective::Representations whole = parts.front();
  for (const auto member : {&objective::Representations::learned, &objective::Representations::fixed})
    for (std::size_t k = 0; k < (whole.*member).size(); ++k) {
      if (!(whole.*member)[k].defined()) continue;
      std::vector<at::Tensor> rows;
      for (const auto& part : parts) rows.push_back((part.*member)[k]);
      (whole.*member)[k] = at::cat(rows, 0);
    }
  return whole;
}

}  // namespace detail

/// Adds the gradients of @p objective over a whole batch to those of @p model and of the objective. The result equals
/// that of `weight * objective.loss(cache)` and `backward()`. Three passes: encode chunks without a graph; compute the
/// loss in blocks of rows and its gradient for the representations; encode chunks again. The last pass has a graph and
/// the same random numbers, and continues the backward pass from the representations. Memory, for any batch size: the
/// representations, one chunk's graph and `block` rows of the similarity matrix. Source: GradCache (Gao et al. 2021).
/// @tparam Objective  objective::Cacheable
/// @return weight * loss
/// @throws rc3::Error for a chunk or block that is not above 0, or an empty batch
template <class Model, class Objective>
requires objective::Cacheable<Objective, Model>
double backward_cached(Model& model, Objective& objective, const Batch& batch, GradientCacheOptions options = {},
                       double weight = 1.0) {
  require(options.chunk > 0 && options.block > 0, "rc3::backward_cached: chunk and block must be above 0, are ",
          options.chunk, " and ", options.block);
  const auto n = batch.size();
  require(n > 0, "rc3::backward_cached: the batch is empty");
  const auto device = batch.a.mask.device();  // device of the model's dropout masks
  const auto part = [&](std::int64_t begin) {
    return batch.select(at::arange(begin, std::min(n, begin + options.chunk), batch.device()));
  };

  std::vector<at::Tensor> states;
  std::vector<objective::Representations> parts;
  {
    c10::NoGradGuard no_grad;
    for (std::int64_t begin = 0; begin < n; begin += options.chunk) {
      states.push_back(detail::random_state(device));
      const Batch chunk = part(begin);
      objective::ForwardCache<Model> forward(model, chunk, batch, begin);
      parts.push_back(objective.represent(forward));
    }
  }
  auto whole = detail::joined(parts);
  parts.clear();
  for (auto& t : whole.learned)
    if (t.defined()) t = t.detach().requires_grad_();

  double total = 0;
  for (std::int64_t begin = 0; begin < n; begin += options.block) {
    const auto loss = weight * objective.rows_loss(whole, batch, begin, std::min(n, begin + options.block));
    total += loss.template item<double>();
    loss.backward();
  }

  for (std::int64_t begin = 0; begin < n; begin += options.chunk) {
    detail::set_random_state(device, states[static_cast<std::size_t>(begin / options.chunk)]);
    const Batch chunk = part(begin);
    objective::ForwardCache<Model> forward(model, chunk, batch, begin);
    const auto again = objective.represent(forward);
    std::vector<at::Tensor> outputs, gradients;
    for (std::size_t k = 0; k < again.learned.size(); ++k) {
      if (!again.learned[k].defined() || !again.learned[k].requires_grad() || !whole.learned[k].grad().defined())
        continue;
      outputs.push_back(again.learned[k]);
      gradients.push_back(whole.learned[k].grad().narrow(0, begin, chunk.size()));
    }
    if (!outputs.empty()) torch::autograd::backward(outputs, gradients);
  }
  return total;
}

/// Compile-time error for an objective that cannot be computed in parts.
template <class Model, class Objective>
double backward_cached(Model&, Objective&, const Batch&, GradientCacheOptions = {}, double = 1.0) {
  static constexpr bool cacheable = objective::Cacheable<Objective, Model>;
  static_assert(
      cacheable,
      "rc3::backward_cached: the objective needs represent(ForwardCache&) and rows_loss(const Representations&, "
      "const Batch&, begin, end) [docs/concepts/objective.md]");
  return 0;
}

}  // namespace rc3
