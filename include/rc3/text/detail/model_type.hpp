#pragma once
/// Algorithm of a SentencePiece model. LibTorch-free.

#include <string_view>

#include "rc3/text/detail/proto.hpp"

namespace rc3::text::detail {

/// Whether a serialized ModelProto is a unigram model: trainer_spec (2), model_type (3), where UNIGRAM is 1 and the
/// default. Only these have ties that rounding decides; BPE merges the leftmost of equal pairs.
inline bool is_unigram(std::string_view model) {
  for (ProtoFields all(model); all.next();)
    if (all.field == 2)
      for (ProtoFields trainer(all.bytes); trainer.next();)
        if (trainer.field == 3) return trainer.value == 1;
  return true;
}

}  // namespace rc3::text::detail
