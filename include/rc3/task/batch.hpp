#pragma once
/// What a downstream task's head learns from.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "rc3/core/batch.hpp"

namespace rc3::task {

/// B questions about one image each, or two.
struct ExampleBatch {
  Images images;                     ///< B; of two the left ones
  Images right;                      ///< B, or none
  Texts texts;                       ///< B
  at::Tensor labels = {};            ///< int64 [B], the right class, -1 where it is not known; undefined: no classes
  Texts targets = {};                ///< of translation: what is to be written, behind its language and before its end
  at::Tensor target_languages = {};  ///< int64 [B], the word of a Vocabulary that stands for the target's language
  at::Tensor image_ids = {};         ///< int64 [B], equal numbers mean the same image; undefined: not known
  at::Tensor text_ids = {};          ///< int64 [B], the same of texts

  std::int64_t size() const { return texts.size(); }
  bool pairs() const { return right.size() > 0; }
  /// Of the texts that are read and written.
  std::int64_t tokens() const { return texts.tokens() + targets.tokens(); }
  /// The rows @p index (int64 [n]) of every tensor.
  ExampleBatch select(const at::Tensor& index) const {
    using rc3::detail::rows;
    return {images.select(index),  right.select(index),           texts.select(index),    rows(labels, index),
            targets.select(index), rows(target_languages, index), rows(image_ids, index), rows(text_ids, index)};
  }
  /// Every tensor on @p device; those that lie there are shared, not copied.
  ExampleBatch to(const at::Device& device) const {
    using rc3::detail::on;
    return {images.to(device),     right.to(device),    texts.to(device),
            on(device, labels),    targets.to(device),  on(device, target_languages),
            on(device, image_ids), on(device, text_ids)};
  }
};

}  // namespace rc3::task
