#pragma once
/// Run-time checks of shapes and types. Concepts check the type of a policy; these check its input. Errors name the
/// policy, the tensor, the expected and the actual shape.

#include <ATen/core/Tensor.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"

namespace rc3 {

/// One expected size with its letter in the docs: `{'B', 8}`; `any` matches every size.
struct Dim {
  static constexpr std::int64_t any = -1;  ///< matches every size
  char letter;                             ///< in errors; a digit: a size without a letter
  std::int64_t size = any;
};

namespace detail {
inline std::string expected(std::initializer_list<Dim> dims) {
  std::string text = "[";
  for (const Dim& d : dims) {
    if (text.size() > 1) text += ", ";
    const bool number = d.letter >= '0' && d.letter <= '9';  // {'3', 3}: a size without a letter
    if (!number) text += d.letter;
    if (d.size != Dim::any) text += number ? join(d.size) : join('=', d.size);
  }
  return text + "]";
}
}  // namespace detail

/// @throws rc3::Error unless @p t is defined and has the shape @p dims.
/// @param policy  name of the policy, as a user writes it: "visual::Roi"
/// @param name    name of the tensor in the docs: "boxes"
inline void check_shape(std::string_view policy, std::string_view name, const at::Tensor& t,
                        std::initializer_list<Dim> dims) {
  require(t.defined(), policy, ": ", name, " ", detail::expected(dims), " is missing from the batch");
  bool same = t.dim() == static_cast<std::int64_t>(dims.size());
  std::int64_t axis = 0;
  for (const Dim& d : dims) same = same && (d.size == Dim::any || t.size(axis) == d.size) && ++axis > 0;
  require(same, policy, ": ", name, " must be ", detail::expected(dims), ", is ", t.sizes());
}

/// @throws rc3::Error unless the type of @p t is @p type.
inline void check_dtype(std::string_view policy, std::string_view name, const at::Tensor& t, at::ScalarType type) {
  require(t.scalar_type() == type, policy, ": ", name, " must be ", type, ", is ", t.scalar_type());
}

/// @throws rc3::Error unless @p t is floating-point.
inline void check_floating(std::string_view policy, std::string_view name, const at::Tensor& t) {
  require(t.is_floating_point(), policy, ": ", name, " must be a floating-point tensor, is ", t.scalar_type());
}

}  // namespace rc3
