#pragma once
/// Check of a text before it is tokenized. LibTorch-free.

#include <cstddef>
#include <string_view>

#include "rc3/core/blank.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"

namespace rc3::text::detail {

/// @throws rc3::Error, naming @p tokenizer, unless @p text is UTF-8, not blank and of at most @p most bytes
inline void require_text(std::string_view tokenizer, std::string_view text, std::size_t most) {
  require(text.size() <= most, tokenizer, ": a text of ", text.size(), " bytes; at most ", most,
          " are read, cut it first");
  const auto bad = find_invalid_utf8(text);  // not require_utf8(): joining its argument would allocate for each text
  require(bad == std::string_view::npos, tokenizer, ": the text: not UTF-8 at byte ", bad);
  require(!rc3::is_blank(text), tokenizer, ": an empty text; drop the sample, or give it a caption");
}

}  // namespace rc3::text::detail
