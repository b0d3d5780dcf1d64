#pragma once
/// Batch of a downstream task.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "rc3/core/batch.hpp"

namespace rc3::task {

/// B examples with one image each, or two.
struct ExampleBatch {
  Images images;                     ///< B; the left ones of two
  Images right;                      ///< B, or none
  Texts texts;                       ///< B
  at::Tensor labels = {};            ///< int64 [B], the class, -1 if unknown; undefined: no classes
  Texts targets = {};                ///< for translation: target words, after the language and before the end
  at::Tensor target_languages = {};  ///< int64 [B], word of the target language in a Vocabulary
  at::Tensor image_ids = {};         ///< int64 [B], equal for equal images; undefined: unknown
  at::Tensor text_ids = {};          ///< int64 [B], equal for equal texts; undefined: unknown

  std::int64_t size() const { return texts.size(); }
  /// Whether each example has two images.
  bool pairs() const { return right.size() > 0; }
  /// Number of tokens in input and target texts.
  std::int64_t tokens() const { return texts.tokens() + targets.tokens(); }
  /// The rows @p index (int64 [n]) of every tensor.
  ExampleBatch select(const at::Tensor& index) const {
    using rc3::detail::rows;
    return {images.select(index),  right.select(index),           texts.select(index),    rows(labels, index),
            targets.select(index), rows(target_languages, index), rows(image_ids, index), rows(text_ids, index)};
  }
  /// Every tensor on @p device; tensors already there are shared, not copied.
  ExampleBatch to(const at::Device& device) const {
    using rc3::detail::on;
    return {images.to(device),     right.to(device),    texts.to(device),
            on(device, labels),    targets.to(device),  on(device, target_languages),
            on(device, image_ids), on(device, text_ids)};
  }
};

}  // namespace rc3::task
