#pragma once
/// The emoji data set as it lies on disk: images by artists, names and keywords by native speakers.

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "emoji/fields.hpp"
#include "emoji/list_pattern.hpp"
#include "emoji/names.hpp"
#include "rc3/core/error.hpp"
#include "rc3/io/image.hpp"

namespace emoji {

/// What one language says about a glyph.
struct Annotation {
  std::string name;                   ///< never empty
  std::vector<std::string> keywords;  ///< maybe none; mostly with the name among them
};

/// One emoji.
struct Glyph {
  std::string id;               ///< code points in hex, "1f1e9-1f1ea"
  std::string family;           ///< glyphs of one family are near-duplicates and stay on one side of every split
  std::filesystem::path image;  ///< the PNG file
  std::map<std::string, Annotation, std::less<>> texts;  ///< by language

  /// What @p language says, or nullptr.
  const Annotation* find(std::string_view language) const {
    const auto found = texts.find(language);
    return found == texts.end() ? nullptr : &found->second;
  }
};

/// All glyphs, with their images decoded at first use. Reading is safe from many threads.
class Glyphs {
 public:
  /// Reads @p dir /glyphs.json and checks that every image file is there.
  /// @throws rc3::Error naming file, glyph and field
  static Glyphs load(const std::filesystem::path& dir);

  std::size_t size() const { return glyphs_.size(); }
  /// @throws rc3::Error when @p glyph >= size()
  const Glyph& operator[](std::size_t glyph) const {
    require(glyph < glyphs_.size(), "emoji::Glyphs: glyph ", glyph, " of ", glyphs_.size());
    return glyphs_[glyph];
  }
  /// The index of the glyph with this id, if there is one.
  std::optional<std::size_t> find(std::string_view id) const {
    const auto found = by_id_.find(std::string(id));
    return found == by_id_.end() ? std::nullopt : std::optional(found->second);
  }

  /// Sorted codes of all languages.
  std::vector<std::string> languages() const {
    std::vector<std::string> out;
    for (const auto& [language, pattern] : patterns_) out.push_back(language);
    return out;
  }
  bool has_language(std::string_view language) const { return patterns_.find(language) != patterns_.end(); }
  /// @throws rc3::Error for a language that the data does not have
  const ListPattern& list_pattern(std::string_view language) const {
    const auto found = patterns_.find(language);
    require(found != patterns_.end(), "emoji::Glyphs: there is no language '", language, "' in this data");
    return found->second;
  }

  /// The decoded image, RGBA; the reference lives as long as the Glyphs.
  /// @throws rc3::Error naming the glyph when its file cannot be read
  const io::Image& image(std::size_t glyph) const;

 private:
  /// An image that any thread may fill in; two that decode the same one at once do the work twice, and one keeps it.
  struct Slot {
    std::atomic<const io::Image*> image = nullptr;
    Slot() = default;
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot() { delete image.load(); }
  };

  std::vector<Glyph> glyphs_;
  std::unordered_map<std::string, std::size_t> by_id_;
  std::map<std::string, ListPattern, std::less<>> patterns_;
  std::unique_ptr<Slot[]> images_;
};

namespace detail {

inline ListPattern read_list_pattern(const Fields& language) {
  const Fields list = language.object("list");
  ListPattern out;
  for (const auto& [name, place] : {std::pair{"2", &out.two}, std::pair{"start", &out.start},
                                    std::pair{"middle", &out.middle}, std::pair{"end", &out.end}}) {
    *place = list.text(name);
    if (place->find("{0}") == std::string::npos || place->find("{1}") == std::string::npos)
      list.fail_at(name, "must hold {0} and {1}, is '", *place, "'");
  }
  return out;
}

inline Glyph read_glyph(const Fields& fields, const std::filesystem::path& dir) {
  Glyph glyph;
  glyph.id = fields.text("id");
  const Fields named = fields.rename(join("glyph ", glyph.id));
  glyph.family = named.text("family");
  const std::filesystem::path file = named.text("file");
  if (file.is_absolute() || *file.lexically_normal().begin() == "..")
    named.fail_at("file", "must be inside the data folder, is ", file);
  glyph.image = dir / file;
  if (!std::filesystem::is_regular_file(glyph.image)) named.fail_at("file", "there is no ", glyph.image);
  const Fields texts = named.object("texts");
  for (const std::string& language : texts.names()) {
    const Fields text = texts.object(language);
    glyph.texts[language] = {text.text("name"), text.texts("keywords")};
  }
  return glyph;
}

}  // namespace detail

inline Glyphs Glyphs::load(const std::filesystem::path& dir) {
  const detail::Document document = detail::Document::read(dir / "glyphs.json");
  const detail::Fields root = document.root();
  if (root.integer("version") != 1) root.fail_at("version", "must be 1: prepare the data again");

  Glyphs out;
  const detail::Fields languages = root.object("languages");
  for (const std::string& language : languages.names())
    out.patterns_[language] = detail::read_list_pattern(languages.object(language));
  for (const detail::Fields& fields : root.objects("glyphs")) {
    Glyph glyph = detail::read_glyph(fields, dir);
    for (const auto& [language, text] : glyph.texts)
      if (!out.has_language(language))
        fields.fail_at("texts", "language '", language, "' of glyph ", glyph.id, " has no list pattern");
    if (!out.by_id_.emplace(glyph.id, out.glyphs_.size()).second)
      fields.fail_at("id", "glyph ", glyph.id, " is there twice");
    out.glyphs_.push_back(std::move(glyph));
  }
  if (out.glyphs_.empty()) root.fail_at("glyphs", "must not be empty");
  out.images_ = std::make_unique<Slot[]>(out.glyphs_.size());
  return out;
}

inline const io::Image& Glyphs::image(std::size_t glyph) const {
  const Glyph& asked = (*this)[glyph];
  std::atomic<const io::Image*>& slot = images_[glyph].image;
  if (const io::Image* ready = slot.load(std::memory_order_acquire)) return *ready;

  std::unique_ptr<const io::Image> decoded;
  try {
    decoded = std::make_unique<const io::Image>(io::load_image(asked.image));
  } catch (const Error& error) {
    fail("emoji: glyph ", asked.id, ": image: ", error.what());
  }
  bool visible = false;
  for (std::size_t i = 3; i < decoded->rgba.size(); i += 4) visible = visible || decoded->rgba[i] > 127;
  require(visible, "emoji: glyph ", asked.id, ": image: ", asked.image, " shows nothing: no pixel is opaque");

  const io::Image* expected = nullptr;
  if (slot.compare_exchange_strong(expected, decoded.get(), std::memory_order_acq_rel)) return *decoded.release();
  return *expected;
}

}  // namespace emoji
