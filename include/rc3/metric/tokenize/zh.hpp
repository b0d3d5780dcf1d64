#pragma once
/// Tokenization of Chinese by characters, of other text by words.

#include <array>
#include <string>
#include <string_view>

#include "rc3/metric/tokenize/concept.hpp"
#include "rc3/metric/tokenize/separate.hpp"
#include "rc3/metric/unicode/range.hpp"
#include "rc3/metric/unicode/text.hpp"

namespace rc3::metric::tokenize {

/// Each Chinese character is separated, and other text is separated as by 13a (separate_western()), as in sacreBLEU's
/// `zh`. For equal scores its character sets are the same, which differ from their names. U+2001 to U+2A6D, with
/// dashes, quotation marks, arrows and symbols, count as Chinese, and the ideographs beyond U+FFFF do not. (There two
/// ranges of five hexadecimal digits are written as four and one.)
class Zh {
 public:
  std::string name() const { return "zh"; }  ///< in signatures

  /// @param line  without trailing white space  @return tokens, separated by white space
  std::u32string operator()(std::u32string_view line) const {
    return separate_western(separate(unicode::trim(line), is_chinese));
  }

  /// Whether zh separates @p c, a code point.
  static constexpr bool is_chinese(char32_t c) { return unicode::find_range(chinese, c) != nullptr; }

 private:
  // U+2E80 .. U+2EFF radicals, U+2F00 .. U+2FDF Kangxi radicals, U+2FF0 .. U+303F descriptions and punctuation,
  // U+3100 .. U+312F and U+31A0 .. U+31BF Bopomofo, U+31C0 .. U+31EF strokes, U+3200 .. U+4DB5 enclosed and
  // compatibility characters and Extension A, U+4E00 .. U+9FBB ideographs, U+F900 .. compatibility ideographs,
  // U+FE10 .., U+FE30 .. vertical and compatibility forms, U+FF00 .. full and half width forms.
  static constexpr std::array<unicode::Range, 15> chinese{{{0x2001, 0x2A6D},
                                                           {0x2E80, 0x2EFF},
                                                           {0x2F00, 0x2FDF},
                                                           {0x2FF0, 0x303F},
                                                           {0x3100, 0x312F},
                                                           {0x31A0, 0x31BF},
                                                           {0x31C0, 0x31EF},
                                                           {0x3200, 0x4DB5},
                                                           {0x4E00, 0x9FBB},
                                                           {0xF900, 0xFA2D},
                                                           {0xFA30, 0xFA6A},
                                                           {0xFA70, 0xFAD9},
                                                           {0xFE10, 0xFE1F},
                                                           {0xFE30, 0xFE4F},
                                                           {0xFF00, 0xFFEF}}};
};

static_assert(Policy<Zh>);

}  // namespace rc3::metric::tokenize
