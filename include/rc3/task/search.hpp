#pragma once
/// Search among images and texts: each passes its encoder once; ITC compares all, ITM re-ranks the best.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <c10/core/DispatchKeySet.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/core/nn/to_float32.hpp"
#include "rc3/task/ablation.hpp"
#include "rc3/task/cached_examples.hpp"

namespace rc3::task {

/// Encoded queries or candidates.
struct Encoded {
  Tokens tokens;          ///< [n, N, D], input of ITM
  at::Tensor embeddings;  ///< float [n, E], unit norm, compared by ITC
};

namespace detail {

/// Concatenation of encoded items. Tokens of different lengths are padded.
inline Encoded concatenated(const std::vector<Encoded>& parts) {
  std::vector<at::Tensor> values, mask, token_embeddings, embeddings;
  for (const Encoded& part : parts) {
    values.push_back(part.tokens.values);
    mask.push_back(part.tokens.mask);
    token_embeddings.push_back(part.tokens.embeddings);
    embeddings.push_back(part.embeddings);
  }
  using features::detail::stack_padded;
  return {{stack_padded(values), stack_padded(mask), {}, {}, stack_padded(token_embeddings)}, at::cat(embeddings)};
}

/// Concatenated results of @p encode(begin, end) over 0 .. @p count, @p size at a time. No chunk has a single item if
/// there are others: it could not be shuffled.
template <class Encode>
Encoded encode_in_chunks(std::int64_t count, const Encode& encode, std::int64_t size = 64) {
  std::vector<Encoded> parts;
  for (std::int64_t begin = 0; begin < count;) {
    auto end = std::min(count, begin + size);
    if (count - end == 1) end = count;
    parts.push_back(encode(begin, end));
    begin = end;
  }
  return concatenated(parts);
}

}  // namespace detail

/// All distinct images of @p examples, in the order of their numbers. @param model  in eval mode
template <class Host>
Encoded encode_images(Host& model, const CachedExamples& examples, Ablation ablation = Ablation::none,
                      std::int64_t size = 64) {
  c10::InferenceMode inference;
  const auto encode = [&](std::int64_t begin, std::int64_t end) {
    auto tokens = model.visual(ablate(examples.images(begin, end), ablation).to(nn::device_of(model)));
    auto embeddings = model.image_embedding(tokens);
    return Encoded{std::move(tokens), std::move(embeddings)};
  };
  return detail::encode_in_chunks(examples.images(), encode, size);
}

/// Encoded texts of the examples @p which.
template <class Host>
Encoded encode_texts(Host& model, const CachedExamples& examples, const std::vector<std::int64_t>& which,
                     std::int64_t size = 64) {
  c10::InferenceMode inference;
  const auto encode = [&](std::int64_t begin, std::int64_t end) {
    const auto batch = examples.batch({which.begin() + begin, which.begin() + end});
    auto tokens = model.text(batch.texts.to(nn::device_of(model)));
    auto embeddings = model.text_embedding(tokens);
    return Encoded{std::move(tokens), std::move(embeddings)};
  };
  return detail::encode_in_chunks(static_cast<std::int64_t>(which.size()), encode, size);
}

/// @return cosines, float [T, P], in the embeddings' precision: in bfloat16 different images would tie
inline at::Tensor compare(const Encoded& texts, const Encoded& images) {
  c10::InferenceMode inference;
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  return texts.embeddings.matmul(images.embeddings.t());
}

/// Re-ranked scores: each row's @p top best are sorted by s + weight * p, where p in [0, 1] is ITM's probability, and
/// stay above all others. Needs rows times @p top passes of the fusion encoder.
/// @param scores   from compare(), or its transpose
/// @param rows     items of the rows: texts (or images, for the transpose)
/// @param columns  items of the columns
/// @return float [Q, C]
/// @throws rc3::Error for scores of another shape, or a top that is not above 0
template <class Host>
at::Tensor rerank(Host& model, const at::Tensor& scores, const Encoded& rows, const Encoded& columns,
                  bool rows_are_texts, std::int64_t top, double weight = 1.0, std::int64_t size = 32) {
  c10::InferenceMode inference;
  check_shape("task::rerank", "scores", scores, {{'Q', rows.embeddings.size(0)}, {'C', columns.embeddings.size(0)}});
  require(top > 0, "task::rerank: top must be above 0, is ", top);
  top = std::min(top, scores.size(1));
  const auto best = std::get<1>(scores.topk(top, 1));
  std::vector<at::Tensor> match;
  for (std::int64_t begin = 0; begin < scores.size(0); begin += size) {
    const auto some = at::arange(begin, std::min(scores.size(0), begin + size), scores.device());
    const auto repeated = some.unsqueeze(1).expand({some.size(0), top}).flatten();
    const auto found = best.index_select(0, some).flatten();
    const auto left = rows.tokens.select(repeated), right = columns.tokens.select(found);
    const auto z = rows_are_texts ? model.fuse(right, left) : model.fuse(left, right);
    match.push_back(nn::to_float32(model.itm_logits(z)).sigmoid().view({-1, top}));
  }
  const auto lift = scores.max() - scores.min() + 1;
  return scores.scatter_add(1, best, lift + weight * at::cat(match));
}

}  // namespace rc3::task
