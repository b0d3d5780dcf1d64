#pragma once
/// The tokenization of WMT, for languages in Latin script.

#include <string>
#include <string_view>
#include <utility>

#include "rc3/metric/tokenize/concept.hpp"
#include "rc3/metric/tokenize/separate.hpp"

namespace rc3::metric::tokenize {

/// What NIST's mteval-v13a.pl does, sacreBLEU's default (Post 2018): `<skipped>` and hyphens at a line break go, the
/// entities &quot; &amp; &lt; &gt; become characters, in this order, and ASCII punctuation is separated
/// (separate_western()). Characters beyond ASCII are letters to it: the quotation marks of French or the stop of Hindi
/// stay with their word.
class V13a {
 public:
  std::string name() const { return "13a"; }

  std::u32string operator()(std::u32string_view line) const {
    std::u32string text(line);
    for (const auto& [what, with] : replaced) text = replace_all(std::move(text), what, with);
    // The blanks let a stop or comma at either end have a neighbour that is no digit.
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
