#include "rc3/relevance/encoder.hpp"

#include <boost/test/unit_test.hpp>

#include "relevance/table.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(relevance_encoder)

using namespace rc3::test;
using rc3::Batch;
using rc3::StateDict;

/// By the translations (i, n + i) of a table of 2 n rows.
void calibrate(Encoder& encoder, std::int64_t n) {
  std::vector<std::int64_t> a, b;
  for (std::int64_t i = 0; i < n; ++i) a.push_back(i), b.push_back(n + i);
  encoder.calibrate(texts(a), texts(b));
}

BOOST_AUTO_TEST_CASE(calibration_puts_random_pairs_at_0_and_translations_at_1) {
  constexpr std::int64_t n = 12;
  const auto table = translations(n);
  const auto rows = matrix_of(table->rows_);
  Encoder encoder(table);
  std::vector<std::int64_t> a, b;
  for (std::int64_t i = 0; i < n; ++i) a.push_back(i), b.push_back(n + i);
  encoder.calibrate(texts(a), texts(b));

  double same = 0, random = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) (i == j ? same : random) += cosine(rows[i], rows[n + j]);
  same /= n;
  random /= n * (n - 1);
  at_most("calibrate: high against loops", std::abs(encoder.high() - same), 1e-12);
  at_most("calibrate: low against loops", std::abs(encoder.low() - random), 1e-12);

  // Scores of translations, of random pairs, of the most distant text, and of a text with itself.
  std::int64_t far = 1;
  for (std::int64_t j = 1; j < 2 * n; ++j)
    if (cosine(rows[0], rows[static_cast<std::size_t>(j)]) < cosine(rows[0], rows[static_cast<std::size_t>(far)]))
      far = j;
  const std::vector<std::int64_t> left{0, 1, 2, 0, 4}, right{n, n + 1, n + 7, far, 4};
  const auto score = vector_of(encoder.score(batch_of(left, right)));
  double worst = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const double c = cosine(rows[static_cast<std::size_t>(left[i])], rows[static_cast<std::size_t>(right[i])]);
    worst = std::max(worst, std::abs(score[i] - std::clamp((c - random) / (same - random), 0.0, 1.0)));
  }
  at_most("score against loops", worst, 1e-12);
  BOOST_TEST(score[3] == 0.0);
  BOOST_TEST(score[4] == 1.0);
}

BOOST_AUTO_TEST_CASE(each_text_is_encoded_once_and_the_numbers_stay) {
  const auto table = translations(8);
  Encoder cached(table), plain(std::make_shared<Table>(*table), {.remember = 0});
  calibrate(cached, 8);
  calibrate(plain, 8);
  table->encoded = 0;
  const auto batch = batch_of({0, 1, 2, 1}, {8, 9, 0, 9});  // five different texts in eight places
  const auto first = cached.score(batch);
  BOOST_TEST(table->encoded == 5);
  BOOST_TEST(cached.score(batch).equal(first));
  BOOST_TEST(table->encoded == 5);
  at_most("cached against not cached", max_difference(first, plain.score(batch)), 1e-15);
  cached.score(batch_of({2, 3}, {8, 9}));
  BOOST_TEST(table->encoded == 6);
  // Without ids nothing can be remembered.
  BOOST_TEST(cached.score(batch_of({0, 1, 2, 1}, {8, 9, 0, 9}, false)).equal(plain.score(batch)));
  BOOST_TEST(table->encoded == 14);
}

BOOST_AUTO_TEST_CASE(a_small_memory_changes_no_number) {
  const auto table = translations(8);
  Encoder small(table, {.remember = 3}), plain(std::make_shared<Table>(*table), {.remember = 0});
  calibrate(small, 8);
  calibrate(plain, 8);
  for (std::int64_t i = 0; i < 6; ++i) {
    const auto batch = batch_of({i, i + 1}, {i + 8, i + 9});
    BOOST_TEST(small.score(batch).equal(plain.score(batch)));
  }
}

