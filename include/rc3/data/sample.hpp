#pragma once
/// Sample of a data set: one image with texts in several languages. LibTorch-free.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "rc3/preprocess/image_source.hpp"
#include "rc3/preprocess/regions.hpp"

namespace rc3::data {

/// A text of an image.
struct Text {
  std::string language;    ///< a BCP 47 tag as in the source: "en", "pt", "zh"
  std::string text;        ///< UTF-8, not blank
  std::int64_t group = 0;  ///< texts of one sample with equal numbers are translations of each other (strictly
                           ///< aligned); others were written independently (weakly aligned)

  friend bool operator==(const Text&, const Text&) = default;
};

/// Relevance of two texts of one sample, if known.
struct TextRelevance {
  std::size_t a = 0;  ///< index into Sample::texts, a < b
  std::size_t b = 0;  ///< index into Sample::texts
  float value = 0;    ///< in [0, 1]

  friend bool operator==(const TextRelevance&, const TextRelevance&) = default;
};

using preprocess::Box;
using preprocess::EncodedImage;
using preprocess::ImageSource;
using preprocess::Regions;

/// One image with its texts.
struct Sample {
  std::string id;                        ///< unique in its data set, not empty
  ImageSource image;                     ///< path, bytes or pixels; empty: none
  std::vector<Text> texts;               ///< in any languages, several of one too
  std::vector<TextRelevance> relevance;  ///< often empty: unknown
  Regions regions;                       ///< in pixels of their own width and height; empty: none
};

}  // namespace rc3::data
