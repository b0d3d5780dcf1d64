#include "rc3/train/layer_rates.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(train_layer_rates)

using rc3::test::throws_with;
using rc3::train::LayerRates;

namespace {
const std::vector<std::string> names{"model.text.word.weight",
                                     "model.text.norm.weight",
                                     "model.text.layers.0.a.weight",
                                     "model.text.layers.0.b.bias",
                                     "model.text.layers.1.a.weight",
                                     "model.text.layers.2.a.weight",
                                     "model.text.after.weight",
                                     "model.fusion.first",
                                     "model.fusion.layers.0.a.weight",
                                     "model.fusion.layers.1.a.weight",
                                     "model.visual.backbone.stem",
                                     "model.visual.backbone.blocks.0.conv",
                                     "model.visual.backbone.blocks.11.conv"};
}

BOOST_AUTO_TEST_CASE(each_layer_learns_slower_than_the_one_above) {
  const LayerRates rates(names, {{"text.", 0.5}});
  const std::pair<const char*, double> expected[] = {{"model.text.word.weight", 0.125},
                                                     {"model.text.norm.weight", 0.125},
                                                     {"model.text.layers.0.a.weight", 0.25},
                                                     {"model.text.layers.0.b.bias", 0.25},
                                                     {"model.text.layers.1.a.weight", 0.5},
                                                     {"model.text.layers.2.a.weight", 1},
                                                     {"model.text.after.weight", 1},
                                                     {"model.fusion.layers.0.a.weight", 1},
                                                     {"model.fusion.first", 1},
                                                     {"model.visual.backbone.stem", 1}};
  for (const auto& [name, rate] : expected) BOOST_TEST(rates.rate(name) == rate, name);
}

BOOST_AUTO_TEST_CASE(blocks_are_layers_and_their_numbers_are_read_whole) {
  const LayerRates rates(names, {{"backbone", 0.5}});
  BOOST_TEST(rates.rate("model.visual.backbone.blocks.11.conv") == 1.0);
  BOOST_TEST(rates.rate("model.visual.backbone.blocks.0.conv") == std::pow(0.5, 11));
  BOOST_TEST(rates.rate("model.visual.backbone.stem") == std::pow(0.5, 12));
}

BOOST_AUTO_TEST_CASE(no_rule_no_change) {
  const LayerRates rates(names, {});
  for (const auto& name : names) BOOST_TEST(rates.rate(name) == 1.0);
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
  throws_with([] { LayerRates(names, {{"text.", 1.5}}); }, "layer_decay of \"text.\" must be in (0, 1], is 1.5");
  throws_with([] { LayerRates(names, {{"decoder", 0.9}}); }, "no stack of layers has a name that contains \"decoder\"");
}

BOOST_AUTO_TEST_SUITE_END()
