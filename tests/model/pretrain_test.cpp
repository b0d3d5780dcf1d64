#include "rc3/model/pretrain.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/fusion/single_stream.hpp"
#include "rc3/model/make_model.hpp"
#include "rc3/objective/itc.hpp"
#include "rc3/objective/xtcl.hpp"
#include "rc3/text/bert.hpp"
#include "rc3/visual/roi.hpp"

BOOST_AUTO_TEST_SUITE(model_pretrain)

using namespace rc3;

BOOST_AUTO_TEST_CASE(weights_stand_with_their_objectives) {
  const auto model = make_model(visual::Roi({.features = 4, .width = 8}),
                                text::Bert({.vocabulary = 10, .width = 8, .layers = 1, .heads = 2, .feed_forward = 8}),
                                fusion::SingleStream({.width = 8, .layers = 1, .heads = 2, .feed_forward = 8}));
  const auto training = pretrain(model, objective::Xtcl(), 0.25 * objective::Itc());
  using Expected = Pretrainer<Model<visual::Roi, text::Bert>, objective::Xtcl, objective::Itc>;
  static_assert(std::is_same_v<decltype(training), const std::shared_ptr<Expected>>);
  BOOST_TEST(training->weights()[0] == 1);
  BOOST_TEST(training->weights()[1] == 0.25);
  BOOST_TEST(training->model() == model);
}

BOOST_AUTO_TEST_SUITE_END()
