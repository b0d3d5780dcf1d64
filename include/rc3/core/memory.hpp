#pragma once
/// What an object remembers from one step to the next beside its parameters, so that a run can stop and go on.

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <type_traits>

namespace rc3 {

/// Tensors by name.
using Memory = std::map<std::string, at::Tensor>;

/// `memory()` gives what is remembered; `set_memory(m)` puts it back, exactly, on an object made in the same way.
template <class T>
concept Remembers = requires(T& t, const T& c, const Memory& m) {
  requires std::is_same_v<decltype(c.memory()), Memory>;
  t.set_memory(m);
};

/// Adds what @p part remembers to @p all, its names behind @p prefix. Nothing if it remembers nothing.
template <class T>
void add_memory(Memory& all, const std::string& prefix, const T& part) {
  if constexpr (Remembers<T>)
    for (const auto& [name, tensor] : part.memory()) all.emplace(prefix + name, tensor);
}

/// The other way: gives @p part what stands behind @p prefix.
template <class T>
void set_memory(const Memory& all, const std::string& prefix, T& part) {
  if constexpr (Remembers<T>) {
    Memory own;
    for (const auto& [name, tensor] : all)
      if (name.starts_with(prefix)) own.emplace(name.substr(prefix.size()), tensor);
    part.set_memory(own);
  }
}

}  // namespace rc3
