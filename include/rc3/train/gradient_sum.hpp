#pragma once
/// Sum of all ranks' gradients, overlapped with the backward pass.

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "rc3/core/communicator.hpp"
#include "rc3/core/error.hpp"

namespace rc3::train {

/// A Communicator with asynchronous sums: `all_reduce_later(t)` returns an object whose `wait()` returns when t holds
/// the sum. These calls are matched only with each other, in their order.
template <class C>
concept SumsLater = Communicator<C> && requires(C& c, const at::Tensor& t) {
  c.all_reduce_later(t).wait();
};

/// Parameters are grouped in buckets, last ones first, since their gradients come first. A bucket with all gradients is
/// sent at once, in the same order on every rank. Parameters that no rank used in the previous step are not waited for.
/// If one is used after its bucket was sent, the whole bucket is summed again at the end.
/// A gradient therefore always has the same position in the same message. With three or more ranks, a ring's order of
/// addition depends on the position. A resumed run knows no previous step, yet must round as an uninterrupted one.
/// Source: Li et al. 2020 (PyTorch DDP).
template <Communicator Comm>
class GradientSum {
 public:
  /// @param parameters    trainable ones, in the same order on every rank
  /// @param bucket_bytes  gradients per message, > 0
  /// @throws rc3::Error for bucket_bytes that is not above 0
  GradientSum(Comm& comm, std::vector<at::Tensor> parameters, std::int64_t bucket_bytes = 25 << 20)
      : comm_(comm),
        parameters_(std::move(parameters)),
        bucket_of_(parameters_.size()),
        expected_(parameters_.size(), true) {
    require(bucket_bytes > 0, "train::GradientSum: bucket_bytes must be above 0, is ", bucket_bytes);
    for (std::size_t i = parameters_.size(); i-- > 0;) {
      const auto& p = parameters_[i];
      if (buckets_.empty() || buckets_.back().bytes >= bucket_bytes ||
          parameters_[buckets_.back().members.front()].scalar_type() != p.scalar_type())
        buckets_.emplace_back();
      buckets_.back().members.push_back(i);
      buckets_.back().bytes += static_cast<std::int64_t>(p.nbytes());
      bucket_of_[i] = buckets_.size() - 1;
    }
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      torch::autograd::impl::set_post_acc_grad_hooks(parameters_[i], std::make_unique<Hook>(*this, i));
  }
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;
  ~GradientSum() {
    for (const auto& p : parameters_) torch::autograd::impl::set_post_acc_grad_hooks(p, nullptr);
  }

  /// Call before the backward pass that completes a step's gradients.
  void begin() {
    for (auto& b : buckets_) b.missing = 0;
    for (std::size_t i = 0; i < parameters_.size(); ++i) buckets_[bucket_of_[i]].missing += expected_[i];
    there_.assign(parameters_.size(), false);
    late_.assign(buckets_.size(), false);
    sent_ = 0;
    armed_ = true;
  }

  /// Call after that pass: every parameter then has the sum over the ranks. One that no rank used has no gradient, as
  /// with one rank.
  void finish() {
    armed_ = false;
    c10::NoGradGuard no_grad;
    while (sent_ < buckets_.size()) send(buckets_[sent_++]);
    std::vector<std::int64_t> counts;  // ranks that used each parameter, and those that sent each bucket too early
    for (const auto& p : parameters_) counts.push_back(p.grad().defined());
    counts.insert(counts.end(), late_.begin(), late_.end());
    auto sums = at::tensor(counts, at::kLong);
    comm_.all_reduce(sums);
    const auto* users = sums.template data_ptr<std::int64_t>();
    const auto* late = users + parameters_.size();
    for (std::size_t k = 0; k < buckets_.size(); ++k) {
      if (late[k] == 0) continue;
      if constexpr (SumsLater<Comm>) buckets_[k].pending->wait();
      send(buckets_[k]);
    }
    for (auto& b : buckets_) {
      if constexpr (SumsLater<Comm>)
        b.pending->wait();
      else
        comm_.all_reduce(b.flat);
      std::int64_t at = 0;
      for (const auto i : b.members) {
        auto& p = parameters_[i];
        const auto part = b.flat.narrow(0, at, p.numel()).view(p.sizes());
        at += p.numel();
        expected_[i] = users[i] > 0;
        if (users[i] == 0) continue;
        if (p.grad().defined())
          p.mutable_grad().copy_(part);
        else
          p.mutable_grad() = part.clone();
      }
      b.flat = at::Tensor();
    }
  }

 private:
  template <class C>
  struct PendingOf {
    using type = int;
  };
  template <SumsLater C>
  struct PendingOf<C> {
    using type = decltype(std::declval<C&>().all_reduce_later(std::declval<const at::Tensor&>()));
  };

  struct Bucket {
    std::vector<std::size_t> members;
    std::int64_t bytes = 0;
    std::size_t missing = 0;
    at::Tensor flat;
    std::optional<typename PendingOf<Comm>::type> pending;
  };

  struct Hook : torch::autograd::PostAccumulateGradHook {
    Hook(GradientSum& sum, std::size_t index) : sum(sum), index(index) {}
    void operator()(const torch::autograd::Variable&) override { sum.arrived(index); }
    GradientSum& sum;
    std::size_t index;
  };

  void arrived(std::size_t i) {
    if (!armed_ || there_[i]) return;
    there_[i] = true;
    if (bucket_of_[i] < sent_) late_[bucket_of_[i]] = true;
    if (expected_[i]) --buckets_[bucket_of_[i]].missing;
    c10::NoGradGuard no_grad;
    for (; sent_ < buckets_.size() && buckets_[sent_].missing == 0; ++sent_) send(buckets_[sent_]);
  }

  void send(Bucket& b) {
    std::vector<at::Tensor> parts;
    for (const auto i : b.members) {
      const auto& p = parameters_[i];
      parts.push_back(p.grad().defined() ? p.grad().reshape({-1}) : at::zeros({p.numel()}, p.options()));
    }
    b.flat = at::cat(parts);
    if constexpr (SumsLater<Comm>) b.pending.emplace(comm_.all_reduce_later(b.flat));
  }

  Comm& comm_;
  std::vector<at::Tensor> parameters_;
  std::vector<std::size_t> bucket_of_;
  std::vector<Bucket> buckets_;
  std::vector<bool> expected_, there_, late_;
  std::size_t sent_ = 0;
  bool armed_ = false;
};

}  // namespace rc3::train
