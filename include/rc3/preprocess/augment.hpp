#pragma once
/// Random augmentation of images and their boxes. LibTorch-free.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/io/image/concept.hpp"
#include "rc3/io/image/resize.hpp"
#include "rc3/preprocess/regions.hpp"

namespace rc3::preprocess {

/// Crop of an image, pixels: [left, left + width) x [top, top + height).
struct Crop {
  int left = 0;    ///< columns before it, >= 0
  int top = 0;     ///< rows above it, >= 0
  int width = 0;   ///< columns, > 0
  int height = 0;  ///< rows, > 0
};

/// Copy of a crop. @pre it is inside @p image
/// @throws rc3::Error otherwise, or for an empty part
inline io::Image crop(const io::Image& image, const Crop& c) {
  require(c.left >= 0 && c.top >= 0 && c.width > 0 && c.height > 0 && c.left + c.width <= image.width &&
              c.top + c.height <= image.height,
          "preprocess::crop: the part is not inside the image");
  io::Image out{c.width, c.height, {}};
  out.rgba.reserve(static_cast<std::size_t>(c.width) * static_cast<std::size_t>(c.height) * 4);
  for (int y = c.top; y < c.top + c.height; ++y) {
    const auto row = image.rgba.begin() + (static_cast<std::ptrdiff_t>(y) * image.width + c.left) * 4;
    out.rgba.insert(out.rgba.end(), row, row + static_cast<std::ptrdiff_t>(c.width) * 4);
  }
  return out;
}

/// Regions of an image whose part (left, top, width, height), in pixels of Regions::width x height, was resized to @p
/// to_width x @p to_height pixels. Boxes are clipped at its edges. A box that keeps less than @p visible of its area is
/// dropped, with its features.
inline Regions follow(const Regions& regions, double left, double top, double width, double height, int to_width,
                      int to_height, double visible) {
  const double sx = to_width / width, sy = to_height / height;
  Regions out;
  out.width = static_cast<float>(to_width);
  out.height = static_cast<float>(to_height);
  const auto copy = [r = regions.size()](const std::vector<float>& from, std::size_t i, std::vector<float>& to) {
    const auto n = static_cast<std::ptrdiff_t>(from.size() / r);
    const auto begin = from.begin() + static_cast<std::ptrdiff_t>(i) * n;
    to.insert(to.end(), begin, begin + n);
  };
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const auto [x1, y1, x2, y2] = regions.boxes[i];
    const double cx1 = std::max<double>(x1, left), cx2 = std::min<double>(x2, left + width);
    const double cy1 = std::max<double>(y1, top), cy2 = std::min<double>(y2, top + height);
    const double area = (double{x2} - x1) * (double{y2} - y1);
    if (cx1 >= cx2 || cy1 >= cy2 || (cx2 - cx1) * (cy2 - cy1) < visible * area) continue;
    const auto inside = [](double value, float most) { return std::clamp(static_cast<float>(value), 0.0f, most); };
    const Box box = {inside((cx1 - left) * sx, out.width), inside((cy1 - top) * sy, out.height),
                     inside((cx2 - left) * sx, out.width), inside((cy2 - top) * sy, out.height)};
    if (box[0] >= box[2] || box[1] >= box[3]) continue;  // thinner than float precision
    out.boxes.push_back(box);
    copy(regions.features, i, out.features);
    copy(regions.classes, i, out.classes);
  }
  return out;
}

/// Random crops, flips and colours of training images.
struct AugmentOptions {
  double min_area = 0.5;        ///< smallest area of a crop, relative to the image, in (0, 1]; 1: no crop
  double max_aspect = 4.0 / 3;  ///< a crop's width : height is in [1 / max_aspect, max_aspect] times the image's, >= 1
  double flip = 0;              ///< probability of a horizontal flip; 0, since captions name sides
  double brightness = 0.2;      ///< factors are uniform in [1 - x, 1 + x], x in [0, 1)
  double contrast = 0.2;        ///< the same, around the mean grey
  double saturation = 0.2;      ///< the same, around each pixel's grey
  double visible = 0.3;         ///< a box that keeps a smaller share of its area is dropped, in [0, 1]
};

/// Random resized crop, flip and colour jitter. Source: Szegedy et al. 2015; names as in torchvision.
class Augment {
 public:
  /// @throws rc3::Error naming the option that is out of its range
  explicit Augment(AugmentOptions options = {}) : options_(options) {
    const auto& o = options;
    require(o.min_area > 0 && o.min_area <= 1, "preprocess::Augment: min_area must be in (0, 1], is ", o.min_area);
    require(o.max_aspect >= 1, "preprocess::Augment: max_aspect must be at least 1, is ", o.max_aspect);
    require(o.flip >= 0 && o.flip <= 1, "preprocess::Augment: flip must be in [0, 1], is ", o.flip);
    for (const double x : {o.brightness, o.contrast, o.saturation})
      require(x >= 0 && x < 1, "preprocess::Augment: brightness, contrast and saturation must be in [0, 1), one is ",
              x);
    require(o.visible >= 0 && o.visible <= 1, "preprocess::Augment: visible must be in [0, 1], is ", o.visible);
  }

