#pragma once
/// What flows between the data, the encoders and the objectives. Plain structs of tensors; an undefined tensor means
/// that this batch has none of it.

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <c10/core/Device.h>

namespace rc3 {

/// The images of a batch, in each form that a visual policy may ask for.
struct Images {
  at::Tensor pixels;       ///< uint8 or float [B, 3, H, W], RGB, 0..255
  at::Tensor regions;      ///< float [B, R, F], a detector's features, one row a region
  at::Tensor boxes;        ///< float [B, R, 4], x1 y1 x2 y2 in pixels, 0 <= x1 < x2 <= W
  at::Tensor sizes;        ///< float [B, 2], width and height of the image that the boxes lie in, pixels
  at::Tensor region_mask;  ///< bool [B, R], true where there is a region; undefined: everywhere
  at::Tensor patch_mask;   ///< bool [B], true where the sample has patches to look at; undefined: everywhere
  at::Tensor features;  ///< float [B, C, h, w], what the frozen part of the backbone makes of the pixels, kept from an
                        ///< earlier pass; where it is given the pixels are not read

  at::Tensor region_classes = {};  ///< float [B, R, C], a detector's probability of each class, rows of sum 1

  /// The number of images, B.
  std::int64_t size() const;
  /// The rows @p index (int64 [n]) of every tensor.
  Images select(const at::Tensor& index) const;
  /// Every tensor on @p device; those that lie there are shared, not copied.
  Images to(const at::Device& device) const;
  /// Where they lie; the CPU if there are none.
  at::Device device() const;
};

/// A batch of token ids.
struct Texts {
  at::Tensor ids;     ///< int64 [B, L]
  at::Tensor mask;    ///< bool [B, L], true where there is a token
  at::Tensor hidden;  ///< float [B, L, D], what the frozen part of the encoder makes of the ids, kept from an earlier
                      ///< pass; where it is given the ids are not read

  std::int64_t size() const { return mask.defined() ? mask.size(0) : 0; }
  /// How many there are, padding left out.
  std::int64_t tokens() const { return mask.defined() ? mask.sum().item<std::int64_t>() : 0; }
  /// The rows @p index (int64 [n]).
  Texts select(const at::Tensor& index) const;
  /// Every tensor on @p device.
  Texts to(const at::Device& device) const;
};

/// A batch of vectors, as every encoder returns them.
struct Tokens {
  at::Tensor values;          ///< float [B, N, D]; rows outside the mask are zero
  at::Tensor mask;            ///< bool [B, N]
  at::Tensor summary = {};    ///< float [B, S], what a visual policy says of the whole image beside its tokens, for the
                              ///< embeddings; undefined: nothing; a row of zeros: nothing of this image
  at::Tensor summaries = {};  ///< float [B, R, S], the same of each region, which the first R tokens are; rows outside
                              ///< the mask are zero; undefined: nothing
  at::Tensor embeddings = {};  ///< float [B, N, E], where each token lies in the shared embedding space, unit length;
                               ///< zero: it is not known; undefined: of none

  /// The rows @p index (int64 [n]).
  Tokens select(const at::Tensor& index) const;
};

/// What a fusion encoder makes of image and text.
struct Fused {
  at::Tensor z;   ///< float [B, D]
  Tokens visual;  ///< [B, V, D]
  Tokens text;    ///< [B, L, D]

  /// Visual and text tokens, one behind the other: what a decoder looks at. Tokens [B, V + L, D]
  Tokens memory() const;
};

/// B images with two texts each, in two languages.
struct Batch {
  Images images;
  Texts a;                   ///< one text of each image
  Texts b;                   ///< another text of the same image, mostly in another language
  at::Tensor strict;         ///< bool [B], true where b is a translation of a; undefined: unknown
  at::Tensor relevance;      ///< float [B] in [0, 1], how much the texts share, NaN: unknown; undefined: all unknown
  at::Tensor image_ids;      ///< int64 [B], equal numbers mean the same image
  at::Tensor caption_a_ids;  ///< int64 [B], equal numbers mean equal texts (across a and b as well)
  at::Tensor caption_b_ids;  ///< int64 [B]

  std::int64_t size() const { return image_ids.defined() ? image_ids.size(0) : a.size(); }
  /// Of both texts.
  std::int64_t tokens() const { return a.tokens() + b.tokens(); }
  /// The rows @p index (int64 [n]) of every tensor.
  Batch select(const at::Tensor& index) const;
  /// Every tensor on @p device; those that lie there are shared, not copied.
  Batch to(const at::Device& device) const;
  /// Where the samples' ids or texts lie, and so all of it: an index of samples must lie there too. The CPU if there
  /// are none.
  at::Device device() const;
  /// Without images and texts: what says which samples are alike. The masks stay, so that size() does.
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

}  // namespace rc3
