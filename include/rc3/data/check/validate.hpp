#pragma once
/// Validation of samples, common to all formats. LibTorch-free.

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "rc3/core/blank.hpp"
#include "rc3/core/digits.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/data/sample.hpp"

namespace rc3::data {

/// @throws rc3::Error "<where>: ..." unless @p text is UTF-8 and has a visible character
inline void check_text(std::string_view text, std::string_view where) {
  require_utf8(text, where);
  require(!is_blank(text), where, ": the text is empty", text.empty() ? "" : ": it has invisible characters only");
}

/// Moves corners onto the image's edge that are outside by at most @p most pixels: a rounded x plus a rounded width
/// exceeds the image's width. A box further outside, or without an area afterwards, stays as it is.
inline void clip_boxes(Regions& regions, float most = 0.5f) {
  const auto clip = [most](float& at, float end) {
    if (at < 0 && at >= -most) at = 0;
    if (at > end && at - end <= most) at = end;
  };
  for (Box& box : regions.boxes) {
    auto [x1, y1, x2, y2] = box;
    clip(x1, regions.width);
    clip(x2, regions.width);
    clip(y1, regions.height);
    clip(y2, regions.height);
    if (x1 < x2 && y1 < y2 && x1 >= 0 && y1 >= 0 && x2 <= regions.width && y2 <= regions.height) box = {x1, y1, x2, y2};
  }
}

/// @throws rc3::Error "<where>: ..." naming the region unless every box is in the image and every number is finite
inline void check_regions(const Regions& regions, std::string_view where) {
  if (regions.boxes.empty() && regions.features.empty() && regions.classes.empty()) return;
  const auto positive = [](float side) { return side > 0 && std::isfinite(side); };
  require(positive(regions.width) && positive(regions.height), where, ": regions need the image's size in pixels, is ",
          regions.width, " x ", regions.height);
  for (std::size_t r = 0; r < regions.boxes.size(); ++r) {
    const auto [x1, y1, x2, y2] = regions.boxes[r];
    require(0 <= x1 && x1 < x2 && x2 <= regions.width && 0 <= y1 && y1 < y2 && y2 <= regions.height, where, ": box ", r,
            " (", shortest_decimal(x1), ", ", shortest_decimal(y1), ", ", shortest_decimal(x2), ", ",
            shortest_decimal(y2), ") is not inside its image of ", shortest_decimal(regions.width), " x ",
            shortest_decimal(regions.height), " pixels");
  }
  for (const auto& [name, values] : {std::pair<const char*, const std::vector<float>&>{"features", regions.features},
                                     {"classes", regions.classes}}) {
    require(values.empty() || (!regions.boxes.empty() && values.size() % regions.boxes.size() == 0), where, ": ",
            values.size(), " numbers of ", name, " for ", regions.boxes.size(), " boxes");
    for (const float value : values)
      require(std::isfinite(value), where, ": ", name, " hold a number that is not finite");
  }
}

/// Checks id, texts, relevance and regions; the image is checked when it is decoded.
/// @throws rc3::Error "<where>: ..." naming the field
inline void check_sample(const Sample& sample, std::string_view where) {
  require(!sample.id.empty(), where, ": the id is empty");
  require_utf8(sample.id, where);
  for (const Text& text : sample.texts) {
    require(!text.language.empty(), where, ": a text has no language");
    check_text(text.text, join(where, ": ", text.language));
  }
  for (const TextRelevance& pair : sample.relevance) {
    require(pair.a < pair.b && pair.b < sample.texts.size(), where, ": relevance of the texts ", pair.a, " and ",
            pair.b, ", but there are ", sample.texts.size());
    require(pair.value >= 0 && pair.value <= 1, where, ": relevance must be in [0, 1], is ", pair.value);
  }
  check_regions(sample.regions, where);
}

}  // namespace rc3::data
