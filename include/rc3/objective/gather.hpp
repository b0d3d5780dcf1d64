#pragma once
/// Contrastive losses over the batches of all ranks.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "rc3/core/communicator.hpp"
#include "rc3/objective/forward_cache.hpp"
#include "rc3/objective/representations.hpp"

namespace rc3::objective {

namespace detail {

/// Concatenated rows of all ranks. The gradient of a rank's rows is the sum over the ranks that used them.
template <class Comm>
struct GatherRows : torch::autograd::Function<GatherRows<Comm>> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& rows,
                            std::int64_t communicator) {
    auto& comm = *reinterpret_cast<Comm*>(communicator);
    context->saved_data["communicator"] = communicator;
    return at::cat(comm.all_gather(rows.contiguous()), 0);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    auto& comm = *reinterpret_cast<Comm*>(context->saved_data["communicator"].toInt());
    auto sum = gradients[0].contiguous().clone();
    comm.all_reduce(sum);
    const auto n = sum.size(0) / comm.size();
    return {sum.narrow(0, comm.rank() * n, n), at::Tensor()};
  }
};

}  // namespace detail

/// Concatenated rows of all ranks, with gradient.
/// @param rows  [n, ...], of the same shape on all ranks
/// @return [size * n, ...]; all ranks must call backward
template <Communicator Comm>
at::Tensor gather_rows(Comm& comm, const at::Tensor& rows) {
  if (!rows.defined() || comm.size() == 1) return rows;
  return detail::GatherRows<Comm>::apply(rows, reinterpret_cast<std::int64_t>(&comm));
}

/// Samples of all ranks: ids, strictness, relevance and the texts' token ids; no images.
/// @pre the same number of samples, and the same members defined, on all ranks
template <Communicator Comm>
Batch gather_batch(Comm& comm, const Batch& batch) {
  if (comm.size() == 1) return batch;
  const auto gather = [&](const at::Tensor& t) {
    return t.defined() ? at::cat(comm.all_gather(t.contiguous()), 0) : t;
  };
  const auto texts = [&](const Texts& t) {
    if (!t.mask.defined()) return Texts{};
    std::int64_t longest = 0;  // each rank pads to its own longest text
    for (const auto& length : comm.all_gather(at::tensor({t.mask.size(1)}, at::kLong)))
      longest = std::max(longest, length.template item<std::int64_t>());
    const auto pad = [&](const at::Tensor& x, std::int64_t value) {
      return x.defined() ? gather(at::constant_pad_nd(x, {0, longest - x.size(1)}, value)) : x;
    };
    return Texts{pad(t.ids, 1), pad(t.mask, 0), {}};
  };
  return {{},
          texts(batch.a),
          texts(batch.b),
          gather(batch.strict),
          gather(batch.relevance),
          gather(batch.image_ids),
          gather(batch.caption_a_ids),
          gather(batch.caption_b_ids)};
}

/// The function below for a ForwardCache that other objectives share. cache.whole() is gather_batch() of its batch.
/// cache.begin() is the index of this rank's first sample in it.
/// @return this rank's share, a scalar  @throws rc3::Error if the ranks have different numbers of samples
template <Communicator Comm, class Model, class Objective>
requires Cacheable<Objective, Model> at::Tensor gathered_loss(Comm& comm, ForwardCache<Model>& forward,
                                                              Objective& objective) {
  const auto n = forward.batch().size();
  require(forward.whole().size() == n * comm.size(),
          "objective::gathered_loss: every rank must bring the same number of samples");
  auto r = objective.represent(forward);
  for (auto& t : r.learned) t = gather_rows(comm, t);
  for (auto& t : r.fixed)
    if (t.defined() && comm.size() > 1) t = at::cat(comm.all_gather(t.contiguous()), 0);
  return objective.rows_loss(r, forward.whole(), forward.begin(), forward.begin() + n);
}

/// This rank's share of the loss over the batches of all ranks. The sum of the shares is `objective.loss` of the whole
/// batch, and the sum of their gradients is its gradient. Every rank uses the negatives of all ranks.
/// @param batch  this rank's samples, the same number on every rank, with ids that differ between the ranks' samples
/// @tparam Objective  objective::Cacheable
/// @return a scalar
template <Communicator Comm, class Model, class Objective>
requires Cacheable<Objective, Model> at::Tensor gathered_loss(Comm& comm, Model& model, Objective& objective,
                                                              const Batch& batch) {
  const Batch whole = gather_batch(comm, batch);
  ForwardCache<Model> forward(model, batch, comm.size() == 1 ? batch : whole, comm.rank() * batch.size());
  return gathered_loss(comm, forward, objective);
}

/// Compile-time error for an objective that cannot be computed in parts.
template <Communicator Comm, class Model, class Objective>
at::Tensor gathered_loss(Comm&, Model&, Objective&, const Batch&) {
  static constexpr bool cacheable = Cacheable<Objective, Model>;
  static_assert(
      cacheable,
      "objective::gathered_loss: the objective needs represent(ForwardCache&) and rows_loss(const Representations&, "
      "const Batch&, begin, end) [docs/concepts/objective.md]");
  return {};
}

}  // namespace rc3::objective
