#include "rc3/model/pretrainer.hpp"

#include <boost/test/unit_test.hpp>

#include "model/counting.hpp"
#include "rc3/objective/objective.hpp"
#include "rc3/regularizer/regularizer.hpp"
#include "rc3/relevance/relevance.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

namespace user {

/// An objective that says a constant and counts how often it is asked.
template <int value>
struct Says {
  template <class Model>
  at::Tensor loss(rc3::objective::ForwardCache<Model>& forward) {
    ++asked;
    return forward.image_embeddings().sum() * 0 + value;
  }
  int asked = 0;
};

}  // namespace user

BOOST_AUTO_TEST_SUITE(model_pretrainer)

using namespace rc3::test;
using namespace rc3::test::counting;
using rc3::Batch;

BOOST_AUTO_TEST_CASE(a_variant_says_its_name) {
  using P = rc3::Pretrainer<Model, rc3::objective::Itc, user::Says<3>>;
  BOOST_TEST(P::name() == "Pretrainer<" + Model::name() + ", objective::Itc, user::Says<3>>");
  BOOST_TEST((P::objective_names() == std::vector<std::string>{"Itc", "Says"}));
}

BOOST_AUTO_TEST_CASE(the_total_is_the_weighted_sum_of_the_parts) {
  const auto m = small();
  const auto itc = std::make_shared<rc3::objective::Itc>();
  m->eval();
  rc3::Pretrainer<Model, rc3::objective::Itc, user::Says<3>, user::Says<5>> p(
      m, {2.0, 0.5, 10.0}, itc, std::make_shared<user::Says<3>>(), std::make_shared<user::Says<5>>());
  const auto losses = p.losses(four());
  BOOST_REQUIRE(losses.parts.size() == 3u);
  BOOST_TEST(losses.parts[0] > 0);
  BOOST_TEST(losses.parts[1] == 3);
  BOOST_TEST(losses.parts[2] == 5);
  at_most("total, from the weighted sum", std::abs(losses.total.item<double>() - (2 * losses.parts[0] + 1.5 + 50)),
          1e-4);
  losses.total.backward();
  BOOST_TEST(itc->parameters()[0].grad().defined());  // the objective's own parameter learns
}

BOOST_AUTO_TEST_CASE(weight_0_skips) {
  const auto idle = std::make_shared<user::Says<3>>();
  rc3::Pretrainer<Model, user::Says<3>, user::Says<5>> p(small(), {0.0, 1.0}, idle, std::make_shared<user::Says<5>>());
  const auto losses = p.losses(four());
  BOOST_TEST(idle->asked == 0);
  BOOST_TEST((losses.parts == std::vector<double>{0, 5}));
  BOOST_TEST(losses.total.item<double>() == 5);
}

BOOST_AUTO_TEST_CASE(what_a_pretrainer_refuses) {
  using P = rc3::Pretrainer<Model, user::Says<3>>;
  const auto says = std::make_shared<user::Says<3>>();
  throws_with([&] { P(small(), {-1.0}, says); }, "rc3::Pretrainer", "negative", "-1");
  throws_with([&] { P(small(), {1.0}, nullptr); }, "rc3::Pretrainer", "user::Says<3>", "null");
  throws_with([&] { P(small(), {1.0}, says).losses({}); }, "rc3::Pretrainer", "empty");
  throws_with([&] { P(small(), {0.0}, says).losses(four()); }, "rc3::Pretrainer", "weight 0");
}

BOOST_AUTO_TEST_CASE(each_image_and_text_is_encoded_once_a_step) {
  using namespace rc3::objective;
  using R = RXvtcl<rc3::regularizer::Ceiling, rc3::relevance::Constant, negatives::SameImage>;
  const auto m = small();
  rc3::Pretrainer<Model, R, Itc, Xtcl, Itm> p(m, {1, 1, 1, 1}, std::make_shared<R>(), std::make_shared<Itc>(),
                                              std::make_shared<Xtcl>(), std::make_shared<Itm>());
  const auto losses = p.losses(four());
  BOOST_TEST(m->visual_policy()->encoded == 4);
  BOOST_TEST(m->text_policy()->encoded == 8);
  losses.total.backward();
  for (const auto& item : p.named_parameters())
    BOOST_TEST((item.value().grad().defined() && finite(item.value().grad())), item.key());
}

BOOST_AUTO_TEST_CASE(a_batch_of_one_trains) {
  using namespace rc3::objective;
  using R = RXvtcl<rc3::regularizer::Ceiling, rc3::relevance::Constant, negatives::SameImage>;
  const auto m = small();
  rc3::Pretrainer<Model, R, Itc, Xtcl, Itm> p(m, {1, 1, 1, 1}, std::make_shared<R>(), std::make_shared<Itc>(),
                                              std::make_shared<Xtcl>(), std::make_shared<Itm>());
  auto one = four();
  const auto first = at::zeros({1}, at::kLong);
  one.images = one.images.select(first);
  one.a = one.a.select(first);
  one.b = one.b.select(first);
  one.image_ids = first;
  const auto losses = p.losses(one);
  losses.total.backward();
  BOOST_TEST(finite(losses.total));
  for (const auto& item : p.named_parameters())
    BOOST_TEST((!item.value().grad().defined() || finite(item.value().grad())), item.key());
}

BOOST_AUTO_TEST_SUITE_END()
