#pragma once
/// Resize and crop of an image to the input size of a pretrained vision model. LibTorch-free.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/io/image/concept.hpp"
#include "rc3/io/image/flatten.hpp"
#include "rc3/io/image/resize.hpp"
#include "rc3/preprocess/options.hpp"

namespace rc3::preprocess {

/// Part of an image that fit() maps to its result, in the image's pixels; a crop may extend beyond the image.
struct Part {
  double left = 0;    ///< below 0: begins before the image
  double top = 0;     ///< below 0: begins above the image
  double width = 0;   ///< > 0
  double height = 0;  ///< > 0
};

namespace detail {

/// Width and height after the resize.
inline std::pair<int, int> resized(const PreprocessOptions& options, int width, int height) {
  if (!options.resize) return {width, height};
  const auto& size = *options.resize;
  if (options.pad) {  // the side with less room is filled; the other is rounded to the nearest
    const double scale = std::min(static_cast<double>(size.width) / width, static_cast<double>(size.height) / height);
    const auto side = [&](int pixels, int most) {
      return std::clamp(static_cast<int>(std::lround(pixels * scale)), 1, most);
    };
    return {side(width, size.width), side(height, size.height)};
  }
  if (size.shortest_edge == 0) return {size.width, size.height};
  const auto longer = [&](int other, int shorter) {
    const std::int64_t pixels = std::int64_t{size.shortest_edge} * other / shorter;
    require(pixels <= 16384, "preprocess::Preprocess: an image of ", width, " x ", height,
            " pixels is too narrow: its longer side would become ", pixels, " pixels");
    return static_cast<int>(pixels);
  };
  if (width <= height) return {size.shortest_edge, longer(height, width)};
  return {longer(width, height), size.shortest_edge};
}

/// Start of the central @p want pixels. Rounded down also below 0, as in Python: an image that is too small by an odd
/// number gets the extra row at the top.
inline int centre(int have, int want) { return (have - want) / 2 - ((have - want) % 2 < 0 ? 1 : 0); }

/// @param fill  pixels beyond the image; null: black and transparent
inline io::Image cropped(const io::Image& image, int height, int width, const io::Rgb* fill = nullptr) {
  const int top = centre(image.height, height), left = centre(image.width, width);
  io::Image out{width, height,
                std::vector<std::uint8_t>(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4)};
  for (std::size_t i = 0; fill != nullptr && i < out.rgba.size(); ++i)
    out.rgba[i] = i % 4 == 3 ? std::uint8_t{255} : (*fill)[i % 4];
  const int from = std::max(left, 0), to = std::min(left + width, image.width);
  const auto at = [](const io::Image& i, int y, int x) { return (static_cast<std::ptrdiff_t>(y) * i.width + x) * 4; };
  for (int y = std::max(top, 0); y < std::min(top + height, image.height); ++y)
    std::copy(image.rgba.begin() + at(image, y, from), image.rgba.begin() + at(image, y, to),
              out.rgba.begin() + at(out, y - top, from - left));
  return out;
}

}  // namespace detail

/// @throws rc3::Error unless the steps of @p options fit together
inline void check_steps(const PreprocessOptions& options) {
  if (!options.pad) return;
  require(options.resize && options.resize->shortest_edge == 0 && !options.crop,
          "preprocess: the option pad needs both sides of the resize, and no crop");
}

/// Size of the part that fit() returns, where it is not that of the resize.
inline std::optional<PreprocessSize> cut(const PreprocessOptions& options) {
  return options.pad ? options.resize : options.crop;
}

/// Background, resize, and centre crop or padding.
/// @throws rc3::Error for an empty image, or steps that do not fit together
inline io::Image fit(io::Image image, const PreprocessOptions& options) {
  require(image.width > 0 && image.height > 0, "preprocess::Preprocess: the image is empty");
  check_steps(options);
  image = io::flatten(std::move(image), options.background);
  const auto [width, height] = detail::resized(options, image.width, image.height);
  if (options.resize) image = io::resize(std::move(image), width, height, options.resample);
  const auto size = cut(options);
  return size ? detail::cropped(image, size->height, size->width, options.pad ? &options.background : nullptr) : image;
}

/// Part of an image of @p width x @p height pixels that fit() uses, for the transformation of boxes.
/// @throws rc3::Error as fit()
inline Part fitted_part(int width, int height, const PreprocessOptions& options) {
  require(width > 0 && height > 0, "preprocess::Preprocess: the image is empty");
  check_steps(options);
  const auto size = cut(options);
  if (!size) return {0, 0, static_cast<double>(width), static_cast<double>(height)};
  const auto [w, h] = detail::resized(options, width, height);
  const double sx = static_cast<double>(width) / w, sy = static_cast<double>(height) / h;
  return {detail::centre(w, size->width) * sx, detail::centre(h, size->height) * sy, size->width * sx,
          size->height * sy};
}

}  // namespace rc3::preprocess
