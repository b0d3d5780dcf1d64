#pragma once
/// State of an object beside its parameters, so that a run can stop and resume.

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <type_traits>

namespace rc3 {

/// Tensors by name.
using StateDict = std::map<std::string, at::Tensor>;

/// `state_dict()` returns the state; `load_state_dict(m)` restores it exactly, on an object constructed in the same
/// way.
template <class T>
concept Stateful = requires(T& t, const T& c, const StateDict& m) {
  requires std::is_same_v<decltype(c.state_dict()), StateDict>;
  t.load_state_dict(m);
};

/// Adds the state of @p part to @p all, with @p prefix before its names. Adds nothing if @p part is not Stateful.
template <class T>
void add_state_dict(StateDict& all, const std::string& prefix, const T& part) {
  if constexpr (Stateful<T>)
    for (const auto& [name, tensor] : part.state_dict()) all.emplace(prefix + name, tensor);
}

/// Restores @p part from the entries of @p all with @p prefix.
template <class T>
void load_state_dict(const StateDict& all, const std::string& prefix, T& part) {
  if constexpr (Stateful<T>) {
    StateDict own;
    for (const auto& [name, tensor] : all)
      if (name.starts_with(prefix)) own.emplace(name.substr(prefix.size()), tensor);
    part.load_state_dict(own);
  }
}

}  // namespace rc3
