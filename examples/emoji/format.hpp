#pragma once
/// Emoji scenes as a data format: a program that includes this header opens them by rc3::data::open as "emoji". The
/// path is the folder that ./run prepares; `split` is train, fit (train without val), val or test; `size` counts
/// scenes.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "emoji/glyphs.hpp"
#include "emoji/names.hpp"
#include "emoji/owned.hpp"
#include "emoji/scenes.hpp"
#include "emoji/split.hpp"
#include "rc3/data/open.hpp"

namespace emoji {

/// @throws rc3::Error for a split or a language that the data do not have
inline rc3::data::AnyDataset open_scenes(const rc3::data::OpenOptions& o, rc3::data::DataErrors&) {
  const auto glyphs = std::make_shared<const Glyphs>(Glyphs::load(o.paths[0]));
  const Split split = Split::load(o.paths[0], *glyphs);
  const std::string& name = o.split_or_default();
  require(name == "train" || name == "fit" || name == "val" || name == "test", "emoji: there is no split ", name,
          "; give train, fit (train without val), val or test");
  const auto side = name == "train" ? split.train
                    : name == "fit" ? split.fit()
                    : name == "val" ? split.validation
                                    : split.test;
  const std::vector<std::string> six = {"cs", "de", "en", "fr", "ja", "zh"};
  const auto& languages = o.languages.empty() ? six : o.languages;
  Scenes scenes(*glyphs, side, languages, languages, o.size == 0 ? 1000 : o.size, Scenes::Options{});
  return rc3::data::AnyDataset(Owned(glyphs, std::move(scenes)));
}

/// True once the format is registered: before main() begins.
inline const bool format_registered =
    (rc3::data::register_format(
         {.name = "emoji", .uses = {"languages", "split", "size"}, .many = false, .open = open_scenes}),
     true);

}  // namespace emoji
