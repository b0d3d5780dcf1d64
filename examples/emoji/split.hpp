#pragma once
/// Which glyphs and which languages are trained on. The split is a file with a seed, not code.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "emoji/fields.hpp"
#include "emoji/glyphs.hpp"
#include "rc3/core/error.hpp"

namespace emoji {

/// Glyph indices, in the file's order, and language groups.
struct Split {
  /// Language codes; no language is in two groups.
  struct Languages {
    std::vector<std::string> strict;  ///< translations of one another in training
    std::vector<std::string> weak;    ///< in training, but only in weak pairs
    std::vector<std::string> unseen;  ///< never in training: the zero-shot test
    std::vector<std::string> extra;   ///< further languages that a longer training may read; may be empty
  };

  std::vector<std::size_t> train;
  std::vector<std::size_t> validation;  ///< a part of train; choose recipes on it, never on test
  std::vector<std::size_t> test;
  Languages languages;
  std::uint64_t seed = 0;  ///< that the split was made with
  std::string rule;        ///< how it was made, in words; may be empty

  /// Train without validation: what to train on while a recipe is being chosen.
  std::vector<std::size_t> fit() const {
    const std::unordered_set<std::size_t> held(validation.begin(), validation.end());
    std::vector<std::size_t> out;
    std::copy_if(train.begin(), train.end(), std::back_inserter(out), [&](std::size_t g) { return !held.contains(g); });
    return out;
  }

  /// Reads @p dir /split.json.
  /// @throws rc3::Error naming file, field and glyph: an unknown glyph or language, one listed twice, a family on both
  ///         sides of train and test or of validation and the rest of train, an empty side
  static Split load(const std::filesystem::path& dir, const Glyphs& glyphs);
};

namespace detail {

inline std::vector<std::size_t> read_side(const Fields& root, const char* name, const Glyphs& glyphs) {
  std::vector<std::size_t> out;
  std::unordered_set<std::size_t> seen;
  for (const std::string& id : root.texts(name)) {
    const auto glyph = glyphs.find(id);
    if (!glyph) root.fail_at(name, "there is no glyph ", id);
    if (!seen.insert(*glyph).second) root.fail_at(name, "glyph ", id, " is there twice");
    out.push_back(*glyph);
  }
  return out;
}

/// @throws rc3::Error when a family has glyphs in both lists
inline void check_families(const Fields& root, const Glyphs& glyphs, const char* name,
                           const std::vector<std::size_t>& side, const char* other_name,
                           const std::vector<std::size_t>& other) {
  std::map<std::string_view, std::size_t> owner;
  for (const std::size_t glyph : side) owner.emplace(glyphs[glyph].family, glyph);
  for (const std::size_t glyph : other) {
    const auto found = owner.find(glyphs[glyph].family);
    if (found != owner.end())
      root.fail_at(name, "family ", glyphs[glyph].family, " is on both sides: glyph ", glyphs[found->second].id, " in ",
                   name, ", glyph ", glyphs[glyph].id, " in ", other_name);
  }
}

}  // namespace detail

inline Split Split::load(const std::filesystem::path& dir, const Glyphs& glyphs) {
  const detail::Document document = detail::Document::read(dir / "split.json");
  const detail::Fields root = document.root();
  if (root.integer("version") != 1) root.fail_at("version", "must be 1: prepare the data again");
  Split out;
  out.seed = static_cast<std::uint64_t>(root.integer("seed"));
  const auto names = root.names();
  if (std::find(names.begin(), names.end(), "rule") != names.end()) out.rule = root.text("rule");

  out.train = detail::read_side(root, "train", glyphs);
  out.validation = detail::read_side(root, "validation", glyphs);
  out.test = detail::read_side(root, "test", glyphs);
  if (out.train.empty()) root.fail_at("train", "must not be empty");
  if (out.test.empty()) root.fail_at("test", "must not be empty");
  detail::check_families(root, glyphs, "test", out.test, "train", out.train);
  const std::unordered_set<std::size_t> train(out.train.begin(), out.train.end());
  for (const std::size_t glyph : out.validation)
    if (!train.contains(glyph)) root.fail_at("validation", "glyph ", glyphs[glyph].id, " is not in train");
  detail::check_families(root, glyphs, "validation", out.validation, "the rest of train", out.fit());

  const detail::Fields languages = root.object("languages");
  std::unordered_set<std::string> seen;
  const auto groups = languages.names();
  for (const auto& [name, group] :
       {std::pair{"strict", &out.languages.strict}, std::pair{"weak", &out.languages.weak},
        std::pair{"unseen", &out.languages.unseen}, std::pair{"extra", &out.languages.extra}}) {
    if (group == &out.languages.extra && std::find(groups.begin(), groups.end(), name) == groups.end()) continue;
    *group = languages.texts(name);
    for (const std::string& language : *group) {
      if (!glyphs.has_language(language)) languages.fail_at(name, "there is no language '", language, "' in the data");
      if (!seen.insert(language).second) languages.fail_at(name, "language '", language, "' is there twice");
    }
  }
  return out;
}

}  // namespace emoji
