#pragma once
/// A device that is no CPU, for machines without one: its kernels are the CPU's, but its memory cannot be read from
/// outside them, and no kernel takes tensors of two devices. What runs here and gives what the CPU gives keeps its
/// tensors where they belong.
///
/// It takes the place of LibTorch's MTIA, whose kernels no public build has. Stricter than CUDA: a scalar tensor of the
/// CPU is refused too. What it cannot show: streams, what a kernel of CUDA does otherwise.
/// Include it in one file of a program.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/autocast_mode.h>
#include <ATen/detail/MTIAHooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>
#include <torch/torch.h>

#include <sys/mman.h>

#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <tuple>
#include <vector>

namespace rc3::test {

inline const at::Device other_device(at::DeviceType::MTIA, 0);

namespace other {

/// The device's memory: addresses that nobody may touch, and for each a place that kernels use.
class Arena final : public c10::Allocator {
 public:
  static Arena& the() {
    static auto* arena = new Arena;  // outlives every tensor
    return *arena;
  }
  c10::DataPtr allocate(std::size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &release, other_device};
    const std::lock_guard lock(mutex_);
    bytes = (bytes + 63) / 64 * 64;
    auto& again = free_[bytes];
    std::byte* at = device_ + used_;
    if (again.empty()) {
      used_ += bytes;
      TORCH_CHECK(used_ <= size, "the other device's memory is full");
    } else {
      at = again.back();
      again.pop_back();
    }
    sizes_[at] = bytes;
    return {at, at, &release, other_device};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    std::memcpy(kernel_side(to), kernel_side(from), bytes);
  }
  std::byte* kernel_side(const void* at) const {
    const auto* byte = static_cast<const std::byte*>(at);
    return at == nullptr ? nullptr : host_ + (byte - device_);
  }

 private:
  static constexpr std::size_t size = std::size_t{4} << 30;  // of addresses

  Arena() : device_(reserve(PROT_NONE)), host_(reserve(PROT_READ | PROT_WRITE)) {}
  static std::byte* reserve(int protection) {
    void* at = ::mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    TORCH_CHECK(at != MAP_FAILED, "no addresses for the other device");
    return static_cast<std::byte*>(at);
  }
  static void release(void* at) {
    if (at == nullptr) return;
    Arena& a = the();
    const std::lock_guard lock(a.mutex_);
    auto* byte = static_cast<std::byte*>(at);
    a.free_[a.sizes_.at(byte)].push_back(byte);
  }

  std::mutex mutex_;
  std::byte *device_, *host_;
  std::size_t used_ = 0;
  std::map<std::byte*, std::size_t> sizes_;
  std::map<std::size_t, std::vector<std::byte*>> free_;
};

/// The same numbers as a tensor that the CPU's kernels read and write.
inline at::Tensor kernel_side(const at::Tensor& t) {
  if (t.is_cpu()) return t;
  const at::TensorOptions options(t.scalar_type());
  if (t.numel() == 0) return at::empty_strided(t.sizes(), t.strides(), options);
  return at::from_blob(Arena::the().kernel_side(t.const_data_ptr()), t.sizes(), t.strides(), options);
}

inline at::Tensor empty(at::IntArrayRef size, std::optional<at::ScalarType> type, std::optional<at::Layout>,
                        std::optional<at::Device>, std::optional<bool>, std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &Arena::the(), c10::DispatchKeySet(c10::DispatchKey::MTIA),
                                   type.value_or(at::kFloat), format);
}

inline at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride, std::optional<at::ScalarType> type,
                                std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &Arena::the(), c10::DispatchKeySet(c10::DispatchKey::MTIA),
                                           type.value_or(at::kFloat));
}

inline at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  kernel_side(to).copy_(kernel_side(from));
  return to;
}

inline const at::Tensor& resize(const at::Tensor& t, at::IntArrayRef size, std::optional<at::MemoryFormat>) {
  auto* impl = t.unsafeGetTensorImpl();
  impl->set_sizes_contiguous(size);
  const auto bytes = static_cast<std::size_t>(t.numel()) * t.itemsize();
  if (auto& storage = impl->unsafe_storage(); storage.nbytes() < bytes) {
    storage.set_data_ptr_noswap(Arena::the().allocate(bytes));
    storage.set_nbytes(bytes);
  }
  return t;
}

inline at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  if (to.sizes() != from.sizes()) to.resize_(from.sizes());
  return copy_from(from, to, false);
}

inline at::Scalar local_scalar_dense(const at::Tensor& t) { return kernel_side(t).item(); }

