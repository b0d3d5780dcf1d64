#pragma once
/// Products in bfloat16 or 8 bits without gradient: weights are cast and laid out for the processor once, not in every
/// call.

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>
#include <c10/util/intrusive_ptr.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/core/nn/eight_bits.hpp"

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

/// Weight and bias of a linear layer.
struct LinearWeights {
  at::Tensor weight;  ///< float [out, in]
  at::Tensor bias;    ///< float [out]; undefined: none
};

/// Weights of linear layers in bfloat16 or in 8 bits, in the layout of the processor's products. As autocast's cache of
/// weights, but for layers without gradient, which autocast casts again in every call. Layers of one input may have one
/// product together. An entry lasts as long as its weights, and is made again after a change of them. Any number of
/// threads may use it.
class PackedWeights {
 public:
  /// How W x is to be computed.
  enum class Form {
    plain,     ///< by the layer itself
    bfloat16,  ///< under bfloat16 autocast
    bytes      ///< where an EightBits lives
  };

  /// The cache of the process.
  static PackedWeights& instance() {
    static PackedWeights all;
    return all;
  }

  /// Form of W x: packed without gradient on the CPU only.
  /// @param weight  float [out, in]
  /// @param x       float [..., in]
  static Form form(const at::Tensor& weight, const at::Tensor& x) {
    const bool eight = EightBits::active() && EightBits::supported();
    const bool half = at::autocast::is_autocast_enabled(at::kCPU) &&
                      at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16 &&
                      detail::PackedOperators::get().pack;
    if (at::GradMode::is_enabled() || !(eight || half) || !weight.device().is_cpu() ||
        weight.scalar_type() != at::kFloat || weight.is_inference() || !weight.is_contiguous() || weight.numel() == 0 ||
        x.numel() == 0 || !x.device().is_cpu() || !x.is_floating_point() || !at::globalContext().userEnabledMkldnn())
      return Form::plain;
    return eight ? Form::bytes : Form::bfloat16;
  }

  /// W x + b; of several layers one after another.
  /// @pre form(weight, x) is @p form and not plain, for each layer
  /// @return bfloat16 or float [..., sum of out]
  at::Tensor linear(Form form, const std::vector<LinearWeights>& layers, const at::Tensor& x) {
    const auto packed = of(form, layers);
    if (form == Form::bytes) return nn::linear(packed.bytes, packed.bias, x);
    const auto bias = packed.bias.defined() ? std::optional(packed.bias) : std::nullopt;
    return detail::PackedOperators::get().product->call(x.to(at::kBFloat16), packed.bfloat16, bias, "none",
                                                        c10::List<std::optional<at::Scalar>>(), std::nullopt);
  }

  /// Number of products.
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }

 private:
  struct Packed {
    at::Tensor bfloat16;
    ByteWeight bytes;
    at::Tensor bias;
  };

  /// A parameter as it was when it was packed.
  struct Source {
    explicit Source(const at::Tensor& w)
        : tensor(w.getIntrusivePtr()), data(w.const_data_ptr()), version(version_of(w)), some(some_of(w)) {}

    bool is(const at::Tensor& w) const {
      return !tensor.expired() && tensor._unsafe_get_target() == w.unsafeGetTensorImpl() &&
             data == w.const_data_ptr() && version == version_of(w) && some == some_of(w);
    }
    static std::int64_t version_of(const at::Tensor& w) { return w.is_inference() ? 0 : w._version(); }
    static std::array<float, 8> some_of(const at::Tensor& w) {
      std::array<float, 8> elements{};
      const auto* all = w.const_data_ptr<float>();
      const auto step = static_cast<std::size_t>(w.numel()) / elements.size();
      for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = all[i * step];
      return elements;
    }

    c10::weak_intrusive_ptr<at::TensorImpl> tensor;
    const void* data;
    std::int64_t version;
    std::array<float, 8> some;  // of the elements: operators for optimizers do not count their changes
  };

  struct Entry {
    std::vector<Source> sources;
    Packed packed;

    bool is_of(const std::vector<LinearWeights>& layers) const {
      std::size_t k = 0;
      const auto next_is = [&](const at::Tensor& w) {
        return !w.defined() || (k < sources.size() && sources[k++].is(w));
      };
      for (const auto& layer : layers)
        if (!next_is(layer.weight) || !next_is(layer.bias)) return false;
      return k == sources.size();
    }
    bool expired() const {
      return std::any_of(sources.begin(), sources.end(), [](const Source& s) { return s.tensor.expired(); });
    }
  };

  Packed of(Form form, const std::vector<LinearWeights>& layers) {
    const std::lock_guard lock(mutex_);
    const std::pair key(static_cast<const at::TensorImpl*>(layers[0].weight.unsafeGetTensorImpl()), form);
    const auto found = entries_.find(key);
    if (found != entries_.end() && found->second.is_of(layers)) return found->second.packed;
    std::erase_if(entries_, [](const auto& item) { return item.second.expired(); });
    std::vector<at::Tensor> weights, biases;
    Entry entry;
    for (const auto& [weight, bias] : layers) {
      entry.sources.emplace_back(weight);
      weights.push_back(weight.detach());
      if (!bias.defined()) continue;
      entry.sources.emplace_back(bias);
      biases.push_back(bias.detach());
    }
    const auto weight = weights.size() == 1 ? weights[0] : at::cat(weights);
    entry.packed.bias = biases.empty() ? at::Tensor() : biases.size() == 1 ? biases[0] : at::cat(biases);
    if (form == Form::bytes) {
      entry.packed.bytes = to_bytes(weight);
    } else {
      entry.packed.bfloat16 = detail::PackedOperators::get().pack->call(weight.to(at::kBFloat16), std::nullopt);
      if (!biases.empty()) entry.packed.bias = entry.packed.bias.to(at::kBFloat16);
    }
    return entries_.insert_or_assign(key, std::move(entry)).first->second.packed;
  }

  mutable std::mutex mutex_;
  std::map<std::pair<const at::TensorImpl*, Form>, Entry> entries_;
};

}  // namespace rc3::nn
