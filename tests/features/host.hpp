#pragma once
/// A host whose frozen layers can be computed by hand: features of an image are twice its pixels' means, hidden states
/// of a text are its ids.

#include <torch/torch.h>

#include <memory>
#include <string>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/preprocess/prepare_image.hpp"

namespace rc3::test {

struct Host : torch::nn::Module {
  struct Backbone {
    std::int64_t seen = 0;  ///< images that passed
    double center = 0;
    at::Tensor lower(const at::Tensor& pixels) {
      seen += pixels.size(0);
      return pixels.to(at::kFloat).mean({2, 3}, true) - center;
    }
    void calibrate(const at::Tensor& maps) { center += maps.mean().item<double>(); }
  };
  struct Visual {
    std::shared_ptr<Backbone> network = std::make_shared<Backbone>();
    const std::shared_ptr<Backbone>& backbone() { return network; }
  };
  struct Text {
    std::int64_t seen = 0;  ///< texts that passed
    std::int64_t frozen_layers() const { return 1; }
    Tokens lower(const Texts& t) {
      seen += t.size();
      const auto noise = rounding * static_cast<double>(t.ids.sum().item<std::int64_t>() % 1000);
      return {(t.ids.unsqueeze(2).to(at::kFloat) + noise) * t.mask.unsqueeze(2), t.mask};
    }
    Tokens encode(const Texts& t) { return t.hidden.defined() ? Tokens{t.hidden, t.mask} : lower(t); }
    double rounding = 0;  ///< how much the texts of a batch change each other's features
    at::Tensor pool(const Tokens& t) { return t.values.sum(1) / t.mask.sum(1, true); }
  };

  Visual* visual_policy() { return &visual_; }
  Text* text_policy() { return &text_; }
  Tokens visual(const Images& images) {
    const auto x = images.features.to(at::kFloat).flatten(2).transpose(1, 2);
    return {x, at::ones({x.size(0), x.size(1)}, at::kBool)};
  }
  void calibrate_images(const Tokens& tokens) { image_center = tokens.values.mean().item<double>(); }
  void calibrate_texts(const at::Tensor& pooled) { text_center = pooled.mean().item<double>(); }

  Visual visual_;
  Text text_;
  double image_center = 0, text_center = 0;
};

/// Samples with an image of one grey and texts in three languages; English and German are translations.
struct Greys {
  std::vector<data::Sample> samples = {};
  data::LanguageCounts counts = {};

  explicit Greys(std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      data::Sample sample;
      sample.id = "grey-" + std::to_string(i);
      io::Image image{2, 2, {}};
      for (int k = 0; k < 4; ++k)
        image.rgba.insert(image.rgba.end(), 3, static_cast<std::uint8_t>(i)), image.rgba.push_back(255);
      sample.image = image;
      const auto name = std::to_string(i);
      sample.texts = {{"en", name, 0}, {"de", name + " " + name, 0}, {"fr", name + " x", 1}};
      if (i % 2 == 0) sample.relevance = {{0, 2, 0.25f}};
      samples.push_back(std::move(sample));
    }
    counts = {{"en", n}, {"de", n}, {"fr", n}};
  }
  std::string name() const { return "greys"; }
  std::int64_t size() const { return static_cast<std::int64_t>(samples.size()); }
  data::Sample read(std::int64_t i) const { return samples.at(static_cast<std::size_t>(i)); }
  const data::LanguageCounts& languages() const { return counts; }
};
static_assert(data::Dataset<Greys>);

/// Images as they are, 2 x 2 pixels.
inline const preprocess::PrepareImage<> prepare({.image = {.resize = preprocess::PreprocessSize{2, 2, 0}}});

/// As many ids as the text has letters.
inline std::vector<std::int64_t> letters(const std::string& text) {
  std::vector<std::int64_t> ids{0};
  for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
  ids.push_back(2);
  return ids;
}

}  // namespace rc3::test
