#pragma once
/// Modules whose parameters are read from a file: without random values first, and without a copy.

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/library.h>

#include <optional>
#include <utility>

namespace rc3::nn {

/// While one lives, normal_() and uniform_() of this thread change nothing: a module made meanwhile has parameters of
/// any values, which must all be read. Random values of 120 million parameters take a second or more.
class Uninitialized {
 public:
  /// @param wanted  false: no effect
  explicit Uninitialized(bool wanted = true) {
    if (!wanted) return;
    static const auto kernels = registered();
    guard_.emplace(key);
  }

 private:
  /// LibTorch's key for this purpose; it has no kernel of its own.
  static constexpr auto key = c10::DispatchKey::DeferredInit;

  static at::Tensor& unchanged(at::Tensor& self, double, double, std::optional<at::Generator>) { return self; }

  static std::pair<torch::Library, torch::Library> registered() {
    std::pair<torch::Library, torch::Library> made{
        torch::Library(torch::Library::IMPL, "_", key, __FILE__, __LINE__),
        torch::Library(torch::Library::IMPL, "aten", key, __FILE__, __LINE__)};
    made.first.fallback(torch::CppFunction::makeFallthrough());
    made.second.impl("normal_", &unchanged);
    made.second.impl("uniform_", &unchanged);
    return made;
  }

  std::optional<c10::impl::IncludeDispatchKeyGuard> guard_;
};

/// Gives @p target, a parameter or buffer, the values of @p value: by its memory where type and device agree, else by a
/// copy. Call without gradients.
/// @param value  of the shape of @p target
inline void assign(at::Tensor target, const at::Tensor& value) {
  if (target.scalar_type() == value.scalar_type() && target.device() == value.device() && target.is_contiguous() &&
      value.is_contiguous() && !target.is_inference() && !value.is_inference()) {
    target.set_data(value);
    target.unsafeGetTensorImpl()->bump_version();  // a changed value, as after a copy
  } else {
    target.copy_(value);
  }
}

}  // namespace rc3::nn
