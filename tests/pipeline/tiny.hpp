#pragma once
/// A small random model with patches and regions, a tokenizer of bytes, and drawings of coloured shapes.

#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/random.hpp"
#include "rc3/fusion/fusion.hpp"
#include "rc3/io/image.hpp"
#include "rc3/model/model.hpp"
#include "rc3/pipeline/pipeline.hpp"
#include "rc3/text/bert.hpp"
#include "rc3/visual/visual.hpp"

namespace rc3::test {

/// <s>, the bytes, </s>; at most 40 tokens.
struct ByteTokenizer {
  std::vector<std::int64_t> encode(std::string_view text) const {
    std::vector<std::int64_t> ids{0};
    for (const char c : text.substr(0, 38)) ids.push_back(3 + static_cast<unsigned char>(c));
    ids.push_back(2);
    return ids;
  }
  std::int64_t pad_id() const { return 1; }
};

using TinyBackbone = visual::backbone::LinearPatches;
using TinyVisual = visual::Both<visual::RoiFromCrops<TinyBackbone>, visual::Patch<TinyBackbone>>;

struct Tiny : Model<TinyVisual, text::Bert> {
  using Model::Model;
  using Tokenizer = ByteTokenizer;
};

inline std::shared_ptr<Tiny> tiny_model(std::uint64_t seed = 1) {
  torch::manual_seed(seed);
  const auto backbone = std::make_shared<TinyBackbone>(visual::backbone::LinearPatchesOptions{16, 8});
  const auto roi = std::make_shared<visual::RoiFromCrops<TinyBackbone>>(
      backbone, visual::RoiFromCropsOptions{.width = 32, .side = 16});
  const auto patch = std::make_shared<visual::Patch<TinyBackbone>>(backbone, visual::PatchOptions{.width = 32});
  const auto text = std::make_shared<text::Bert>(
      text::BertOptions{.vocabulary = 259, .width = 32, .layers = 2, .heads = 4, .feed_forward = 64, .positions = 40});
  const auto fusion = std::make_shared<fusion::SingleStream>(
      fusion::SingleStreamOptions{.width = 32, .layers = 1, .heads = 4, .feed_forward = 64});
  return std::make_shared<Tiny>(std::make_shared<TinyVisual>(roi, patch), text, fusion,
                                ModelOptions{.embedding = 24, .hidden = 48});
}

inline Pipeline<Tiny> tiny_pipeline(std::uint64_t seed = 1) {
  return {tiny_model(seed), {}, {.resize = preprocess::PreprocessSize{32, 32, 0}}};
}

/// Rectangles of random colours, of a random size.
inline io::Image drawing(std::uint64_t seed) {
  Random random(seed, 99);
  const auto draw = [&](std::uint64_t below) { return static_cast<int>(random.below(below)); };
  io::Image image{20 + draw(60), 20 + draw(60), {}};
  image.rgba.assign(static_cast<std::size_t>(image.width * image.height * 4), 255);
  for (int shape = 0; shape < 6; ++shape) {
    const std::uint8_t color[3] = {static_cast<std::uint8_t>(draw(256)), static_cast<std::uint8_t>(draw(256)),
                                   static_cast<std::uint8_t>(draw(256))};
    const int x = draw(image.width), y = draw(image.height), w = 1 + draw(image.width), h = 1 + draw(image.height);
    for (int i = y; i < std::min(y + h, image.height); ++i)
      for (int j = x; j < std::min(x + w, image.width); ++j)
        std::copy_n(color, 3, image.rgba.begin() + (i * image.width + j) * 4);
  }
  return image;
}

inline std::vector<io::Image> drawings(std::size_t n) {
  std::vector<io::Image> all;
  for (std::size_t i = 0; i < n; ++i) all.push_back(drawing(i));
  return all;
}

}  // namespace rc3::test
