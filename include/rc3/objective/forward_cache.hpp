#pragma once
/// Forward cache: one training step's encodings, computed on first use and shared by all objectives.

#include <ATen/core/Tensor.h>

#include <optional>

#include "rc3/core/batch.hpp"
#include "rc3/objective/false_negatives.hpp"

namespace rc3::objective {

/// Cached encodings of a batch. The model encodes each image and each text at most once per step, for any number of
/// objectives.
/// @tparam Model  with the members of rc3::Model: visual, text, image_embedding, text_embedding, fuse
template <class Model>
class ForwardCache {
 public:
  /// Cache of a whole batch. Model and batch must outlive it; nothing is encoded before it is asked for.
  ForwardCache(Model& model, const Batch& batch) : model_(model), batch_(batch), whole_(batch), begin_(0) {}
  /// Cache of a part: @p batch holds the samples of @p whole from @p begin on.
  ForwardCache(Model& model, const Batch& batch, const Batch& whole, std::int64_t begin)
      : model_(model), batch_(batch), whole_(whole), begin_(begin) {}
  ForwardCache(const ForwardCache&) = delete;
  ForwardCache& operator=(const ForwardCache&) = delete;

  /// Whether an objective fuses images and texts (the default). Without one the model saves what only fusion reads.
  void set_fuses(bool fuses) { fuses_ = fuses; }

  Model& model() { return model_; }
  const Batch& batch() const { return batch_; }

  /// The whole batch (for a cache of a part), and this part's first sample in it. Draws from other samples use the
  /// whole batch, so that a loss computed in parts equals the loss of the whole.
  const Batch& whole() const { return whole_; }
  std::int64_t begin() const { return begin_; }  ///< index in whole(); 0 for a cache of a whole batch

  /// Encoded text a (or b) of the samples @p index (int64 [n]) of whole().
  Tokens text_a_of(const at::Tensor& index) {
    return is_part() ? encode(whole_.a.select(index)) : text_a().select(index);
  }
  /// The same of text b. @return Tokens [n, L, D]
  Tokens text_b_of(const at::Tensor& index) {
    return is_part() ? encode(whole_.b.select(index)) : text_b().select(index);
  }

  /// Encoded images. @return Tokens [B, V, D]
  const Tokens& visual() {
    return once(visual_, [&] { return encode(batch_.images); });
  }
  /// Encoded text a. @return Tokens [B, L, D]
  const Tokens& text_a() {
    return once(text_a_, [&] { return encode(batch_.a); });
  }
  /// Encoded text b. @return Tokens [B, L, D]
  const Tokens& text_b() {
    return once(text_b_, [&] { return encode(batch_.b); });
  }

  /// Unit-norm embeddings for search, float [B, E].
  const at::Tensor& image_embeddings() {
    return once(image_, [&] { return model_.image_embedding(visual()); });
  }
  /// Unit-norm embeddings of text a, float [B, E].
  const at::Tensor& text_a_embeddings() {
    return once(embedding_a_, [&] { return model_.text_embedding(text_a()); });
  }
  /// Unit-norm embeddings of text b, float [B, E].
  const at::Tensor& text_b_embeddings() {
    return once(embedding_b_, [&] { return model_.text_embedding(text_b()); });
  }

  /// z^a and z^b: fused image and text, float [B, D], not normalised.
  const at::Tensor& z_a() {
    return once(z_a_, [&] { return model_.fuse(visual(), text_a()); });
  }
  /// Fused image and text b, float [B, D], not normalised.
  const at::Tensor& z_b() {
    return once(z_b_, [&] { return model_.fuse(visual(), text_b()); });
  }

  /// bool [B, B], true on the diagonal and where sample j is a true negative of sample i.
  const at::Tensor& negative_mask() {
    return once(negative_mask_, [&] { return true_negatives(batch_).fill_diagonal_(true); });
  }

 private:
  Tokens encode(const Images& images) {
    if constexpr (requires { model_.visual(images, fuses_); })
      return model_.visual(images, fuses_);
    else
      return model_.visual(images);
  }
  Tokens encode(const Texts& texts) {
    if constexpr (requires { model_.text(texts, fuses_); })
      return model_.text(texts, fuses_);
    else
      return model_.text(texts);
  }

  template <class T, class Make>
  const T& once(std::optional<T>& slot, const Make& make) {
    if (!slot) slot.emplace(make());
    return *slot;
  }

  bool is_part() const { return &batch_ != &whole_; }

  Model& model_;
  const Batch& batch_;
  const Batch& whole_;
  std::int64_t begin_;
  bool fuses_ = true;
  std::optional<Tokens> visual_, text_a_, text_b_;
  std::optional<at::Tensor> image_, embedding_a_, embedding_b_, z_a_, z_b_, negative_mask_;
};

}  // namespace rc3::objective
