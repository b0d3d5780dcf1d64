#pragma once
/// Integer-only drawing. No floating point and no libm reach a pixel: images are the same bytes on every machine,
/// whatever its compiler does with fused multiply-add or its libm with the last bit of a sine.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "emoji/drawing.hpp"
#include "emoji/names.hpp"
#include "emoji/style.hpp"
#include "rc3/core/random.hpp"

namespace emoji {

/// An image to draw: straight (not premultiplied) RGBA.
struct Sprite {
  int width = 0;                         ///< pixels
  int height = 0;                        ///< pixels
  std::span<const std::uint8_t> rgba{};  ///< height x width x 4
};

/// Where and how a sprite is drawn.
struct Pose {
  int center_x2 = 0;  ///< twice the centre, so that it may lie between two pixels
  int center_y2 = 0;
  int extent = 0;   ///< the sprite's longer edge in the drawing, pixels, > 0
  int degrees = 0;  ///< clockwise turn, -90 .. 90
  bool flip = false;
};

/// Whole pixels: x1 y1 x2 y2, the second corner outside.
using PixelBox = std::array<int, 4>;

namespace detail {

/// Sine of 0 .. 90 degrees in 1/65536.
inline constexpr std::array<std::int32_t, 91> sine_q16 = {
    0,     1144,  2287,  3430,  4572,  5712,  6850,  7987,  9121,  10252, 11380, 12505, 13626, 14742, 15855, 16962,
    18064, 19161, 20252, 21336, 22415, 23486, 24550, 25607, 26656, 27697, 28729, 29753, 30767, 31772, 32768, 33754,
    34729, 35693, 36647, 37590, 38521, 39441, 40348, 41243, 42126, 42995, 43852, 44695, 45525, 46341, 47143, 47930,
    48703, 49461, 50203, 50931, 51643, 52339, 53020, 53684, 54332, 54963, 55578, 56175, 56756, 57319, 57865, 58393,
    58903, 59396, 59870, 60326, 60764, 61183, 61584, 61966, 62328, 62672, 62997, 63303, 63589, 63856, 64104, 64332,
    64540, 64729, 64898, 65048, 65177, 65287, 65376, 65446, 65496, 65526, 65536};

constexpr std::int64_t sine(int degrees) {
  return degrees < 0 ? -sine_q16[static_cast<std::size_t>(-degrees)] : sine_q16[static_cast<std::size_t>(degrees)];
}
constexpr std::int64_t cosine(int degrees) { return sine_q16[static_cast<std::size_t>(90 - std::abs(degrees))]; }

/// Sums of one destination pixel: alpha, and colour times alpha, each times 65536 (the bilinear weights' sum).
struct Coverage {
  std::uint64_t alpha = 0;
  std::array<std::uint64_t, 3> color{};
};

/// Adds the bilinear sample at (u, v), in 1/65536 of a sprite pixel from its top left corner.
inline void add_sample(const Sprite& sprite, std::int64_t u, std::int64_t v, Coverage& sum) {
  u -= 32768;  // pixel centres lie at halves
  v -= 32768;
  const auto x = static_cast<int>(u >> 16);
  const auto y = static_cast<int>(v >> 16);
  if (x < -1 || y < -1 || x >= sprite.width || y >= sprite.height) return;
  const auto wx = static_cast<std::uint32_t>((u >> 8) & 255);
  const auto wy = static_cast<std::uint32_t>((v >> 8) & 255);
  const auto stride = std::ptrdiff_t{sprite.width} * 4;
  const std::uint8_t* corner = sprite.rgba.data() + y * stride + x * 4;
  std::uint32_t alpha = 0;  // 65536 * 255 * 255 < 2^32, so that one sample's sums fit
  std::array<std::uint32_t, 3> color{};
  const auto add = [&](std::uint32_t weight, const std::uint8_t* p) {
    const std::uint32_t wa = weight * p[3];
    alpha += wa;
    for (std::size_t c = 0; c < 3; ++c) color[c] += wa * p[c];
  };
  const bool left = x >= 0;
  const bool right = x + 1 < sprite.width;
  if (y >= 0) {
    if (left) add((256 - wx) * (256 - wy), corner);
    if (right) add(wx * (256 - wy), corner + 4);
  }
  if (y + 1 < sprite.height) {
    if (left) add((256 - wx) * wy, corner + stride);
    if (right) add(wx * wy, corner + stride + 4);
  }
  sum.alpha += alpha;
  for (std::size_t c = 0; c < 3; ++c) sum.color[c] += color[c];
}

}  // namespace detail

/// Width and height that the sprite's frame takes in the drawing, turn included, pixels, rounded up.
inline std::array<int, 2> frame_size(const Sprite& sprite, int extent, int degrees) {
  const std::int64_t longer = std::max(sprite.width, sprite.height);
  const std::int64_t s = std::abs(detail::sine(degrees));
  const std::int64_t c = detail::cosine(degrees);
  const auto size = [&](std::int64_t a, std::int64_t b) {
    return static_cast<int>(((a * c + b * s) * extent + longer * 65536 - 1) / (longer * 65536));
  };
  return {size(sprite.width, sprite.height), size(sprite.height, sprite.width)};
}

/// Draws @p sprite over @p canvas. Enlarging interpolates; shrinking averages a grid of samples, no more than
/// four thirds of a sprite pixel apart (down to a tenth of the sprite's size), which with bilinear weights leaves no
/// gap.
/// @return the box around its visible pixels (opacity of at least 1/16); all zero when nothing is visible
inline PixelBox paint(Drawing& canvas, const Sprite& sprite, const Pose& pose) {
  const std::int64_t longer = std::max(sprite.width, sprite.height);
  int shift = 0;  // 2^shift samples each way: a power of two, so that the mean needs no division by a variable
  while (shift < 3 && (std::int64_t{pose.extent} << shift) * 4 < longer * 3) ++shift;
  const int samples = 1 << shift;
  const std::int64_t step = longer * 65536 / pose.extent;  // sprite pixels a canvas pixel, in 1/65536
  const std::int64_t along = detail::cosine(pose.degrees) * step >> 16;
  const std::int64_t across = detail::sine(pose.degrees) * step >> 16;
  const std::uint64_t full = std::uint64_t{255} << (16 + 2 * shift);

  const auto [frame_w, frame_h] = frame_size(sprite, pose.extent, pose.degrees);
  const int x0 = std::max(0, (pose.center_x2 - frame_w) / 2 - 1);
  const int y0 = std::max(0, (pose.center_y2 - frame_h) / 2 - 1);
  const int x1 = std::min(canvas.width, (pose.center_x2 + frame_w) / 2 + 2);
  const int y1 = std::min(canvas.height, (pose.center_y2 + frame_h) / 2 + 2);

  PixelBox box = {canvas.width, canvas.height, 0, 0};
  for (int y = y0; y < y1; ++y) {
    for (int x = x0; x < x1; ++x) {
      detail::Coverage sum;
      for (int k = 0; k < samples * samples; ++k) {
        const std::int64_t dx =
            std::int64_t{2 * x - pose.center_x2} * 32768 + ((2 * (k & (samples - 1)) + 1) * 32768 >> shift);
        const std::int64_t dy =
            std::int64_t{2 * y - pose.center_y2} * 32768 + ((2 * (k >> shift) + 1) * 32768 >> shift);
        const std::int64_t u = (along * dx + across * dy) >> 16;
        const std::int64_t v = (along * dy - across * dx) >> 16;
        detail::add_sample(sprite, (pose.flip ? -u : u) + std::int64_t{sprite.width} * 32768,
                           v + std::int64_t{sprite.height} * 32768, sum);
      }
      if (sum.alpha == 0) continue;
      std::uint8_t* out = &canvas.rgb[(static_cast<std::size_t>(y) * static_cast<std::size_t>(canvas.width) +
                                       static_cast<std::size_t>(x)) *
                                      3];
      for (std::size_t c = 0; c < 3; ++c)
        out[c] = static_cast<std::uint8_t>((out[c] * (full - sum.alpha) + sum.color[c] + full / 2) / 255 >>
                                           (16 + 2 * shift));
      if (sum.alpha * 16 < full) continue;
      box = {std::min(box[0], x), std::min(box[1], y), std::max(box[2], x + 1), std::max(box[3], y + 1)};
    }
  }
  return box[2] == 0 ? PixelBox{} : box;
}

/// An empty image with its background drawn.
inline Drawing make_canvas(const Style& style, Random& random) {
  Drawing canvas;
  canvas.width = style.width;
  canvas.height = style.height;
  canvas.rgb.assign(static_cast<std::size_t>(style.width) * static_cast<std::size_t>(style.height) * 3, 255);
  if (style.background == Background::white || random.below(4) == 0) return canvas;
  std::array<int, 3> from{};
  std::array<int, 3> to{};
  const bool flat = random.below(2) == 0;
  for (std::size_t c = 0; c < 3; ++c) {
    from[c] = 40 + static_cast<int>(random.below(216));
    to[c] = flat ? from[c] : std::clamp(from[c] + static_cast<int>(random.below(121)) - 60, 0, 255);
  }
  // The colour runs along (ax, ay), one of eight directions; `t` goes from 0 to `end`.
  const auto direction = static_cast<int>(random.below(8));
  const int ax = std::array{1, 1, 0, -1, -1, -1, 0, 1}[static_cast<std::size_t>(direction)];
  const int ay = std::array{0, 1, 1, 1, 0, -1, -1, -1}[static_cast<std::size_t>(direction)];
  const int end = std::max(1, std::abs(ax) * (style.width - 1) + std::abs(ay) * (style.height - 1));
  std::vector<std::array<std::uint8_t, 3>> ramp(static_cast<std::size_t>(end) + 1);
  for (int t = 0; t <= end; ++t)
    for (std::size_t c = 0; c < 3; ++c)
      ramp[static_cast<std::size_t>(t)][c] =
          static_cast<std::uint8_t>((from[c] * (end - t) + to[c] * t + end / 2) / end);
  auto* out = canvas.rgb.data();
  for (int y = 0; y < style.height; ++y) {
    for (int x = 0; x < style.width; ++x, out += 3) {
      const int t = ax * x + ay * y + (ax < 0 ? style.width - 1 : 0) + (ay < 0 ? style.height - 1 : 0);
      std::copy_n(ramp[static_cast<std::size_t>(t)].data(), 3, out);
    }
  }
  return canvas;
}

}  // namespace emoji
