#include "rc3/data/loader/loader.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <fstream>
#include <mutex>
#include <set>

#include "rc3/core/random.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(loader)

using namespace rc3;
using namespace rc3::data;
using test::at_most;
using test::throws_with;
using Ids = std::vector<std::int64_t>;

namespace {

/// Numbers instead of images; some cannot be read.
class Numbers {
 public:
  explicit Numbers(std::int64_t size, std::set<std::int64_t> damaged = {}, Ids shards = {0})
      : size_(size), damaged_(std::move(damaged)), shards_(std::move(shards)) {}
  const char* name() const { return "numbers"; }
  std::int64_t size() const { return size_; }
  Sample read(std::int64_t i) const {
    ++reads;
    require(!damaged_.contains(i), "numbers: sample ", i, ": truncated");
    return {std::to_string(i), {}, {}, {}, {}};
  }
  const LanguageCounts& languages() const { return languages_; }
  const Ids& shards() const { return shards_; }
  void will_read(std::int64_t first, std::int64_t count) const {
    const std::lock_guard lock(announcing);  // the loaders of several ranks read one source
    announced.push_back({first, count});
  }

  mutable std::atomic<std::int64_t> reads{0};
  mutable std::mutex announcing;
  mutable std::vector<Order::Stretch> announced;

