#pragma once
/// Samples of a data set in memory, with the frozen features of their images and texts.

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/nn/eval_mode.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/loader/loader.hpp"
#include "rc3/data/loader/pairing.hpp"
#include "rc3/data/loader/relevance_of.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/data/text/text_id.hpp"
#include "rc3/features/feature_cache.hpp"
#include "rc3/preprocess/prepare_image.hpp"

namespace rc3::features {

/// Progress of a long computation: (items done, total items).
using Progress = std::function<void(std::int64_t, std::int64_t)>;

/// Ids of a text, `<s>` and `</s>` included, for example text::Tokenizer::encode.
using Encode = std::function<std::vector<std::int64_t>(const std::string&)>;

/// A text of a sample, by index.
struct TextOf {
  std::int64_t sample = 0;  ///< 0 .. CachedSamples::size() - 1
  std::size_t text = 0;     ///< index into Sample::texts
};

/// A pair of texts of a sample, by index.
struct PairOf {
  std::int64_t sample = 0;  ///< 0 .. CachedSamples::size() - 1
  data::TextPair texts;     ///< indices into Sample::texts
};

/// Which samples are cached, by how many threads, and where.
struct CachedSamplesOptions {
  std::int64_t max_samples = 0;       ///< at most this number, evenly spread over the source; 0: all
  int workers = 2;                    ///< threads that read and decode, >= 0
  std::filesystem::path folder = {};  ///< of features on disk, see FeatureStore; empty: memory only
};

namespace detail {

/// At most @p count samples, evenly spread over @p source.
template <data::Dataset Source>
struct Spread {
  const Source& source;
  std::int64_t count;
  auto name() const { return source.name(); }
  std::int64_t size() const { return count; }
  data::Sample read(std::int64_t i) const { return source.read(i * source.size() / count); }
};

struct PreparedItem {
  data::Sample sample;  // without its image and regions
  preprocess::PreparedImage image;
};

template <class PrepareImage>
struct PrepareItem {
  const PrepareImage& image;

  PreparedItem operator()(data::Sample sample, std::uint64_t seed, std::int64_t) const {
    Random random(seed, static_cast<std::uint64_t>(data::text_id(sample.id)));  // nothing is drawn: no augmentation
    PreparedItem out;
    out.image = image(sample.image, std::move(sample.regions), sample.id, random);
    sample.image = std::monostate{};
    sample.regions = {};
    out.sample = std::move(sample);
    return out;
  }
};

struct CollateItems {
  std::vector<PreparedItem> operator()(std::vector<PreparedItem> all) const { return all; }
};

}  // namespace detail

/// The constructor computes the frozen features of images; those of texts are computed on first use. Memory in float16:
/// 180 KB per image for EfficientNet-Lite0 with all scales, 2 * D bytes per token of a text.
class CachedSamples {
 public:
  /// @param host      an rc3::Model; its frozen parts must not change afterwards
  /// @param prepare   without augmentation
  /// @param errors    counts damaged samples, which are dropped
  /// @param progress  of the images
  /// @throws rc3::Error if no sample is intact
  template <class Host, data::Dataset Source, class PrepareImage>
  CachedSamples(Host& host, const Source& source, Encode encode, const PrepareImage& prepare, data::DataErrors& errors,
                const CachedSamplesOptions& options = {}, const Progress& progress = {})
      : name_(source.name()), encode_(std::move(encode)), cache_(options.folder) {
    require(options.max_samples >= 0, "features::CachedSamples: max_samples must not be negative, is ",
            options.max_samples);
    const auto count = options.max_samples > 0 ? std::min(options.max_samples, source.size()) : source.size();
    const detail::Spread<Source> some{source, count};
    data::LoaderOptions loading;
    loading.order.shuffle = false;
    loading.batch.size = 32;
    loading.epochs = 1;
    loading.workers = options.workers;
    data::Loader loader(some, detail::PrepareItem<PrepareImage>{prepare}, detail::CollateItems{}, errors, loading);
    const bool training = host.is_training();
    host.eval();
    std::int64_t done = 0;
    if (progress) progress(0, count);
    while (auto loaded = loader.next()) {
      add(host, loaded->batch);
      done += static_cast<std::int64_t>(loaded->samples.size());
      if (progress) progress(done, count);
    }
    cache_.flush();
    host.train(training);
    require(!items_.empty(), name_, ": has no valid sample\n", errors.report());
  }

