#include "rc3/task/retrieval_evaluation.hpp"

#include <torch/torch.h>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "rc3/core/nn/l2_normalize.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(task_retrieval_evaluation)

using namespace rc3;
using task::LanguageRecall;
using task::RetrievalEvaluation;
using test::at_most;
using test::throws_with;

namespace {

/// An image's one region holds its direction, a text is an angle in degrees.
struct Circle : torch::nn::Module {
  struct Plain {};
  Plain* visual_policy() { return &plain; }
  Plain* text_policy() { return &plain; }
  Tokens visual(const Images& p) { return {p.regions, p.region_mask}; }
  Tokens text(const Texts& t) { return {t.ids.unsqueeze(2).to(at::kFloat), t.mask}; }
  at::Tensor image_embedding(const Tokens& t) { return nn::l2_normalize(t.values.select(1, 0)); }
  at::Tensor text_embedding(const Tokens& t) {
    const auto radians = t.values.select(1, 1).squeeze(1) * (std::acos(-1.0) / 180);
    return at::stack({radians.cos(), radians.sin()}, 1);
  }
  /// ITM prefers the image at the angle of the text and 21 degrees.
  at::Tensor fuse(const Tokens& v, const Tokens& t) {
    const auto image = at::atan2(v.values.select(1, 0).select(1, 1), v.values.select(1, 0).select(1, 0));
    const auto wanted = (t.values.select(1, 1).squeeze(1) + 21) * (std::acos(-1.0) / 180);
    return -(image - wanted).abs().unsqueeze(1);
  }
  at::Tensor itm_logits(const at::Tensor& z) { return 100 * z.squeeze(1); }
  Plain plain;
};

std::vector<std::int64_t> encode(const std::string& text) {
  const auto angle = std::stoll(text);
  std::vector<std::int64_t> ids{0, angle};
  ids.resize(static_cast<std::size_t>(3 + angle % 3), 2);  // of different lengths: they are padded
  return ids;
}

struct Source {
  std::vector<data::Sample> samples = {};
  data::LanguageCounts counts = {};
  std::string name() const { return "circle"; }
  std::int64_t size() const { return static_cast<std::int64_t>(samples.size()); }
  data::Sample read(std::int64_t i) const { return samples[static_cast<std::size_t>(i)]; }
  const data::LanguageCounts& languages() const { return counts; }
};
static_assert(data::Dataset<Source>);

/// Gaps that grow: no two images, or texts, are equally near.
constexpr int angles[] = {0, 10, 21, 33, 46, 60, 75};

features::CachedSamples circle(Circle& model, bool equal = false) {
  Source source;
  for (std::size_t k = 0; k < 7; ++k) {
    const auto at = [&](std::size_t i) { return std::to_string(angles[i % 7]); };
    data::Sample sample;
    sample.id = std::to_string(k);
    // English is right, German is one image too far; of two French captions the second is right.
    sample.texts = {{"en", at(k)}, {"de", at(k + 1)}, {"fr", std::to_string(angles[k] + 40)}, {"fr", at(k)}};
    if (equal && k == 6) sample.texts[0].text = at(0);
    if (k == 5) sample.texts.push_back({"ja", at(k)});  // one alone
    const double radians = angles[k] * std::acos(-1.0) / 180;
    sample.regions = {
        1, 1, {{0, 0, 1, 1}}, {static_cast<float>(std::cos(radians)), static_cast<float>(std::sin(radians))}, {}};
    source.samples.push_back(std::move(sample));
  }
  data::DataErrors errors;
  return features::CachedSamples(model, source, encode, preprocess::PrepareImage<>(), errors, {.workers = 0});
}

void is(const LanguageRecall& r, const std::string& language, std::int64_t texts, const std::array<double, 4>& all) {
  BOOST_TEST(r.language == language);
  BOOST_TEST(r.images == 7);
  BOOST_TEST(r.texts == texts);
  const std::array got{r.to_image.at1, r.to_image.at5, r.to_text.at1, r.to_text.at5};
  for (std::size_t i = 0; i < 4; ++i)
    at_most(join(language, ", recall ", i, ", from ", all[i]), std::abs(got[i] - all[i]), 1e-12);
}

}  // namespace

