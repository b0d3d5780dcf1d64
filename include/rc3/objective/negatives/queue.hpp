#pragma once
/// Negatives of R-XVtCL from earlier batches: their number is then independent of the batch size.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <array>
#include <memory>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/core/nn/state.hpp"
#include "rc3/core/state_dict.hpp"
#include "rc3/objective/forward_cache.hpp"
#include "rc3/objective/negatives/concept.hpp"
#include "rc3/objective/negatives/in_batch.hpp"

namespace rc3::objective::negatives {

/// Size and momentum of a Queue.
struct QueueOptions {
  std::int64_t capacity = 4096;  ///< stored embeddings of each side, > 0; the oldest are dropped first
  double momentum = 0.999;       ///< m in keys = m keys + (1 - m) model, after each step, in [0, 1)
};

/// The last `capacity` visio-textual embeddings of each side, computed by a momentum copy of the model, in addition to
/// those of @p Inner. Embeddings of the same image, or of an equal caption, are no negatives. Source: MoCo (He et al.
/// 2020).
/// @tparam Model  the model under training
/// @tparam Inner  negatives::Policy that adds its candidates
template <class Model, class Inner>
class Queue {
 public:
  /// @param keys  a copy of the model that no optimizer updates; null: the model's embeddings of earlier steps are
  ///              stored (cross-batch memory, Wang et al. 2020)
  /// @throws rc3::Error for an option out of range
  explicit Queue(std::shared_ptr<Model> keys = nullptr, QueueOptions options = {}, Inner inner = Inner{})
      : keys_(std::move(keys)), options_(options), inner_(std::move(inner)) {
    require(options.capacity > 0, "negatives::Queue: capacity must be above 0, is ", options.capacity);
    require(options.momentum >= 0 && options.momentum < 1, "negatives::Queue: momentum must be in [0, 1), is ",
            options.momentum);
  }

  /// @return candidates of Inner, then stored z^b, float [M, D] with M = size(); only those of Inner before the first
  ///         after()
  ExtraNegatives for_a(ForwardCache<Model>& forward) { return with_queue(inner_.for_a(forward), forward, z_b_); }
  /// @return candidates of Inner, then stored z^a, float [M, D] with M = size()
  ExtraNegatives for_b(ForwardCache<Model>& forward) { return with_queue(inner_.for_b(forward), forward, z_a_); }

  /// Stores this step's embeddings, without samples that have one which is not finite, and updates the keys.
  void after(ForwardCache<Model>& forward) {
    c10::NoGradGuard no_grad;
    if (keys_) {
      if constexpr (std::is_base_of_v<torch::nn::Module, Model>) keys_->to(nn::device_of(forward.model()));
      follow(forward.model());
      ForwardCache<Model> again(*keys_, forward.batch());
      push(again);
    } else {
      push(forward);
    }
  }

  /// Stored embeddings of each side, 0 .. capacity.
  std::int64_t size() const { return z_a_.defined() ? z_a_.size(0) : 0; }

  /// The embeddings, their samples' ids, and the keys.
  StateDict state_dict() const {
    StateDict all;
    for (const auto& [name, tensor] : slots(*this))
      if (tensor->defined()) all.emplace(name, *tensor);
    for (const auto& [name, tensor] : state_of_keys()) all.emplace("keys." + name, tensor.detach());
    return all;
  }
  /// @throws rc3::Error for embeddings or ids of another shape or type, more than `capacity` of them, and keys of
  ///         another model
  void check_state_dict(const StateDict& all) const {
    const auto keys = state_of_keys();
    check_state(all, "negatives::Queue", "keys.", keys);
    std::size_t used = keys.size();
    const auto z = all.find("z_a");
    if (z != all.end()) {
      require(z->second.dim() == 2 && z->second.size(0) > 0 && z->second.size(0) <= options_.capacity &&
                  z->second.is_floating_point(),
              "negatives::Queue: the state's \"z_a\" must be float [M, D] with M in 1 .. ", options_.capacity, ", is ",
              z->second.scalar_type(), ' ', z->second.sizes());
      const auto m = z->second.size(0);
      check_state(all, "negatives::Queue", "z_b", z->second.sizes(), z->second.scalar_type());
      check_state(all, "negatives::Queue", "mask", {m, 1}, at::kBool);
      used += 3;
      for (const char* ids : {"image_ids", "caption_a_ids", "caption_b_ids"})
        if (all.contains(ids)) check_state(all, "negatives::Queue", ids, {m}, at::kLong), ++used;
    }
    require(all.size() == used, "negatives::Queue: the state has ", all.size() - used,
            " tensors that this queue has no place for");
  }
  /// Replaces embeddings, ids and keys; the tensors are copied.
  /// @throws rc3::Error as check_state_dict; the queue is then unchanged
  void load_state_dict(const StateDict& all) {
    check_state_dict(all);
    c10::NoGradGuard no_grad;
    for (const auto& [name, tensor] : slots(*this)) {
      const auto found = all.find(name);
      *tensor = found == all.end() ? at::Tensor() : found->second.clone();
    }
    for (const auto& [name, tensor] : state_of_keys()) at::Tensor(tensor).copy_(all.at("keys." + name));
  }

