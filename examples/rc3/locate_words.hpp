#pragma once
/// Where the words of a text are in an image, by a model whose tokens have embeddings.

#include <rc3/core/batch.hpp>
#include <rc3/core/error.hpp>
#include <rc3/core/nn/device.hpp>
#include <rc3/core/nn/to_float32.hpp>
#include <rc3/core/random.hpp>
#include <rc3/pipeline/pipeline.hpp>
#include <rc3/preprocess/collate_images.hpp>
#include <rc3/preprocess/prepare_image.hpp>
#include <rc3/text/tokenize.hpp>

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/serve/encoder.hpp"
#include "rc3/serve/words.hpp"

namespace tool {

/// Cosines of the words of a text with the parts of an image: of token embeddings with region embeddings, as late
/// interaction compares them (Yao et al. 2021, FILIP). An image of an index has no regions, so that a grid takes their
/// place. Several threads may call it at once.
/// @tparam M  a model whose tokens have embeddings if it is available()
template <class M, class Decoders>
class LocateWords {
 public:
  static constexpr int side = 5;  ///< parts along each side of the image

  LocateWords(rc3::Pipeline<M> pipeline, const rc3::io::ImageLimits& limits)
      : pipeline_(std::move(pipeline)), prepare_({.image = pipeline_.images, .limits = limits}) {
    if (!pipeline_.images.crop) available_ = tokens_of("a").embeddings.defined();  // a crop would lose parts
  }

  bool available() const { return available_; }

  /// @throws rc3::Error if @p file cannot be read
  serve::WordMap operator()(const std::string& text, const std::filesystem::path& file) const {
    rc3::Random unused(0);
    const std::vector images{prepare_(file, parts(), "the photograph", unused)};
    rc3::require(images[0].regions.size() == side * side, file.string(), ": parts are outside the prepared image");
    const c10::InferenceMode inference;
    const rc3::Tokens visual =
        pipeline_.model->visual(rc3::preprocess::collate_images(images).to(rc3::nn::device_of(*pipeline_.model)));
    const at::Tensor regions = rc3::nn::to_float32(visual.embeddings)[0].narrow(0, 0, side * side);  // [R, E]
    const at::Tensor tokens = rc3::nn::to_float32(tokens_of(text).embeddings)[0];                    // [L, E]
    const at::Tensor cosines = tokens.matmul(regions.t()).cpu();                                     // [L, R]
    serve::WordMap map{side, side, {}};
    const auto encode = [&](std::string_view part) { return pipeline_.tokenizer.encode(part); };
    for (const auto& word : serve::words_of(text, encode)) {
      const at::Tensor scores =
          cosines.slice(0, static_cast<std::int64_t>(word.begin), static_cast<std::int64_t>(word.end)).mean(0);
      const std::span numbers(scores.data_ptr<float>(), side * side);
      map.words.push_back({word.word, {numbers.begin(), numbers.end()}});
    }
    return map;
  }

 private:
  /// A grid of squares that overlap: each has twice the sides of its cell, so that it shows its surroundings.
  static rc3::preprocess::Regions parts() {
    static constexpr float size = 1000;  // the image's sides; the preparation scales boxes as it does the image
    rc3::preprocess::Regions grid{size, size, {}, {}, {}};
    for (int row = 0; row < side; ++row)
      for (int column = 0; column < side; ++column) {
        const auto low = [](int i) { return std::max(0.0f, size * (static_cast<float>(i) - 0.5f) / side); };
        const auto high = [](int i) { return std::min(size, size * (static_cast<float>(i) + 1.5f) / side); };
        grid.boxes.push_back({low(column), low(row), high(column), high(row)});
      }
    return grid;
  }

  rc3::Tokens tokens_of(const std::string& text) const {
    const c10::InferenceMode inference;
    const std::vector<std::vector<std::int64_t>> ids{pipeline_.tokenizer.encode(text)};
    const auto texts = rc3::text::pad_batch(ids, 1, pipeline_.tokenizer.pad_id());
    return pipeline_.model->text(texts.to(rc3::nn::device_of(*pipeline_.model)));
  }

  rc3::Pipeline<M> pipeline_;
  rc3::preprocess::PrepareImage<Decoders> prepare_;
  bool available_ = false;
};

}  // namespace tool
