#pragma once
/// Examples for task::CachedExamples.

#include <cmath>
#include <string>
#include <vector>

#include "rc3/data/examples.hpp"
#include "rc3/task/prepare.hpp"

namespace rc3::test {

/// Example k: image k / 2, text k % 3, class k % 2.
inline data::Examples examples(int n) {
  std::vector<data::Example> all;
  for (int k = 0; k < n; ++k)
    all.push_back({.id = std::to_string(k), .views = {{}}, .language = k % 2 == 0 ? "en" : "de", .text = "x"});
  return {"toys", std::move(all)};
}

inline task::PreparedExample prepared(int k, bool pair) {
  task::PreparedExample p;
  p.example.id = std::to_string(k);
  p.example.language = k % 2 == 0 ? "en" : "de";
  const auto image = [](int which) {
    preprocess::PreparedImage made{1, 1, {static_cast<std::uint8_t>(which), 2, 3}, {}};
    made.regions.width = made.regions.height = 1;
    for (int r = 0; r <= which % 2; ++r) {
      made.regions.boxes.push_back({0, 0, 1, 1});
      for (int j = 0; j < 4; ++j) made.regions.features.push_back(static_cast<float>(std::sin(which * 5 + r + j)));
    }
    return made;
  };
  p.images = {image(k / 2)};
  if (pair) p.images.push_back(image(100 + k));
  p.text.assign(static_cast<std::size_t>(3 + k % 3), 5 + k % 3);
  p.label = k % 2;
  return p;
}

struct Prepare {
  bool pair = false;
  int damaged = -1;
  task::PreparedExample operator()(const data::Example& e, std::uint64_t, std::int64_t) const {
    const int k = std::stoi(e.id);
    require(k != damaged, e.id, ": damaged");
    return prepared(k, pair);
  }
};

}  // namespace rc3::test
