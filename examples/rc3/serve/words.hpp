#pragma once
/// Words of a text with their tokens. LibTorch-free.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tool::serve {

/// Word of a text, and its tokens [begin, end) among the text's ids.
struct TokenSpan {
  std::string word;
  std::size_t begin = 0, end = 0;
};

/// Words of @p text, between spaces. In scripts without spaces (Chinese, Japanese, Thai and others) a word is what one
/// token covers, since a tokenizer's pieces are the only words there. Words whose tokens were truncated are left out.
/// @param encode  ids of a text, which end with one special token
/// @param most    number of words, at most
std::vector<TokenSpan> words_of(std::string_view text,
                                const std::function<std::vector<std::int64_t>(std::string_view)>& encode,
                                std::size_t most = 32);

}  // namespace tool::serve
