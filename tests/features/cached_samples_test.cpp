#include "rc3/features/cached_samples.hpp"

#include <boost/test/unit_test.hpp>

#include "host.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(features_cached_samples)

using namespace rc3;
using features::CachedSamples;
using test::Greys;
using test::Host;
using test::letters;
using test::prepare;
using test::throws_with;

BOOST_AUTO_TEST_CASE(each_image_and_each_text_passes_the_frozen_layers_once) {
  Host host;
  Greys source(5);
  source.samples[4].image = source.samples[1].image;  // equal to the last pixel
  data::DataErrors errors;
  CachedSamples samples(host, source, letters, prepare, errors);
  BOOST_TEST(samples.size() == 5);
  BOOST_TEST(samples.cache().images() == 4);
  BOOST_TEST(host.visual_.network->seen == 4);
  BOOST_TEST(host.text_.seen == 0);  // texts wait until they are asked for

  const auto images = samples.images({3, 1, 4});
  BOOST_TEST(!images.pixels.defined());
  BOOST_TEST(images.features.to(at::kFloat).select(1, 0).flatten().equal(at::tensor({3.0f, 1.0f, 1.0f})));
  BOOST_TEST(images.features.scalar_type() == at::kHalf);

  const std::vector<features::TextOf> which{{2, 1}, {0, 0}, {2, 1}};
  for (int again = 0; again < 2; ++again) {
    const auto texts = samples.texts(host, which);
    BOOST_TEST(host.text_.seen == 2);
    BOOST_TEST(texts.ids[0].equal(at::tensor(letters("2 2"), at::kLong)));
    BOOST_TEST(texts.ids[1].equal(at::tensor({0, 48, 2, 1, 1}, at::kLong)));  // padded by the tokenizer's pad
    BOOST_TEST(texts.mask[1].to(at::kLong).equal(at::tensor({1, 1, 1, 0, 0}, at::kLong)));
    BOOST_TEST(texts.hidden[0].flatten().equal(at::tensor(letters("2 2"), at::kFloat)));
    BOOST_TEST(texts.hidden.scalar_type() == at::kFloat);
  }
  samples.clear_texts();
  samples.texts(host, which);
  BOOST_TEST(host.text_.seen == 4);
}

BOOST_AUTO_TEST_CASE(damaged_samples_are_counted_and_left_out) {
  Host host;
  Greys source(4);
  source.samples[1].image = std::filesystem::path("/none.png");
  data::DataErrors errors;
  CachedSamples samples(host, source, letters, prepare, errors);
  BOOST_TEST(errors.count() == 1);
  BOOST_TEST(samples.size() == 3);
  BOOST_TEST(samples.sample(1).id == "grey-2");
  BOOST_TEST(samples.languages().at("fr") == 3);
  BOOST_TEST(samples.texts_in("de").size() == 3u);
  throws_with([&] { samples.sample(3); }, "features::CachedSamples", "sample 3 of 3");
}

BOOST_AUTO_TEST_CASE(as_many_as_are_wanted_are_spread_over_the_source) {
  Host host;
  data::DataErrors errors;
  CachedSamples samples(host, Greys(10), letters, prepare, errors, {.max_samples = 3});
  BOOST_TEST(samples.size() == 3);
  BOOST_TEST(samples.sample(2).id == "grey-6");
  throws_with([&] { CachedSamples(host, Greys(10), letters, prepare, errors, {.max_samples = -1}); }, "max_samples");
}

BOOST_AUTO_TEST_CASE(the_mode_of_the_host_stays) {
  Host host;
  host.train();
  data::DataErrors errors;
  CachedSamples samples(host, Greys(2), letters, prepare, errors);
  samples.texts(host, std::vector<features::TextOf>{{0, 0}});
  BOOST_TEST(host.is_training());
}

BOOST_AUTO_TEST_SUITE_END()
