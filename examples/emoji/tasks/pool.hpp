#pragma once
/// Which glyphs a task may draw and name: those that every asked language names, never two that a human could confuse.

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "emoji/captions.hpp"
#include "emoji/glyphs.hpp"
#include "emoji/names.hpp"
#include "emoji/words.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"

namespace emoji {

/// A side of the split, as far as all of some languages have names for it.
///
/// A label must be right for whoever looks: "dog" is no false statement about an image of a "dog face". So two glyphs
/// are **alike** when they are of one family, or when the name of one contains the other's in any of the languages
/// (letter case aside; by characters, because not every script has words), and no task draws or names two that are
/// alike in one example.
class Pool {
 public:
  /// @param who        the task, for errors
  /// @param glyphs     must outlive this
  /// @param indices    glyphs to choose from, no repeats: a side of the split
  /// @param languages  one at least, no repeats
  /// @param needed     how many unlike glyphs the task wants at once
  /// @throws rc3::Error naming the argument that is wrong, also when there are not so many unlike glyphs
  Pool(std::string who, const Glyphs& glyphs, std::span<const std::size_t> indices, std::vector<std::string> languages,
       std::size_t needed)
      : who_(std::move(who)), glyphs_(&glyphs), languages_(std::move(languages)) {
    require(!languages_.empty(), who_, ": languages is empty");
    std::unordered_set<std::string_view> listed;
    for (const std::string& language : languages_) {
      require(glyphs.has_language(language), who_, ": languages: there is no language '", language, "' in this data");
      require(listed.insert(language).second, who_, ": languages: '", language, "' is listed twice");
    }
    require(!indices.empty(), who_, ": indices is empty");
    std::unordered_set<std::size_t> seen;
    for (const std::size_t index : indices) {
      require(index < glyphs.size(), who_, ": indices holds ", index, ", but there are ", glyphs.size(), " glyphs");
      require(seen.insert(index).second, who_, ": indices repeats glyph ", glyphs[index].id);
      add(index);
    }
    Random random(0);
    choose(needed, random);
  }

  /// Glyph indices, in the order in which they were given.
  const std::vector<std::size_t>& eligible() const { return eligible_; }
  const std::vector<std::string>& languages() const { return languages_; }

  /// @p count glyphs in random order, no two alike.
  /// @throws rc3::Error when so many were not found
  std::vector<std::size_t> choose(std::size_t count, Random& random) const {
    constexpr int restarts = 100;  // a first choice that is like many others may leave too few
    for (int start = 0; start < restarts && count <= eligible_.size(); ++start) {
      std::vector<std::size_t> places;
      for (std::size_t draw = 0; draw < 50 * count && places.size() < count; ++draw) {
        const std::size_t next = random.below(eligible_.size());
        if (std::none_of(places.begin(), places.end(), [&](std::size_t place) { return alike(place, next); }))
          places.push_back(next);
      }
      if (places.size() < count) continue;
      for (std::size_t& place : places) place = eligible_[place];
      return places;
    }
    fail(who_, ": indices: of ", eligible_.size(), " glyphs with a name in all languages no ", count,
         " were found that differ enough (Pool says when two are alike)");
  }

  /// The names of @p objects, which must be eligible, joined as @p language does.
  std::string list(std::span<const std::size_t> objects, std::string_view language) const {
    return strict_caption(*glyphs_, objects, language).value().text;
  }
  /// The name of an eligible glyph.
  const std::string& name(std::size_t object, std::string_view language) const {
    return (*glyphs_)[object].find(language)->name;
  }

 private:
  void add(std::size_t index) {
    const Glyph& glyph = (*glyphs_)[index];
    std::vector<std::u32string> names;
    for (const std::string& language : languages_) {
      const Annotation* annotation = glyph.find(language);
      if (annotation == nullptr) return;
      names.push_back(fold(annotation->name));
    }
    eligible_.push_back(index);
    names_.push_back(std::move(names));
  }

  /// Of places in eligible_.
  bool alike(std::size_t a, std::size_t b) const {
    if (a == b || (*glyphs_)[eligible_[a]].family == (*glyphs_)[eligible_[b]].family) return true;
    for (std::size_t l = 0; l < languages_.size(); ++l) {
      const bool longer = names_[a][l].size() > names_[b][l].size();
      const std::u32string& outer = names_[longer ? a : b][l];
      if (outer.find(names_[longer ? b : a][l]) != std::u32string::npos) return true;
    }
    return false;
  }

  std::string who_;
  const Glyphs* glyphs_;
  std::vector<std::string> languages_;
  std::vector<std::size_t> eligible_;
  std::vector<std::vector<std::u32string>> names_;  ///< of each eligible glyph in each language, folded
};

}  // namespace emoji
