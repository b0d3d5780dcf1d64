#pragma once
/// Example of a downstream task: a text about one or two images, and the reference answer. LibTorch-free.

#include <cstdint>
#include <string>
#include <vector>

#include "rc3/data/sample.hpp"

namespace rc3::data {

/// An image and its detected regions.
struct View {
  ImageSource image;      ///< path, bytes or pixels
  Regions regions;        ///< of this image; empty: none
  std::string name = {};  ///< name of the image in its data set, and key of its regions; may be empty
};

/// One item of a task.
struct Example {
  std::string id = {};           ///< unique in its data set; used in prediction files
  std::vector<View> views = {};  ///< the image, or the left and the right one
  std::string language = {};     ///< of `text`
  std::string text = {};         ///< hypothesis, question or statement; source text for translation
  /// The class, the same word in every language; the reference for translation; empty: unknown.
  std::string answer = {};
  std::string answer_language = {};  ///< for translation: the language of `answer`
  std::int64_t group = 0;            ///< examples with equal numbers belong together, e.g. questions about one scene
};

}  // namespace rc3::data