BOOST_AUTO_TEST_CASE(the_encoder_is_frozen) {
  const auto table = translations(4);
  Encoder encoder(table);
  calibrate(encoder, 4);
  BOOST_TEST(!table->rows_.requires_grad());
  BOOST_TEST(!table->is_training());
  BOOST_TEST(!encoder.score(batch_of({0, 1}, {4, 5})).requires_grad());
}

BOOST_AUTO_TEST_CASE(rows_are_every_text_b_against_some_texts_a) {
  const auto table = translations(5);
  Encoder encoder(table);
  encoder.calibrate(texts({0, 1, 2}), texts({5, 6, 7}));
  for (const bool with_ids : {true, false}) {
    const auto batch = batch_of({0, 1, 2, 3}, {5, 6, 7, 1}, with_ids);
    const auto rows = encoder.score_rows(batch, 1, 3);
    BOOST_TEST(rows.sizes() == at::IntArrayRef({2, 4}));
    double worst = 0;
    for (std::int64_t i = 0; i < 2; ++i)
      for (std::int64_t j = 0; j < 4; ++j) {
        const auto a = vector_of(table->rows_[batch.a.ids[i + 1][0].item<std::int64_t>()]);
        const auto b = vector_of(table->rows_[batch.b.ids[j][0].item<std::int64_t>()]);
        const double expected = std::clamp((cosine(a, b) - encoder.low()) / (encoder.high() - encoder.low()), 0.0, 1.0);
        worst = std::max(worst, std::abs(rows[i][j].item<double>() - expected));
      }
    at_most("rows against cosines by hand", worst, 1e-12);
    at_most("their diagonal against score", max_difference(rows.diagonal(1), encoder.score(batch).narrow(0, 1, 2)),
            1e-12);
  }
}

BOOST_AUTO_TEST_CASE(an_encoder_may_follow_the_one_that_learns) {
  const auto table = translations(4), live = std::make_shared<Table>(8);
  const auto before = table->rows_.clone();
  Encoder encoder(table);
  calibrate(encoder, 4);
  const auto batch = batch_of({0, 1}, {4, 5});
  const auto old = encoder.score(batch);
  encoder.follow(*live, 0.75);
  at_most("0.75 of the old and 0.25 of the new", max_difference(table->rows_, 0.75 * before + 0.25 * live->rows_),
          1e-12);
  BOOST_TEST(!encoder.score(batch).equal(old));  // what was remembered is not of this encoder
  BOOST_TEST(!table->rows_.requires_grad());
  encoder.follow(*live, 0.0);
  BOOST_TEST(table->rows_.equal(live->rows_.detach()));
  throws_with([&] { encoder.follow(*live, 1.0); }, "relevance::Encoder", "momentum");
  throws_with([&] { encoder.follow(Table(3)); }, "relevance::Encoder", "rows");
}

BOOST_AUTO_TEST_CASE(an_encoder_without_a_scale_says_so) {
  static_assert(rc3::relevance::NeedsCalibration<Encoder> && rc3::relevance::Calibrates<Encoder>);
  const auto batch = batch_of({0, 1}, {4, 5});
  Encoder encoder(translations(4)), other(translations(4));
  BOOST_TEST(!encoder.calibrated());
  throws_with([&] { encoder.score(batch); }, "relevance::Encoder", "not calibrated", "calibrate(a, b)");
  throws_with([&] { encoder.score_rows(batch, 0, 1); }, "relevance::Encoder", "not calibrated");
  other.load_state_dict(encoder.state_dict());  // of one without a scale: as before
  BOOST_TEST(!other.calibrated());
  calibrate(encoder, 4);
  BOOST_TEST(encoder.calibrated());
  other.load_state_dict(encoder.state_dict());
  BOOST_TEST(other.calibrated());
  BOOST_TEST(other.score(batch).equal(encoder.score(batch)));
}

