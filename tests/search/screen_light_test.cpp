// Screening against sums in double: every kind of instruction that this processor has, every remainder of a block.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "rc3/core/random.hpp"
#include "rc3/search/screen.hpp"
#include "rc3/search/top_k.hpp"

BOOST_AUTO_TEST_SUITE(search_screen)

using rc3::Random;
using rc3::search::Bfloat16;
using rc3::search::value_of;
using rc3::search::detail::best_instructions;
using rc3::search::detail::Instructions;
using rc3::search::detail::Screen;

std::vector<Instructions> all_instructions() {
  std::vector<Instructions> all;
  for (const auto one : {Instructions::any, Instructions::avx2, Instructions::avx512})
    if (one <= best_instructions()) all.push_back(one);
  return all;
}

template <class T>
T random_element(Random& random) {
  const auto bits = static_cast<int>(random() >> 40);
  if constexpr (std::is_same_v<T, float>)
    return static_cast<float>(bits % 2001 - 1000) / 1000;
  else if constexpr (std::is_same_v<T, Bfloat16>)
    return rc3::search::to_bfloat16(static_cast<float>(bits % 2001 - 1000) / 1000);
  else
    return static_cast<T>(bits % 255 - 127);
}

/// Rows whose sum in double is within the error of a float sum of the threshold may have either bit.
template <class T>
void check(std::size_t n, std::size_t d, std::size_t count, bool scaled, Instructions instructions) {
  Random random(n * 1000 + d * 10 + count);
  std::vector<T> rows(n * d);
  for (T& x : rows) x = random_element<T>(random);
  std::vector<float> queries(count * d), thresholds(count), scales(n, 1.0f);
  for (float& x : queries) x = random_element<float>(random);
  if (scaled)
    for (float& x : scales) x = 0.25f + static_cast<float>(random() >> 60) / 16;
  const double largest = std::is_same_v<T, std::int8_t> ? 127 : 1;
  for (float& x : thresholds)
    x = random_element<float>(random) * static_cast<float>(std::sqrt(static_cast<double>(d)) * largest / 2);
  Screen screen(queries.data(), count, d, instructions);
  std::vector<std::uint64_t> masks(n + 1, 77);
  screen(rows.data(), scaled ? scales.data() : nullptr, n, thresholds.data(), masks.data());
  BOOST_TEST(masks[n] == 77u);  // nothing beyond the last row
  std::size_t set = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (count < 64) BOOST_TEST_REQUIRE(masks[i] >> count == 0u);
    for (std::size_t q = 0; q < count; ++q) {
      double sum = 0, sizes = 0;
      for (std::size_t j = 0; j < d; ++j) {
        const double product = double{queries[q * d + j]} * double{value_of(rows[i * d + j])} * double{scales[i]};
        sum += product;
        sizes += std::abs(product);
      }
      const bool bit = masks[i] >> q & 1;
      set += bit;
      if (std::abs(sum - double{thresholds[q]}) > sizes * static_cast<double>(d + 2) * 0x1p-24)
        BOOST_TEST_REQUIRE(bit == (sum >= double{thresholds[q]}));
    }
  }
  if (n * count > 1000) {  // the thresholds divide
    BOOST_TEST(set > n * count / 20);
    BOOST_TEST(set < n * count * 19 / 20);
  }
}

BOOST_AUTO_TEST_CASE(masks_are_those_of_sums_in_double) {
  for (const auto instructions : all_instructions())
    for (const std::size_t d : {1, 15, 16, 37, 64, 100})
      for (const std::size_t n : {1, 5, 6, 13, 48})
        for (const std::size_t count : {1, 3, 4, 15, 16, 17, 33, 48, 63, 64}) {
          check<float>(n, d, count, false, instructions);
          check<Bfloat16>(n, d, count, true, instructions);
          check<std::int8_t>(n, d, count, true, instructions);
        }
}

BOOST_AUTO_TEST_CASE(not_a_number_is_not_below) {
  const std::size_t d = 20;
  for (const auto instructions : all_instructions())
    for (const std::size_t count : {1, 64}) {
      std::vector<float> rows(8 * d, 0.0f), queries(count * d, 1.0f), thresholds(count, 0.5f);
      rows[3 * d + 19] = std::numeric_limits<float>::quiet_NaN();
      std::vector<std::uint64_t> masks(8);
      Screen screen(queries.data(), count, d, instructions);
      screen(rows.data(), nullptr, 8, thresholds.data(), masks.data());
      for (std::size_t i = 0; i < 8; ++i) BOOST_TEST(masks[i] == (i != 3 ? 0u : count == 64 ? ~std::uint64_t{0} : 1u));
    }
}

// A fast unit takes part of this test only where the processor has it: the log says which were tried.
BOOST_AUTO_TEST_CASE(instructions_are_named) {
  for (const auto one : all_instructions())
    BOOST_TEST_MESSAGE("tried: " << (one == Instructions::any    ? "any"
                                     : one == Instructions::avx2 ? "AVX2"
                                                                 : "AVX-512"));
  BOOST_TEST(!all_instructions().empty());
}

BOOST_AUTO_TEST_SUITE_END()
