#pragma once
/// What the model sees: item i of epoch e is an image's recipe and two texts of it, a pure function of (seed, e, i),
/// so that any number of workers in any order see the same data, and a resumed run goes on where it stopped.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "emoji/captions.hpp"
#include "emoji/glyphs.hpp"
#include "emoji/names.hpp"
#include "emoji/scene.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/loader/shuffle.hpp"
#include "rc3/data/text/text_id.hpp"

namespace emoji {

/// One training sample; the image is drawn by `Sampler::draw`, mostly later and in another thread.
struct Item {
  std::vector<std::size_t> objects;  ///< glyph indices; one: a single, more: a scene
  std::int64_t image_id = 0;         ///< >= 0; equal for the same set of objects, however it is drawn
  std::uint64_t image_seed = 0;      ///< what the drawing depends on, beside the style
  std::string text_a, text_b;
  std::string language_a, language_b;         ///< never equal
  std::int64_t text_a_id = 0, text_b_id = 0;  ///< `text_id` of the texts
  bool strict = false;                        ///< the texts are translations of each other
  std::optional<float> relevance;  ///< what the texts share, in [0, 1]; 1 when strict; nothing for a weak single
};

/// Makes items. Holds references to nothing but @p glyphs, which must outlive it; safe to call from many threads.
class Sampler {
 public:
  struct Options {
    std::uint64_t seed = 1;
    double scene_share = 0.5;  ///< how many items are scenes, in [0, 1]
    double weak_share = 0.25;  ///< how many items have a weak pair of texts, in [0, 1]; a few less come out, because a
                               ///< glyph without weak texts in two languages gets a strict pair
    std::size_t min_objects = 2;  ///< of a scene, 2 .. max_objects
    std::size_t max_objects = 5;  ///< of a scene, min_objects .. 9
  };

  /// @param indices  the glyphs to draw from, no repeats: a side of the split
  /// @param strict   languages whose names make strict pairs, at least two
  /// @param weak     languages that occur in weak pairs only; the strict ones take part in weak pairs too
  /// @throws rc3::Error naming the argument that is wrong
  Sampler(const Glyphs& glyphs, std::vector<std::size_t> indices, std::vector<std::string> strict,
          std::vector<std::string> weak, Options options);
  Sampler(const Glyphs& glyphs, std::vector<std::size_t> indices, std::vector<std::string> strict,
          std::vector<std::string> weak)
      : Sampler(glyphs, std::move(indices), std::move(strict), std::move(weak), Options{}) {}

  /// Items of one epoch in which every glyph comes once as the single or as a scene's first object.
  std::int64_t size() const { return static_cast<std::int64_t>(indices_.size()); }

  /// @param epoch  >= 0
  /// @param index  >= 0; each run of size() indices goes once through all glyphs, in an order of its own
  Item item(std::int64_t epoch, std::int64_t index) const;

  /// The image of @p item; @p item alone decides what is drawn in a given @p style.
  Drawing draw(const Item& item, const Style& style) const {
    const Random random(item.image_seed);
    return item.objects.size() == 1 ? draw_single(*glyphs_, item.objects[0], style, random)
                                    : draw_scene(*glyphs_, item.objects, style, random);
  }

 private:
  static std::int64_t image_id(std::vector<std::size_t> objects);
  std::vector<std::size_t> choose_objects(std::size_t first, Random& random) const;
  void strict_pair(Item& item, Random& random) const;
  bool weak_pair(Item& item, Random& random) const;

