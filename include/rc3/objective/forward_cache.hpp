#pragma once
/// One training step's encodings, computed when first asked for and shared by all objectives.

#include <ATen/core/Tensor.h>

#include <optional>

#include "rc3/core/batch.hpp"
#include "rc3/objective/false_negatives.hpp"

namespace rc3::objective {

/// A batch on its way through a model. Each image and each text is encoded at most once a step, however many
/// objectives look at it.
/// @tparam Model  what rc3::Model offers: visual, text, image_embedding, text_embedding, fuse
template <class Model>
class ForwardCache {
 public:
  ForwardCache(Model& model, const Batch& batch) : model_(model), batch_(batch), whole_(batch), begin_(0) {}
  /// Of a part: @p batch holds the samples of @p whole from @p begin on.
  ForwardCache(Model& model, const Batch& batch, const Batch& whole, std::int64_t begin)
      : model_(model), batch_(batch), whole_(whole), begin_(begin) {}
  ForwardCache(const ForwardCache&) = delete;
  ForwardCache& operator=(const ForwardCache&) = delete;

  Model& model() { return model_; }
  const Batch& batch() const { return batch_; }

  /// The batch that this one is a part of (else itself), and where in it this one begins. What is drawn from other
  /// samples is drawn from the whole, so that a loss computed part by part is that of the whole.
  const Batch& whole() const { return whole_; }
  std::int64_t begin() const { return begin_; }

  /// Text a (or b) of the samples @p index (int64 [n]) of whole(), encoded.
  Tokens text_a_of(const at::Tensor& index) {
    return is_part() ? model_.text(whole_.a.select(index)) : text_a().select(index);
  }
  Tokens text_b_of(const at::Tensor& index) {
    return is_part() ? model_.text(whole_.b.select(index)) : text_b().select(index);
  }

  const Tokens& visual() {
    return once(visual_, [&] { return model_.visual(batch_.images); });
  }
  const Tokens& text_a() {
    return once(text_a_, [&] { return model_.text(batch_.a); });
  }
  const Tokens& text_b() {
    return once(text_b_, [&] { return model_.text(batch_.b); });
  }

  /// Unit vectors for search, float [B, E].
  const at::Tensor& image_embeddings() {
    return once(image_, [&] { return model_.image_embedding(visual()); });
  }
  const at::Tensor& text_a_embeddings() {
    return once(embedding_a_, [&] { return model_.text_embedding(text_a()); });
  }
  const at::Tensor& text_b_embeddings() {
    return once(embedding_b_, [&] { return model_.text_embedding(text_b()); });
  }

  /// z^a and z^b: image and text fused, float [B, D], not normalised.
  const at::Tensor& z_a() {
    return once(z_a_, [&] { return model_.fuse(visual(), text_a()); });
  }
  const at::Tensor& z_b() {
    return once(z_b_, [&] { return model_.fuse(visual(), text_b()); });
  }

  /// bool [B, B], true on the diagonal and where sample j is a true negative of sample i.
  const at::Tensor& negative_mask() {
    return once(negative_mask_, [&] { return true_negatives(batch_).fill_diagonal_(true); });
  }

 private:
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
  std::optional<Tokens> visual_, text_a_, text_b_;
  std::optional<at::Tensor> image_, embedding_a_, embedding_b_, z_a_, z_b_, negative_mask_;
};

}  // namespace rc3::objective
