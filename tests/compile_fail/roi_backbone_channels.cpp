// expect: backbone: channels\(\) const must return std::int64_t, the C of its map .docs/concepts/visual\.md
#include "rc3/visual/roi_from_backbone.hpp"

// Not const.
struct Wrong : torch::nn::Module {
  at::Tensor features(const rc3::Images&);
  std::int64_t channels();
};
rc3::visual::RoiFromBackbone<Wrong>* roi = nullptr;
constexpr auto size = sizeof(*roi);
