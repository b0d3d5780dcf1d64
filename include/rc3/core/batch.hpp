#pragma once
/// Batches of images, texts and tokens: plain structs of tensors. An undefined tensor means that the batch has none of
/// it.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <c10/core/Device.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rc3 {

/// Images of a batch, in each form that a visual policy may read.
struct Images {
  at::Tensor pixels;       ///< uint8 or float [B, 3, H, W], RGB, 0..255
  at::Tensor regions;      ///< float [B, R, F], a detector's features, one row per region
  at::Tensor boxes;        ///< float [B, R, 4], x1 y1 x2 y2 in pixels, 0 <= x1 < x2 <= W
  at::Tensor sizes;        ///< float [B, 2], width and height of the boxes' image, pixels
  at::Tensor region_mask;  ///< bool [B, R], true for a region; undefined: all true
  at::Tensor patch_mask;   ///< bool [B], true if the sample has patches; undefined: all true
  at::Tensor features;     ///< float [B, C, h, w], cached output of the backbone's frozen layers; replaces the pixels

  at::Tensor region_classes = {};  ///< float [B, R, C], a detector's probability of each class, rows of sum 1

  /// Number of images, B.
  std::int64_t size() const;
  /// Rows @p index (int64 [n]) of every tensor.
  Images select(const at::Tensor& index) const;
  /// Every tensor on @p device; tensors already there are shared, not copied.
  Images to(const at::Device& device) const;
  /// Device of the tensors; the CPU without tensors.
  at::Device device() const;
};

/// A batch of token ids.
struct Texts {
  at::Tensor ids;     ///< int64 [B, L]
  at::Tensor mask;    ///< bool [B, L], true for a token
  at::Tensor hidden;  ///< float [B, L, D], cached output of the encoder's frozen layers; replaces the ids

  std::int64_t size() const { return mask.defined() ? mask.size(0) : 0; }  ///< B
  /// Number of tokens without padding.
  std::int64_t tokens() const { return mask.defined() ? mask.sum().item<std::int64_t>() : 0; }
  /// Rows @p index (int64 [n]).
  Texts select(const at::Tensor& index) const;
  /// Every tensor on @p device.
  Texts to(const at::Device& device) const;
};

/// Vectors of a batch: the output of every encoder.
struct Tokens {
  at::Tensor values;           ///< float [B, N, D]; rows outside the mask are zero
  at::Tensor mask;             ///< bool [B, N]
  at::Tensor summary = {};     ///< float [B, S], features of the whole image or text; undefined or a row of
                               ///< zeros: none
  at::Tensor summaries = {};   ///< float [B, R, S], the same of each region (the first R tokens); rows outside the mask
                               ///< are zero; undefined: none
  at::Tensor embeddings = {};  ///< float [B, N, E], embedding of each token in the shared space, unit length; zero:
                               ///< unknown; undefined: none

  /// Rows @p index (int64 [n]).
  Tokens select(const at::Tensor& index) const;
  /// The same, with no token in the rows where @p hidden (bool [B]) is true.
  Tokens without(const at::Tensor& hidden) const;
};

/// Output of a fusion encoder.
struct Fused {
  at::Tensor z;   ///< float [B, D]
  Tokens visual;  ///< [B, V, D]
  Tokens text;    ///< [B, L, D]

  /// Visual and text tokens, concatenated: the memory of a decoder. Tokens [B, V + L, D]
  Tokens memory() const;
};

/// B images with two texts each, in two languages.
struct Batch {
  Images images;             ///< B, one for each sample
  Texts a;                   ///< one text of each image
  Texts b;                   ///< another text of the same image, usually in another language
  at::Tensor strict;         ///< bool [B], true where b is a translation of a; undefined: unknown
  at::Tensor relevance;      ///< float [B] in [0, 1], relevance of text b to text a; NaN: unknown; undefined: all are
  at::Tensor image_ids;      ///< int64 [B]; equal ids: the same image
  at::Tensor caption_a_ids;  ///< int64 [B]; equal ids: equal texts (across a and b as well)
  at::Tensor caption_b_ids;  ///< int64 [B]

