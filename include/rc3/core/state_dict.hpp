#pragma once
/// What an object remembers from one step to the next beside its parameters, so that a run can stop and go on.

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <type_traits>

namespace rc3 {

/// Tensors by name.
using StateDict = std::map<std::string, at::Tensor>;

/// `state_dict()` gives what is remembered; `load_state_dict(m)` puts it back, exactly, on an object made in the same
/// way.
template <class T>
concept Stateful = requires(T& t, const T& c, const StateDict& m) {
  requires std::is_same_v<decltype(c.state_dict()), StateDict>;
  t.load_state_dict(m);
};

/// Adds what @p part remembers to @p all, its names behind @p prefix. Nothing if it remembers nothing.
template <class T>
void add_state_dict(StateDict& all, const std::string& prefix, const T& part) {
  if constexpr (Stateful<T>)
    for (const auto& [name, tensor] : part.state_dict()) all.emplace(prefix + name, tensor);
}

/// The other way: gives @p part what stands behind @p prefix.
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
