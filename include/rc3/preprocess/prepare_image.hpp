#pragma once
/// Preparation of an image file: pixels of one size, and matching boxes. LibTorch-free.

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

/// Preparation of images for training or evaluation.
struct ImageOptions {
  /// Steps to one size, the same for all images: the crop's, or both sides of the resize. 224 x 224 by default.
  PreprocessOptions image = {.resize = PreprocessSize{224, 224, 0}};
  std::optional<AugmentOptions> augment = std::nullopt;  ///< replaces resize and crop; empty: evaluation
  io::ImageLimits limits = {};  ///< of a file: bytes, sides and pixels; a larger one is an error
};

/// Prepared image: a row of Images.
struct PreparedImage {
  int width = 0;                     ///< pixels
  int height = 0;                    ///< pixels
  std::vector<std::uint8_t> pixels;  ///< [3, height, width], RGB; empty: no image
  Regions regions;                   ///< in pixels of the above
};

/// Decodes, crops and resizes. Thread-safe.
/// @tparam Decoders  decoders of image files
template <class Decoders = io::DefaultDecoders>
class PrepareImage {
 public:
  /// @throws rc3::Error if images would have different sizes
  explicit PrepareImage(ImageOptions options = {}) : options_(std::move(options)) {
    const auto& image = options_.image;
    check_steps(image);
    const auto& size = image.crop ? image.crop : image.resize;
    require(size && size->shortest_edge == 0,
            "preprocess::PrepareImage: images must become of one size: set a crop, or both "
            "sides of the resize");
    width_ = size->width;
    height_ = size->height;
    if (options_.augment) augment_.emplace(*options_.augment);
  }

  /// @param id      id of the sample, for errors
  /// @param random  source of the augmentation's random numbers
  /// @throws rc3::Error naming the sample if its image cannot be read
  /// @return without pixels for an empty source; else pixels of width() x height(), and the regions in them
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

  int width() const { return width_; }    ///< of every prepared image, pixels
  int height() const { return height_; }  ///< of every prepared image, pixels

 private:
  ImageOptions options_;
  std::optional<Augment> augment_;
  int width_ = 0, height_ = 0;
};

}  // namespace rc3::preprocess
