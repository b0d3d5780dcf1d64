#include "rc3/experiment/fixed_options.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/train/checkpoint/changed_options.hpp"

BOOST_AUTO_TEST_SUITE(experiment_fixed_options)

using rc3::experiment::fixed_options;
using rc3::train::is_in;

BOOST_AUTO_TEST_CASE(a_stage_names_its_own_options) {
  const auto options = fixed_options("align", false);
  for (const char* name : {"seed", "variant.weights", "init", "align.loader.seed", "align.loader.window"})
    BOOST_TEST(is_in(name, options.always), name);
  for (const char* name : {"fuse.loader.seed", "align.loader.batch", "align.loader.workers", "validation.rerank",
                           "checkpoint.every", "align.train.optimizer.learning_rate"})
    BOOST_TEST(!is_in(name, options.always), name);
  for (const char* name : {"align.train.optimizer.learning_rate", "align.objectives", "data.paths"})
    BOOST_TEST(is_in(name, options.when_complete), name);
  BOOST_TEST(!is_in("fuse.objectives", options.when_complete));
  BOOST_TEST(!is_in("align.data.paths", options.when_complete));
}

BOOST_AUTO_TEST_CASE(a_training_without_stages_has_no_prefix) {
  BOOST_TEST(is_in("loader.seed", fixed_options("", false).always));
  BOOST_TEST(is_in("train.ema", fixed_options("", false).when_complete));
  BOOST_TEST(is_in("align.data.paths", fixed_options("align", true).when_complete));
  BOOST_TEST(!is_in("data.paths", fixed_options("align", true).when_complete));
}

BOOST_AUTO_TEST_SUITE_END()
