#pragma once
/// Reasoning over two images, as MaRVL and NLVR2 ask it, on emoji scenes: is a list of things true of the pair?
///
/// Two images show 2 to 4 objects each, none of them in both. A text lists 2 to 4 things:
/// - true: each of them is in the left image or in the right one, and neither image has all;
/// - false: the same, but for one, which is in neither.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emoji/glyphs.hpp"
#include "emoji/names.hpp"
#include "emoji/scene.hpp"
#include "emoji/tasks/scene_task.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/concept.hpp"

namespace emoji {

/// Two examples a pair of images and language: a true and a false one, in random order, so that images alone decide
/// nothing; nor do texts, which are as long and name glyphs of one pool. Views: left, right.
class ReasoningScenes : public SceneTask {
 public:
  /// In VOLTA's order: NLVR2's labels 0 and 1.
  static std::span<const std::string_view> classes() {
    static constexpr std::array<std::string_view, 2> all{"false", "true"};
    return all;
  }

  /// @param glyphs     must outlive this
  /// @param indices    glyphs to draw and name, no repeats: a side of the split
  /// @param languages  of the texts; only glyphs that all of them name occur
  /// @param scenes     pairs of images, >= 1
  /// @throws rc3::Error naming the argument that is wrong
  ReasoningScenes(const Glyphs& glyphs, std::span<const std::size_t> indices, std::vector<std::string> languages,
                  std::int64_t scenes, TaskOptions options = {})
      : SceneTask("emoji reasoning", glyphs, indices, std::move(languages), scenes, 2, 2 * max_seen + 1, options) {}

  /// @throws rc3::Error for a place outside 0 .. size() - 1, or when a glyph's image cannot be read
  Example read(std::int64_t i) const {
    Place at = place(i);
    const std::size_t left = 2 + at.random.below(max_seen - 1), right = 2 + at.random.below(max_seen - 1);
    const auto chosen = pool().choose(left + right + 1, at.random);
    const bool truth = (at.item == 1) != (at.random.below(2) == 1);
    const std::uint64_t seed = at.random();
    const std::span all(chosen);

    Example example = start(at, "emoji-reasoning");
    example.views = {view(draw_scene(glyphs(), all.first(left), style(), Random(seed, 1))),
                     view(draw_scene(glyphs(), all.subspan(left, right), style(), Random(seed, 2)))};

    Random random(seed, 3 + static_cast<std::uint64_t>(at.item));
    const std::size_t listed = 2 + random.below(3);
    // At least one of each image, and no more than it has.
    const std::size_t least = std::max<std::size_t>(1, listed > right ? listed - right : 0);
    const std::size_t most = std::min(left, listed - 1);
    const std::size_t from_left = least + random.below(most - least + 1);
    auto named = detail::pick(all.first(left), from_left, random);
    for (const std::size_t object : detail::pick(all.subspan(left, right), listed - from_left, random))
      named.push_back(object);
    named = detail::shuffled(std::move(named), random);
    if (!truth) named[random.below(listed)] = chosen.back();
    example.text = pool().list(named, at.language);
    example.answer = classes()[truth];
    return example;
  }

 private:
  static constexpr std::size_t max_seen = 4;
};

static_assert(ExampleSet<ReasoningScenes>);

}  // namespace emoji