 private:
  std::int64_t size_;
  std::set<std::int64_t> damaged_;
  Ids shards_;
  LanguageCounts languages_;
};
static_assert(ShardedDataset<Numbers>);

/// What a step sees of a sample: its id, and a number that an augmentation would draw for it.
struct Seen {
  std::int64_t id;
  double draw;
  friend bool operator==(const Seen&, const Seen&) = default;
};

Seen prepare(const Sample& sample, std::uint64_t seed, std::int64_t epoch) {
  const std::int64_t id = std::stoll(sample.id);
  if (id % 7 == 0) std::this_thread::yield();  // so that threads overtake each other
  return {id, Random(seed, static_cast<std::uint64_t>(id), static_cast<std::uint64_t>(epoch)).uniform()};
}
std::vector<Seen> collate(std::vector<Seen> samples) { return samples; }

/// A thousand numbers, to be added up in the order of the steps: two orders do not give the same float.
struct Weights {
  double value = 1;
  void step(const std::vector<Seen>& batch) {
    double sum = 0;
    for (const Seen& s : batch) sum += s.draw * static_cast<double>(s.id);
    value = value * 0.97 + sum / 1e3;
  }
};

auto load(const Numbers& numbers, DataErrors& errors, LoaderOptions options,
          std::optional<LoaderState> from = std::nullopt, std::shared_ptr<const Lengths> lengths = nullptr) {
  return std::make_unique<Loader<Numbers, decltype(&prepare), decltype(&collate)>>(numbers, &prepare, &collate, errors,
                                                                                   options, std::move(lengths), from);
}

std::vector<LoaderOptions> ways() {
  std::vector<LoaderOptions> all;
  for (const int workers : {0, 1, 4}) all.push_back({.batch = {.size = 16}, .workers = workers, .prefetch = 3});
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(T14_a_run_that_stops_and_goes_on_is_the_run_left_alone) {
  const std::int64_t steps = 60;  // three epochs of 20 batches, the last one smaller
  const auto lengths = std::make_shared<Lengths>();
  for (int i = 0; i < 315; ++i) lengths->push_back(1 + i % 9);
  double worst = 0;
  for (const bool budget : {false, true})
    for (LoaderOptions options : ways()) {
      if (budget) options.batch = {.size = 16, .tokens = 100, .window = 64};
      const Numbers numbers(315, {}, {0, 100, 200});
      DataErrors errors;
      Weights alone;
      const auto whole = load(numbers, errors, options, {}, lengths);
      for (std::int64_t i = 0; i < steps; ++i) alone.step(whole->next()->batch);
      for (const std::int64_t k : {0, 1, 19, 20, 21, 37, 59}) {
        Weights weights;
        LoaderState state;
        {
          const auto before = load(numbers, errors, options, {}, lengths);
          for (std::int64_t i = 0; i < k; ++i) weights.step(before->next()->batch);
          state = before->state();
        }
        for (LoaderOptions other : ways()) {  // goes on with another number of threads
          other.batch = options.batch;
          Weights resumed = weights;
          const auto after = load(numbers, errors, other, state, lengths);
          for (std::int64_t i = k; i < steps; ++i) resumed.step(after->next()->batch);
          worst = std::max(worst, std::abs(resumed.value - alone.value));
        }
      }
    }
  at_most("T14 weights after k + resume + (N - k) steps against N, 0/1/4 threads", worst, 0.0);
}

BOOST_AUTO_TEST_CASE(T15_every_id_once_an_epoch_in_one_order) {
  const std::int64_t n = 203;
  const auto epoch_of = [&](std::int64_t ranks, int workers, bool sharded) {
    const Numbers numbers(n, {}, sharded ? Ids{0, 50, 90, 160} : Ids{0});
    DataErrors errors;
    std::vector<std::vector<Ids>> of_rank;
    for (std::int64_t r = 0; r < ranks; ++r) {
      const auto loader = load(
          numbers, errors,
          {.order = {.window = 40}, .batch = {.size = 24, .ranks = ranks}, .epochs = 2, .workers = workers, .rank = r});
      of_rank.emplace_back();
      while (const auto loaded = loader->next()) {
        of_rank.back().push_back(loaded->samples);
        Ids seen;
        for (const Seen& s : loaded->batch) seen.push_back(s.id);
        BOOST_TEST(seen == loaded->samples);
      }
    }
    Ids order;  // batch by batch, rank by rank
    for (std::size_t b = 0; b < of_rank[0].size(); ++b)
      for (const auto& batches : of_rank) order.insert(order.end(), batches.at(b).begin(), batches.at(b).end());
    return order;
  };
  std::int64_t wrong = 0;
  for (const bool sharded : {false, true}) {
    const Ids expected = epoch_of(1, 0, sharded);
    BOOST_TEST(expected.size() == static_cast<std::size_t>(2 * n));
    for (const std::int64_t e : {0, 1})
      wrong += std::set<std::int64_t>(expected.begin() + e * n, expected.begin() + (e + 1) * n).size() != 203u;
    for (const std::int64_t ranks : {1, 2, 4})
      for (const int workers : {0, 1, 4}) wrong += epoch_of(ranks, workers, sharded) != expected;
  }
  at_most("T15 runs with another order, or an id twice, of 1/2/4 ranks and 0/1/4 threads", wrong, 0);
}

BOOST_AUTO_TEST_CASE(T20_damaged_samples_are_left_out_and_counted) {
  std::set<std::int64_t> damaged;
  for (std::int64_t i = 3; i < 200; i += 40) damaged.insert(i);
  std::vector<std::vector<std::string>> examples;
  for (const LoaderOptions& way : ways()) {
    LoaderOptions options = way;
    options.epochs = 1;
    const Numbers numbers(200, damaged);
    DataErrors errors({.fraction = 0, .minimum = 5});
    const auto loader = load(numbers, errors, options);
    std::int64_t given = 0, skipped = 0;
    while (const auto loaded = loader->next()) {
      given += static_cast<std::int64_t>(loaded->batch.size());
      skipped += loaded->skipped;
      for (const Seen& s : loaded->batch) BOOST_TEST(!damaged.contains(s.id));
    }
    BOOST_TEST(given == 195);
    BOOST_TEST(skipped == 5);
    BOOST_TEST(errors.count("damaged sample") == 5);
    BOOST_TEST(errors.samples() == 200);
    examples.push_back(errors.kinds().at("damaged sample").examples);
  }
  BOOST_TEST(examples[0] == examples[1]);  // the same ones, in the same order
  BOOST_TEST(examples[0] == examples[2]);

  for (const LoaderOptions& way : ways()) {
    const Numbers numbers(200, damaged);
    DataErrors errors({.fraction = 0, .minimum = 4});
    const auto loader = load(numbers, errors, way);
    throws_with(
        [&] {
          for (int i = 0; i < 13; ++i) loader->next();
        },
        "too many errors: 5 in", "damaged sample: 5", "truncated");
  }
}

BOOST_AUTO_TEST_CASE(a_batch_of_damage_is_passed_over_by_one_rank_and_an_error_for_several) {
  for (const LoaderOptions& way : ways()) {
    const Numbers numbers(64, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 40});
    DataErrors errors({.fraction = 1, .minimum = 100}), more({.fraction = 1, .minimum = 100});
    LoaderOptions options = way;
    options.order.shuffle = false;
    options.epochs = 1;
    const auto loader = load(numbers, errors, options);
    BOOST_TEST(loader->next()->batch.front().id == 16);
    BOOST_TEST(loader->state().samples == 32);
    while (loader->next()) {
    }
    BOOST_TEST(errors.count() == 17);
    options.batch.ranks = 2;
    const auto of_two = load(numbers, more, options);
    throws_with([&] { of_two->next(); }, "every sample of a batch is damaged", "numbers: sample 7: truncated");
  }
}

BOOST_AUTO_TEST_CASE(no_more_is_read_ahead_than_was_said) {
  const Numbers numbers(10000);
  DataErrors errors;
  const auto loader = load(numbers, errors, {.batch = {.size = 10}, .workers = 4, .prefetch = 3});
  for (int i = 0; i < 5; ++i) loader->next();
  for (int i = 0; i < 100 && numbers.reads < 80; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  BOOST_TEST(numbers.reads == 80);  // five batches were given, three wait
}

BOOST_AUTO_TEST_CASE(other_errors_reach_the_trainer_in_their_turn) {
  for (const LoaderOptions& way : ways()) {
    const Numbers numbers(100);
    DataErrors errors;
    LoaderOptions options = way;
    options.order.shuffle = false;
    const auto broken = [](const Sample& sample, std::uint64_t, std::int64_t) {
      if (sample.id == "40") throw std::bad_alloc();
      return Seen{std::stoll(sample.id), 0};
    };
    Loader<Numbers, decltype(broken), decltype(&collate)> loader(numbers, broken, &collate, errors, options);
    BOOST_TEST(loader.next()->batch.size() == 16u);
    BOOST_TEST(loader.next()->batch.size() == 16u);
    BOOST_CHECK_THROW(loader.next(), std::bad_alloc);
    BOOST_TEST(loader.state().samples == 32);
  }
}

BOOST_AUTO_TEST_CASE(the_windows_to_come_are_announced) {
  Ids shards;
  for (std::int64_t s = 0; s < 400; s += 20) shards.push_back(s);
  const Numbers numbers(400, {}, shards);
  DataErrors errors;
  const auto loader =
      load(numbers, errors, {.order = {.window = 40}, .batch = {.size = 10}, .epochs = 1, .workers = 0, .prefetch = 1});
  std::set<std::int64_t> announced;
  while (const auto loaded = loader->next()) {
    for (const auto& s : numbers.announced)
      for (std::int64_t i = 0; i < s.count; ++i) announced.insert(s.first + i);
    for (const auto id : loaded->samples) BOOST_TEST(announced.contains(id));
    BOOST_TEST(announced.size() <= static_cast<std::size_t>(loader->state().samples + 80));
  }
  BOOST_TEST(announced.size() == 400u);
}

BOOST_AUTO_TEST_CASE(T21_memory_does_not_grow) {
  const Numbers numbers(5000);
  DataErrors errors;
  const auto loader = load(numbers, errors, {.batch = {.size = 8}, .workers = 4});
  const auto resident = [] {
    std::ifstream status("/proc/self/statm");
    long pages = 0, in_memory = 0;
    status >> pages >> in_memory;
    return in_memory * (sysconf(_SC_PAGESIZE) / 1024);
  };
  for (int i = 0; i < 1000; ++i) loader->next();
  const long before = resident();
  for (int i = 0; i < 10000; ++i) loader->next();
  const bool sanitized = test::environment("RC3_SANITIZED") == "1";
  at_most("T21 KB more in memory per 1,000 steps, over 10,000", sanitized ? 0 : (resident() - before) / 10, 1024);
}

BOOST_AUTO_TEST_CASE(an_epoch_without_an_intact_sample_is_an_error_with_the_reasons) {
  std::set<std::int64_t> all, but_one;
  for (std::int64_t i = 0; i < 40; ++i) all.insert(i);
  but_one = all;
  but_one.erase(17);
  for (LoaderOptions options : ways()) {
    const Numbers useless(40, all), one(40, but_one);
    DataErrors errors({.fraction = 1}), few({.fraction = 1});
    throws_with([&] { load(useless, errors, options)->next(); }, "not one of the 40 samples of numbers can be used",
                "damaged sample: 40", "truncated");
    options.epochs = 1;  // the last epoch too
    throws_with([&] { load(useless, errors, options)->next(); }, "not one of the 40");
    // A single usable sample is enough, wherever it comes in the epoch; so is the rest of an epoch in the middle.
    options.epochs = -1;
    const auto loader = load(one, few, options);
    for (int i = 0; i < 30; ++i) BOOST_TEST(loader->next()->batch.at(0).id == 17);
    const auto later = load(one, few, options, LoaderState{1, 0, 16});
    for (int i = 0; i < 5; ++i) BOOST_TEST(later->next()->batch.at(0).id == 17);
  }
}

BOOST_AUTO_TEST_CASE(a_wait_for_data_ends_when_it_is_told_to) {
  std::set<std::int64_t> all;
  for (std::int64_t i = 0; i < 1'000'000; ++i) all.insert(i);
  for (const LoaderOptions& options : ways()) {
    const Numbers useless(1'000'000, all), good(100);
    DataErrors errors({.fraction = 1}), none;
    int asked = 0;
    const auto loader = load(useless, errors, options);
    BOOST_TEST(!loader->next([&] { return ++asked > 20; }));
    BOOST_TEST(errors.samples() < 1000);
    // A sample that is read without end: threads do not make the caller wait for it.
    std::atomic<bool> release = false;
    const auto slow = [&](const Sample&, std::uint64_t, std::int64_t) {
      while (!release) std::this_thread::yield();
      return Seen{};
    };
    if (options.workers == 0) continue;
    Loader<Numbers, decltype(slow), decltype(&collate)> stuck(good, slow, &collate, none, options);
    BOOST_TEST(!stuck.next([&] { return true; }));
    release = true;
    BOOST_TEST(stuck.next([] { return false; })->batch.size() == 16u);  // nothing is lost
  }
}

BOOST_AUTO_TEST_CASE(a_resume_with_other_data_seed_or_order_is_refused_or_begins_the_next_epoch) {
  const Numbers before(315), same(315), grown(316), less(300), sharded(315, {}, {0, 100, 200});
  DataErrors errors;
  const auto state_of = [&](const Numbers& numbers, LoaderOptions options) {
    const auto loader = load(numbers, errors, options);
    for (int i = 0; i < 21; ++i) loader->next();
    return loader->state();
  };
  const LoaderOptions options{.batch = {.size = 16}, .workers = 0};
  const auto state = state_of(before, options);
  BOOST_TEST(state.data->name == "numbers");
  BOOST_TEST(state.data->size == 315);
  BOOST_TEST(state.epoch == 1);
  BOOST_TEST(load(same, errors, options, state)->state().samples == 16);

  const auto refused = [&](const Numbers& numbers, LoaderOptions now, const LoaderState& from, const char* was,
                           const char* is) {
    throws_with([&] { load(numbers, errors, now, from); }, "cannot go on in the middle of an epoch", was, is);
    now.changes = Changes::allow;
    const auto loader = load(numbers, errors, now, from);
    BOOST_TEST(loader->state().epoch == 2);
    BOOST_TEST(loader->state().samples == 0);
    std::set<std::int64_t> epoch;
    while (epoch.size() < static_cast<std::size_t>(numbers.size())) {
      const auto loaded = loader->next();
      epoch.insert(loaded->samples.begin(), loaded->samples.end());
    }
    BOOST_TEST(loader->state().epoch == 2);
    BOOST_TEST(loader->state().seed == now.order.seed);
  };
  refused(grown, options, state, "the data set was numbers (315 samples, digest", "is now numbers (316 samples");
  refused(less, options, state, "(315 samples", "(300 samples");
  refused(sharded, options, state, "the data set was", "the order was shuffled, is now shuffled in windows of 8192");
  auto other = options;
  other.order.seed = 2;
  refused(same, other, state, "the seed was 1", "is now 2");
  other = options;
  other.order.shuffle = false;
  refused(same, other, state, "the order was shuffled", "is now as in the data");
  const LoaderOptions windows{.order = {.window = 40}, .batch = {.size = 16}, .workers = 0};
  other = windows;
  other.order.window = 50;
  refused(sharded, other, state_of(sharded, windows), "in windows of 40", "in windows of 50");
  // What is not known is not compared: a checkpoint of an older version.
  BOOST_TEST(load(grown, errors, options, LoaderState{1, 1, 16})->state().samples == 16);
}

BOOST_AUTO_TEST_CASE(the_identity_of_data_is_of_ids_texts_and_size) {
  const auto sample = [](std::int64_t i) { return Sample{std::to_string(i), {}, {{"en", "a cow", 0}}, {}, {}}; };
  const auto of = [](std::int64_t size, const auto& read, std::vector<std::int64_t> shards = {0}) {
    return identity_of("x", size, shards, read);
  };
  const auto plain = of(9, sample);
  BOOST_TEST(same_data(plain, of(9, sample)));
  BOOST_TEST(same_data(plain, identity_of("y", 9, {0}, sample)));  // moved
  BOOST_TEST(!same_data(plain, of(10, sample)));
  BOOST_TEST(!same_data(plain, of(9, sample, {0, 4})));
  for (const int field : {0, 1, 2, 3}) {
    const auto changed = [&](std::int64_t i) {
      auto s = sample(i);
      if (i != 8) return s;  // the last one
      if (field == 0) s.id += 'x';
      if (field == 1) s.texts[0].text += 's';
      if (field == 2) s.texts[0].language = "de";
      if (field == 3) s.texts.push_back({"de", "eine Kuh", 0});
      return s;
    };
    BOOST_TEST(!same_data(plain, of(9, changed)));
  }
  const auto damaged = [&](std::int64_t i) { return i == 3 ? throw Error("truncated") : sample(i); };
  BOOST_TEST(!same_data(plain, of(9, damaged)));
  BOOST_TEST(same_data(of(9, damaged), of(9, damaged)));
  std::int64_t reads = 0;
  of(100'000'000, [&](std::int64_t i) { return ++reads, sample(i); });
  BOOST_TEST(reads == 64);
  BOOST_TEST(of(0, sample).content.size() == 16u);
}

BOOST_AUTO_TEST_CASE(what_it_refuses) {
  const Numbers numbers(100);
  DataErrors errors;
  const auto with = [&](LoaderOptions options, std::optional<LoaderState> from = std::nullopt) {
    return [&, options, from] { load(numbers, errors, options, from); };
  };
  throws_with(with({.workers = -1}), "workers must be >= 0");
  throws_with(with({.prefetch = 0}), "prefetch above 0");
  throws_with(with({.batch = {.size = 8, .ranks = 2}, .rank = 2}), "rank 2 of 2");
  throws_with(with({.batch = {.size = 16}}, LoaderState{1, 0, 20}), "cannot go on behind 20 samples");
  throws_with(with({.batch = {.size = 0}}), "must be above 0");
}

BOOST_AUTO_TEST_SUITE_END()
