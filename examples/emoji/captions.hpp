#pragma once
/// Texts for images. Strict: the objects' names, a translation in every language. Weak: texts that different
/// languages write about different things, so that what two of them share varies, and is known for scenes.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "emoji/glyphs.hpp"
#include "emoji/list_pattern.hpp"
#include "emoji/names.hpp"
#include "emoji/words.hpp"
#include "rc3/core/random.hpp"

namespace emoji {

/// A text and the objects that it speaks of.
struct Caption {
  std::string text;
  std::vector<std::size_t> objects;  ///< glyph indices, in the order of the text
};

/// The names of @p objects joined as @p language does.
/// @return nothing when the language has no name for one of them, or when there are no objects
inline std::optional<Caption> strict_caption(const Glyphs& glyphs, std::span<const std::size_t> objects,
                                             std::string_view language) {
  std::vector<std::string> names;
  for (const std::size_t object : objects) {
    const Annotation* annotation = glyphs[object].find(language);
    if (annotation == nullptr) return std::nullopt;
    names.push_back(annotation->name);
  }
  if (names.empty()) return std::nullopt;
  return Caption{join_list(glyphs.list_pattern(language), names), {objects.begin(), objects.end()}};
}

namespace detail {

/// Whether @p keyword gives away the name: one contains the other, they share a word, or the keyword holds a word of
/// the name inside (Frosch in Froschgesicht). Words of one or two letters count only as whole words.
inline bool tells_name(const std::u32string& name, const std::vector<std::u32string>& name_words,
                       const std::u32string& keyword) {
  constexpr auto none = std::u32string::npos;
  if (keyword.empty() || name.find(keyword) != none || keyword.find(name) != none) return true;
  const auto keyword_words = words(keyword);
  return std::any_of(name_words.begin(), name_words.end(), [&](const std::u32string& word) {
    return (word.size() > 2 && keyword.find(word) != none) ||
           std::find(keyword_words.begin(), keyword_words.end(), word) != keyword_words.end();
  });
}

}  // namespace detail

/// The keywords of @p annotation that do not give its name away, in their order, without repeats; maybe none.
inline std::vector<std::string> weak_keywords(const Annotation& annotation) {
  const auto name = fold(annotation.name);
  const auto name_words = words(name);
  std::vector<std::string> kept;
  for (const std::string& keyword : annotation.keywords) {
    if (detail::tells_name(name, name_words, fold(keyword))) continue;
    if (std::find(kept.begin(), kept.end(), keyword) == kept.end()) kept.push_back(keyword);
  }
  return kept;
}

/// A random subset (any size from one, any order) of the keywords that do not give the name away.
/// @return nothing when no such keyword is left, or when the language does not know the glyph
inline std::optional<Caption> weak_single_caption(const Glyphs& glyphs, std::size_t glyph, std::string_view language,
                                                  Random& random) {
  const Annotation* annotation = glyphs[glyph].find(language);
  if (annotation == nullptr) return std::nullopt;
  const auto keywords = weak_keywords(*annotation);
  if (keywords.empty()) return std::nullopt;
  const auto n = static_cast<std::int64_t>(keywords.size());
  const auto count = 1 + static_cast<std::int64_t>(random.below(keywords.size()));
  std::vector<std::string> chosen;
  for (const std::int64_t k : random.choose(n, count)) chosen.push_back(keywords[static_cast<std::size_t>(k)]);
  return Caption{join_list(glyphs.list_pattern(language), chosen), {glyph}};
}

/// A random half of the objects (of an odd number either half), each by its name or, as often, by one keyword that
/// does not give the name away; by its name where there is no such keyword.
/// @return nothing when the language does not know one of the chosen objects, or for fewer than two objects
inline std::optional<Caption> weak_scene_caption(const Glyphs& glyphs, std::span<const std::size_t> objects,
                                                 std::string_view language, Random& random) {
  if (objects.size() < 2) return std::nullopt;
  const std::size_t half = objects.size() / 2 + (objects.size() % 2 == 1 ? random.below(2) : 0);
  Caption caption;
  std::vector<std::string> parts;
  for (const std::int64_t k :
       random.choose(static_cast<std::int64_t>(objects.size()), static_cast<std::int64_t>(half))) {
    const std::size_t object = objects[static_cast<std::size_t>(k)];
    const Annotation* annotation = glyphs[object].find(language);
    if (annotation == nullptr) return std::nullopt;
    const bool by_name = random.below(2) == 0;
    const auto keywords = by_name ? std::vector<std::string>{} : weak_keywords(*annotation);
    parts.push_back(keywords.empty() ? annotation->name : keywords[random.below(keywords.size())]);
    caption.objects.push_back(object);
  }
  caption.text = join_list(glyphs.list_pattern(language), parts);
  return caption;
}

/// How much two captions of one scene share: the Jaccard index of the objects they speak of, |A and B| / |A or B|,
/// in [0, 1]; repeats count once; 0 when both speak of nothing.
inline float true_relevance(std::span<const std::size_t> a, std::span<const std::size_t> b) {
  std::vector<std::size_t> left(a.begin(), a.end());
  std::vector<std::size_t> right(b.begin(), b.end());
  for (auto* side : {&left, &right}) {
    std::sort(side->begin(), side->end());
    side->erase(std::unique(side->begin(), side->end()), side->end());
  }
  std::vector<std::size_t> shared;
  std::set_intersection(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(shared));
  const std::size_t either = left.size() + right.size() - shared.size();
  return either == 0 ? 0.0f : static_cast<float>(shared.size()) / static_cast<float>(either);
}

}  // namespace emoji