BOOST_AUTO_TEST_CASE(state_that_does_not_fit_changes_nothing) {
  const auto table = translations(4);
  Encoder encoder(table);
  calibrate(encoder, 4);
  encoder.follow(Table(8), 0.5);
  const auto scale = [&] { return std::pair(encoder.low(), encoder.high()); };
  const auto before = scale();
  const auto rows = table->rows_.clone();
  const auto refused = [&](const auto& damage, const char* what) {
    auto state = encoder.state_dict();
    for (auto& [name, tensor] : state) tensor = tensor + 1;
    damage(state);
    throws_with([&] { encoder.load_state_dict(state); }, "relevance::Encoder", what);
    BOOST_TEST((scale() == before));
    BOOST_TEST(table->rows_.equal(rows));
  };
  refused([](StateDict& s) { s.erase("scale"); }, "no \"scale\"");
  refused([](StateDict& s) { s["scale"] = at::zeros({3}, at::kDouble); }, "scale");
  refused([](StateDict& s) { s["scale"] = at::tensor({0.5, 0.5}, at::kDouble); }, "lower and a higher");
  refused([](StateDict& s) { s["scale"] = at::tensor({0.5, std::nan("")}, at::kDouble); }, "lower and a higher");
  refused([](StateDict& s) { s["encoder.rows"] = at::zeros({7, 6}, at::kDouble); }, "encoder.rows");
  refused([](StateDict& s) { s["encoder.rows"] = at::zeros({8, 6}, at::kFloat); }, "encoder.rows");
  refused([](StateDict& s) { s["encoder.more"] = at::zeros({1}); }, "no place");
}

BOOST_AUTO_TEST_CASE(what_calibration_refuses) {
  Encoder encoder(translations(4));
  throws_with([&] { encoder.calibrate(texts({0}), texts({4})); }, "relevance::Encoder", "two or more");
  throws_with([&] { encoder.calibrate(texts({0, 1}), texts({4})); }, "relevance::Encoder", "two or more");
  throws_with([&] { encoder.calibrate(texts({0, 1}), texts({1, 0})); }, "relevance::Encoder", "no translations");
}

namespace {

/// A text policy whose states may be cached: a row of the table for each id.
struct Cacheable : Table {
  using Table::Table;
  rc3::Tokens encode(const rc3::Texts& texts) {
    if (texts.hidden.defined()) return {texts.hidden, texts.mask};
    return Table::encode(texts);
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(cached_states_replace_the_ids_only_if_the_option_says_so) {
  constexpr std::int64_t n = 6;
  const auto table = std::make_shared<Cacheable>(2 * n);
  const torch::NoGradGuard no_grad;
  table->rows_.slice(0, n).copy_(table->rows_.slice(0, 0, n) + 0.3 * at::randn({n, table->width()}, at::kDouble));
  auto batch = batch_of({0, 1, 2}, {n, n + 1, n + 5});
  const auto states = [&](const rc3::Texts& t) { return table->rows_.index_select(0, t.ids.flatten()).unsqueeze(1); };
  batch.a.hidden = states(batch.a);
  batch.b.hidden = -states(batch.b);  // of no use to an encoder that reads ids
  rc3::relevance::Encoder<Cacheable> ids(table), hidden(table, {.hidden = true});
  std::vector<std::int64_t> a, b;
  for (std::int64_t i = 0; i < n; ++i) a.push_back(i), b.push_back(n + i);
  ids.calibrate(texts(a), texts(b));
  hidden.calibrate(texts(a), texts(b));
  const auto encoded = table->encoded;
  const auto by_hidden = hidden.score(batch);
  BOOST_TEST(table->encoded == encoded);  // no text passed
  const auto by_ids = ids.score(batch);
  BOOST_TEST(table->encoded > encoded);
  BOOST_TEST(by_ids[0].item<double>() > 0.5);
  BOOST_TEST(by_hidden[0].item<double>() == 0);  // opposite vectors
  batch.b.hidden = -batch.b.hidden;
  batch.caption_a_ids = batch.caption_b_ids = at::Tensor();  // nothing is remembered
  BOOST_TEST(at::allclose(hidden.score(batch), by_ids, 1e-9, 1e-9));
}

BOOST_AUTO_TEST_SUITE_END()
