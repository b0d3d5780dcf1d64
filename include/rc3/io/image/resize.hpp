#pragma once
/// Resizing that equals Pillow's to the byte, as in the pre-training of vision models.
///
/// at::_upsample_bicubic2d_aa is no substitute: on uint8 its weights have 15 bits instead of 22, and its passes another
/// order. On 40 images 2 % of its bytes differed (17 % in the worst image), by up to 15.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/io/image/concept.hpp"
#include "rc3/io/image/detail/weigh.hpp"

namespace rc3::io {

/// Filters, with the numbers of Pillow and preprocessor_config.json.
enum class Resample { bilinear = 2, bicubic = 3 };

namespace detail {

/// Source pixels and weights of pixel i of a resized row; the weights sum to 2^22.
struct Taps {
  struct Range {
    int first, count;
  };
  std::vector<Range> ranges;
  std::vector<std::int32_t> weights;    ///< [size, most]
  std::vector<std::int16_t> high, low;  ///< the same in halves, see Weights
  int most = 0;

  Weights of(std::size_t pixel) const {
    const std::size_t at = pixel * static_cast<std::size_t>(most);
    return {weights.data() + at, high.data() + at, low.data() + at, ranges[pixel].count};
  }
};

inline double filter_weight(Resample filter, double x) {
  x = std::abs(x);
  if (filter == Resample::bilinear) return x < 1 ? 1 - x : 0;
  constexpr double a = -0.5;  // Keys 1981
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

inline Taps taps(int from, int to, Resample filter) {
  const double scale = static_cast<double>(from) / to, stretch = std::max(scale, 1.0);  // downscaling widens the filter
  const double support = (filter == Resample::bilinear ? 1 : 2) * stretch;
  Taps taps;
  taps.most = static_cast<int>(std::ceil(support)) * 2 + 1;
  taps.weights.assign(static_cast<std::size_t>(to) * static_cast<std::size_t>(taps.most), 0);
  std::vector<double> exact;
  for (int i = 0; i < to; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int last = std::min(static_cast<int>(center + support + 0.5), from);
    exact.clear();
    double sum = 0;
    for (int x = first; x < last; ++x)
      sum += exact.emplace_back(filter_weight(filter, (x - center + 0.5) * (1 / stretch)));
    auto* weight = taps.weights.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(taps.most);
    for (const double w : exact) {
      const double share = sum != 0 ? w / sum : w;
      *weight++ = static_cast<std::int32_t>((share < 0 ? -0.5 : 0.5) + share * (1 << weight_bits));
    }
    taps.ranges.push_back({first, last - first});
  }
  for (const std::int32_t w : taps.weights) {
    taps.high.push_back(static_cast<std::int16_t>(w >> low_bits));
    taps.low.push_back(static_cast<std::int16_t>(w & ((1 << low_bits) - 1)));
  }
  return taps;
}

inline std::size_t row_bytes(int width) { return static_cast<std::size_t>(width) * 4; }

inline Image with_width(const Image& image, int width, Resample filter) {
  const Taps taps = detail::taps(image.width, width, filter);
  Image out{width, image.height, std::vector<std::uint8_t>(row_bytes(width) * static_cast<std::size_t>(image.height))};
  auto* to = out.rgba.data();
  for (int y = 0; y < image.height; ++y) {
    const auto* in = image.rgba.data() + row_bytes(image.width) * static_cast<std::size_t>(y);
    for (std::size_t x = 0; x < taps.ranges.size(); ++x, to += 4)
      weigh_neighbours(in + row_bytes(taps.ranges[x].first), taps.of(x), to);
  }
  return out;
}

inline Image with_height(const Image& image, int height, Resample filter) {
  const Taps taps = detail::taps(image.height, height, filter);
  const std::size_t row = row_bytes(image.width);
  Image out{image.width, height, std::vector<std::uint8_t>(row * static_cast<std::size_t>(height))};
  auto* to = out.rgba.data();
  for (std::size_t y = 0; y < taps.ranges.size(); ++y, to += row)
    weigh_columns(image.rgba.data() + row * static_cast<std::size_t>(taps.ranges[y].first), row, row, taps.of(y), to);
  return out;
}

}  // namespace detail

/// @p image resized to width x height, each side independently, with antialiasing. Channels are resized separately: use
///         io::flatten first for an image with transparent parts.
/// @param width, height  pixels, 1..16384
/// @throws rc3::Error for a side out of range, or an empty image
inline Image resize(Image image, int width, int height, Resample filter) {
  constexpr int most = 16384;
  require(width >= 1 && height >= 1 && width <= most && height <= most, "io::resize: to ", width, " x ", height,
          " pixels; each side must be 1 to ", most);
  require(image.width > 0 && image.height > 0, "io::resize: the image is empty");
  // The first pass rounds to bytes, so the order matters. This is Pillow 13.0's order, found by experiment: it holds
  // for 2,900 random sizes. Older versions always resized the width first.
  const bool rows_first = height < image.height && image.height - height > 2 * (image.width - width);
  if (rows_first) image = detail::with_height(image, height, filter);
  if (width != image.width) image = detail::with_width(image, width, filter);
  if (height != image.height) image = detail::with_height(image, height, filter);
  return image;
}

}  // namespace rc3::io
