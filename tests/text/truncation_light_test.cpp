#include "rc3/text/truncation.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(text_truncation)

using namespace rc3::test;
using rc3::text::truncate;
using rc3::text::Truncation;
using Pair = std::pair<std::size_t, std::size_t>;

/// One token at a time from the longer text, as "longest first" is defined; ties go from the first.
Pair one_by_one(std::size_t a, std::size_t b, std::size_t room) {
  while (a + b > room) a > b ? --a : --b;
  return {a, b};
}

BOOST_AUTO_TEST_CASE(longest_first_is_one_token_at_a_time) {
  std::size_t cases = 0, odd = 0;
  for (std::size_t room = 2; room < 12; ++room)
    for (std::size_t a = 1; a < 20; ++a)
      for (std::size_t b = 1; b < 20; ++b) {
        const auto got = truncate(a, b, room, Truncation::longest_first);
        const auto expected = one_by_one(a, b, room);
        // Which of the two keeps an odd token differs: in tokenizers it is the longer one, the second when equal.
        BOOST_TEST(std::min(got.first, got.second) == std::min(expected.first, expected.second));
        BOOST_TEST(got.first + got.second == expected.first + expected.second);
        odd += got != expected;
        ++cases;
      }
  BOOST_TEST(cases == 3610u);
  BOOST_TEST(odd > 0u);
  BOOST_TEST((truncate(9, 9, 7, Truncation::longest_first) == Pair{3, 4}));
  BOOST_TEST((truncate(10, 9, 7, Truncation::longest_first) == Pair{4, 3}));
  BOOST_TEST((truncate(9, 10, 7, Truncation::longest_first) == Pair{3, 4}));
  BOOST_TEST((truncate(2, 10, 7, Truncation::longest_first) == Pair{2, 5}));
  BOOST_TEST((truncate(10, 2, 7, Truncation::longest_first) == Pair{5, 2}));
  BOOST_TEST((truncate(3, 4, 7, Truncation::longest_first) == Pair{3, 4}));
}

BOOST_AUTO_TEST_CASE(one_text_gives_way) {
  BOOST_TEST((truncate(9, 3, 7, Truncation::only_first) == Pair{4, 3}));
  BOOST_TEST((truncate(3, 9, 7, Truncation::only_second) == Pair{3, 4}));
  BOOST_TEST((truncate(3, 4, 7, Truncation::only_first) == Pair{3, 4}));
  BOOST_TEST((truncate(9, 6, 7, Truncation::only_first) == Pair{1, 6}));
  throws_with([] { truncate(9, 7, 7, Truncation::only_first); }, "text::truncate", "second text has 7 tokens",
              "max_length");
  throws_with([] { truncate(8, 2, 7, Truncation::only_second); }, "text::truncate", "first text has 8 tokens");
}

BOOST_AUTO_TEST_SUITE_END()
