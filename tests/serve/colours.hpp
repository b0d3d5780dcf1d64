#pragma once
/// Encoder of colours: a text is the colour that it names, in several languages, and an image is its mean colour. So
/// the server's results are known without a model.

#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "rc3/io/image.hpp"
#include "rc3/search/index.hpp"
#include "rc3/serve/encoder.hpp"

namespace rc3::test {

struct Colour {
  const char* name;
  int red, green, blue;
};

inline constexpr Colour colours[] = {{"red", 230, 40, 40},     {"green", 40, 170, 60},   {"blue", 40, 80, 220},
                                     {"yellow", 240, 210, 40}, {"violet", 140, 50, 190}, {"orange", 250, 140, 20},
                                     {"grey", 128, 128, 128},  {"black", 16, 16, 16}};

inline const std::map<std::string, std::string>& translations() {
  static const std::map<std::string, std::string> all = {
      {"rot", "red"},  {"rouge", "red"}, {"赤", "red"},    {"أحمر", "red"}, {"grün", "green"},  {"vert", "green"},
      {"緑", "green"}, {"blau", "blue"}, {"bleu", "blue"}, {"青", "blue"},  {"gelb", "yellow"}, {"синий", "blue"}};
  return all;
}

/// Colours differ from grey by these numbers; the fourth is the lightness.
inline std::vector<float> vector_of(double red, double green, double blue) {
  const double mean = (red + green + blue) / 3;
  return {static_cast<float>(red - mean), static_cast<float>(green - mean), static_cast<float>(blue - mean),
          static_cast<float>(mean / 4 + 1)};
}

inline std::vector<float> vector_of(const io::Image& image) {
  double sums[3] = {};
  for (std::size_t i = 0; i < image.rgba.size(); ++i)
    if (i % 4 < 3) sums[i % 4] += image.rgba[i];
  const double pixels = static_cast<double>(image.width) * image.height;
  return vector_of(sums[0] / pixels, sums[1] / pixels, sums[2] / pixels);
}

class Colours : public tool::serve::Encoder {
 public:
  explicit Colours(std::chrono::milliseconds delay = {}, bool matches = true) : delay_(delay), matches_(matches) {}

  std::string model() const override { return "colours"; }
  std::vector<float> text(const std::string& text) const override {
    ++calls;
    std::this_thread::sleep_for(delay_);
    const auto begin = text.find_first_not_of(" \t");
    require(begin != std::string::npos, "the text is empty or blank: there is nothing to embed");
    std::string word = text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
    if (const auto found = translations().find(word); found != translations().end()) word = found->second;
    for (const Colour& colour : colours)
      if (word == colour.name) return vector_of(colour.red, colour.green, colour.blue);
    return {1, 0.5, 0.25, 1};
  }
  std::vector<std::vector<float>> texts(std::span<const std::string> several) const override {
    std::vector<std::vector<float>> all;
    for (const auto& one : several) all.push_back(text(one));
    return all;
  }
  std::vector<float> image(const std::string& bytes) const override {
    return vector_of(
        io::decode_image(bytes, "the image", {.max_bytes = 32 << 20, .max_side = 4096, .max_pixels = 4 << 20}));
  }
  bool can_match() const override { return matches_; }
  /// Files with an odd number match.
  std::vector<float> match(const std::string&, std::span<const std::filesystem::path> files) const override {
    std::vector<float> all;
    for (const auto& file : files) {
      const auto stem = file.stem().string();
      all.push_back(!std::filesystem::exists(file) ? std::numeric_limits<float>::quiet_NaN()
                    : (stem.back() - '0') % 2 == 1 ? 0.9f
                                                   : 0.1f);
    }
    return all;
  }
  bool can_locate() const override { return matches_; }
  /// Word i of the text is in part i mod 4 of 2 x 2.
  tool::serve::WordMap locate(const std::string& text, const std::filesystem::path& file) const override {
    io::decode_image(io::read_file(file, 32 << 20), file.string());
    tool::serve::WordMap map{2, 2, {}};
    std::istringstream words(text);
    for (std::string word; words >> word;) {
      std::vector<float> scores(4, 0.125f);
      scores[map.words.size() % 4] = 0.5f;
      map.words.push_back({word, scores});
    }
    return map;
  }

  mutable std::atomic<int> calls{0};

 private:
  std::chrono::milliseconds delay_;
  bool matches_;
};

/// Image of one colour with a lighter square. @param shade  changes the colour a little
inline io::Image drawing(const Colour& colour, int shade, int width = 96, int height = 64) {
  io::Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width * height) * 4, 255)};
  const int rgb[] = {colour.red, colour.green, colour.blue};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) {
        const bool inside = std::abs(x - width / 2) < width / 6 + shade && std::abs(y - height / 2) < height / 5;
        image.rgba[static_cast<std::size_t>((y * width + x) * 4 + c)] =
            static_cast<std::uint8_t>(std::min(255, rgb[c] + shade * 3 + (inside ? 40 : 0)));
      }
  return image;
}

/// Writes @p each images a colour below @p folder/photos, and the index @p folder/photos.index.
/// @return paths of the images
inline std::vector<std::string> make_photos(const std::filesystem::path& folder, int each, int width = 96) {
  search::Index index(4, {.model = "colours"});
  std::vector<std::string> paths;
  for (const Colour& colour : colours)
    for (int i = 0; i < each; ++i) {
      const auto place = folder / "photos" / colour.name;
      std::filesystem::create_directories(place);
      const auto image = drawing(colour, i, width + 7 * (i % 5), width * 2 / 3);
      paths.push_back((place / join(i, ".png")).string());
      io::write_png(paths.back(), image);
      index.add(paths.back(), vector_of(image));
    }
  index.save(folder / "photos.index");
  return paths;
}

}  // namespace rc3::test
