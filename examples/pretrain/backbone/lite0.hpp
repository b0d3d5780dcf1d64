#pragma once
/// The demo looks with one small network.

#include <rc3/rc3.hpp>

#include <filesystem>
#include <memory>

namespace pretrain {

using Backbone = rc3::visual::backbone::EfficientNetLite0;

/// With its pretrained weights, frozen.
inline std::shared_ptr<Backbone> make_backbone(const std::filesystem::path& weights) {
  return Backbone::from_pretrained(weights / "efficientnet-lite0", {.multi_scale = true});
}

inline constexpr std::int64_t all_blocks = Backbone::blocks;

/// Lets all but the first @p frozen blocks learn. @return whether anything learns then
inline bool thaw(Backbone& network, std::int64_t frozen) {
  network.freeze_blocks(frozen);
  return !network.frozen();
}

}  // namespace pretrain
