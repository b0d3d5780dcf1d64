#include "rc3/features/cached_pairs.hpp"

#include <boost/test/unit_test.hpp>

#include "host.hpp"
#include "rc3/data/loader/collate.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(features_cached_pairs)

using namespace rc3;
using features::CachedPairs;
using features::CachedSamples;
using test::Greys;
using test::Host;
using test::letters;
using test::prepare;
using test::throws_with;

namespace {

/// data::PrepareSample with letters for its tokenizer.
struct Prepare {
  data::Pairing pairing;
  data::PreparedSample operator()(const data::Sample& sample, std::uint64_t seed, std::int64_t epoch) const {
    data::PreparedSample out;
    out.image_id = data::text_id(sample.id);
    Random random(seed, static_cast<std::uint64_t>(out.image_id), static_cast<std::uint64_t>(epoch));
    const auto pair = pairing.pair(sample, random).value();
    const auto &a = sample.texts[pair.a].text, &b = sample.texts[pair.b].text;
    out.a = letters(a);
    out.b = letters(b);
    out.caption_a_id = data::text_id(a);
    out.caption_b_id = data::text_id(b);
    out.strict = pair.strict;
    out.relevance = pair.relevance;
    return out;
  }
};

bool same(const at::Tensor& a, const at::Tensor& b) { return at::allclose(a, b, 0, 0, /*equal_nan=*/true); }

}  // namespace

BOOST_AUTO_TEST_CASE(batches_are_those_of_the_loader) {
  Greys source(7);
  const data::Pairing pairing(source.languages());
  data::DataErrors errors;
  Host host;
  CachedSamples samples(host, source, letters, prepare, errors);
  for (const std::int64_t ranks : {1, 2})
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      CachedPairs<Host> cached(host, samples, pairing, {.seed = 3, .batch = 4, .ranks = ranks, .rank = rank});
      data::LoaderOptions options;
      options.order.seed = 3;
      options.batch = {.size = 4, .ranks = ranks};
      options.workers = 0;
      options.rank = rank;
      data::Loader loader(source, Prepare{pairing}, data::CollateSamples(), errors, options);
      for (int step = 0; step < 5; ++step) {  // more than two epochs
        const auto a = cached.next().value(), b = loader.next().value();
        BOOST_TEST(a.samples == b.samples, boost::test_tools::per_element());
        BOOST_TEST(a.epoch == b.epoch);
        BOOST_TEST((cached.state() == loader.state()));
        BOOST_TEST(a.batch.a.ids.equal(b.batch.a.ids));
        BOOST_TEST(a.batch.b.ids.equal(b.batch.b.ids));
        BOOST_TEST(a.batch.strict.equal(b.batch.strict));
        BOOST_TEST(same(a.batch.relevance, b.batch.relevance));
        BOOST_TEST(a.batch.image_ids.equal(b.batch.image_ids));
        BOOST_TEST(a.batch.caption_a_ids.equal(b.batch.caption_a_ids));
        BOOST_TEST(a.batch.caption_b_ids.equal(b.batch.caption_b_ids));
        const auto grey = a.batch.images.features.to(at::kLong).select(1, 0).flatten();
        BOOST_TEST(grey.equal(at::tensor(a.samples, at::kLong)));
      }
    }
}

BOOST_AUTO_TEST_CASE(a_resume_goes_on_where_it_stopped) {
  Greys source(7);
  const data::Pairing pairing(source.languages());
  data::DataErrors errors;
  Host host;
  CachedSamples samples(host, source, letters, prepare, errors);
  CachedPairs<Host> whole(host, samples, pairing, {.seed = 5, .batch = 3});
  for (int step = 0; step < 4; ++step) whole.next();
  CachedPairs<Host> resumed(host, samples, pairing, {.seed = 5, .batch = 3}, whole.state());
  for (int step = 0; step < 4; ++step) {
    const auto a = whole.next().value(), b = resumed.next().value();
    BOOST_TEST(a.samples == b.samples, boost::test_tools::per_element());
    BOOST_TEST(a.batch.a.ids.equal(b.batch.a.ids));
  }
  throws_with(
      [&] {
        CachedPairs<Host>(host, samples, pairing, {.batch = 3}, data::LoaderState{1, 0, 4});
      },
      "no batch ends there");
}

BOOST_AUTO_TEST_CASE(a_resume_on_other_data_is_refused_or_begins_the_next_epoch) {
  Greys source(7), other(8);
  const data::Pairing pairing(source.languages());
  data::DataErrors errors;
  Host host;
  CachedSamples samples(host, source, letters, prepare, errors), others(host, other, letters, prepare, errors);
  CachedPairs<Host> before(host, samples, pairing, {.seed = 5, .batch = 3});
  before.next();
  const auto state = before.state();
  throws_with([&] { CachedPairs<Host>(host, others, pairing, {.seed = 5, .batch = 3}, state); }, "(7 samples",
              "(8 samples");
  throws_with([&] { CachedPairs<Host>(host, samples, pairing, {.seed = 6, .batch = 3}, state); },
              "the seed was 5, is now 6");
  CachedPairs<Host> now(host, others, pairing, {.seed = 6, .batch = 3, .changes = data::Changes::allow}, state);
  CachedPairs<Host> fresh(host, others, pairing, {.seed = 6, .batch = 3});
  for (int step = 0; step < 3; ++step) fresh.next();
  BOOST_TEST(now.state().epoch == 1);
  for (int step = 0; step < 3; ++step)
    BOOST_TEST(now.next()->samples == fresh.next()->samples, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_resume_encodes_texts_beside_the_same_neighbours) {
  Greys source(20);
  const data::Pairing pairing(source.languages());
  data::DataErrors errors;
  const auto hidden_after = [&](int before, int stop) {  // of the step after both, stopped in between or not
    Host host;
    host.text_.rounding = 1e-3;
    auto samples = std::make_unique<CachedSamples>(host, source, letters, prepare, errors);
    auto pairs = std::make_unique<CachedPairs<Host>>(host, *samples, pairing, features::CachedPairsOptions{.batch = 3});
    for (int step = 0; step < before; ++step) {
      if (step == stop) {  // killed: a new process has an empty cache
        const auto state = pairs->state();
        samples = std::make_unique<CachedSamples>(host, source, letters, prepare, errors);
        pairs = std::make_unique<CachedPairs<Host>>(host, *samples, pairing, features::CachedPairsOptions{.batch = 3},
                                                    state);
      }
      pairs->next();
    }
    return pairs->next()->batch.a.hidden;
  };
  for (const int stop : {1, 4, 9}) BOOST_TEST(hidden_after(10, -1).equal(hidden_after(10, stop)));
}

BOOST_AUTO_TEST_CASE(samples_without_a_pair_are_left_out) {
  Greys source(4);
  source.samples[2].texts.resize(1);
  data::DataErrors errors;
  Host host;
  CachedSamples samples(host, source, letters, prepare, errors);
  CachedPairs<Host> cached(host, samples, data::Pairing(source.languages()), {.batch = 4});
  BOOST_TEST(cached.size() == 3);
  BOOST_TEST(cached.next()->samples.size() == 3u);
  data::PairingOptions english;
  english.languages = {"en"};
  throws_with([&] { CachedPairs<Host>(host, samples, data::Pairing(source.languages(), english)); },
              "no sample has two texts");
}

BOOST_AUTO_TEST_SUITE_END()
