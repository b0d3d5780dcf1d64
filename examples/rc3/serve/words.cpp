#include "words.hpp"

#include <rc3/core/blank.hpp>

#include <algorithm>
#include <optional>

namespace tool::serve {

namespace {

bool is_space(char32_t c) {
  return c <= 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/// Whether words of the character's script have no spaces between them: Thai, Lao, Tibetan, Burmese, Khmer, Chinese
/// and Japanese.
bool is_unspaced(char32_t c) {
  return (c >= 0x0E00 && c <= 0x0FFF) || (c >= 0x1000 && c <= 0x109F) || (c >= 0x1780 && c <= 0x17FF) ||
         (c >= 0x2E80 && c <= 0x31FF) || (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0xFF00 && c <= 0xFFEF) || (c >= 0x20000 && c <= 0x3FFFF);
}

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

/// Number of ids that two sequences begin with in common.
std::size_t common(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

std::vector<TokenSpan> words_of(std::string_view text,
                                const std::function<std::vector<std::int64_t>(std::string_view)>& encode,
                                std::size_t most) {
  const auto ids = encode(text);
  const std::size_t last = ids.size() - 1;  // the special token at the end
  /// Tokens of the first @p bytes of the text; nothing if the whole text has other tokens there.
  const auto tokens_before = [&](std::size_t bytes) -> std::optional<std::size_t> {
    if (bytes == text.size()) return last;
    const auto part = encode(text.substr(0, bytes));
    if (part.size() - 1 > last || common(part, ids) < part.size() - 1) return {};
    return part.size() - 1;
  };
  std::vector<TokenSpan> words;
  std::size_t begin = common(encode("a"), encode("b"));  // tokens before every text
  std::size_t start = 0;                                 // byte where the word begins
  for (std::size_t i = 0; i < text.size() && words.size() < most;) {
    std::size_t next = i + 1;
    while (next < text.size() && !starts_character(text[next])) ++next;
    const char32_t c = rc3::decode_utf8(text.substr(i, next - i))[0];
    i = next;
    if (is_space(c)) {
      start = next;
      continue;
    }
    const char32_t after = next < text.size() ? rc3::decode_utf8(text.substr(next, 4))[0] : U' ';
    if (!is_space(after) && !is_unspaced(c) && !is_unspaced(after)) continue;
    const auto end = tokens_before(next);
    if (!end && !is_space(after)) continue;  // inside a token
    if (end.value_or(begin) > begin) words.push_back({std::string(text.substr(start, next - start)), begin, *end});
    begin = std::max(begin, end.value_or(begin));
    start = next;
  }
  return words;
}

}  // namespace tool::serve