  /// @param image    image without transparent parts
  /// @param regions  regions of the image; replaced by those of the result
  /// @param width, height  size of the result, pixels
  /// @param random   source of all random choices: a generator of (seed, epoch, sample)
  io::Image operator()(const io::Image& image, Regions& regions, int width, int height, io::Resample filter,
                       Random& random) const {
    const Crop c = draw(image, random);
    const bool whole = c.width == image.width && c.height == image.height;
    io::Image out = io::resize(whole ? image : crop(image, c), width, height, filter);
    if (regions.size() > 0) {
      const double sx = double{regions.width} / image.width, sy = double{regions.height} / image.height;
      regions = follow(regions, c.left * sx, c.top * sy, c.width * sx, c.height * sy, width, height, options_.visible);
    }
    if (random.chance(options_.flip)) mirror(out, regions);
    colour(out, random);
    return out;
  }

 private:
  Crop draw(const io::Image& image, Random& random) const {
    const double share = random.uniform(options_.min_area, 1);
    const double most = std::log(options_.max_aspect), aspect = std::exp(random.uniform(-most, most));
    const auto side = [](double length, int whole) {
      return std::clamp(static_cast<int>(std::lround(length)), 1, whole);
    };
    const int width = side(image.width * std::sqrt(share * aspect), image.width);
    const int height = side(image.height * std::sqrt(share / aspect), image.height);
    const auto place = [&](int free) { return static_cast<int>(random.below(static_cast<std::uint64_t>(free) + 1)); };
    const int left = place(image.width - width);
    return {left, place(image.height - height), width, height};
  }

  static void mirror(io::Image& image, Regions& regions) {
    for (int y = 0; y < image.height; ++y)
      for (int x = 0; x < image.width / 2; ++x)
        for (int c = 0; c < 4; ++c) {
          const auto at = [&](int column) {
            return static_cast<std::size_t>((static_cast<std::ptrdiff_t>(y) * image.width + column) * 4 + c);
          };
          std::swap(image.rgba[at(x)], image.rgba[at(image.width - 1 - x)]);
        }
    for (Box& box : regions.boxes) {
      const float left = box[0];
      box[0] = regions.width - box[2];
      box[2] = regions.width - left;
    }
  }

  /// Brightness, contrast around the mean grey and saturation around each pixel's grey, in one pass without
  /// intermediate rounding. With k = brightness * contrast, a channel c of a pixel with the grey g becomes mean (1 -
  /// contrast) + k ((1 - saturation) g + saturation c): a sum of terms that depend on one byte each.
  void colour(io::Image& image, Random& random) const {
    const auto factor = [&](double range) { return random.uniform(1 - range, 1 + range); };
    const double brightness = factor(options_.brightness), contrast = factor(options_.contrast),
                 saturation = factor(options_.saturation);
    if (options_.brightness == 0 && options_.contrast == 0 && options_.saturation == 0) return;
    constexpr std::array<double, 3> grey = {0.299, 0.587, 0.114};
    std::array<std::uint64_t, 3> sums{};
    for (std::size_t i = 0; i + 4 <= image.rgba.size(); i += 4)
      for (std::size_t c = 0; c < 3; ++c) sums[c] += image.rgba[i + c];
    double mean = 0;
    for (std::size_t c = 0; c < 3; ++c) mean += brightness * grey[c] * static_cast<double>(sums[c]);
    mean /= static_cast<double>(std::max<std::size_t>(image.rgba.size() / 4, 1));

    constexpr int bits = 16;  // fractional bits; the largest sum is below 2^13
    using Table = std::array<std::int32_t, 256>;
    const auto table = [](double scale, double shift) {
      Table values;
      for (std::size_t v = 0; v < values.size(); ++v)
        values[v] = static_cast<std::int32_t>(std::lround((scale * static_cast<double>(v) + shift) * (1 << bits)));
      return values;
    };
    const double k = brightness * contrast, rest = k * (1 - saturation);
    const Table red = table(rest * grey[0], mean * (1 - contrast) + 0.5), green = table(rest * grey[1], 0),
                blue = table(rest * grey[2], 0), own = table(k * saturation, 0);
    for (std::size_t i = 0; i + 4 <= image.rgba.size(); i += 4) {
      std::uint8_t* p = &image.rgba[i];
      const std::int32_t common = red[p[0]] + green[p[1]] + blue[p[2]];
      for (int c = 0; c < 3; ++c) p[c] = static_cast<std::uint8_t>(std::clamp((common + own[p[c]]) >> bits, 0, 255));
    }
  }

  AugmentOptions options_;
};

}  // namespace rc3::preprocess
