#pragma once
/// Draws glyphs into images: one glyph, or a scene of several that do not overlap, with their true boxes.

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "emoji/drawing.hpp"
#include "emoji/glyphs.hpp"
#include "emoji/names.hpp"
#include "emoji/raster.hpp"
#include "emoji/style.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"

namespace emoji {

/// The most objects that a scene takes.
inline constexpr std::size_t max_scene_objects = 9;

namespace detail {

inline Sprite sprite_of(const Glyphs& glyphs, std::size_t glyph) {
  const io::Image& image = glyphs.image(glyph);
  return {image.width, image.height, image.rgba};
}

inline int between(Random& random, int low, int high) {
  return low + static_cast<int>(random.below(static_cast<std::uint64_t>(high - low) + 1));
}

inline Pose random_turn(const Style& style, Random& random) {
  Pose pose;
  if (style.rotation > 0) pose.degrees = between(random, -style.rotation, style.rotation);
  if (style.flip_percent > 0) pose.flip = static_cast<int>(random.below(100)) < style.flip_percent;
  return pose;
}

/// The frame of a placed sprite; two frames apart mean two boxes apart.
struct Frame {
  int x = 0, y = 0, w = 0, h = 0;
  bool meets(const Frame& o, int gap) const {
    return x < o.x + o.w + gap && o.x < x + w + gap && y < o.y + o.h + gap && o.y < y + h + gap;
  }
};

inline void draw(Drawing& canvas, const Glyphs& glyphs, std::size_t glyph, const Pose& pose) {
  const PixelBox box = paint(canvas, sprite_of(glyphs, glyph), pose);
  require(box[2] > box[0] && box[3] > box[1], "emoji: glyph ", glyphs[glyph].id, ": nothing visible was drawn");
  canvas.boxes.push_back(
      {static_cast<float>(box[0]), static_cast<float>(box[1]), static_cast<float>(box[2]), static_cast<float>(box[3])});
  canvas.objects.push_back(glyph);
}

/// Places for frames of the poses' sizes, none meeting another; nothing when forty tries a frame found no room.
inline std::optional<std::vector<Frame>> place(const Style& style, std::span<const Sprite> sprites,
                                               std::span<const Pose> poses, Random& random) {
  constexpr int gap = 2;  // pixels of background between two frames
  std::vector<Frame> placed;
  for (std::size_t i = 0; i < sprites.size(); ++i) {
    const auto [w, h] = frame_size(sprites[i], poses[i].extent, poses[i].degrees);
    if (w > style.width || h > style.height) return std::nullopt;
    bool found = false;
    for (int attempt = 0; attempt < 40 && !found; ++attempt) {
      Frame frame{0, 0, w, h};
      frame.x = between(random, 0, style.width - w);
      frame.y = between(random, 0, style.height - h);
      found = std::none_of(placed.begin(), placed.end(), [&](const Frame& o) { return frame.meets(o, gap); });
      if (found) placed.push_back(frame);
    }
    if (!found) return std::nullopt;
  }
  return placed;
}

}  // namespace detail

/// One glyph on a background.
/// @param random  by value: the image is a function of its state, and the caller's own stream does not move
/// @return an image with one box and one object
/// @throws rc3::Error for a style out of range or an unreadable glyph image
inline Drawing draw_single(const Glyphs& glyphs, std::size_t glyph, const Style& style, Random random) {
  check_style(style);
  const Sprite sprite = detail::sprite_of(glyphs, glyph);
  Drawing canvas = make_canvas(style, random);
  Pose pose = detail::random_turn(style, random);
  const int shorter = std::min(style.width, style.height);
  pose.extent = std::max(1, shorter * detail::between(random, style.single_min, style.single_max) / 100);
  auto [w, h] = frame_size(sprite, pose.extent, pose.degrees);
  for (; w > style.width || h > style.height; --pose.extent) {  // a turned frame is larger than its glyph
    const auto smaller = frame_size(sprite, pose.extent - 1, pose.degrees);
    w = smaller[0];
    h = smaller[1];
  }
  pose.center_x2 = style.move ? 2 * detail::between(random, 0, style.width - w) + w : style.width;
  pose.center_y2 = style.move ? 2 * detail::between(random, 0, style.height - h) + h : style.height;
  detail::draw(canvas, glyphs, glyph, pose);
  return canvas;
}

/// Several glyphs on one background, none overlapping another.
/// @param objects  glyph indices, 1 .. max_scene_objects; a repeated one is drawn as often as it stands there
/// @return an image with a box for each object, in the order of @p objects
/// @throws rc3::Error for a style out of range, too many objects, no room, or an unreadable glyph image
inline Drawing draw_scene(const Glyphs& glyphs, std::span<const std::size_t> objects, const Style& style,
                          Random random) {
  check_style(style);
  require(!objects.empty() && objects.size() <= max_scene_objects, "emoji::draw_scene: a scene holds 1 .. ",
          max_scene_objects, " objects, not ", objects.size());
  std::vector<Sprite> sprites;
  for (const std::size_t object : objects) sprites.push_back(detail::sprite_of(glyphs, object));

  Drawing canvas = make_canvas(style, random);
  const int shorter = std::min(style.width, style.height);
  std::vector<Pose> poses;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    poses.push_back(detail::random_turn(style, random));
    poses.back().extent = shorter * detail::between(random, style.scene_min, style.scene_max) / 100;
  }
  // Objects that find no room all shrink by a tenth and start again: crowded scenes get smaller objects.
  constexpr int smallest = 6;  // pixels; below it a glyph is no longer an image of anything
  std::optional<std::vector<detail::Frame>> frames;
  while (!(frames = detail::place(style, sprites, poses, random))) {
    for (Pose& pose : poses) {
      pose.extent = pose.extent * 9 / 10;
      require(pose.extent >= smallest, "emoji::draw_scene: no room for ", objects.size(), " objects in ", style.width,
              "x", style.height, " pixels");
    }
  }
  for (std::size_t i = 0; i < objects.size(); ++i) {
    poses[i].center_x2 = 2 * (*frames)[i].x + (*frames)[i].w;
    poses[i].center_y2 = 2 * (*frames)[i].y + (*frames)[i].h;
    detail::draw(canvas, glyphs, objects[i], poses[i]);
  }
  return canvas;
}

}  // namespace emoji
