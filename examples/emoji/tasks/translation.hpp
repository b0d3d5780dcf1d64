#pragma once
/// Multimodal translation, as Multi30K asks it, on emoji scenes: the text in another language, with the image's help.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "emoji/captions.hpp"
#include "emoji/glyphs.hpp"
#include "emoji/list_pattern.hpp"
#include "emoji/names.hpp"
#include "emoji/scene.hpp"
#include "emoji/tasks/scene_task.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/concept.hpp"

namespace emoji {

/// What is to be translated.
enum class SourceText {
  strict,  ///< the names of all objects: the words alone say what the answer says
  weak,    ///< of each object one keyword that does not give its name away (the name where there is none): what
           ///< "animal" is called, the image alone can tell
};

struct TranslationOptions {
  std::uint64_t seed = 1;
  Style style = Style::training();
  double scene_share = 0.5;     ///< how many images are scenes, the others show one glyph; in [0, 1]
  std::size_t max_objects = 4;  ///< of a scene, which has two at least; 2 .. 9
  SourceText source = SourceText::strict;
};

/// An example an image and target language: example i is image i / targets into language i % targets. The text is
/// the same for all targets; the answer is the strict caption in `answer_language`.
class TranslationScenes : public SceneTask {
 public:
  /// @param glyphs   must outlive this
  /// @param indices  glyphs to draw, no repeats: a side of the split; only those that all languages name occur
  /// @param source   language of the texts
  /// @param targets  languages of the answers, one at least, without @p source
  /// @param scenes   images, >= 1
  /// @throws rc3::Error naming the argument that is wrong
  TranslationScenes(const Glyphs& glyphs, std::span<const std::size_t> indices, std::string source,
                    std::vector<std::string> targets, std::int64_t scenes, TranslationOptions options = {})
      : SceneTask("emoji translation", glyphs, indices, {std::move(source)}, scenes,
                  static_cast<std::int64_t>(targets.size()), check(options, targets),
                  {.seed = options.seed, .style = options.style}, targets),
        targets_(std::move(targets)),
        options_(options) {}

  const std::vector<std::string>& targets() const { return targets_; }

  /// @throws rc3::Error for a place outside 0 .. size() - 1, or when a glyph's image cannot be read
  Example read(std::int64_t i) const {
    Place at = place(i);
    const bool single = !at.random.chance(options_.scene_share);
    const std::size_t count = single ? 1 : 2 + at.random.below(options_.max_objects - 1);
    const auto objects = pool().choose(count, at.random);
    const Random drawing(at.random());

    Example example = start(at, "emoji-translation");
    example.views = {view(single ? draw_single(glyphs(), objects[0], style(), drawing)
                                 : draw_scene(glyphs(), objects, style(), drawing))};
    example.text = options_.source == SourceText::strict ? pool().list(objects, at.language) : keywords(objects, at);
    example.answer_language = targets_[static_cast<std::size_t>(at.item)];
    example.answer = pool().list(objects, example.answer_language);
    return example;
  }

 private:
  /// @return how many unlike glyphs an image may take
  static std::size_t check(const TranslationOptions& options, const std::vector<std::string>& targets) {
    require(!targets.empty(), "emoji translation: targets is empty");
    require(options.scene_share >= 0 && options.scene_share <= 1,
            "emoji translation: scene_share must be in [0, 1], is ", options.scene_share);
    require(2 <= options.max_objects && options.max_objects <= max_scene_objects,
            "emoji translation: max_objects must be 2 .. ", max_scene_objects, ", is ", options.max_objects);
    return options.scene_share > 0 ? options.max_objects : 1;
  }

  std::string keywords(std::span<const std::size_t> objects, Place& at) const {
    std::vector<std::string> parts;
    for (const std::size_t object : objects) {
      const auto known = weak_keywords(*glyphs()[object].find(at.language));
      parts.push_back(known.empty() ? pool().name(object, at.language) : known[at.random.below(known.size())]);
    }
    return join_list(glyphs().list_pattern(at.language), parts);
  }

  std::vector<std::string> targets_;
  TranslationOptions options_;
};

static_assert(ExampleSet<TranslationScenes>);

}  // namespace emoji
