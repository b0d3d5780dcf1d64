#include "rc3/features/calibrate.hpp"

#include <boost/test/unit_test.hpp>

#include "host.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(features_calibrate)

using namespace rc3;
using features::CachedSamples;
using test::at_most;
using test::Greys;
using test::Host;
using test::letters;
using test::prepare;
using test::throws_with;

namespace {

struct Relevance {
  bool done = false;
  Texts a = {}, b = {};
  void calibrate(const Texts& x, const Texts& y) { a = x, b = y, done = true; }
  bool calibrated() const { return done; }
};
struct Objective {
  Relevance own;
  Relevance& relevance() { return own; }
};
struct Plain {};
struct ToyPretrainer {
  std::shared_ptr<Host> host = std::make_shared<Host>();
  Objective objective;
  Plain plain;
  const std::shared_ptr<Host>& model() { return host; }
  template <class Visit>
  void for_each_objective(const Visit& visit) {
    visit(plain);
    visit(objective);
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_backbone_is_standardised_by_evenly_spread_images) {
  Host host;
  features::calibrate_backbone(host, Greys(101), prepare, {.maps = 4});
  BOOST_TEST(host.visual_.network->seen == 4);
  at_most("mean of the greys 0, 25, 50, 75", std::abs(host.visual_.network->center - 37.5), 1e-6);
}

BOOST_AUTO_TEST_CASE(the_heads_see_images_and_the_texts_of_the_languages) {
  Host host;
  data::DataErrors errors;
  CachedSamples samples(host, Greys(4), letters, prepare, errors);
  features::calibrate_heads(host, samples, {"en"});
  at_most("images", std::abs(host.image_center - 1.5), 1e-6);
  const double ids = (0 + (48 + 49 + 50 + 51) / 4.0 + 2) / 3;
  at_most("English texts", std::abs(host.text_center - ids), 1e-4);
}

BOOST_AUTO_TEST_CASE(relevance_is_scaled_by_translations_once) {
  ToyPretrainer pretrainer;
  data::DataErrors errors;
  CachedSamples samples(*pretrainer.host, Greys(10), letters, prepare, errors);
  features::calibrate_relevance(pretrainer, samples, {}, {.pairs = 6});
  const auto& relevance = pretrainer.objective.own;
  BOOST_TEST_REQUIRE(relevance.done);
  BOOST_TEST(relevance.a.size() == 6);
  BOOST_TEST(!relevance.a.hidden.defined());  // an encoder of its own reads the ids
  BOOST_TEST(relevance.a.mask.sum().item<std::int64_t>() + relevance.b.mask.sum().item<std::int64_t>() ==
             6 * (3 + 5));  // English "i" and German "i i", in either order
  features::calibrate_relevance(pretrainer, samples, {}, {.pairs = 3});
  BOOST_TEST(relevance.a.size() == 6);
}

BOOST_AUTO_TEST_CASE(a_calibration_reads_features_on_disk) {
  const test::TempDir folder;
  for (int run = 0; run < 2; ++run) {
    ToyPretrainer pretrainer;
    data::DataErrors errors;
    CachedSamples samples(*pretrainer.host, Greys(10), letters, prepare, errors, {.folder = folder.path()});
    features::calibrate_heads(*pretrainer.host, samples);
    features::calibrate_relevance(pretrainer, samples);
    BOOST_TEST(pretrainer.host->text_.seen == (run == 0 ? 30 : 0));
    BOOST_TEST(pretrainer.objective.own.a.hidden.defined());
    BOOST_TEST(pretrainer.host->text_center > 10);
  }
}

BOOST_AUTO_TEST_CASE(relevance_without_translations_is_an_error) {
  ToyPretrainer pretrainer;
  data::DataErrors errors;
  CachedSamples samples(*pretrainer.host, Greys(10), letters, prepare, errors);
  throws_with(
      [&] {
        features::calibrate_relevance(pretrainer, samples, {"en", "fr"});
      },
      "is calibrated by translations", "mark them as strictly aligned");
}

BOOST_AUTO_TEST_SUITE_END()
