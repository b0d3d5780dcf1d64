#pragma once
/// Communication between the ranks of a run.

#include <ATen/core/Tensor.h>

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace rc3 {

/// `rank()` in [0, size()); `all_gather(t)` returns every rank's t in the order of ranks, all of one shape and type;
/// `all_reduce(t)` replaces t by the sum over the ranks. All ranks make these calls in the same order.
template <class C>
concept Communicator = requires(C& c, const at::Tensor& t, at::Tensor& out) {
  requires std::is_same_v<decltype(c.rank()), std::int64_t>;
  requires std::is_same_v<decltype(c.size()), std::int64_t>;
  requires std::is_same_v<decltype(c.all_gather(t)), std::vector<at::Tensor>>;
  c.all_reduce(out);
};

/// A single rank; sends nothing.
class Single {
 public:
  std::int64_t rank() const { return 0; }
  std::int64_t size() const { return 1; }
  std::vector<at::Tensor> all_gather(const at::Tensor& t) { return {t}; }
  /// Nothing: the sum over one rank is the tensor itself.
  void all_reduce(at::Tensor&) {}
};

static_assert(Communicator<Single>);

}  // namespace rc3
