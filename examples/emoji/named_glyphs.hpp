#pragma once
/// Emoji as a data set: one image of a glyph a sample, with the glyph's names as translations of each other.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emoji/drawing.hpp"
#include "emoji/glyphs.hpp"
#include "emoji/scene.hpp"
#include "emoji/style.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/sample.hpp"

namespace emoji {

/// View 0 of a glyph fills a white image. The others are as small as the objects of scenes, on varied backgrounds.
/// With one view images have no regions; with more the glyph's box is their region.
class NamedGlyphs {
 public:
  /// @param glyphs     outlives this
  /// @param indices    the glyphs: a side of the split
  /// @param languages  of the names; a glyph without a name in one has no text in it
  /// @param views      images of each glyph, >= 1; each is a sample
  /// @param seed       of views 1, 2, ...
  NamedGlyphs(const Glyphs& glyphs, std::vector<std::size_t> indices, std::vector<std::string> languages,
              std::int64_t views = 1, std::uint64_t seed = 1)
      : glyphs_(&glyphs), indices_(std::move(indices)), languages_(std::move(languages)), views_(views), seed_(seed) {
    rc3::require(!indices_.empty(), "emoji::NamedGlyphs: there are no glyphs");
    rc3::require(views >= 1, "emoji::NamedGlyphs: views must be at least 1, is ", views);
    for (const auto& language : languages_) {
      rc3::require(glyphs.has_language(language), "emoji::NamedGlyphs: there are no names in the language ", language);
      for (const auto g : indices_)
        if (glyphs[g].find(language) != nullptr) counts_[language] += views;
    }
  }

  std::string_view name() const { return "emoji and their names"; }
  std::int64_t size() const { return static_cast<std::int64_t>(indices_.size()) * views_; }
  const rc3::data::LanguageCounts& languages() const { return counts_; }

  /// @throws rc3::Error naming the glyph whose image cannot be read
  rc3::data::Sample read(std::int64_t i) const {
    rc3::require(i >= 0 && i < size(), "emoji::NamedGlyphs: sample ", i, " of ", size());
    const auto g = indices_[static_cast<std::size_t>(i / views_)];
    const auto view = i % views_;
    rc3::data::Sample sample;
    sample.id = view == 0 ? (*glyphs_)[g].id : rc3::join((*glyphs_)[g].id, '/', view);
    for (const auto& language : languages_)
      if (const auto* found = (*glyphs_)[g].find(language)) sample.texts.push_back({language, found->name, 0});
    auto style = view == 0 ? Style::canonical() : Style::training();
    if (view > 0) {
      style.single_min = style.scene_min;
      style.single_max = style.scene_max;
    }
    const auto drawing = draw_single(*glyphs_, g, style, rc3::Random(seed_, g, static_cast<std::uint64_t>(view)));
    if (views_ > 1) {
      sample.regions.width = static_cast<float>(drawing.width);
      sample.regions.height = static_cast<float>(drawing.height);
      sample.regions.boxes = drawing.boxes;
    }
    sample.image = with_alpha(drawing);
    return sample;
  }

 private:
  const Glyphs* glyphs_;
  std::vector<std::size_t> indices_;
  std::vector<std::string> languages_;
  std::int64_t views_;
  std::uint64_t seed_;
  rc3::data::LanguageCounts counts_;
};

static_assert(rc3::data::Dataset<NamedGlyphs>);

}  // namespace emoji
