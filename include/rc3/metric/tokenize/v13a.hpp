#pragma once
/// Tokenization of WMT, for languages in Latin script.

#include <string>
#include <string_view>
#include <utility>

#include "rc3/metric/tokenize/concept.hpp"
#include "rc3/metric/tokenize/separate.hpp"

namespace rc3::metric::tokenize {

/// The rules of NIST's mteval-v13a.pl, sacreBLEU's default (Post 2018). `<skipped>` and hyphens at a line break are
/// removed; the entities &quot; &amp; &lt; &gt; become characters, in this order; ASCII punctuation is separated
/// (separate_western()). Characters beyond ASCII count as letters: French quotation marks or the full stop of Hindi
/// stay with their word.
class V13a {
 public:
  std::string name() const { return "13a"; }  ///< in signatures

  /// @param line  without trailing white space  @return tokens, separated by white space
  std::u32string operator()(std::u32string_view line) const {
    std::u32string text(line);
    for (const auto& [what, with] : replaced) text = replace_all(std::move(text), what, with);
    // The spaces give a full stop or comma at either end a neighbour that is not a digit.
    return separate_western(U' ' + text + U' ');
  }

 private:
  struct Replaced {
    std::u32string_view what, with;
  };
  static constexpr Replaced replaced[] = {{U"<skipped>", U""}, {U"-\n", U""},   {U"\n", U" "},  {U"&quot;", U"\""},
                                          {U"&amp;", U"&"},    {U"&lt;", U"<"}, {U"&gt;", U">"}};
};

static_assert(Policy<V13a>);

}  // namespace rc3::metric::tokenize
