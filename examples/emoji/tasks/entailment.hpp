#pragma once
/// Visual entailment, as XVNLI asks it, on emoji scenes: does the image entail a list of things?
///
/// An image shows 2 to 4 objects, and a grey card that lies upon one more. A text lists 2 or 3 things:
/// - entailment: all of them are seen;
/// - neutral: all but one are seen, and that one may lie under the card, or not;
/// - contradiction: two of them are not seen, and the card hides one thing only.
/// So a human who knows that the card hides one thing must agree, and neither half decides alone: each image comes
/// with one text of each class, and the texts of all classes have the same lengths and name glyphs of one pool.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emoji/drawing.hpp"
#include "emoji/glyphs.hpp"
#include "emoji/names.hpp"
#include "emoji/scene.hpp"
#include "emoji/tasks/scene_task.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/concept.hpp"

namespace emoji {

namespace detail {

/// Lays a flat grey card with a dark edge upon everything in @p box and a pixel around it, where no other object is:
/// scenes keep two pixels between frames.
inline void cover(Drawing& image, const std::array<float, 4>& box) {
  const int x0 = std::max(0, static_cast<int>(box[0]) - 1), x1 = std::min(image.width, static_cast<int>(box[2]) + 1);
  const int y0 = std::max(0, static_cast<int>(box[1]) - 1), y1 = std::min(image.height, static_cast<int>(box[3]) + 1);
  for (int y = y0; y < y1; ++y)
    for (int x = x0; x < x1; ++x) {
      const bool edge = x == x0 || y == y0 || x == x1 - 1 || y == y1 - 1;
      const auto at =
          (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(x)) * 3;
      std::fill_n(&image.rgb[at], 3, static_cast<std::uint8_t>(edge ? 50 : 128));
    }
}

}  // namespace detail

/// Three examples a scene and language, one of each class, in random order. Regions: the objects' boxes, then the
/// card's.
class EntailmentScenes : public SceneTask {
 public:
  /// In VOLTA's order.
  static std::span<const std::string_view> classes() {
    static constexpr std::array<std::string_view, 3> all{"contradiction", "neutral", "entailment"};
    return all;
  }

  /// @param glyphs     must outlive this
  /// @param indices    glyphs to draw and name, no repeats: a side of the split
  /// @param languages  of the texts; only glyphs that all of them name occur
  /// @param scenes     >= 1
  /// @throws rc3::Error naming the argument that is wrong
  EntailmentScenes(const Glyphs& glyphs, std::span<const std::size_t> indices, std::vector<std::string> languages,
                   std::int64_t scenes, TaskOptions options = {})
      : SceneTask("emoji entailment", glyphs, indices, std::move(languages), scenes, 3, max_seen + unseen, options) {}

  /// @throws rc3::Error for a place outside 0 .. size() - 1, or when a glyph's image cannot be read
  Example read(std::int64_t i) const {
    Place at = place(i);
    const std::size_t count = 2 + at.random.below(max_seen - 1);
    const auto chosen = pool().choose(count + unseen, at.random);
    const std::span all(chosen);
    const auto label = static_cast<std::size_t>(at.random.permutation(3)[static_cast<std::size_t>(at.item)]);
    const std::uint64_t seed = at.random();

    Example example = start(at, "emoji-entailment");
    Drawing image = draw_scene(glyphs(), all.first(count + 1), style(), Random(seed));
    detail::cover(image, image.boxes.back());
    example.views = {view(image)};

    Random random(seed, 1 + static_cast<std::uint64_t>(at.item));
    const std::size_t listed = 2 + random.below(std::min<std::size_t>(count, 3) - 1);
    const std::size_t missing = 2 - label;
    auto named = detail::pick(all.first(count), listed - missing, random);
    for (const std::size_t object : detail::pick(all.subspan(count), missing, random)) named.push_back(object);
    example.text = pool().list(detail::shuffled(std::move(named), random), at.language);
    example.answer = classes()[label];
    return example;
  }

 private:
  static constexpr std::size_t max_seen = 4;
  static constexpr std::size_t unseen = 3;  ///< glyphs for what is missing; the first is the one under the card
};

static_assert(ExampleSet<EntailmentScenes>);

}  // namespace emoji
