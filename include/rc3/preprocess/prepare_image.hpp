#pragma once
/// From an image file to pixels of one size, and boxes that fit them. LibTorch-free.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/preprocess/augment.hpp"
#include "rc3/preprocess/decode.hpp"
#include "rc3/preprocess/fit.hpp"
#include "rc3/preprocess/image_source.hpp"
#include "rc3/preprocess/regions.hpp"

namespace rc3::preprocess {

struct ImageOptions {
  /// How images come to their size, the same for all: the crop's, or both sides of the resize. By default 224 x 224.
  PreprocessOptions image = {.resize = PreprocessSize{224, 224, 0}};
  std::optional<AugmentOptions> augment = std::nullopt;  ///< in place of resize and crop; nothing: for evaluation
  io::ImageLimits limits = {};
};

/// An image, ready to become a row of Images.
struct PreparedImage {
  int width = 0, height = 0;         ///< pixels
  std::vector<std::uint8_t> pixels;  ///< [3, height, width], RGB; empty: no image
  Regions regions;                   ///< in pixels of the above
};

/// Decodes, cuts and resizes. May be used by several threads at a time.
/// @tparam Decoders  what reads image files
template <class Decoders = io::DefaultDecoders>
class PrepareImage {
 public:
  /// @throws rc3::Error when images would not all become of one size
  explicit PrepareImage(ImageOptions options = {}) : options_(std::move(options)) {
    const auto& image = options_.image;
    const auto& size = image.crop ? image.crop : image.resize;
    require(size && size->shortest_edge == 0,
            "preprocess::PrepareImage: images must become of one size: set a crop, or both "
            "sides of the resize");
    width_ = size->width;
    height_ = size->height;
    if (options_.augment) augment_.emplace(*options_.augment);
  }

  /// @param id      of the sample, for errors
  /// @param random  what augmentation draws from
  /// @throws rc3::Error naming the sample when its image cannot be read
  PreparedImage operator()(const ImageSource& source, Regions regions, std::string_view id, Random& random) const {
    PreparedImage out{0, 0, {}, std::move(regions)};
    if (std::holds_alternative<std::monostate>(source)) return out;
    io::Image image = decode_image<Decoders>(source, id, options_.limits);
    if (augment_) {
      image = io::flatten(std::move(image), options_.image.background);
      image = (*augment_)(image, out.regions, width_, height_, options_.image.resample, random);
    } else {
      if (out.regions.size() > 0) {
        const auto part = fitted_part(image.width, image.height, options_.image);
        const double sx = double{out.regions.width} / image.width, sy = double{out.regions.height} / image.height;
        out.regions =
            follow(out.regions, part.left * sx, part.top * sy, part.width * sx, part.height * sy, width_, height_, 0.0);
      }
      image = fit(std::move(image), options_.image);
    }
    out.width = width_;
    out.height = height_;
    const std::size_t plane = static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_);
    out.pixels.resize(3 * plane);
    std::uint8_t* const to = out.pixels.data();
    for (std::size_t i = 0; i < plane; ++i) {
      to[i] = image.rgba[4 * i];
      to[plane + i] = image.rgba[4 * i + 1];
      to[2 * plane + i] = image.rgba[4 * i + 2];
    }
    return out;
  }

  /// Of every image, pixels.
  int width() const { return width_; }
  int height() const { return height_; }

 private:
  ImageOptions options_;
  std::optional<Augment> augment_;
  int width_ = 0, height_ = 0;
};

}  // namespace rc3::preprocess
