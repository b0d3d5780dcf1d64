#pragma once
/// Code-switched texts, as in M3P: a sentence whose spans alternate between two translations. LibTorch-free.

#include <rc3/core/random.hpp>
#include <rc3/data/concept.hpp>
#include <rc3/data/sample.hpp>
#include <rc3/data/text/text_id.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace study {

/// Whether @p language puts no spaces between words.
inline bool without_spaces(std::string_view language) {
  return language == "zh" || language == "ja" || language == "th";
}

/// Words of @p text, or its characters in a language that puts no spaces between words.
inline std::vector<std::string> units_of(std::string_view text, std::string_view language) {
  const bool characters = without_spaces(language);
  std::vector<std::string> all;
  bool begins = true;
  for (const char c : text) {
    const bool inside = (static_cast<unsigned char>(c) & 0xC0) == 0x80;  // of a character in UTF-8
    if (c == ' ') {
      begins = true;
      continue;
    }
    if (begins || (characters && !inside)) all.emplace_back();
    all.back() += c;
    begins = false;
  }
  return all;
}

/// @p spans spans: the first of @p a, the second of @p b, and so on. Each text is cut into as many spans of equal
/// length, so that a span of one continues where that of the other ends, if their word order is similar. The text is
/// not blank.
/// @pre neither text is blank  @param spans  2 or more, even
inline std::string code_switched(const rc3::data::Text& a, const rc3::data::Text& b, std::size_t spans = 4) {
  const rc3::data::Text* texts[] = {&a, &b};
  const std::vector<std::string> units[] = {units_of(a.text, a.language), units_of(b.text, b.language)};
  std::string out;
  for (std::size_t k = 0; k < spans; ++k) {
    const auto& all = units[k % 2];
    const auto first = k * all.size() / spans, last = (k + 1) * all.size() / spans;
    for (auto i = first; i < last; ++i) {
      if (!out.empty() && (i == first || !without_spaces(texts[k % 2]->language))) out += ' ';
      out += all[i];
    }
  }
  return out;
}

/// A data set with code-switched texts: each text that has a translation becomes alternating spans of both. Its
/// language and group stay, since it begins in that language. Of several translations, sample and text decide.
/// @tparam Source  a data set
template <rc3::data::Dataset Source>
class CodeSwitched {
 public:
  /// @param languages  only texts in these are switched, with each other; empty: all
  CodeSwitched(Source source, std::vector<std::string> languages)
      : source_(std::move(source)),
        wanted_(std::move(languages)),
        name_(std::string(source_.name()) + ", code-switched") {}

  const std::string& name() const { return name_; }
  std::int64_t size() const { return source_.size(); }
  const rc3::data::LanguageCounts& languages() const { return source_.languages(); }

  /// @throws rc3::Error as the source does
  rc3::data::Sample read(std::int64_t i) const {
    auto sample = source_.read(i);
    const auto before = sample.texts;
    for (std::size_t t = 0; t < before.size(); ++t) {
      if (!wanted(before[t].language)) continue;
      std::vector<std::size_t> translations;
      for (std::size_t u = 0; u < before.size(); ++u)
        if (before[u].group == before[t].group && before[u].language != before[t].language &&
            wanted(before[u].language))
          translations.push_back(u);
      if (translations.empty()) continue;
      rc3::Random random(1, static_cast<std::uint64_t>(rc3::data::text_id(sample.id)), t);
      sample.texts[t].text = code_switched(before[t], before[translations[random.below(translations.size())]]);
    }
    return sample;
  }

 private:
  bool wanted(const std::string& language) const {
    return wanted_.empty() || std::find(wanted_.begin(), wanted_.end(), language) != wanted_.end();
  }

  Source source_;
  std::vector<std::string> wanted_;
  std::string name_;
};

}  // namespace study
