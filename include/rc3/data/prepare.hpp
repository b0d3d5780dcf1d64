#pragma once
/// From a sample of a data set to what a model is given: pixels of one size, boxes that fit them, ids of two texts.
/// LibTorch-free: this is what the loader's threads do.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/augment.hpp"
#include "rc3/data/decode.hpp"
#include "rc3/data/pairing.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/data/text_id.hpp"
#include "rc3/text/tokenizer.hpp"
#include "rc3/visual/fit.hpp"

namespace rc3::data {

struct PrepareOptions {
  /// How pictures come to their size, the same for all: the crop's, or both sides of the resize. By default 224 x 224.
  visual::PreprocessOptions picture = {.resize = visual::PreprocessSize{224, 224, 0}};
  std::optional<AugmentOptions> augment = std::nullopt;  ///< in place of resize and crop; nothing: for evaluation
  PairingOptions pairing = {};
  io::ImageLimits limits = {};
};

/// One sample, ready to become a row of a Batch.
struct Prepared {
  int width = 0, height = 0;         ///< pixels
  std::vector<std::uint8_t> pixels;  ///< [3, height, width], RGB; empty: no picture
  Regions regions;                   ///< in pixels of the above
  std::vector<std::int64_t> a, b;    ///< ids of the texts, <s> and </s> included
  bool strict = false;
  std::optional<float> relevance;
  std::int64_t picture_id = 0, caption_a_id = 0, caption_b_id = 0;  ///< as in Batch
};

/// A function of (seed, epoch, sample): which texts, and how the picture is cut and coloured. May be used by several
/// threads at a time.
/// @tparam Decoders  what reads picture files
template <class Decoders = io::DefaultDecoders>
class Prepare {
 public:
  /// @param languages  Dataset::languages()
  Prepare(text::Tokenizer tokenizer, const LanguageCounts& languages, PrepareOptions options = {})
      : options_(std::move(options)), tokenizer_(std::move(tokenizer)), pairing_(languages, options_.pairing) {
    const auto& picture = options_.picture;
    const auto& size = picture.crop ? picture.crop : picture.resize;
    require(size && size->shortest_edge == 0,
            "data::Prepare: pictures must become of one size: set a crop, or both "
            "sides of the resize");
    width_ = size->width;
    height_ = size->height;
    if (options_.augment) augment_.emplace(*options_.augment);
  }

  /// @throws rc3::Error naming the sample when it has no pair of texts, or its picture cannot be read
  Prepared operator()(const Sample& sample, std::uint64_t seed, std::int64_t epoch) const {
    Prepared out;
    out.picture_id = text_id(sample.id);
    Random random(seed, static_cast<std::uint64_t>(out.picture_id), static_cast<std::uint64_t>(epoch));
    const auto pair = pairing_.pair(sample, random);
    require(pair.has_value(), sample.id, ": has no two texts that make a pair");
    const Text& a = sample.texts[pair->a];
    const Text& b = sample.texts[pair->b];
    out.a = tokenizer_.encode(a.text);
    out.b = tokenizer_.encode(b.text);
    out.caption_a_id = text_id(a.text);
    out.caption_b_id = text_id(b.text);
    out.strict = pair->strict;
    out.relevance = pair->relevance;
    out.regions = sample.regions;
    if (!std::holds_alternative<std::monostate>(sample.picture)) picture(sample, random, out);
    return out;
  }

  /// Of every picture, pixels.
  int width() const { return width_; }
  int height() const { return height_; }

 private:
  void picture(const Sample& sample, Random& random, Prepared& out) const {
    io::Image image = decode_picture<Decoders>(sample.picture, sample.id, options_.limits);
    if (augment_) {
      image = io::flatten(std::move(image), options_.picture.background);
      image = (*augment_)(image, out.regions, width_, height_, options_.picture.resample, random);
    } else {
      if (out.regions.size() > 0) {
        const auto part = visual::fitted_part(image.width, image.height, options_.picture);
        const double sx = double{out.regions.width} / image.width, sy = double{out.regions.height} / image.height;
        out.regions =
            follow(out.regions, part.left * sx, part.top * sy, part.width * sx, part.height * sy, width_, height_, 0.0);
      }
      image = visual::fit(std::move(image), options_.picture);
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
  }

  PrepareOptions options_;
  text::Tokenizer tokenizer_;
  Pairing pairing_;
  std::optional<Augment> augment_;
  int width_ = 0, height_ = 0;
};

}  // namespace rc3::data
