#pragma once
/// Search among pictures and texts: every picture and every text passes its encoder once; ITC compares all, ITM orders
/// the best anew.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/core/nn/wide.hpp"
#include "rc3/task/look.hpp"
#include "rc3/task/remembered.hpp"

namespace rc3::task {

/// What is searched, or searched for.
struct Encoded {
  Tokens tokens;       ///< [n, N, D], what ITM's pass takes
  at::Tensor vectors;  ///< float [n, E], unit length, what ITC compares
};

namespace detail {

inline Encoded joined(const std::vector<Encoded>& parts) {
  std::vector<at::Tensor> values, mask, token_vectors, vectors;
  for (const Encoded& part : parts) {
    values.push_back(part.tokens.values);
    mask.push_back(part.tokens.mask);
    token_vectors.push_back(part.tokens.vectors);
    vectors.push_back(part.vectors);
  }
  return {{stack_padded(values), stack_padded(mask), {}, {}, stack_padded(token_vectors)}, at::cat(vectors)};
}

}  // namespace detail

/// All different pictures of @p examples, in the order of their numbers. @param model  in eval mode
template <class Host>
Encoded encode_pictures(Host& model, const Remembered& examples, Look look = Look::all, std::int64_t size = 64) {
  c10::InferenceMode inference;
  const auto device = nn::device_of(model);
  std::vector<Encoded> parts;
  for (std::int64_t begin = 0; begin < examples.pictures();) {
    auto end = std::min(examples.pictures(), begin + size);
    // A last picture alone would have no other to be shuffled with.
    if (look == Look::shuffled && examples.pictures() - end == 1) end = examples.pictures();
    auto tokens = model.visual(looked(examples.pictures(begin, end), look).to(device));
    auto vectors = model.picture_vector(tokens);
    parts.push_back({std::move(tokens), std::move(vectors)});
    begin = end;
  }
  return detail::joined(parts);
}

/// The texts of the examples @p which.
template <class Host>
Encoded encode_texts(Host& model, const Remembered& examples, const std::vector<std::int64_t>& which,
                     std::int64_t size = 64) {
  c10::InferenceMode inference;
  const auto device = nn::device_of(model);
  std::vector<Encoded> parts;
  for (std::size_t begin = 0; begin < which.size(); begin += static_cast<std::size_t>(size)) {
    const auto end = std::min(which.size(), begin + static_cast<std::size_t>(size));
    const auto batch = examples.batch(
        {which.begin() + static_cast<std::ptrdiff_t>(begin), which.begin() + static_cast<std::ptrdiff_t>(end)});
    auto tokens = model.text(batch.texts.to(device));
    auto vectors = model.text_vector(tokens);
    parts.push_back({std::move(tokens), std::move(vectors)});
  }
  return detail::joined(parts);
}

/// @return cosines, float [T, P]
inline at::Tensor compare(const Encoded& texts, const Encoded& pictures) {
  c10::InferenceMode inference;
  return texts.vectors.matmul(pictures.vectors.t());
}

/// The same scores, but each row's @p top best are ordered by s + weight * p, p in [0, 1] being ITM's probability; they
/// stay above all others. Costs rows times @p top passes of the fusion encoder.
/// @param scores  as compare() gave it, or its transpose
/// @param rows    what the rows are: texts (or pictures, of the transpose)
/// @param columns what the columns are
template <class Host>
at::Tensor rerank(Host& model, const at::Tensor& scores, const Encoded& rows, const Encoded& columns,
                  bool rows_are_texts, std::int64_t top, double weight = 1.0, std::int64_t size = 32) {
  c10::InferenceMode inference;
  check_shape("task::rerank", "scores", scores, {{'Q', rows.vectors.size(0)}, {'C', columns.vectors.size(0)}});
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
    match.push_back(nn::wide(model.match_score(z)).sigmoid().view({-1, top}));
  }
  const auto lift = scores.max() - scores.min() + 1;
  return scores.scatter_add(1, best, lift + weight * at::cat(match));
}

}  // namespace rc3::task
