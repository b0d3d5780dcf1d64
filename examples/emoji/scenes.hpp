#pragma once
/// The emoji data set as one fixed list of samples: images with boxes, names in every language, weak captions.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "emoji/captions.hpp"
#include "emoji/drawing.hpp"
#include "emoji/glyphs.hpp"
#include "emoji/names.hpp"
#include "emoji/sampler.hpp"
#include "emoji/style.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/data/text/text_id.hpp"

namespace emoji {

/// Singles and scenes, each a pure function of (seed, index) and of the data: the same bytes on every machine.
///
/// Texts: the names of all objects in each strict language (group 0, translations), then a weak caption in each weak
/// language (groups 1, 2, ...), left out where that language has nothing to say. Of a scene it is known what a weak
/// caption shares with each other text (`true_relevance`); of a single it is not. Regions: the true boxes. Opening
/// makes every weak caption once, to count them: some 6 microseconds each.
class Scenes {
 public:
  struct Options {
    std::uint64_t seed = 1;
    double scene_share = 0.5;     ///< how many samples are scenes, in [0, 1]
    std::size_t min_objects = 2;  ///< of a scene, 2 .. max_objects
    std::size_t max_objects = 5;  ///< of a scene, min_objects .. 9
    Style style = Style::training();
  };

  /// @param glyphs   must outlive this
  /// @param indices  the glyphs to draw from, no repeats: a side of the split
  /// @param strict   languages whose names are translations of each other, two at least; every glyph must have them
  /// @param weak     languages of the weak captions; may be empty, and may hold strict ones too
  /// @param size     how many samples, >= 1
  /// @throws rc3::Error naming the argument that is wrong
  Scenes(const Glyphs& glyphs, std::vector<std::size_t> indices, std::vector<std::string> strict,
         std::vector<std::string> weak, std::int64_t size, Options options)
      : glyphs_(&glyphs),
        sampler_(glyphs, std::move(indices), strict, {},
                 {.seed = options.seed,
                  .scene_share = options.scene_share,
                  .weak_share = 0,
                  .min_objects = options.min_objects,
                  .max_objects = options.max_objects}),
        strict_(std::move(strict)),
        weak_(std::move(weak)),
        size_(size),
        options_(options) {
    require(size_ >= 1, "emoji::Scenes: size must be at least 1, is ", size_);
    check_style(options_.style);
    std::unordered_set<std::string_view> seen;
    for (const std::string& language : weak_) {
      require(seen.insert(language).second, "emoji::Scenes: weak language ", language, " is listed twice");
      glyphs.list_pattern(language);
    }
    for (const std::string& language : strict_) languages_[language] = size_;
    if (weak_.empty()) return;
    for (std::int64_t i = 0; i < size_; ++i) {
      const Item item = sampler_.item(0, i);
      for (const std::string& language : weak_)
        if (weak_caption(item, language)) ++languages_[language];
    }
  }

  std::string_view name() const { return "emoji scenes"; }
  std::int64_t size() const { return size_; }
  const LanguageCounts& languages() const { return languages_; }

  /// @throws rc3::Error naming the glyph whose image cannot be read
  Sample read(std::int64_t i) const {
    require(i >= 0 && i < size_, "emoji::Scenes: sample ", i, " of ", size_);
    const Item item = sampler_.item(0, i);
    Sample sample;
    sample.id = join("emoji-", options_.seed, '-', i);
    add_texts(item, sample);
    const Drawing image = sampler_.draw(item, options_.style);
    sample.regions.width = static_cast<float>(image.width);
    sample.regions.height = static_cast<float>(image.height);
    sample.regions.boxes = image.boxes;
    sample.image = with_alpha(image);
    return sample;
  }

 private:
  /// From a stream of its own for each language, so that one language more changes no other's texts.
  std::optional<Caption> weak_caption(const Item& item, const std::string& language) const {
    Random random(item.image_seed, static_cast<std::uint64_t>(rc3::data::text_id(language)));
    return item.objects.size() == 1 ? weak_single_caption(*glyphs_, item.objects[0], language, random)
                                    : weak_scene_caption(*glyphs_, item.objects, language, random);
  }

  void add_texts(const Item& item, Sample& sample) const {
    std::vector<std::vector<std::size_t>> objects;  // that each text speaks of
    const auto add = [&](const std::string& language, Caption caption, std::int64_t group) {
      sample.texts.push_back({language, std::move(caption.text), group});
      objects.push_back(std::move(caption.objects));
    };
    for (const std::string& language : strict_)
      add(language, strict_caption(*glyphs_, item.objects, language).value(), 0);
    std::int64_t group = 0;
    for (const std::string& language : weak_)
      if (auto caption = weak_caption(item, language)) add(language, *std::move(caption), ++group);

    if (item.objects.size() == 1) return;
    for (std::size_t a = 0; a < objects.size(); ++a)
      for (std::size_t b = std::max(a + 1, strict_.size()); b < objects.size(); ++b)
        sample.relevance.push_back({a, b, true_relevance(objects[a], objects[b])});
  }

  const Glyphs* glyphs_;
  Sampler sampler_;
  std::vector<std::string> strict_;
  std::vector<std::string> weak_;
  std::int64_t size_;
  Options options_;
  LanguageCounts languages_;
};

static_assert(Dataset<Scenes>);

}  // namespace emoji
