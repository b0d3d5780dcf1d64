#pragma once
/// Preparation of samples for a model: pixels of one size, boxes that fit them, ids of two texts. LibTorch-free; runs
/// in the loader's threads.

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/loader/pairing.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/data/text/text_id.hpp"
#include "rc3/preprocess/augment.hpp"
#include "rc3/preprocess/prepare_image.hpp"
#include "rc3/text/tokenizer.hpp"

namespace rc3::data {

/// Preparation of a sample: image, regions and texts.
struct PrepareOptions {
  /// Resizing of images to one size: the crop's, or both sides of the resize. By default 224 x 224.
  preprocess::PreprocessOptions image = {.resize = preprocess::PreprocessSize{224, 224, 0}};
  std::optional<preprocess::AugmentOptions> augment =
      std::nullopt;             ///< replaces resize and crop; nullopt: for evaluation
  PairingOptions pairing = {};  ///< which two texts are drawn
  io::ImageLimits limits = {};  ///< of an image file; a larger one is an error
};

/// One sample, ready to become a row of a Batch.
struct PreparedSample : preprocess::PreparedImage {
  std::vector<std::int64_t> a, b;                                 ///< ids of the texts, `<s>` and `</s>` included
  bool strict = false;                                            ///< whether b is a translation of a
  std::optional<float> relevance;                                 ///< of b to a, in [0, 1]; nullopt: unknown
  std::int64_t image_id = 0, caption_a_id = 0, caption_b_id = 0;  ///< as in Batch
};

/// A function of (seed, epoch, sample), which selects the texts and the augmentation. Thread-safe.
/// @tparam Decoders  decoders of image files
template <class Decoders = io::DefaultDecoders>
class PrepareSample {
 public:
  /// @param languages  Dataset::languages()
  /// @throws rc3::Error as Pairing and preprocess::PrepareImage do
  PrepareSample(text::Tokenizer tokenizer, const LanguageCounts& languages, PrepareOptions options = {})
      : tokenizer_(std::move(tokenizer)),
        pairing_(languages, options.pairing),
        image_({std::move(options.image), std::move(options.augment), options.limits}) {}

  /// @throws rc3::Error naming the sample if it has no pair of texts, or its image cannot be read
  PreparedSample operator()(const Sample& sample, std::uint64_t seed, std::int64_t epoch) const {
    PreparedSample out;
    out.image_id = text_id(sample.id);
    Random random(seed, static_cast<std::uint64_t>(out.image_id), static_cast<std::uint64_t>(epoch));
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
    static_cast<preprocess::PreparedImage&>(out) = image_(sample.image, sample.regions, sample.id, random);
    return out;
  }

  /// Width of every image in pixels.
  int width() const { return image_.width(); }
  int height() const { return image_.height(); }

 private:
  text::Tokenizer tokenizer_;
  Pairing pairing_;
  preprocess::PrepareImage<Decoders> image_;
};

}  // namespace rc3::data
