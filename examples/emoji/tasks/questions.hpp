#pragma once
/// Question answering, as xGQA asks it, on emoji scenes: questions in a language-neutral form around native names, and
/// a closed set of answers in English, as xGQA's are.
///
/// | type | text | the image | answers |
/// |---|---|---|---|
/// | presence | `frog?` | 2 to 5 different objects | yes, no |
/// | count | `# frog?` | two kinds of things, 1 to 4 of each, not as many of the one as of the other | 1, 2, 3, 4 |
/// | side | `frog ← → cup?`: on which side of the cup is the frog? | 3 or 4 objects | left, right |

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
#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/concept.hpp"

namespace emoji {

/// Two questions of one type a scene and language, whose answers differ: the image alone decides neither, and the
/// texts of all answers of a type are alike. Scenes 0, 1, 2 are of the types presence, count, side, and so on.
class QuestionScenes : public SceneTask {
 public:
  /// The closed set, the same for every side of the split.
  static std::span<const std::string_view> answers() {
    static constexpr std::array<std::string_view, 8> all{"yes", "no", "1", "2", "3", "4", "left", "right"};
    return all;
  }
  /// What accuracy may be given for apart.
  static std::span<const std::string_view> types() {
    static constexpr std::array<std::string_view, 3> all{"presence", "count", "side"};
    return all;
  }
  /// The type of @p example, which its id names. @throws rc3::Error when it is no question of this class
  static std::string_view type(const Example& example) {
    for (const std::string_view type : types())
      if (example.id.starts_with(join(prefix, type, '-'))) return type;
    fail("emoji questions: ", example.id, " is none of these questions");
  }

  /// @param glyphs     must outlive this
  /// @param indices    glyphs to draw and ask about, no repeats: a side of the split
  /// @param languages  of the questions; only glyphs that all of them name occur
  /// @param scenes     >= 1
  /// @throws rc3::Error naming the argument that is wrong
  QuestionScenes(const Glyphs& glyphs, std::span<const std::size_t> indices, std::vector<std::string> languages,
                 std::int64_t scenes, TaskOptions options = {})
      : SceneTask("emoji questions", glyphs, indices, std::move(languages), scenes, 2, 6, options) {}

  /// @throws rc3::Error for a place outside 0 .. size() - 1, when a glyph's image cannot be read, or when the style
  ///         leaves no room for one object beside another
  Example read(std::int64_t i) const {
    Place at = place(i);
    const auto type = static_cast<std::size_t>(at.scene % 3);
    Example example = start(at, join(prefix, types()[type]));
    // Which of the two questions comes first must not tell its answer.
    const bool second = (at.item == 1) != (at.random.below(2) == 1);
    if (type == 0)
      presence(at, second, example);
    else if (type == 1)
      count(at, second, example);
    else
      side(at, second, example);
    return example;
  }

 private:
  static constexpr std::string_view prefix = "emoji-questions-";

  void presence(Place& at, bool second, Example& example) const {
    const std::size_t seen = 2 + at.random.below(4);
    const auto chosen = pool().choose(seen + 1, at.random);
    const std::size_t asked = at.random.below(seen);  // taken for either question: both must see one image
    example.views = {view(draw_scene(glyphs(), std::span(chosen).first(seen), style(), image_random(at)))};
    example.text = pool().name(chosen[second ? seen : asked], at.language) + "?";
    example.answer = second ? "no" : "yes";
  }

  void count(Place& at, bool second, Example& example) const {
    const auto chosen = pool().choose(2, at.random);
    const auto numbers = at.random.choose(4, 2);  // two of 0 .. 3: never the same number of both
    std::vector<std::size_t> objects;
    for (std::size_t k = 0; k < 2; ++k)
      objects.insert(objects.end(), static_cast<std::size_t>(numbers[k]) + 1, chosen[k]);
    // Objects are placed in their order, and late ones find room in corners: the asked thing must be no special one.
    objects = detail::shuffled(std::move(objects), at.random);
    example.views = {view(draw_scene(glyphs(), objects, style(), image_random(at)))};
    example.text = join("# ", pool().name(chosen[second], at.language), '?');
    example.answer = join(numbers[second] + 1);
  }

  void side(Place& at, bool second, Example& example) const {
    constexpr int tries = 200;
    const auto chosen = pool().choose(3 + at.random.below(2), at.random);
    for (int attempt = 0; attempt < tries; ++attempt) {
      const Drawing image = draw_scene(glyphs(), chosen, style(), Random(at.random()));
      // Of two objects it is said only where no column of pixels has both; the first two are as random as any.
      const auto &a = image.boxes[0], &b = image.boxes[1];
      if (a[2] > b[0] && b[2] > a[0]) continue;
      example.views = {view(image)};
      example.text =
          join(pool().name(chosen[second], at.language), " ← → ", pool().name(chosen[!second], at.language), '?');
      example.answer = (a[2] <= b[0]) != second ? "left" : "right";
      return;
    }
    fail(name(), ": style leaves no room for an object beside another: ", style().width, "x", style().height,
         " pixels, scene_min ", style().scene_min);
  }

  static Random image_random(Place& at) { return Random(at.random()); }
};

static_assert(ExampleSet<QuestionScenes>);

}  // namespace emoji
