#pragma once
/// Masking of text tokens.

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/core/random.hpp"

namespace rc3::objective {

/// Options of masking. Source: Devlin et al. 2019.
struct MaskOptions {
  double fraction = 0.15;            ///< share of the tokens without the special ones, in (0, 1]
  double replaced = 0.8;             ///< share of those that become <mask>; half of the rest become another word
  std::int64_t mask = 250001;        ///< id of <mask>
  std::int64_t vocabulary = 250002;  ///< K; another word is drawn from all but the special tokens
  std::vector<std::int64_t> special = {0, 1, 2, 3};  ///< never masked, never drawn; XLM-R: <s> <pad> </s> <unk>
  std::uint64_t seed = 1;                            ///< seed of the draw, together with the step
};

namespace detail {

/// Masked texts.
struct Masked {
  Texts texts;         ///< with masked tokens
  at::Tensor places;   ///< masked positions, int64 [M], in the flattened [B L]
  at::Tensor targets;  ///< original ids, int64 [M]
};

/// The special tokens and <mask>, sorted, each once.
inline std::vector<std::int64_t> special_ids(const MaskOptions& options) {
  auto ids = options.special;
  ids.push_back(options.mask);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

/// Masked texts as a function of the texts, options.seed and @p step. Masks at least one token if any is eligible.
inline Masked mask_texts(std::string_view who, const Texts& texts, const MaskOptions& options, std::int64_t step) {
  require(texts.ids.defined(), who, ": masks words, so the batch must hold ids, not only hidden states");
  check_shape(who, "ids", texts.ids, {{'B'}, {'L'}});
  check_dtype(who, "ids", texts.ids, at::kLong);
  check_shape(who, "mask", texts.mask, {{'B', texts.ids.size(0)}, {'L', texts.ids.size(1)}});
  check_dtype(who, "mask", texts.mask, at::kBool);
  // The draw is on the CPU for any device of the texts: the same words for the same step.
  const auto holes = texts.ids.cpu().clone(at::MemoryFormat::Contiguous);
  auto* ids = holes.data_ptr<std::int64_t>();
  const auto present = texts.mask.cpu().contiguous();
  const auto* there = present.data_ptr<bool>();
  Random random(options.seed, static_cast<std::uint64_t>(step));
  const auto special = special_ids(options);
  std::vector<std::int64_t> words, places, targets;
  for (std::int64_t i = 0; i < texts.ids.numel(); ++i)
    if (there[i] && !std::binary_search(special.begin(), special.end(), ids[i])) words.push_back(i);
  for (const auto i : words)
    if (random.chance(options.fraction)) places.push_back(i);
  if (places.empty() && !words.empty()) places.push_back(words[random.below(words.size())]);
  for (const auto i : places) {
    targets.push_back(ids[i]);
    const double what = random.uniform();
    if (what < options.replaced) {
      ids[i] = options.mask;
    } else if (what < (1 + options.replaced) / 2) {
      ids[i] = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(options.vocabulary) - special.size()));
      for (const auto id : special) ids[i] += ids[i] >= id ? 1 : 0;
    }
  }
  const auto device = texts.ids.device();
  const auto listed = [&](const std::vector<std::int64_t>& numbers) {
    return at::tensor(numbers, at::kLong).to(device);
  };
  return {{holes.to(device), texts.mask, {}}, listed(places), listed(targets)};
}

inline void check(std::string_view who, const MaskOptions& o) {
  require(o.fraction > 0 && o.fraction <= 1, who, ": fraction must be in (0, 1], is ", o.fraction);
  require(o.replaced >= 0 && o.replaced <= 1, who, ": replaced must be in [0, 1], is ", o.replaced);
  const auto special = special_ids(o);
  require(special.front() >= 0 && special.back() < o.vocabulary, who,
          ": mask and special must be ids below vocabulary, which is ", o.vocabulary);
  require(static_cast<std::int64_t>(special.size()) < o.vocabulary, who, ": no word is left beside the special tokens");
}

/// The rows @p places of [B, N, D], flattened.
inline at::Tensor at_places(const at::Tensor& states, const at::Tensor& places) {
  return states.flatten(0, 1).index_select(0, places);
}

}  // namespace detail
}  // namespace rc3::objective
