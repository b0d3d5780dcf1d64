// expect: backbone: features\(const Images&\) must return torch::Tensor .B, C, h, w. .docs/concepts/visual\.md
#include "rc3/visual/patch.hpp"

// Gives the vector of a whole image, but no map.
struct Wrong : torch::nn::Module {
  at::Tensor pooled(const rc3::Images&);
  std::int64_t channels() const;
};
rc3::visual::Patch<Wrong>* patch = nullptr;
constexpr auto size = sizeof(*patch);