  const Glyphs* glyphs_;
  std::vector<std::size_t> indices_;
  std::vector<std::string> strict_;
  std::vector<std::string> all_;
  Options options_;
};

inline Sampler::Sampler(const Glyphs& glyphs, std::vector<std::size_t> indices, std::vector<std::string> strict,
                        std::vector<std::string> weak, Options options)
    : glyphs_(&glyphs), indices_(std::move(indices)), strict_(std::move(strict)), all_(strict_), options_(options) {
  all_.insert(all_.end(), std::make_move_iterator(weak.begin()), std::make_move_iterator(weak.end()));
  require(!indices_.empty(), "emoji::Sampler: indices is empty");
  auto sorted = indices_;
  std::sort(sorted.begin(), sorted.end());
  require(sorted.back() < glyphs.size(), "emoji::Sampler: indices holds ", sorted.back(), ", but there are ",
          glyphs.size(), " glyphs");
  require(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end(), "emoji::Sampler: indices repeats a glyph");
  require(strict_.size() >= 2, "emoji::Sampler: strict needs two languages at least, has ", strict_.size());
  auto names = all_;
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  require(twice == names.end(), "emoji::Sampler: language ", twice == names.end() ? "" : *twice, " is listed twice");
  for (const std::string& language : all_) glyphs.list_pattern(language);
  for (const std::size_t index : indices_)
    for (const std::string& language : strict_)
      require(glyphs[index].find(language) != nullptr, "emoji::Sampler: glyph ", glyphs[index].id,
              " has no name in the strict language ", language);
  const auto share = [](const char* name, double value) {
    require(value >= 0 && value <= 1, "emoji::Sampler: ", name, " must be in [0, 1], is ", value);
  };
  share("scene_share", options_.scene_share);
  share("weak_share", options_.weak_share);
  if (options_.scene_share > 0) {
    require(options_.min_objects >= 2 && options_.min_objects <= options_.max_objects &&
                options_.max_objects <= max_scene_objects,
            "emoji::Sampler: min_objects .. max_objects must be in 2 .. ", max_scene_objects, ", is ",
            options_.min_objects, " .. ", options_.max_objects);
    require(options_.max_objects <= indices_.size(), "emoji::Sampler: scenes of ", options_.max_objects,
            " objects need as many glyphs, indices has ", indices_.size());
  }
}

inline Item Sampler::item(std::int64_t epoch, std::int64_t index) const {
  require(epoch >= 0 && index >= 0, "emoji::Sampler::item: epoch and index must be >= 0, are ", epoch, " and ", index);
  const std::int64_t n = size();
  // Each pass over the glyphs has its own order; without it, neighbours would be relatives (ids follow Unicode).
  const rc3::data::Shuffle order(static_cast<std::uint64_t>(n), options_.seed, static_cast<std::uint64_t>(epoch),
                                 static_cast<std::uint64_t>(index / n));
  const std::size_t first = indices_[order(static_cast<std::uint64_t>(index % n))];

  Random random(options_.seed, static_cast<std::uint64_t>(index), static_cast<std::uint64_t>(epoch));
  Item item;
  item.image_seed = random();
  item.objects = random.chance(options_.scene_share) ? choose_objects(first, random) : std::vector<std::size_t>{first};
  item.image_id = image_id(item.objects);
  if (!random.chance(options_.weak_share) || !weak_pair(item, random)) strict_pair(item, random);
  item.text_a_id = rc3::data::text_id(item.text_a);
  item.text_b_id = rc3::data::text_id(item.text_b);
  return item;
}

inline std::int64_t Sampler::image_id(std::vector<std::size_t> objects) {
  if (objects.size() == 1) return static_cast<std::int64_t>(objects[0]);
  std::sort(objects.begin(), objects.end());
  std::string key;
  for (const std::size_t object : objects) key += std::to_string(object) + ' ';
  return rc3::data::text_id(key) | (std::int64_t{1} << 62);  // apart from every single's
}

inline std::vector<std::size_t> Sampler::choose_objects(std::size_t first, Random& random) const {
  const std::size_t count = options_.min_objects + random.below(options_.max_objects - options_.min_objects + 1);
  std::vector<std::size_t> objects = {first};
  while (objects.size() < count) {
    const std::size_t next = indices_[random.below(indices_.size())];
    if (std::find(objects.begin(), objects.end(), next) == objects.end()) objects.push_back(next);
  }
  // The first object must not be the one that the order of the epoch guarantees.
  std::swap(objects[0], objects[random.below(objects.size())]);
  return objects;
}

inline void Sampler::strict_pair(Item& item, Random& random) const {
  const auto pair = random.choose(static_cast<std::int64_t>(strict_.size()), 2);
  item.language_a = strict_[static_cast<std::size_t>(pair[0])];
  item.language_b = strict_[static_cast<std::size_t>(pair[1])];
  item.text_a = strict_caption(*glyphs_, item.objects, item.language_a).value().text;
  item.text_b = strict_caption(*glyphs_, item.objects, item.language_b).value().text;
  item.strict = true;
  item.relevance = 1.0f;
}

inline bool Sampler::weak_pair(Item& item, Random& random) const {
  std::vector<std::pair<std::string, Caption>> found;
  for (const std::int64_t k : random.permutation(static_cast<std::int64_t>(all_.size()))) {
    const std::string& language = all_[static_cast<std::size_t>(k)];
    auto caption = item.objects.size() == 1 ? weak_single_caption(*glyphs_, item.objects[0], language, random)
                                            : weak_scene_caption(*glyphs_, item.objects, language, random);
    if (caption) found.emplace_back(language, std::move(*caption));
    if (found.size() == 2) break;
  }
  if (found.size() < 2) return false;
  item.language_a = std::move(found[0].first);
  item.language_b = std::move(found[1].first);
  if (item.objects.size() > 1) item.relevance = true_relevance(found[0].second.objects, found[1].second.objects);
  item.text_a = std::move(found[0].second.text);
  item.text_b = std::move(found[1].second.text);
  item.strict = false;
  return true;
}

}  // namespace emoji
