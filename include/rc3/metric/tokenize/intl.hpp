#pragma once
/// Tokenization by Unicode's punctuation and symbols, for any script with spaces between words.

#include <string>
#include <string_view>

#include "rc3/metric/tokenize/concept.hpp"
#include "rc3/metric/tokenize/separate.hpp"
#include "rc3/metric/unicode/category.hpp"

namespace rc3::metric::tokenize {

/// The rules of NIST's mteval-v14.pl with --international-tokenization. Punctuation (category P) is separated except
/// between numbers (N), as in 1,234.5; symbols (S) always are. As there, a full stop after a number at the line's end
/// is not separated. Entities such as &quot; are unchanged.
class Intl {
 public:
  std::string name() const { return "intl"; }  ///< in signatures

  /// @param line  without trailing white space  @return tokens, separated by white space
  std::u32string operator()(std::u32string_view line) const {
    const auto other = [](char32_t c) { return !unicode::is_number(c); };
    std::u32string out = separate_pairs<Blanks::between_and_after>(line, other, unicode::is_punctuation);
    out = separate_pairs<Blanks::before_and_between>(out, unicode::is_punctuation, other);
    return separate(out, unicode::is_symbol);
  }
};

static_assert(Policy<Intl>);

}  // namespace rc3::metric::tokenize