BOOST_AUTO_TEST_CASE(by_hand) {
  Circle model;
  auto samples = circle(model);
  const RetrievalEvaluation evaluation(model, samples);
  const auto all = evaluation.recall();
  BOOST_TEST_REQUIRE(all.size() == 4u);
  // German: texts find their image second, the last one seventh; images their text second or third, the last seventh.
  is(all[0], "de", 7, {0, 6.0 / 7, 0, 6.0 / 7});
  is(all[1], "en", 7, {1, 1, 1, 1});
  // French: every caption is a query; the first of each image is 40 degrees off. An image is found by any of them.
  is(all[2], "fr", 14, {8.0 / 14, 12.0 / 14, 1, 1});
  // One text finds its image among all seven; one image alone has a text to be found.
  is(all[3], "ja", 1, {1, 1, 1, 1});
  throws_with([&] { evaluation.recall("sw"); }, "circle", "no text in the language sw");
}

BOOST_AUTO_TEST_CASE(as_many_texts_as_are_wanted_are_spread_over_a_language) {
  Circle model;
  auto samples = circle(model);
  const RetrievalEvaluation all(model, samples), some(model, samples, {.max_texts = 5});
  const auto french = some.texts_in("fr");  // of 14, numbers 0, 2, 5, 8 and 11
  BOOST_TEST_REQUIRE(french.size() == 5u);
  const auto ranks = all.image_ranks("fr");
  BOOST_TEST(ranks.size(0) == 14);
  BOOST_TEST(some.image_ranks("fr").equal(ranks.index_select(0, at::tensor({0, 2, 5, 8, 11}, at::kLong))));
  BOOST_TEST(some.recall("fr").texts == 5);
  BOOST_TEST(some.recall("de").texts == 5);
  BOOST_TEST(some.recall("ja").texts == 1);
  throws_with([&] { RetrievalEvaluation(model, samples, {.max_texts = -1}); }, "max_texts must not be negative");
}

BOOST_AUTO_TEST_CASE(of_equal_texts_each_image_is_right) {
  Circle model;
  auto samples = circle(model, /*equal=*/true);
  const auto en = RetrievalEvaluation(model, samples).recall("en");
  // Images 0 and 6 have the text of 0 degrees, which finds image 0: right for both. Image 6 finds its text last.
  is(en, "en", 7, {1, 1, 6.0 / 7, 6.0 / 7});
}

BOOST_AUTO_TEST_CASE(only_the_languages_that_are_wanted_in_their_order) {
  Circle model;
  auto samples = circle(model);
  const auto all = RetrievalEvaluation(model, samples, {.languages = {"ja", "en"}}).recall();
  BOOST_TEST_REQUIRE(all.size() == 2u);
  BOOST_TEST(all[0].language == "ja");
  const auto mean = task::mean_recall(all, {"ja", "en"});
  BOOST_TEST(mean.to_image.at1 == 1);
  throws_with([&] { task::mean_recall(all, {"de"}); }, "no recall in the language de");
  const auto table = task::recall_table(all);
  BOOST_TEST_REQUIRE(table.rows.size() == 4u);
  BOOST_TEST(table.rows[2].name == "mean");
  at_most("chance, percent", std::abs(table.rows[3].cells[0] - 100.0 / 7), 1e-9);
}

BOOST_AUTO_TEST_CASE(itm_orders_the_best_anew) {
  Circle model;
  auto samples = circle(model);
  const auto plain = RetrievalEvaluation(model, samples, {.languages = {"en"}}).scores("en");
  const auto again = RetrievalEvaluation(model, samples, {.languages = {"en"}, .rerank = 3}).scores("en");
  BOOST_TEST(plain[0].argmax().item<std::int64_t>() == 0);
  BOOST_TEST(again[0].argmax().item<std::int64_t>() == 2);  // 21 degrees further, among the three nearest
  // The three stay above all others.
  const auto three = std::get<1>(plain[0].topk(3)), still = std::get<1>(again[0].topk(3));
  BOOST_TEST(std::get<0>(three.sort()).equal(std::get<0>(still.sort())));
}

BOOST_AUTO_TEST_SUITE_END()