  const std::string& name() const { return name_; }                               ///< of the source, as in its errors
  std::int64_t size() const { return static_cast<std::int64_t>(items_.size()); }  ///< number of intact samples, > 0
  /// Sample @p i without its image and regions. @throws rc3::Error for an index out of range
  const data::Sample& sample(std::int64_t i) const { return item(i).sample; }
  /// Number of texts of the intact samples in each language.
  const data::LanguageCounts& languages() const { return languages_; }
  /// Images and texts by number, each distinct one once.
  const FeatureCache& cache() const { return cache_; }
  /// Whether features are also on disk.
  bool on_disk() const { return cache_.on_disk(); }

  /// Images of the samples @p numbers.
  /// @return one row a number, on the CPU; regions are padded to the largest R
  /// @throws rc3::Error for an index out of range
  Images images(const std::vector<std::int64_t>& numbers) const {
    std::vector<std::int64_t> images;
    for (const auto i : numbers) images.push_back(item(i).image);
    return cache_.images(images);
  }

  /// The given texts, encoded by the frozen layers of @p host if not cached.
  /// @return one row a text: ids, mask [n, L] and, if layers are frozen, hidden [n, L, D]; on the CPU
  template <class Host>
  Texts texts(Host& host, std::span<const TextOf> which) {
    encode(host, which);
    std::vector<std::int64_t> numbers;
    for (const auto& t : which) numbers.push_back(number_of(t));
    return cache_.texts(numbers);
  }

  /// Ids and mask of those texts, without features; nothing is cached.
  /// @return ids and mask, [n, L], on the CPU
  Texts ids(std::span<const TextOf> which) const {
    std::vector<std::vector<std::int64_t>> all;
    for (const auto& t : which) all.push_back(encode_(item(t.sample).sample.texts.at(t.text).text));
    return text::pad_batch(all);
  }

  /// A batch of pairs, as from data::PrepareSample and data::CollateSamples, with features in place of pixels.
  /// @return B pairs, on the CPU, with caption ids and image ids as data::text_id() makes them
  template <class Host>
  Batch pairs(Host& host, std::span<const PairOf> which) {
    std::vector<TextOf> a, b;
    std::vector<std::int64_t> samples, image_ids, a_ids, b_ids, strict;
    std::vector<std::optional<float>> relevance;
    for (const auto& pair : which) {
      const auto& sample = item(pair.sample).sample;
      samples.push_back(pair.sample);
      a.push_back({pair.sample, pair.texts.a});
      b.push_back({pair.sample, pair.texts.b});
      image_ids.push_back(data::text_id(sample.id));
      a_ids.push_back(data::text_id(sample.texts.at(pair.texts.a).text));
      b_ids.push_back(data::text_id(sample.texts.at(pair.texts.b).text));
      strict.push_back(pair.texts.strict);
      relevance.push_back(pair.texts.relevance);
    }
    return {images(samples),
            texts(host, a),
            texts(host, b),
            at::tensor(strict, at::kLong).to(at::kBool),
            data::relevance_of(relevance),
            at::tensor(image_ids, at::kLong),
            at::tensor(a_ids, at::kLong),
            at::tensor(b_ids, at::kLong)};
  }

  /// The given texts for a calibration: with cached features if they are on disk, else ids and mask. Without a folder
  /// nothing is cached, so that a resumed run, which is not calibrated again, encodes texts beside the same neighbours.
  /// @return ids and mask [n, L]; hidden [n, L, D] from the cache; on the CPU
  template <class Host>
  Texts texts_to_calibrate(Host& host, std::span<const TextOf> which) {
    return on_disk() ? texts(host, which) : ids(which);
  }

