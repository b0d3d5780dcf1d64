#pragma once
/// Selection of the text pair of an image. LibTorch-free.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/sample.hpp"

namespace rc3::data {

/// Two texts of one sample.
struct TextPair {
  std::size_t a = 0, b = 0;        ///< indices into Sample::texts, never equal
  bool strict = false;             ///< whether they are translations of each other
  std::optional<float> relevance;  ///< 1 if strict; nullopt if unknown
};

/// How two texts of a sample are drawn.
struct PairingOptions {
  double strict_share = 0.5;   ///< of pairs, for a sample with both kinds, in [0, 1]
  double temperature = 1;      ///< language probability ~ (texts in it)^(1 / temperature), >= 1; 1: proportional
  bool same_language = false;  ///< an image with texts in one language only gives a pair of them
  std::vector<std::string> languages = {};  ///< only texts in these; empty: all
};

/// Draws pairs and single texts. A text's weight is (texts in its language)^(1 / temperature - 1), which raises rare
/// languages. A language of every image and one of few images then differ less in their number of drawn texts.
/// Source: temperature sampling of XLM-R (Conneau et al. 2020; its alpha is 1 / temperature), applied to the texts of
/// one image.
class Pairing {
 public:
  /// @param counts  Dataset::languages()
  /// @throws rc3::Error for an option out of range, or a language without a text
  explicit Pairing(const LanguageCounts& counts, PairingOptions options = {}) : options_(std::move(options)) {
    require(options_.strict_share >= 0 && options_.strict_share <= 1,
            "data::Pairing: strict_share must be in [0, 1], is ", options_.strict_share);
    require(options_.temperature >= 1, "data::Pairing: temperature must be at least 1, is ", options_.temperature);
    for (const auto& [language, count] : counts) {
      const auto& wanted = options_.languages;
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), language) == wanted.end()) continue;
      if (count > 0) weights_[language] = std::pow(static_cast<double>(count), 1 / options_.temperature - 1);
    }
    for (const std::string& language : options_.languages)
      require(weights_.contains(language), "data::Pairing: there is no text in the language ", language);
    require(!weights_.empty(), "data::Pairing: the data set has no texts");
  }

  /// A pair for the cross-lingual objectives, in random order; nullopt if the sample has none.
  std::optional<TextPair> pair(const Sample& sample, Random& random) const {
    std::vector<std::pair<TextPair, double>> strict, weak, alike;
    const auto& texts = sample.texts;
    for (std::size_t i = 0; i < texts.size(); ++i)
      for (std::size_t j = i + 1; j < texts.size(); ++j) {
        const double weight = weight_of(texts[i]) * weight_of(texts[j]);
        if (weight == 0 || texts[i].text == texts[j].text) continue;
        const bool translations = texts[i].group == texts[j].group;
        auto& kind = texts[i].language == texts[j].language ? alike : translations ? strict : weak;
        kind.push_back({{i, j, translations, {}}, weight});
      }
    if (strict.empty() && weak.empty() && options_.same_language) weak.swap(alike);
    if (strict.empty() && weak.empty()) return std::nullopt;
    const bool take_strict = weak.empty() || (!strict.empty() && random.chance(options_.strict_share));
    TextPair pair = draw(take_strict ? strict : weak, random);
    if (pair.strict) pair.relevance = 1.0f;
    for (const auto& known : sample.relevance)
      if (!pair.strict && known.a == pair.a && known.b == pair.b) pair.relevance = known.value;
    if (random.chance(0.5)) std::swap(pair.a, pair.b);
    return pair;
  }

  /// A text in any language, for objectives of images and single texts; nullopt if the sample has none.
  std::optional<std::size_t> text(const Sample& sample, Random& random) const {
    std::vector<std::pair<std::size_t, double>> all;
    for (std::size_t i = 0; i < sample.texts.size(); ++i)
      if (const double weight = weight_of(sample.texts[i]); weight > 0) all.push_back({i, weight});
    if (all.empty()) return std::nullopt;
    return draw(all, random);
  }

 private:
  double weight_of(const Text& text) const {
    const auto found = weights_.find(text.language);
    return found == weights_.end() ? 0 : found->second;
  }

  template <class T>
  static T draw(const std::vector<std::pair<T, double>>& weighted, Random& random) {
    double sum = 0;
    for (const auto& item : weighted) sum += item.second;
    double left = random.uniform() * sum;
    for (const auto& item : weighted) {
      left -= item.second;
      if (left < 0) return item.first;
    }
    return weighted.back().first;  // rounding error of the sum
  }

  PairingOptions options_;
  std::map<std::string, double> weights_;
};

}  // namespace rc3::data
