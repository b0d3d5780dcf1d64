#pragma once
/// Calibration of a model and its objectives on the training data.

#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "rc3/core/nn/device.hpp"
#include "rc3/core/random.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/loader/pairing.hpp"
#include "rc3/data/text/text_id.hpp"
#include "rc3/features/cached_samples.hpp"
#include "rc3/preprocess/collate_images.hpp"

namespace rc3::features {

/// How many samples the statistics of calibrate() are measured on.
struct CalibrationOptions {
  std::int64_t maps = 200;     ///< images whose feature maps standardise the backbone, >= 2
  std::int64_t images = 1024;  ///< images that centre the image head, >= 2
  std::int64_t texts = 1024;   ///< texts that centre the text head, >= 2
  std::int64_t pairs = 256;    ///< translations that scale the relevance, >= 2
};

namespace detail {

/// Backbone of the patches of a visual policy.
template <class Visual, class Visit>
void with_backbone(Visual& visual, const Visit& visit) {
  if constexpr (requires { visual.patch(); })
    with_backbone(*visual.patch(), visit);
  else if constexpr (requires { visual.backbone(); })
    visit(*visual.backbone());
}

/// At most @p count of the indices 0 .. size - 1, evenly spread.
inline std::vector<std::int64_t> spread(std::int64_t size, std::int64_t count) {
  const auto n = std::min(size, count);
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < n; ++i) all.push_back(i * size / n);
  return all;
}

}  // namespace detail

/// Standardises each channel of a frozen backbone's feature maps, if it has `lower` and `calibrate`. Call it before any
/// feature is cached; another backbone stays unchanged.
template <class Host, data::Dataset Source, class PrepareImage>
void calibrate_backbone(Host& host, const Source& source, const PrepareImage& prepare,
                        const CalibrationOptions& options = {}) {
  detail::with_backbone(*host.visual_policy(), [&](auto& backbone) {
    if constexpr (requires(at::Tensor x) { backbone.lower(x), backbone.calibrate(x); }) {
      c10::NoGradGuard no_grad;
      const auto device = nn::device_of(host);
      const bool training = host.is_training();
      host.eval();
      std::vector<at::Tensor> maps;
      std::vector<preprocess::PreparedImage> images;
      const auto flush = [&] {
        if (images.empty()) return;
        const auto map = backbone.lower(preprocess::collate_images(images).pixels.to(device));
        if (map.defined()) maps.push_back(map);
        images.clear();
      };
      for (const auto i : detail::spread(source.size(), options.maps)) {
        try {
          auto sample = source.read(i);
          Random random(1, static_cast<std::uint64_t>(data::text_id(sample.id)));
          images.push_back(prepare(sample.image, std::move(sample.regions), sample.id, random));
          if (images.back().pixels.empty()) images.pop_back();
        } catch (const Error&) {
          continue;  // counted by the pass over all samples
        }
        if (images.size() == 32) flush();
      }
      flush();
      if (!maps.empty()) backbone.calibrate(at::cat(maps));
      host.train(training);
    }
  });
}

/// Centres the inputs of the shared space's heads, if the model has them.
/// @param languages  the languages of training; empty: all
template <class Host>
void calibrate_heads(Host& host, CachedSamples& samples, const std::vector<std::string>& languages = {},
                     const CalibrationOptions& options = {}) {
  c10::NoGradGuard no_grad;
  const auto device = nn::device_of(host);
  const bool training = host.is_training();
  host.eval();
  if (samples.size() >= 2) {
    const auto which = detail::spread(samples.size(), options.images);
    host.calibrate_images(host.visual(samples.images(which).to(device)));
  }
  std::vector<TextOf> texts;
  const auto wanted = [&](const std::string& language) {
    return languages.empty() || std::find(languages.begin(), languages.end(), language) != languages.end();
  };
  for (const auto i : detail::spread(samples.size(), 200))
    for (std::size_t t = 0; t < samples.sample(i).texts.size(); ++t)
      if (wanted(samples.sample(i).texts[t].language)) texts.push_back({i, t});
  std::vector<at::Tensor> pooled;
  std::vector<TextOf> some;
  for (const auto i : detail::spread(static_cast<std::int64_t>(texts.size()), options.texts))
    some.push_back(texts[static_cast<std::size_t>(i)]);
  for (std::size_t begin = 0; begin < some.size(); begin += 256) {
    const auto part = std::span(some).subspan(begin, std::min<std::size_t>(256, some.size() - begin));
    auto& encoder = *host.text_policy();
    pooled.push_back(encoder.pool(encoder.encode(samples.texts_to_calibrate(host, part).to(device))));
  }
  if (some.size() >= 2) host.calibrate_texts(at::cat(pooled));
  host.train(training);
}

/// Translations in @p samples, one pair per sample, in two languages.
inline std::vector<PairOf> translations(const CachedSamples& samples, const std::vector<std::string>& languages,
                                        std::int64_t count) {
  data::PairingOptions options;
  options.strict_share = 1;
  options.languages = languages;
  const data::Pairing pairing(samples.languages(), options);
  std::vector<PairOf> pairs;
  for (std::int64_t i = 0; i < samples.size(); ++i) {
    Random random(1, static_cast<std::uint64_t>(data::text_id(samples.sample(i).id)));
    const auto pair = pairing.pair(samples.sample(i), random);
    if (pair && pair->strict) pairs.push_back({i, *pair});
    if (static_cast<std::int64_t>(pairs.size()) == count) break;
  }
  return pairs;
}

/// Scales every relevance policy of @p pretrainer that needs calibration (`relevance().calibrate(a, b)`), by
/// translations of @p samples.
/// @throws rc3::Error if there is such a policy and the samples hold fewer than two translations
template <class Pretrainer>
void calibrate_relevance(Pretrainer& pretrainer, CachedSamples& samples, const std::vector<std::string>& languages = {},
                         const CalibrationOptions& options = {}) {
  pretrainer.for_each_objective([&](auto& objective) {
    if constexpr (requires(Texts t) { objective.relevance().calibrate(t, t); }) {
      if constexpr (requires { objective.relevance().calibrated(); })
        if (objective.relevance().calibrated()) return;
      const auto pairs = translations(samples, languages, options.pairs);
      require(pairs.size() >= 2, samples.name(), ": the relevance of ", type_name<std::decay_t<decltype(objective)>>(),
              " is calibrated by translations, and the data hold ", pairs.size(), "; mark them as strictly aligned");
      std::vector<TextOf> a, b;
      for (const auto& pair : pairs) {
        a.push_back({pair.sample, pair.texts.a});
        b.push_back({pair.sample, pair.texts.b});
      }
      auto& host = *pretrainer.model();
      const auto texts = [&](const auto& which) {
        return samples.texts_to_calibrate(host, which).to(nn::device_of(host));
      };
      objective.relevance().calibrate(texts(a), texts(b));
    }
  });
}

}  // namespace rc3::features