  /// Encodes the texts of @p which as pairs() does, and returns nothing.
  template <class Host>
  void encode_pairs(Host& host, std::span<const PairOf> which) {
    std::vector<TextOf> a, b;
    for (const auto& pair : which) {
      a.push_back({pair.sample, pair.texts.a});
      b.push_back({pair.sample, pair.texts.b});
    }
    encode(host, a);
    encode(host, b);
  }

  /// Encodes all texts that are not cached yet, and saves them if there is a folder.
  template <class Host>
  void encode_texts(Host& host, const Progress& progress = {}) {
    constexpr std::size_t at_once = 4096;  // among these, texts of similar length are encoded together
    std::vector<TextOf> some;
    for (std::int64_t i = 0; i < size(); ++i) {
      for (std::size_t t = 0; t < sample(i).texts.size(); ++t) some.push_back({i, t});
      if (some.size() < at_once && i + 1 < size()) continue;
      encode(host, some);
      some.clear();
      if (progress) progress(i + 1, size());
    }
    cache_.flush();
  }

  /// All texts in @p language, in the order of the samples.
  std::vector<TextOf> texts_in(const std::string& language) const {
    std::vector<TextOf> found;
    for (std::int64_t i = 0; i < size(); ++i)
      for (std::size_t t = 0; t < sample(i).texts.size(); ++t)
        if (sample(i).texts[t].language == language) found.push_back({i, t});
    return found;
  }

  /// Clears the cached features of all texts, for a text encoder whose frozen part changes.
  void clear_texts() {
    cache_.clear_texts();
    for (auto& item : items_) std::fill(item.texts.begin(), item.texts.end(), std::int64_t{-1});
  }

 private:
  struct Item {
    data::Sample sample;
    std::int64_t image = 0;
    std::vector<std::int64_t> texts;  // indices in the cache; -1: not encoded yet
  };

  /// Encodes those of @p which that have not been encoded yet.
  template <class Host>
  void encode(Host& host, std::span<const TextOf> which) {
    std::vector<std::vector<std::int64_t>> ids;
    std::vector<TextOf> fresh;
    for (const auto& t : which)
      if (number_of(t) < 0) {
        ids.push_back(encode_(item(t.sample).sample.texts.at(t.text).text));
        fresh.push_back(t);
      }
    if (fresh.empty()) return;
    const nn::EvalMode eval(host);
    const auto numbers = cache_.add_texts(host, ids);
    for (std::size_t i = 0; i < fresh.size(); ++i) number_of(fresh[i]) = numbers[i];
  }

  const Item& item(std::int64_t i) const {
    require(i >= 0 && i < size(), "features::CachedSamples: sample ", i, " of ", size());
    return items_[static_cast<std::size_t>(i)];
  }
  std::int64_t& number_of(const TextOf& t) {
    item(t.sample);  // checks the index
    return items_[static_cast<std::size_t>(t.sample)].texts.at(t.text);
  }

  template <class Host>
  void add(Host& host, std::vector<detail::PreparedItem>& prepared) {
    std::vector<const preprocess::PreparedImage*> images;
    for (const auto& p : prepared) images.push_back(&p.image);
    const auto numbers = cache_.add_images(host, images);
    for (std::size_t i = 0; i < prepared.size(); ++i) {
      auto& sample = prepared[i].sample;
      for (const auto& text : sample.texts) ++languages_[text.language];
      std::vector<std::int64_t> texts(sample.texts.size(), -1);
      items_.push_back({std::move(sample), numbers[i], std::move(texts)});
    }
  }

  std::string name_;
  Encode encode_;
  FeatureCache cache_;
  std::vector<Item> items_;
  data::LanguageCounts languages_;
};

}  // namespace rc3::features
