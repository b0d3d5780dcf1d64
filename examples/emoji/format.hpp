#pragma once
/// The emoji data as formats: a program that includes this header opens them by rc3::data::open. The path is the folder
/// that ./run prepares; `split` is train, fit (train without val), val or test.
///
///   emoji        scenes; `size` counts them
///   emoji-names  a glyph a sample, its names as translations; `size` takes the first so many glyphs
///   emoji-views  the same, each glyph in two images

#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "emoji/glyphs.hpp"
#include "emoji/named_glyphs.hpp"
#include "emoji/names.hpp"
#include "emoji/owned.hpp"
#include "emoji/scenes.hpp"
#include "emoji/split.hpp"
#include "rc3/data/open.hpp"

namespace emoji {

/// A side of the split. @throws rc3::Error for a name that is none
inline std::vector<std::size_t> side(const Split& split, const std::string& name) {
  require(name == "train" || name == "fit" || name == "val" || name == "test", "emoji: there is no split ", name,
          "; give train, fit (train without val), val or test");
  return name == "train" ? split.train : name == "fit" ? split.fit() : name == "val" ? split.validation : split.test;
}

/// Scenes. Languages of strict and of weak texts: those given; else strict texts in the strict ones, weak texts in
/// these and the weak ones.
inline rc3::data::AnyDataset open_scenes(const rc3::data::OpenOptions& o, rc3::data::DataErrors&) {
  const auto glyphs = std::make_shared<const Glyphs>(Glyphs::load(o.paths[0]));
  const Split split = Split::load(o.paths[0], *glyphs);
  auto strict = o.languages, weak = o.languages;
  if (strict.empty()) {
    strict = weak = split.languages.strict;
    weak.insert(weak.end(), split.languages.weak.begin(), split.languages.weak.end());
  }
  Scenes scenes(*glyphs, side(split, o.split_or_default()), std::move(strict), std::move(weak),
                o.size == 0 ? 1000 : o.size, Scenes::Options{});
  return rc3::data::AnyDataset(Owned(glyphs, std::move(scenes)));
}

/// Glyphs with their names: all, or the first `size`. Languages: those given; else those of training, and for val and
/// test those never seen too.
inline rc3::data::AnyDataset open_names(const rc3::data::OpenOptions& o, std::int64_t views) {
  const auto glyphs = std::make_shared<const Glyphs>(Glyphs::load(o.paths[0]));
  const Split split = Split::load(o.paths[0], *glyphs);
  const auto& name = o.split_or_default();
  auto languages = o.languages;
  if (languages.empty()) {
    languages = split.languages.strict;
    languages.insert(languages.end(), split.languages.weak.begin(), split.languages.weak.end());
    if (name == "val" || name == "test")
      languages.insert(languages.end(), split.languages.unseen.begin(), split.languages.unseen.end());
  }
  auto indices = side(split, name);
  if (o.size > 0 && o.size < std::ssize(indices)) indices.resize(static_cast<std::size_t>(o.size));
  return rc3::data::AnyDataset(Owned(glyphs, NamedGlyphs(*glyphs, std::move(indices), std::move(languages), views)));
}

/// True once the formats are registered: before main() begins.
inline const bool formats_registered = [] {
  using rc3::data::DataErrors, rc3::data::OpenOptions, rc3::data::register_format;
  register_format({.name = "emoji", .uses = {"languages", "split", "size"}, .many = false, .open = open_scenes});
  const auto names = [](const char* name, std::int64_t views) {
    register_format({.name = name,
                     .uses = {"languages", "split", "size"},
                     .many = false,
                     .open = [views](const OpenOptions& o, DataErrors&) { return open_names(o, views); }});
  };
  names("emoji-names", 1);
  names("emoji-views", 2);
  return true;
}();

}  // namespace emoji
