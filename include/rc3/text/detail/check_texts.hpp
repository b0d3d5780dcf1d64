#pragma once
/// Input checks of all text encoders.

#include <ATen/ops/aminmax.h>
#include <ATen/ops/any.h>

#include <string_view>
#include <tuple>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"

namespace rc3::text::detail {

/// Checks shapes, types and length; on the CPU also the range of ids and that each text has a token. On other devices
/// reading ids back would stall the queue at every batch, so the caller must ensure these two.
/// @param longest  largest L of the encoder's positions
/// @throws rc3::Error naming @p policy, the tensor, the actual value and the fix
inline void check_texts(std::string_view policy, const Texts& texts, std::int64_t vocabulary, std::int64_t longest) {
  check_shape(policy, "ids", texts.ids, {{'B'}, {'L'}});
  check_dtype(policy, "ids", texts.ids, at::kLong);
  check_shape(policy, "mask", texts.mask, {{'B', texts.ids.size(0)}, {'L', texts.ids.size(1)}});
  check_dtype(policy, "mask", texts.mask, at::kBool);
  require(texts.ids.size(1) <= longest, policy, ": texts of ", texts.ids.size(1), " tokens, but it has positions for ",
          longest, "; set the tokenizer's max_length");
  require(texts.ids.size(0) > 0, policy, ": a batch without texts");
  if (!texts.ids.is_cpu()) return;
  const auto has_token = texts.mask.any(1);
  if (!has_token.all().item<bool>())
    fail(policy, ": text ", has_token.to(at::kByte).argmin().item<std::int64_t>(), " of ", texts.ids.size(0),
         " has no token in its mask; drop the sample");
  const auto [least, most] = at::aminmax(texts.ids);
  const auto low = least.item<std::int64_t>(), high = most.item<std::int64_t>();
  require(low >= 0 && high < vocabulary, policy, ": id ", low < 0 ? low : high, " is not in the vocabulary of ",
          vocabulary, " (0 to ", vocabulary - 1, "); the tokenizer is another model's");
}

}  // namespace rc3::text::detail
