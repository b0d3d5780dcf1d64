#pragma once
/// The long form looks with three networks, which were trained apart and err apart.

#include <rc3/rc3.hpp>

#include <filesystem>
#include <memory>

namespace pretrain {

using Backbone =
    rc3::visual::backbone::Concat<rc3::visual::backbone::EfficientNetLite0, rc3::visual::backbone::EfficientNetLite1,
                                  rc3::visual::backbone::EfficientNetLite2>;

/// With their pretrained weights, frozen.
inline std::shared_ptr<Backbone> make_backbone(const std::filesystem::path& weights) {
  namespace backbone = rc3::visual::backbone;
  const backbone::EfficientNetLiteOptions options{.multi_scale = true};
  return std::make_shared<Backbone>(
      backbone::EfficientNetLite0::from_pretrained(weights / "efficientnet-lite0", options),
      backbone::EfficientNetLite1::from_pretrained(weights / "efficientnet-lite1", options),
      backbone::EfficientNetLite2::from_pretrained(weights / "efficientnet-lite2", options));
}

inline constexpr std::int64_t all_blocks = 0;

/// They stay frozen. @return false: nothing of them learns
inline bool thaw(Backbone&, std::int64_t) { return false; }

}  // namespace pretrain