/// LibTorch has no kernel of its own for convolutions of a device that it does not know.
inline at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                              at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation,
                              bool transposed, at::IntArrayRef output_padding, std::int64_t groups) {
  const auto b = bias && bias->defined() ? std::optional(kernel_side(*bias)) : std::nullopt;
  return at::convolution(kernel_side(x), kernel_side(weight), b, stride, padding, dilation, transposed, output_padding,
                         groups)
      .to(other_device);
}

inline std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& weight, at::IntArrayRef stride,
    at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed, at::IntArrayRef output_padding,
    std::int64_t groups, std::array<bool, 3> wanted) {
  const std::int64_t bias[] = {gradient.size(1)};
  const auto [a, b, c] =
      at::convolution_backward(kernel_side(gradient), kernel_side(x), kernel_side(weight), at::IntArrayRef(bias),
                               stride, padding, dilation, transposed, output_padding, groups, wanted);
  const auto there = [](const at::Tensor& t) { return t.defined() ? t.to(other_device) : t; };
  return {there(a), there(b), there(c)};
}

/// Every other kernel: the CPU's, once it is sure that nothing of another device is among its arguments.
inline void fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto check = [&](const c10::IValue& value) {
    if (!value.isTensor() || !value.toTensor().defined()) return;
    const at::Tensor& t = value.toTensor();
    TORCH_CHECK(t.device() == other_device || t.unsafeGetTensorImpl()->is_wrapped_number(), toString(op.schema()),
                ": got a tensor of ", t.device(), " ", t.sizes(), " beside one of the other device");
  };
  for (const auto& value : torch::jit::last(*stack, op.schema().arguments().size())) {
    check(value);
    if (value.isTensorList())
      for (const at::Tensor& t : value.toTensorVector()) check(t);
    else if (value.isList())
      for (const c10::IValue& element : value.toList()) check(element);
  }
  at::native::cpu_fallback(op, stack, /*error_on_views=*/true);
}

struct Guard final : c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::MTIA> {
  at::Device getDevice() const override { return other_device; }
  at::Device exchangeDevice(at::Device) const override { return other_device; }
  c10::Stream getStream(at::Device) const noexcept override { return c10::Stream(c10::Stream::DEFAULT, other_device); }
};

}  // namespace other
}  // namespace rc3::test

namespace at {
/// LibTorch asks for a class of this name. One device, one stream, and kernels that draw as the CPU's do.
struct MTIAHooks final : MTIAHooksInterface {
  bool hasMTIA() const override { return true; }
  bool isAvailable() const override { return true; }
  DeviceIndex deviceCount() const override { return 1; }
  DeviceIndex getDeviceCount() const override { return 1; }
  void setCurrentDevice(DeviceIndex) const override {}
  DeviceIndex getCurrentDevice() const override { return 0; }
  DeviceIndex exchangeDevice(DeviceIndex) const override { return 0; }
  DeviceIndex maybeExchangeDevice(DeviceIndex) const override { return 0; }
  c10::Stream getCurrentStream(DeviceIndex) const override { return getDefaultStream(0); }
  c10::Stream getDefaultStream(DeviceIndex) const override {
    return c10::Stream(c10::Stream::DEFAULT, rc3::test::other_device);
  }
  void setCurrentStream(const c10::Stream&) const override {}
  const Generator& getDefaultGenerator(DeviceIndex) const override { return at::detail::getDefaultCPUGenerator(); }
};
REGISTER_MTIA_HOOKS(MTIAHooks);
}  // namespace at

namespace c10::impl {
C10_REGISTER_GUARD_IMPL(MTIA, rc3::test::other::Guard);
}  // namespace c10::impl

TORCH_LIBRARY_IMPL(_, MTIA, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&rc3::test::other::fallback>()); }

TORCH_LIBRARY_IMPL(aten, MTIA, m) {
  m.impl("empty.memory_format", &rc3::test::other::empty);
  m.impl("empty_strided", &rc3::test::other::empty_strided);
  m.impl("resize_", &rc3::test::other::resize);
  m.impl("_copy_from", &rc3::test::other::copy_from);
  m.impl("_copy_from_and_resize", &rc3::test::other::copy_from_and_resize);
  m.impl("_local_scalar_dense", &rc3::test::other::local_scalar_dense);
  m.impl("convolution_overrideable", &rc3::test::other::convolution);
  m.impl("convolution_backward_overrideable", &rc3::test::other::convolution_backward);
  m.impl("as_strided", &at::native::as_strided_tensorimpl);
  m.impl("view", &at::native::view);
  m.impl("_reshape_alias", &at::native::_reshape_alias);
  m.impl("unfold", &at::native::unfold);
}
