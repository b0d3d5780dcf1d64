#pragma once
/// Retrieval both ways, as xFlickr&CO asks it, on emoji scenes: a data set of images with captions.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "emoji/glyphs.hpp"
#include "emoji/names.hpp"
#include "emoji/scenes.hpp"
#include "emoji/style.hpp"
#include "rc3/core/error.hpp"

namespace emoji {

struct RetrievalOptions {
  std::uint64_t seed = 1;
  Style style = Style::training();
  std::size_t min_objects = 2;  ///< of a scene, 2 .. max_objects
  std::size_t max_objects = 5;  ///< of a scene, min_objects .. 9
};

/// Scenes of those of the glyphs that all of @p languages name, each with its strict caption in all of them.
/// @param glyphs     must outlive what is returned
/// @param indices    glyphs to draw, no repeats: a side of the split
/// @param languages  two at least; one without a name for some glyph leaves that glyph out for all
/// @param scenes     how many images, >= 1
/// @throws rc3::Error naming the argument that is wrong
inline Scenes retrieval_scenes(const Glyphs& glyphs, std::span<const std::size_t> indices,
                               std::vector<std::string> languages, std::int64_t scenes, RetrievalOptions options = {}) {
  std::vector<std::size_t> named;
  for (const std::size_t index : indices)
    if (std::all_of(languages.begin(), languages.end(),
                    [&](const std::string& language) { return glyphs[index].find(language) != nullptr; }))
      named.push_back(index);
  require(!named.empty(), "emoji retrieval: indices: none of ", indices.size(), " glyphs has a name in all languages");
  return Scenes(glyphs, std::move(named), std::move(languages), {}, scenes,
                {.seed = options.seed,
                 .scene_share = 1,
                 .min_objects = options.min_objects,
                 .max_objects = options.max_objects,
                 .style = options.style});
}

}  // namespace emoji
