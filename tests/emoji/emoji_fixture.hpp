#pragma once
/// A small emoji data set, made anew in a temporary folder: twelve glyphs in six families, six languages.

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "emoji/emoji.hpp"
#include "rc3/io/image.hpp"
#include "support/support.hpp"

namespace rc3::test {

/// The folder with its two JSON values, which a test may damage before `save()`.
class EmojiFixture {
 public:
  static constexpr int glyph_count = 12;

  EmojiFixture() {
    std::filesystem::create_directories(dir_ / "glyphs");
    const nlohmann::json comma_and = {
        {"2", "{0} & {1}"}, {"start", "{0}, {1}"}, {"middle", "{0}; {1}"}, {"end", "{0} and {1}"}};
    for (const char* language : {"en", "de", "fr", "ja", "id", "sw"}) glyphs["languages"][language]["list"] = comma_and;
    glyphs["version"] = 1;
    glyphs["glyphs"] = nlohmann::json::array();
    for (int i = 0; i < glyph_count; ++i) {
      const std::string id = "g" + std::to_string(i);
      nlohmann::json texts;
      for (const auto& item : glyphs["languages"].items()) {
        const std::string word = item.key() + "thing" + std::to_string(i);
        texts[item.key()] = {{"name", "ein " + word},
                             {"keywords",
                              {word, word + "chen", item.key() + "kind" + std::to_string(i % 3),
                               item.key() + "color" + std::to_string(i % 4)}}};
      }
      glyphs["glyphs"].push_back(
          {{"id", id}, {"file", "glyphs/" + id + ".png"}, {"family", "f" + std::to_string(i / 2)}, {"texts", texts}});
      io::write_png(dir_ / ("glyphs/" + id + ".png"), disc(i));
    }
    split = {{"version", 1},
             {"seed", 7},
             {"rule", "by hand"},
             {"train", {"g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7"}},
             {"validation", {"g6", "g7"}},
             {"test", {"g8", "g9", "g10", "g11"}},
             {"languages", {{"strict", {"en", "de", "fr"}}, {"weak", {"ja", "id"}}, {"unseen", {"sw"}}}}};
    save();
  }

  const std::filesystem::path& path() const { return dir_.path(); }
  void save() const {
    std::ofstream(dir_ / "glyphs.json") << glyphs;
    std::ofstream(dir_ / "split.json") << split;
  }
  emoji::Glyphs load() const { return emoji::Glyphs::load(path()); }
  emoji::Split load_split(const emoji::Glyphs& from) const { return emoji::Split::load(path(), from); }

  nlohmann::json glyphs;
  nlohmann::json split;

 private:
  /// A disc with a soft edge, off the middle, whose colour and size depend on @p i.
  static io::Image disc(int i) {
    io::Image image{136, 128, std::vector<std::uint8_t>(136 * 128 * 4, 0)};
    const int radius = 30 + 2 * i;
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        const int d2 = (x - 70) * (x - 70) + (y - 62) * (y - 62);
        const int edge = radius * radius - d2;
        std::uint8_t* p = &image.rgba[static_cast<std::size_t>(y * image.width + x) * 4];
        p[0] = static_cast<std::uint8_t>(20 * i);
        p[1] = static_cast<std::uint8_t>(x);
        p[2] = static_cast<std::uint8_t>(255 - 20 * i);
        p[3] = static_cast<std::uint8_t>(std::clamp(edge, 0, 255));
      }
    }
    return image;
  }

  TempDir dir_;
};

/// FNV-1a of bytes: what the committed checksums are.
inline std::uint64_t checksum(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3u;
  return hash;
}

}  // namespace rc3::test
