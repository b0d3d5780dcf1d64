#pragma once
/// Statistics of a data set from one full pass. LibTorch-free.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "rc3/data/check/validate.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/loader/loader.hpp"
#include "rc3/preprocess/decode.hpp"

namespace rc3::data {

/// Distribution of a quantity over a data set: its count and quantiles.
class Distribution {
 public:
  void add(std::int64_t value) {
    values_.push_back(value);
    sorted_ = false;
  }
  std::int64_t count() const { return static_cast<std::int64_t>(values_.size()); }
  /// @param q  in [0, 1]: 0 the minimum, 0.5 the median, 1 the maximum. @pre count() > 0
  /// @throws rc3::Error without a value, or for q out of range
  std::int64_t quantile(double q) {
    require(!values_.empty() && q >= 0 && q <= 1, "data::Distribution: quantile ", q, " of ", values_.size(),
            " values");
    if (!sorted_) std::sort(values_.begin(), values_.end());
    sorted_ = true;
    return values_[static_cast<std::size_t>(q * static_cast<double>(values_.size() - 1) + 0.5)];
  }

 private:
  std::vector<std::int64_t> values_;
  bool sorted_ = false;
};

/// Distribution of text lengths in code points by language; its count is the number of texts.
using LanguageLengths = std::map<std::string, Distribution>;

/// What a data set contains, counted over its samples.
struct Summary {
  std::int64_t samples = 0;           ///< readable ones
  std::int64_t with_image = 0;        ///< samples
  std::int64_t with_regions = 0;      ///< samples
  std::int64_t with_relevance = 0;    ///< samples
  std::int64_t with_strict_pair = 0;  ///< samples with two texts in two languages that are translations of each other
  std::int64_t with_weak_pair = 0;    ///< samples with two texts in two languages that are not
  LanguageLengths languages;          ///< lengths of the texts, code points
  Distribution width, height;         ///< of images, pixels
  Distribution regions;               ///< of each sample with any
  Distribution features;              ///< numbers of a region, of each sample with regions that have any
};

/// Code points of UTF-8 text.
inline std::int64_t code_points(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

/// Reads @p source from its first sample to its last, images included; reports damaged samples to @p errors.
/// @param workers   threads, >= 0
/// @param progress  called occasionally with the number of samples so far
template <class Decoders = io::DefaultDecoders, Dataset Source>
Summary summarise(const Source& source, DataErrors& errors, int workers = 2,
                  const std::function<void(std::int64_t)>& progress = {}) {
  struct Facts {
    Sample sample;  // without pixels
    int width = 0, height = 0;
  };
  const auto look = [&source](const Sample& sample, std::uint64_t, std::int64_t) {
    const std::string where = join(source.name(), ": ", sample.id);
    Facts facts{sample, 0, 0};
    check_sample(sample, where);
    if (!std::holds_alternative<std::monostate>(sample.image)) {
      const io::Image image = preprocess::decode_image<Decoders>(sample.image, where);
      facts.width = image.width;
      facts.height = image.height;
    }
    facts.sample.image = {};
    return facts;
  };
  Summary out;
  if (source.size() == 0) return out;
  Loader loader(source, look, [](std::vector<Facts> all) { return all; }, errors,
                {.order = {.shuffle = false}, .batch = {.size = 32}, .epochs = 1, .workers = workers, .prefetch = 4});
  std::int64_t seen = 0;
  while (const auto loaded = loader.next()) {
    seen += static_cast<std::int64_t>(loaded->samples.size());
    if (progress) progress(seen);
    for (const auto& [sample, width, height] : loaded->batch) {
      ++out.samples;
      if (width > 0) {
        ++out.with_image;
        out.width.add(width);
        out.height.add(height);
      }
      if (sample.regions.size() > 0) {
        ++out.with_regions;
        out.regions.add(static_cast<std::int64_t>(sample.regions.size()));
        if (const auto numbers = sample.regions.features.size() / sample.regions.size(); numbers > 0)
          out.features.add(static_cast<std::int64_t>(numbers));
      }
      out.with_relevance += !sample.relevance.empty();
      bool strict = false, weak = false;
      for (std::size_t i = 0; i < sample.texts.size(); ++i) {
        out.languages[sample.texts[i].language].add(code_points(sample.texts[i].text));
        for (std::size_t j = 0; j < i; ++j) {
          if (sample.texts[i].language == sample.texts[j].language) continue;
          (sample.texts[i].group == sample.texts[j].group ? strict : weak) = true;
        }
      }
      out.with_strict_pair += strict;
      out.with_weak_pair += weak;
    }
  }
  return out;
}

}  // namespace rc3::data
