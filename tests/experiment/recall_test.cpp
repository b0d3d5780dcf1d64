#include "rc3/experiment/recall.hpp"

#include <torch/torch.h>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "rc3/core/nn/l2_normalize.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(experiment_recall)

using namespace rc3;
using experiment::LanguageRecall;
using test::at_most;

namespace {

std::vector<float> direction(double degrees) {
  const double radians = degrees * std::acos(-1.0) / 180;
  return {static_cast<float>(std::cos(radians)), static_cast<float>(std::sin(radians))};
}

/// An image's one region holds where it lies, a text is an angle in degrees.
struct Circle {
  Tokens visual(const Images& p) { return {p.regions, p.region_mask}; }
  Tokens text(const Texts& t) { return {t.ids.to(at::kFloat), t.mask}; }
  at::Tensor image_embedding(const Tokens& t) { return nn::l2_normalize(t.values.select(1, 0)); }
  at::Tensor text_embedding(const Tokens& t) {
    const auto radians = t.values.select(1, 1) * (std::acos(-1.0) / 180);
    return at::stack({radians.cos(), radians.sin()}, 1);
  }
};

/// The ids of a text that says its angle.
std::vector<std::int64_t> encode(const std::string& text) {
  const auto angle = std::stoll(text);
  std::vector<std::int64_t> ids{0, angle};
  ids.resize(static_cast<std::size_t>(3 + angle % 3), 2);  // of different lengths: they are padded
  return ids;
}

struct Source {
  std::vector<data::Sample> samples = {};
  data::LanguageCounts counts = {};
  mutable std::vector<std::int64_t> asked = {};
  std::string name() const { return "circle"; }
  std::int64_t size() const { return static_cast<std::int64_t>(samples.size()); }
  data::Sample read(std::int64_t i) const {
    asked.push_back(i);
    return samples[static_cast<std::size_t>(i)];
  }
  const data::LanguageCounts& languages() const { return counts; }

  void add(double degrees, std::vector<data::Text> texts) {
    data::Sample sample;
    sample.id = std::to_string(samples.size());
    sample.texts = std::move(texts);
    sample.regions = {1, 1, {{0, 0, 1, 1}}, direction(degrees), {}};
    samples.push_back(std::move(sample));
  }
};
static_assert(data::Dataset<Source>);

std::vector<LanguageRecall> found(const Source& source, data::DataErrors& errors, std::int64_t images = 1000) {
  Circle model;
  return experiment::recall_by_language<io::DefaultDecoders>(model, source, encode, {}, errors,
                                                             {.images = images, .batch = 3, .workers = 0});
}

/// Gaps that grow: no two images, or texts, are equally near.
constexpr int angles[] = {0, 10, 21, 33, 46, 60, 75};

Source circle() {
  Source source;
  for (std::size_t k = 0; k < 7; ++k) {
    const auto at = [&](std::size_t i) { return std::to_string(angles[i % 7]); };
    // English is right, German is one image too far.
    std::vector<data::Text> texts{{"en", at(k)}, {"de", at(k + 1)}, {"en", "90"}};
    if (k < 3) texts.push_back({"fr", k == 1 ? "1" : at(k)});
    if (k < 3) texts.push_back({"sw", k == 1 ? "0" : at(k)});  // two of the three texts are equal
    if (k == 5) texts.push_back({"ja", at(k)});                // one alone
    source.add(angles[k], texts);
  }
  return source;
}

void is(const LanguageRecall& r, const std::string& language, std::int64_t images, const std::array<double, 4>& all) {
  BOOST_TEST(r.language == language);
  BOOST_TEST(r.images == images);
  const std::array got{r.to_image.at1, r.to_image.at5, r.to_text.at1, r.to_text.at5};
  for (std::size_t i = 0; i < 4; ++i)
    at_most(join(language, ", recall ", i, ", from ", all[i]), std::abs(got[i] - all[i]), 1e-12);
}

}  // namespace

BOOST_AUTO_TEST_CASE(by_hand) {
  data::DataErrors errors({.fraction = 0.5});
  auto source = circle();
  data::Sample damaged = source.samples[0];
  damaged.id = "damaged";
  damaged.image = std::filesystem::path("/none.png");
  source.samples.insert(source.samples.begin() + 2, damaged);
  const auto all = found(source, errors);
  BOOST_TEST(errors.count() == 1);
  BOOST_TEST_REQUIRE(all.size() == 4u);  // not Japanese
  // German: texts find their image second, the last one seventh; images their text second or third, the last
  // seventh.
  is(all[0], "de", 7, {0, 6.0 / 7, 0, 6.0 / 7});
  is(all[1], "en", 7, {1, 1, 1, 1});
  // French: the text at 1 degree is nearer to the image at 0, but of all texts the nearest to its own at 10.
  is(all[2], "fr", 3, {2.0 / 3, 1, 1, 1});
  is(all[3], "sw", 2, {1, 1, 1, 1});
}

BOOST_AUTO_TEST_CASE(as_many_images_as_are_wanted_are_taken_from_everywhere) {
  data::DataErrors errors;
  const auto source = circle();
  const auto all = found(source, errors, 3);
  BOOST_TEST(source.asked == (std::vector<std::int64_t>{0, 2, 4}), boost::test_tools::per_element());
  BOOST_TEST(all[1].images == 3);
  test::throws_with([&] { found(source, errors, 0); }, "images and batch must be above 0");
}

BOOST_AUTO_TEST_CASE(the_table_has_a_row_a_language_and_their_mean) {
  data::DataErrors errors;
  const auto all = found(circle(), errors);
  const auto table = experiment::recall_table(all);
  BOOST_TEST(table.title == "Retrieval by language, percent, among 2 to 7 held-out images");
  BOOST_TEST_REQUIRE(table.rows.size() == 5u);
  BOOST_TEST(table.rows[0].name == "de");
  at_most("R@5", std::abs(table.rows[0].cells[1] - 600.0 / 7), 1e-9);
  at_most("chance", std::abs(table.rows[0].cells[4] - 100.0 / 7), 1e-9);
  BOOST_TEST(table.rows[4].name == "mean");
  at_most("mean R@1", std::abs(table.rows[4].cells[0] - 100 * (0 + 1 + 2.0 / 3 + 1) / 4), 1e-9);
  const auto text = experiment::text_of(table);
  const auto gap = [](std::size_t n) { return std::string(n, ' '); };
  BOOST_TEST((text.find("\nde" + gap(20) + "0.0" + gap(17) + "85.7" + gap(18) + "0.0") != std::string::npos), text);
  BOOST_TEST(experiment::recall_table({}).rows.empty());
}

BOOST_AUTO_TEST_SUITE_END()