 private:
  StateDict state_of_keys() const {
    if constexpr (std::is_base_of_v<torch::nn::Module, Model>)
      if (keys_) return nn::named_state(*keys_);
    return {};
  }

  template <class Self>
  static auto slots(Self& q) {
    using Slot = std::pair<const char*, decltype(&q.z_a_)>;
    return std::array<Slot, 6>{Slot{"z_a", &q.z_a_},
                               Slot{"z_b", &q.z_b_},
                               Slot{"mask", &q.ids_.a.mask},
                               Slot{"image_ids", &q.ids_.image_ids},
                               Slot{"caption_a_ids", &q.ids_.caption_a_ids},
                               Slot{"caption_b_ids", &q.ids_.caption_b_ids}};
  }

  ExtraNegatives with_queue(ExtraNegatives more, ForwardCache<Model>& forward, const at::Tensor& vectors) const {
    if (!vectors.defined()) return more;
    auto allowed = true_negatives(forward.batch().ids(), ids_);
    if (more.shared.defined()) {
      more.allowed = at::cat({more.allowed, allowed}, 1);
      more.shared = at::cat({more.shared, vectors}, 0);
    } else {
      more.allowed = allowed;
      more.shared = vectors;
    }
    return more;
  }

  void push(ForwardCache<Model>& forward) {
    // Else one bad batch would spoil all steps until it has left the queue.
    const auto finite = (forward.z_a().isfinite().all(1) & forward.z_b().isfinite().all(1)).nonzero().squeeze(1);
    if (finite.numel() == 0) return;
    const auto keep = [&](at::Tensor& queue, const at::Tensor& all) {
      if (!all.defined()) return;
      const auto fresh = finite.numel() == all.size(0) ? all.detach() : all.detach().index_select(0, finite);
      queue = queue.defined() ? at::cat({queue, fresh}, 0) : fresh.clone();
      if (queue.size(0) > options_.capacity)
        queue = queue.narrow(0, queue.size(0) - options_.capacity, options_.capacity);
    };
    keep(z_a_, forward.z_a());
    keep(z_b_, forward.z_b());
    keep(ids_.a.mask, forward.batch().a.mask.narrow(1, 0, 1));  // gives ids_ its size
    keep(ids_.image_ids, forward.batch().image_ids);
    keep(ids_.caption_a_ids, forward.batch().caption_a_ids);
    keep(ids_.caption_b_ids, forward.batch().caption_b_ids);
  }

  void follow(const Model& model) {
    if constexpr (std::is_base_of_v<torch::nn::Module, Model>) {
      const auto theirs = model.named_parameters();
      for (auto& item : keys_->named_parameters())
        item.value().mul_(options_.momentum).add_(theirs[item.key()].detach(), 1 - options_.momentum);
    }
  }

  std::shared_ptr<Model> keys_;
  QueueOptions options_;
  Inner inner_;
  at::Tensor z_a_, z_b_;  // [M, D]
  Batch ids_;             // ids of their samples
};

}  // namespace rc3::objective::negatives
