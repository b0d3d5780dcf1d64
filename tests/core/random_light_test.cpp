#include "rc3/core/random.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(core_random)

using Counter = std::array<std::uint32_t, 4>;

// Known answers of the authors' Random123 library.
static_assert(rc3::philox4x32({0, 0, 0, 0}, {0, 0}) == Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
static_assert(rc3::philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
              Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
static_assert(rc3::philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
              Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});

BOOST_AUTO_TEST_CASE(same_coordinates_same_numbers) {
  rc3::Random a(7, 8, 9);
  rc3::Random b(7, 8, 9);
  for (int i = 0; i < 100; ++i) BOOST_TEST(a() == b());
}

BOOST_AUTO_TEST_CASE(every_coordinate_matters) {
  std::set<std::uint64_t> first;
  for (std::uint64_t seed : {0u, 1u, 2u})
    for (std::uint64_t stream : {0u, 1u, 2u})
      for (std::uint64_t substream : {0u, 1u, 2u}) first.insert(rc3::Random(seed, stream, substream)());
  BOOST_TEST(first.size() == 27u);
  BOOST_TEST(rc3::Random(1, 0)() != rc3::Random(1ull << 32, 0)());
}

BOOST_AUTO_TEST_CASE(uniform_is_uniform) {
  rc3::Random random(1);
  std::array<int, 16> bins{};
  constexpr int n = 160000;
  for (int i = 0; i < n; ++i) ++bins[static_cast<std::size_t>(random.uniform() * 16)];
  double chi2 = 0;
  for (const int count : bins) chi2 += (count - n / 16.0) * (count - n / 16.0) / (n / 16.0);
  rc3::test::at_most("chi-square of 16 bins", chi2, 37.7);  // 15 degrees of freedom, p = 0.001
}

BOOST_AUTO_TEST_CASE(neighbouring_streams_do_not_correlate) {
  constexpr int n = 20000;
  double sum = 0;
  for (std::uint64_t stream = 0; stream < n; ++stream)
    sum += (rc3::Random(3, stream).uniform() - 0.5) * (rc3::Random(3, stream + 1).uniform() - 0.5) * 12;
  rc3::test::at_most("correlation of neighbouring streams", std::abs(sum / n), 4 / std::sqrt(double{n}));
}

BOOST_AUTO_TEST_CASE(below_covers_its_range_evenly) {
  rc3::Random random(2);
  std::array<int, 7> bins{};
  for (int i = 0; i < 70000; ++i) ++bins[random.below(7)];
  for (const int count : bins) BOOST_TEST(std::abs(count - 10000) < 400);
  BOOST_TEST(random.below(1) == 0u);
  rc3::test::throws_with([&] { random.below(0); }, "Random::below", "positive");
}

BOOST_AUTO_TEST_CASE(normal_has_mean_0_and_variance_1) {
  rc3::Random random(4);
  constexpr int n = 100000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
  }
  BOOST_TEST(std::abs(sum / n) < 0.02);
  BOOST_TEST(std::abs(squares / n - 1) < 0.03);
}

BOOST_AUTO_TEST_CASE(permutations_and_choices) {
  rc3::Random random(5);
  auto order = random.permutation(50);
  BOOST_TEST(!std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (std::int64_t i = 0; i < 50; ++i) BOOST_TEST(order[static_cast<std::size_t>(i)] == i);
  BOOST_TEST(random.permutation(0).empty());

  const auto some = random.choose(10, 4);
  BOOST_TEST(std::set<std::int64_t>(some.begin(), some.end()).size() == 4u);
  BOOST_TEST(random.choose(3, 0).empty());
  rc3::test::throws_with([&] { random.choose(3, 4); }, "Random::choose");
  rc3::test::throws_with([&] { random.permutation(-1); }, "Random::permutation");
}

BOOST_AUTO_TEST_SUITE_END()
