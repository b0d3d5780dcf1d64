#include "rc3/data/loader/order.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

#include "rc3/data/loader/batches.hpp"
#include "rc3/data/text/text_id.hpp"
#include "support/support.hpp"

using namespace rc3;
using namespace rc3::data;
using test::throws_with;
using Ids = std::vector<std::int64_t>;

namespace {

Ids all_of(const Order::Epoch& epoch) {
  Ids ids;
  for (std::int64_t i = 0; i < epoch.size(); ++i) ids.push_back(epoch[i]);
  return ids;
}

Ids sorted(Ids ids) {
  std::sort(ids.begin(), ids.end());
  return ids;
}

Ids numbers(std::int64_t n) {
  Ids ids(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) ids[static_cast<std::size_t>(i)] = i;
  return ids;
}

std::vector<Ids> all_of(Batches batches) {
  std::vector<Ids> all;
  for (Ids batch = batches.next(); !batch.empty(); batch = batches.next()) all.push_back(batch);
  return all;
}

Ids joined(const std::vector<Ids>& batches) {
  Ids ids;
  for (const auto& batch : batches) ids.insert(ids.end(), batch.begin(), batch.end());
  return ids;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(order)

BOOST_AUTO_TEST_CASE(every_epoch_has_every_sample_once_in_an_order_of_its_own) {
  for (const std::int64_t n : {1, 2, 7, 64, 1000}) {
    const Order flat({0}, n), sharded({0, n / 3, n / 3, n / 2}, n, {.window = 10});
    for (const Order* order : {&flat, &sharded})
      for (std::int64_t e = 0; e < 3; ++e) BOOST_TEST(sorted(all_of(order->epoch(e))) == numbers(n));
  }
  const Order order({0}, 1000);
  const auto first = all_of(order.epoch(0));
  BOOST_TEST(first == all_of(order.epoch(0)));
  BOOST_TEST(first != all_of(order.epoch(1)));
  BOOST_TEST(first != all_of(Order({0}, 1000, {.seed = 2}).epoch(0)));
  // A random order leaves one place in a thousand as it is; neighbours are apart by a third of the whole.
  std::int64_t same = 0, apart = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    same += first[i] == static_cast<std::int64_t>(i);
    if (i > 0) apart += std::abs(first[i] - first[i - 1]);
  }
  BOOST_TEST(same < 8);
  BOOST_TEST(std::abs(static_cast<double>(apart) / 999 - 333) < 30);
  BOOST_TEST(all_of(Order({0, 4}, 9, {.shuffle = false, .window = 2}).epoch(3)) == numbers(9));
}

BOOST_AUTO_TEST_CASE(the_order_is_the_same_on_every_machine) {
  std::string text;
  for (const auto id : all_of(Order({0, 40, 70}, 100, {.seed = 5, .window = 16}).epoch(2))) text += join(id, ' ');
  BOOST_TEST(text_id(text) == 5560255359471617078);
}

BOOST_AUTO_TEST_CASE(a_window_is_read_in_few_stretches) {
  const std::int64_t n = 1000;
  Ids shards;
  for (std::int64_t s = 0; s < n; s += 50) shards.push_back(s);
  const Order order(shards, n, {.window = 100});
  const auto epoch = order.epoch(1);
  std::set<std::int64_t> first_window;
  for (std::int64_t place = 0; place < n; place += 100) {
    Ids read, given;
    const auto stretches = epoch.stretches(place);
    BOOST_TEST(stretches.size() == 2u);  // two whole shards
    for (const auto& s : stretches)
      for (std::int64_t i = 0; i < s.count; ++i) read.push_back(s.first + i);
    for (std::int64_t i = 0; i < 100; ++i) given.push_back(epoch[place + i]);
    BOOST_TEST(sorted(read) == sorted(given));
    BOOST_TEST(read != given);
    if (place == 0) first_window.insert(read.begin(), read.end());
  }
  const auto other = order.epoch(2).stretches(0);
  BOOST_TEST(!(first_window.contains(other[0].first) && first_window.contains(other[1].first)));
}

BOOST_AUTO_TEST_CASE(an_order_of_nothing) {
  throws_with([] { Order({0}, 0); }, "there are no samples");
  throws_with([] { Order({}, 3); }, "shards");
  throws_with([] { Order({1}, 3); }, "shards");
  throws_with([] { Order({0, 5, 4}, 9); }, "shards");
  throws_with([] { Order({0, 5}, 4); }, "shards");
  throws_with([] { Order({0}, 4, {.window = 0}); }, "window");
  throws_with([] { Order({0}, 4).epoch(-1); }, "epoch");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(batches)

BOOST_AUTO_TEST_CASE(without_a_budget_the_order_is_cut) {
  const Order order({0}, 103);
  const auto cut = all_of(Batches(order.epoch(0), 1, 0, {.size = 10}));
  BOOST_TEST(cut.size() == 11u);
  BOOST_TEST(cut.back().size() == 3u);
  BOOST_TEST(joined(cut) == all_of(order.epoch(0)));
  // No batch may leave a rank without a sample.
  const auto four = all_of(Batches(order.epoch(0), 1, 0, {.size = 10, .ranks = 4}));
  BOOST_TEST(four.size() == 10u);
  BOOST_TEST(four.back().size() == 13u);
  BOOST_TEST(joined(four) == all_of(order.epoch(0)));
}

BOOST_AUTO_TEST_CASE(with_a_budget_texts_of_like_length_come_together) {
  const std::int64_t n = 1000;
  auto lengths = std::make_shared<Lengths>();
  Random random(3);
  for (std::int64_t i = 0; i < n; ++i) lengths->push_back(static_cast<std::int32_t>(3 + random.below(60)));
  const auto length = [&](std::int64_t i) { return std::int64_t{(*lengths)[static_cast<std::size_t>(i)]}; };
  const Order order({0}, n);
  std::int64_t real = 0, padded = 0;
  for (const std::int64_t ranks : {1, 3}) {
    const BatchOptions options{.size = 40, .tokens = 600, .window = 300, .ranks = ranks};
    const auto cut = all_of(Batches(order.epoch(0), 1, 0, options, lengths));
    BOOST_TEST(sorted(joined(cut)) == numbers(n));
    for (const auto& batch : cut) {
      std::int64_t longest = 0;
      for (const auto i : batch) longest = std::max(longest, length(i)), real += length(i);
      const auto size = static_cast<std::int64_t>(batch.size());
      padded += size * longest;
      BOOST_TEST(size >= ranks);
      BOOST_TEST(size <= 40 + ranks - 1);
      BOOST_TEST((size - (ranks - 1)) * longest <= 600);
    }
    BOOST_TEST(all_of(Batches(order.epoch(0), 1, 0, options, lengths)) == cut);
    std::int64_t rising = 0;  // batches do not come by length
    for (std::size_t k = 1; k < cut.size(); ++k) rising += length(cut[k][0]) >= length(cut[k - 1][0]);
    BOOST_TEST(rising > static_cast<std::int64_t>(cut.size()) / 4);
    BOOST_TEST(rising < static_cast<std::int64_t>(cut.size()) * 3 / 4);
  }
  test::at_least("share of a batch that is no padding", static_cast<double>(real) / static_cast<double>(padded), 0.85);
}

BOOST_AUTO_TEST_CASE(ranks_share_a_batch) {
  for (const std::int64_t ranks : {1, 2, 3, 4, 7})
    for (const std::int64_t n : {7, 8, 20}) {
      Ids all;
      for (std::int64_t r = 0; r < ranks; ++r) {
        const auto part = part_of_rank(numbers(n), r, ranks);
        BOOST_TEST(!part.empty());
        BOOST_TEST(std::abs(static_cast<double>(part.size()) - static_cast<double>(n) / static_cast<double>(ranks)) <
                   1);
        all.insert(all.end(), part.begin(), part.end());
      }
      BOOST_TEST(all == numbers(n));
    }
}

BOOST_AUTO_TEST_CASE(a_stop_between_two_batches_loses_nothing) {
  const Order order({0}, 95);
  const auto lengths = std::make_shared<Lengths>(95, 10);
  for (const BatchOptions& options : {BatchOptions{.size = 10}, BatchOptions{.size = 8, .tokens = 55, .window = 30}}) {
    const auto whole = all_of(Batches(order.epoch(4), 1, 4, options, lengths));
    std::int64_t given = 0;
    for (std::size_t k = 0; k <= whole.size(); ++k) {
      Batches rest(order.epoch(4), 1, 4, options, lengths);
      rest.skip(given);
      BOOST_TEST(all_of(rest) == std::vector<Ids>(whole.begin() + static_cast<std::ptrdiff_t>(k), whole.end()));
      if (k < whole.size()) given += static_cast<std::int64_t>(whole[k].size());
    }
  }
  Batches other(order.epoch(0), 1, 0, {.size = 10});
  throws_with([&] { other.skip(15); }, "cannot go on behind 15 samples");
  Batches beyond(order.epoch(0), 1, 0, {.size = 10});
  throws_with([&] { beyond.skip(96); }, "cannot go on behind 96 samples");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_cut) {
  const Order order({0}, 10);
  const auto make = [&](BatchOptions options, std::shared_ptr<const Lengths> lengths = nullptr) {
    return [&order, options, lengths] { Batches(order.epoch(0), 1, 0, options, lengths); };
  };
  throws_with(make({.size = 0}), "must be above 0");
  throws_with(make({.size = 2, .ranks = 3}), "3 ranks cannot share batches of 2");
  throws_with(make({.size = 20, .ranks = 11}), "11 ranks cannot share");
  throws_with(make({.tokens = 100}), "needs the length of each of the 10 samples");
  throws_with(make({.tokens = 100}, std::make_shared<Lengths>(9, 1)), "needs the length");
  throws_with(make({.tokens = 100, .ranks = 2}, std::make_shared<Lengths>(10, 51)), "less than one text of 51 tokens");
}

BOOST_AUTO_TEST_SUITE_END()
