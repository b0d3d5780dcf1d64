#pragma once
/// bfloat16 products without gradient: weights are cast and laid out for the processor once, not in every call.

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/GradMode.h>
#include <c10/util/intrusive_ptr.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace rc3::nn {

namespace detail {

/// LibTorch's operators for packed weights, those of its compiler. Without oneDNN there are none.
struct PackedOperators {
  using Supported = bool();
  using Pack = at::Tensor(const at::Tensor&, std::optional<std::int64_t>);
  using Product = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, std::string_view,
                             c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);

  std::optional<c10::TypedOperatorHandle<Pack>> pack;
  std::optional<c10::TypedOperatorHandle<Product>> product;

  /// @return the operators, if this processor has bfloat16 products; else none
  static const PackedOperators& get() {
    static const PackedOperators operators = [] {
      PackedOperators found;
      auto& dispatcher = c10::Dispatcher::singleton();
      const auto supported = dispatcher.findSchema({"mkldnn::_is_mkldnn_bf16_supported", ""});
      const auto pack = dispatcher.findSchema({"mkldnn::_reorder_linear_weight", ""});
      const auto product = dispatcher.findSchema({"mkldnn::_linear_pointwise", ""});
      if (!supported || !pack || !product || !supported->typed<Supported>().call()) return found;
      found.pack = pack->typed<Pack>();
      found.product = product->typed<Product>();
      return found;
    }();
    return operators;
  }
};

}  // namespace detail

/// Weights of linear layers in bfloat16, in the layout of the processor's products. As autocast's cache of weights, but
/// for layers without gradient, which autocast casts again in every call. An entry lasts as long as its weight, and is
/// made again after a change of it. Any number of threads may use it.
class PackedWeights {
 public:
  /// The cache of the process.
  static PackedWeights& instance() {
    static PackedWeights all;
    return all;
  }

  /// Whether W x is to be computed with packed weights: on the CPU, under bfloat16 autocast, without gradient.
  /// @param weight  float [out, in]
  /// @param x       float [..., in]
  static bool serve(const at::Tensor& weight, const at::Tensor& x) {
    return !at::GradMode::is_enabled() && at::autocast::is_autocast_enabled(at::kCPU) &&
           at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16 && weight.device().is_cpu() &&
           weight.scalar_type() == at::kFloat && !weight.is_inference() && weight.is_contiguous() &&
           weight.numel() > 0 && x.numel() > 0 && x.device().is_cpu() && x.is_floating_point() &&
           at::globalContext().userEnabledMkldnn() && detail::PackedOperators::get().pack;
  }

  /// W x + b. @pre serve(weight, x)  @return bfloat16 [..., out]
  at::Tensor linear(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& x) {
    const auto packed = of(weight);
    const auto b = bias.defined() ? std::optional(bias.to(at::kBFloat16)) : std::nullopt;
    return detail::PackedOperators::get().product->call(x.to(at::kBFloat16), packed, b, "none",
                                                        c10::List<std::optional<at::Scalar>>(), std::nullopt);
  }

  /// Number of weights.
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }

 private:
  struct Entry {
    c10::weak_intrusive_ptr<at::TensorImpl> weight;
    const void* data = nullptr;
    std::int64_t version = 0;
    std::array<float, 8> some = {};  // of the weight's elements: operators for optimizers do not count their changes
    at::Tensor packed;

    bool is_of(const at::Tensor& w) const {
      return !weight.expired() && data == w.const_data_ptr() && version == w._version() && some == some_of(w);
    }
    static std::array<float, 8> some_of(const at::Tensor& w) {
      std::array<float, 8> elements{};
      const auto* all = w.const_data_ptr<float>();
      const auto step = static_cast<std::size_t>(w.numel()) / elements.size();
      for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = all[i * step];
      return elements;
    }
  };

  at::Tensor of(const at::Tensor& weight) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(weight.unsafeGetTensorImpl());
    if (found != entries_.end() && found->second.is_of(weight)) return found->second.packed;
    std::erase_if(entries_, [](const auto& item) { return item.second.weight.expired(); });
    auto packed = detail::PackedOperators::get().pack->call(weight.detach().to(at::kBFloat16), std::nullopt);
    entries_.insert_or_assign(weight.unsafeGetTensorImpl(),
                              Entry{c10::weak_intrusive_ptr<at::TensorImpl>(weight.getIntrusivePtr()),
                                    weight.const_data_ptr(), weight._version(), Entry::some_of(weight), packed});
    return packed;
  }

  mutable std::mutex mutex_;
  std::unordered_map<const at::TensorImpl*, Entry> entries_;
};

}  // namespace rc3::nn
