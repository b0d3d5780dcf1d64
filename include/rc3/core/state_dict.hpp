#pragma once
/// State of an object beside its parameters, so that a run can stop and resume.

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>

#include "rc3/core/error.hpp"

namespace rc3 {

/// Tensors by name.
using StateDict = std::map<std::string, at::Tensor>;

/// `state_dict()` returns the state; `load_state_dict(m)` restores it exactly, on an object constructed in the same
/// way. It throws an rc3::Error for state that does not fit the object, which stays as it was.
template <class T>
concept Stateful = requires(T& t, const T& c, const StateDict& m) {
  requires std::is_same_v<decltype(c.state_dict()), StateDict>;
  t.load_state_dict(m);
};

/// The tensor @p name of @p all. @param policy  whose state it is: "relevance::Encoder"
/// @throws rc3::Error unless it is there, of this shape and type
inline const at::Tensor& check_state(const StateDict& all, std::string_view policy, const std::string& name,
                                     at::IntArrayRef sizes, at::ScalarType type) {
  const auto found = all.find(name);
  require(found != all.end(), policy, ": the state has no \"", name, '"');
  const at::Tensor& tensor = found->second;
  require(tensor.sizes() == sizes && tensor.scalar_type() == type, policy, ": the state's \"", name, "\" must be ",
          type, ' ', sizes, ", is ", tensor.scalar_type(), ' ', tensor.sizes());
  return tensor;
}

/// @throws rc3::Error unless every tensor of @p wanted is in @p all, its name behind @p prefix, of its shape and type
inline void check_state(const StateDict& all, std::string_view policy, const std::string& prefix,
                        const StateDict& wanted) {
  for (const auto& [name, tensor] : wanted)
    check_state(all, policy, prefix + name, tensor.sizes(), tensor.scalar_type());
}

/// What stands behind @p prefix in @p all, without it.
inline StateDict behind(const StateDict& all, const std::string& prefix) {
  StateDict own;
  for (const auto& [name, tensor] : all)
    if (name.starts_with(prefix)) own.emplace(name.substr(prefix.size()), tensor);
  return own;
}

/// Adds the state of @p part to @p all, with @p prefix before its names. Adds nothing if @p part is not Stateful.
template <class T>
void add_state_dict(StateDict& all, const std::string& prefix, const T& part) {
  if constexpr (Stateful<T>)
    for (const auto& [name, tensor] : part.state_dict()) all.emplace(prefix + name, tensor);
}

/// Whether @p part can be given what stands behind @p prefix, if it offers `check_state_dict(const StateDict&) const`;
/// so that of several parts none is changed where one refuses. @throws rc3::Error as the part does
/// @return how many tensors of @p all are this part's
template <class T>
std::size_t check_state_dict(const StateDict& all, const std::string& prefix, const T& part) {
  if constexpr (!Stateful<T>) return 0;
  const auto own = behind(all, prefix);
  if constexpr (requires { part.check_state_dict(own); }) part.check_state_dict(own);
  return own.size();
}

/// The other way: gives @p part what stands behind @p prefix.
template <class T>
void load_state_dict(const StateDict& all, const std::string& prefix, T& part) {
  if constexpr (Stateful<T>) part.load_state_dict(behind(all, prefix));
}

}  // namespace rc3
