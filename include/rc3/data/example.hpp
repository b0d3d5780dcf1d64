#pragma once
/// What a downstream task asks: a text about one image or two, and the right answer. LibTorch-free.

#include <cstdint>
#include <string>
#include <vector>

#include "rc3/data/sample.hpp"

namespace rc3::data {

/// An image and what a detector found in it.
struct View {
  ImageSource image;
  Regions regions;
  std::string name = {};  ///< what its data set calls the image, and regions are found by; may be empty
};

/// One item of a task.
struct Example {
  std::string id = {};           ///< unique in its data set; prediction files name it
  std::vector<View> views = {};  ///< the image, or the left one and the right one
  std::string language = {};     ///< of `text`
  std::string text = {};         ///< hypothesis, question, statement; of translation the source
  /// The class, the same word in every language; of translation the reference; empty: not known.
  std::string answer = {};
  std::string answer_language = {};  ///< of translation: what `answer` is, or shall be, written in
  std::int64_t group = 0;            ///< examples with equal numbers belong together: questions about one scene, say
};

}  // namespace rc3::data