  std::int64_t size() const { return image_ids.defined() ? image_ids.size(0) : a.size(); }  ///< B
  /// Number of tokens of both texts.
  std::int64_t tokens() const { return a.tokens() + b.tokens(); }
  /// Rows @p index (int64 [n]) of every tensor.
  Batch select(const at::Tensor& index) const;
  /// Every tensor on @p device; tensors already there are shared, not copied.
  Batch to(const at::Device& device) const;
  /// Device of the ids or texts, and so of the whole batch; an index of samples must be on it. The CPU without tensors.
  at::Device device() const;
  /// The batch without images and texts: only the ids of samples. Masks remain, so that size() is unchanged.
  Batch ids() const { return {{}, {{}, a.mask, {}}, {}, {}, {}, image_ids, caption_a_ids, caption_b_ids}; }
};

namespace detail {
inline at::Tensor rows(const at::Tensor& t, const at::Tensor& index) {
  return t.defined() ? t.index_select(0, index) : t;
}
inline at::Tensor on(const at::Device& device, const at::Tensor& t) { return t.defined() ? t.to(device) : t; }
}  // namespace detail

inline std::int64_t Images::size() const {
  for (const at::Tensor* t : {&pixels, &features, &regions, &boxes})
    if (t->defined()) return t->size(0);
  return 0;
}

inline at::Device Images::device() const {
  for (const at::Tensor* t : {&pixels, &features, &regions, &boxes})
    if (t->defined()) return t->device();
  return at::kCPU;
}

inline Images Images::to(const at::Device& device) const {
  using detail::on;
  return {on(device, pixels),      on(device, regions),    on(device, boxes),    on(device, sizes),
          on(device, region_mask), on(device, patch_mask), on(device, features), on(device, region_classes)};
}

inline Images Images::select(const at::Tensor& index) const {
  using detail::rows;
  return {rows(pixels, index),      rows(regions, index),    rows(boxes, index),    rows(sizes, index),
          rows(region_mask, index), rows(patch_mask, index), rows(features, index), rows(region_classes, index)};
}

inline Texts Texts::select(const at::Tensor& index) const {
  return {detail::rows(ids, index), detail::rows(mask, index), detail::rows(hidden, index)};
}

inline Texts Texts::to(const at::Device& device) const {
  return {detail::on(device, ids), detail::on(device, mask), detail::on(device, hidden)};
}

inline Batch Batch::to(const at::Device& device) const {
  using detail::on;
  return {images.to(device),
          a.to(device),
          b.to(device),
          on(device, strict),
          on(device, relevance),
          on(device, image_ids),
          on(device, caption_a_ids),
          on(device, caption_b_ids)};
}

inline at::Device Batch::device() const {
  for (const at::Tensor* t : {&image_ids, &a.mask})
    if (t->defined()) return t->device();
  return at::kCPU;
}

inline Batch Batch::select(const at::Tensor& index) const {
  using detail::rows;
  return {images.select(index),       a.select(index),           b.select(index),
          rows(strict, index),        rows(relevance, index),    rows(image_ids, index),
          rows(caption_a_ids, index), rows(caption_b_ids, index)};
}

inline Tokens Fused::memory() const {
  return {at::cat({visual.values, text.values}, 1), at::cat({visual.mask, text.mask}, 1)};
}

inline Tokens Tokens::select(const at::Tensor& index) const {
  using detail::rows;
  return {rows(values, index), rows(mask, index), rows(summary, index), rows(summaries, index),
          rows(embeddings, index)};
}

inline Tokens Tokens::without(const at::Tensor& hidden) const {
  const auto kept = ~hidden;
  const auto rows = [&](const at::Tensor& t) {
    if (!t.defined()) return t;
    auto shape = std::vector<std::int64_t>(static_cast<std::size_t>(t.dim()), 1);
    shape[0] = t.size(0);
    return t * kept.view(shape);
  };
  return {rows(values), mask & kept.unsqueeze(1), rows(summary), rows(summaries), rows(embeddings)};
}

}  // namespace rc3
