#pragma once
/// The emoji data as formats of rc3::data::open: "emoji" (scenes), "emoji-names" (one view of a glyph), "emoji-views"
/// (two views).

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "emoji/emoji.hpp"
#include "emoji/named_glyphs.hpp"
#include "rc3/data/open.hpp"

namespace emoji {

/// Glyphs and a data set that refers to them.
template <class Set>
struct WithGlyphs {
  std::shared_ptr<const Glyphs> glyphs;
  std::shared_ptr<const Set> set;

  std::string name() const { return std::string(set->name()); }
  std::int64_t size() const { return set->size(); }
  Sample read(std::int64_t i) const { return set->read(i); }
  const LanguageCounts& languages() const { return set->languages(); }
};

/// A side of the split. @param name  train, fit (train without val), val or test
inline std::vector<std::size_t> side(const Split& split, const std::string& name) {
  if (name == "train") return split.train;
  if (name == "fit") return split.fit();
  if (name == "val") return split.validation;
  require(name == "test", "emoji: there is no split ", name, "; give train, fit (train without val), val or test");
  return split.test;
}

/// @param languages  empty: of training the strict and the weak ones; of val and test those never seen as well
inline rc3::data::AnyDataset open_names(const rc3::data::OpenOptions& o, std::int64_t views) {
  auto glyphs = std::make_shared<const Glyphs>(Glyphs::load(o.paths.at(0)));
  const auto split = Split::load(o.paths[0], *glyphs);
  auto languages = o.languages;
  if (languages.empty()) {
    languages = split.languages.strict;
    languages.insert(languages.end(), split.languages.weak.begin(), split.languages.weak.end());
    if (o.split == "val" || o.split == "test")
      languages.insert(languages.end(), split.languages.unseen.begin(), split.languages.unseen.end());
  }
  auto set = std::make_shared<const NamedGlyphs>(*glyphs, side(split, o.split), std::move(languages), views);
  return rc3::data::AnyDataset(WithGlyphs<NamedGlyphs>{std::move(glyphs), std::move(set)});
}

/// @param languages  of strict and weak texts; empty: strict texts in the strict ones, weak texts in these and the weak
inline rc3::data::AnyDataset open_scenes(const rc3::data::OpenOptions& o) {
  auto glyphs = std::make_shared<const Glyphs>(Glyphs::load(o.paths.at(0)));
  const auto split = Split::load(o.paths[0], *glyphs);
  auto strict = o.languages, weak = o.languages;
  if (strict.empty()) {
    strict = weak = split.languages.strict;
    weak.insert(weak.end(), split.languages.weak.begin(), split.languages.weak.end());
  }
  auto set = std::make_shared<const Scenes>(*glyphs, side(split, o.split), std::move(strict), std::move(weak), o.size,
                                            Scenes::Options{});
  return rc3::data::AnyDataset(WithGlyphs<Scenes>{std::move(glyphs), std::move(set)});
}

/// Makes the formats known to rc3::data::open. Call it first in main().
inline void register_formats() {
  using rc3::data::DataErrors, rc3::data::OpenOptions;
  rc3::data::register_format("emoji", [](const OpenOptions& o, DataErrors&) { return open_scenes(o); });
  rc3::data::register_format("emoji-names", [](const OpenOptions& o, DataErrors&) { return open_names(o, 1); });
  rc3::data::register_format("emoji-views", [](const OpenOptions& o, DataErrors&) { return open_names(o, 2); });
}

}  // namespace emoji
