#pragma once
/// What a data set holds: one picture with texts in several languages. LibTorch-free.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "rc3/io/image/concept.hpp"

namespace rc3::data {

/// A text of a picture.
struct Text {
  std::string language;    ///< a BCP 47 tag as the source has it: "en", "pt", "zh"
  std::string text;        ///< UTF-8, not blank
  std::int64_t group = 0;  ///< texts of one sample with equal numbers are translations of each other (strictly
                           ///< aligned); others were written independently (weakly aligned)

  friend bool operator==(const Text&, const Text&) = default;
};

/// How much two texts of one sample share, where the source says it.
struct TextRelevance {
  std::size_t a = 0;  ///< index into Sample::texts, a < b
  std::size_t b = 0;
  float value = 0;  ///< in [0, 1]

  friend bool operator==(const TextRelevance&, const TextRelevance&) = default;
};

/// A picture file's content.
struct EncodedPicture {
  std::string bytes;
  std::string name;  ///< for errors: the shard and the member
};

/// Nothing, a picture file, its content, or the pixels.
using PictureSource = std::variant<std::monostate, std::filesystem::path, EncodedPicture, io::Image>;

/// x1 y1 x2 y2 in pixels, 0 <= x1 < x2 <= width, 0 <= y1 < y2 <= height.
using Box = std::array<float, 4>;

/// What a detector found in the picture.
struct Regions {
  float width = 0;              ///< of the picture that the boxes lie in, pixels
  float height = 0;             ///< pixels
  std::vector<Box> boxes;       ///< R of them
  std::vector<float> features;  ///< [R, F], rows behind each other; empty: none
  std::vector<float> classes;   ///< [R, C], probabilities, rows of sum 1; empty: none

  std::size_t size() const { return boxes.size(); }
};

/// One picture with its texts.
struct Sample {
  std::string id;  ///< unique in its data set, not empty
  PictureSource picture;
  std::vector<Text> texts;
  std::vector<TextRelevance> relevance;  ///< mostly empty: unknown
  Regions regions;
};

}  // namespace rc3::data
