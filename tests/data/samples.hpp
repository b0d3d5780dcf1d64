#pragma once
/// Random samples, and whether two samples are equal.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>

#include "rc3/core/random.hpp"
#include "rc3/data/sample.hpp"

namespace rc3::test {

inline void check_equal(const data::Regions& a, const data::Regions& b) {
  BOOST_TEST(a.width == b.width);
  BOOST_TEST(a.height == b.height);
  BOOST_TEST((a.boxes == b.boxes));
  BOOST_TEST((a.features == b.features));
  BOOST_TEST((a.classes == b.classes));
}

/// Of samples whose images are files, or that have none.
inline void check_equal(const data::Sample& a, const data::Sample& b) {
  BOOST_TEST(a.id == b.id);
  BOOST_TEST((a.texts == b.texts));
  BOOST_TEST((a.relevance == b.relevance));
  BOOST_REQUIRE(a.image.index() == b.image.index());
  if (const auto* path = std::get_if<std::filesystem::path>(&a.image))
    BOOST_TEST(*path == std::get<std::filesystem::path>(b.image));
  check_equal(a.regions, b.regions);
}

inline data::Regions random_regions(Random& random, std::size_t boxes, std::size_t features, std::size_t classes) {
  data::Regions regions;
  regions.width = static_cast<float>(1 + random.below(1000));
  regions.height = static_cast<float>(1 + random.below(1000));
  for (std::size_t r = 0; r < boxes; ++r) {
    const auto low = [&](float side) { return static_cast<float>(random.uniform(0, side / 2)); };
    const auto high = [&](float side) { return static_cast<float>(random.uniform(side / 2 + 0.1, side)); };
    regions.boxes.push_back({low(regions.width), low(regions.height), high(regions.width), high(regions.height)});
  }
  for (std::size_t i = 0; i < boxes * features; ++i) regions.features.push_back(static_cast<float>(random.normal()));
  for (std::size_t i = 0; i < boxes * classes; ++i) regions.classes.push_back(static_cast<float>(random.uniform()));
  return regions;
}

/// Texts sorted by language, relevance by pair; image below /data or none; regions without features.
inline data::Sample random_sample(Random& random, int number) {
  data::Sample sample;
  sample.id = "id " + std::to_string(number) + (random.chance(0.5) ? "ž\"\\\n" : "");
  if (random.chance(0.7)) sample.image = std::filesystem::path("/data/p/" + std::to_string(number) + ".jpg");
  const int kind = static_cast<int>(random.below(3));
  for (const char* language : {"de", "en", "ja", "zh-Hant"}) {
    const auto count = random.below(4);
    for (std::uint64_t k = 0; k < count; ++k) {
      const auto i = static_cast<std::int64_t>(sample.texts.size());
      const std::int64_t group = kind == 0 ? std::int64_t(k) : kind == 1 ? i : std::int64_t(random.below(4)) - 1;
      sample.texts.push_back({language, "カエル " + std::to_string(random.below(100)), group});
    }
  }
  const bool one_value = random.chance(0.5);
  if (random.chance(0.7))
    for (std::size_t a = 0; a < sample.texts.size(); ++a)
      for (std::size_t b = a + 1; b < sample.texts.size(); ++b) {
        if (one_value && sample.texts[a].group != sample.texts[b].group) sample.relevance.push_back({a, b, 0.1f});
        if (!one_value && random.chance(0.3)) sample.relevance.push_back({a, b, static_cast<float>(random.uniform())});
      }
  if (random.chance(0.5)) sample.regions = random_regions(random, random.below(4), 0, 0);
  return sample;
}

}  // namespace rc3::test
