#include <boost/test/unit_test.hpp>

#include "objective/modelling.hpp"
#include "rc3/fusion/decoder.hpp"
#include "rc3/model/pretrainer.hpp"
#include "rc3/objective/mclm.hpp"
#include "rc3/objective/mlm.hpp"
#include "rc3/objective/mrm.hpp"
#include "rc3/train/trainer.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

// Masked words and masked regions, together.
BOOST_AUTO_TEST_SUITE(objective_modelling)

using namespace rc3::test;
using namespace rc3::test::modelling;
using namespace rc3::objective;

BOOST_AUTO_TEST_CASE(gradients_are_those_of_finite_differences) {
  const auto m = model();
  const auto b = batch(2);
  const auto check = [&](const char* name, auto& objective) {
    std::vector<at::Tensor> leaves;
    for (const auto* module : {static_cast<torch::nn::Module*>(m.get()), static_cast<torch::nn::Module*>(&objective)})
      for (const auto& p : module->parameters())
        if (p.numel() <= 64) leaves.push_back(p);
    at_most(rc3::join(name, ": gradient against finite differences"),
            gradient_error([&] { return loss_of(objective, *m, b); }, leaves), 1e-6);
  };
  const auto mlm = in_double(std::make_shared<Mlm>(8, masks));
  check("Mlm", *mlm);
  const auto mclm = in_double(std::make_shared<Mclm>(
      std::make_shared<rc3::fusion::Decoder>(rc3::fusion::DecoderOptions{
          .vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 16, .positions = 8}),
      masks));
  check("Mclm", *mclm);
  const auto mrm = in_double(std::make_shared<Mrm<>>(8, 4, MrmOptions{.fraction = 0.5}));
  check("Mrm", *mrm);
}

BOOST_AUTO_TEST_CASE(edges) {
  const auto m = model();
  const auto mlm = in_double(std::make_shared<Mlm>(8, masks));
  auto specials = batch(1);
  specials.a.ids.fill_(3);
  BOOST_TEST(loss_of(*mlm, *m, specials).item<double>() == 0);
  loss_of(*mlm, *m, specials).backward();
  auto no_regions = batch(1);
  no_regions.images.region_mask.fill_(false);
  const auto mrm = in_double(std::make_shared<Mrm<>>(8, 4));
  BOOST_TEST(loss_of(*mrm, *m, no_regions).item<double>() == 0);
  auto only_hidden = batch(1);
  only_hidden.a.hidden = at::zeros({1, 6, 8}, at::kDouble);
  only_hidden.a.ids = at::Tensor();
  throws_with([&] { loss_of(*mlm, *m, only_hidden); }, "objective::Mlm", "ids");
  auto pixels = batch(1);
  pixels.images.regions = at::Tensor();
  throws_with([&] { loss_of(*mrm, *m, pixels); }, "objective::Mrm", "regions");
  throws_with([] { Mlm(8, {.fraction = 0.0}); }, "objective::Mlm", "fraction");
  throws_with([] { Mrm<>(8, 4, {.fraction = 2.0}); }, "objective::Mrm", "fraction");
  throws_with(
      [] {
        Mclm(std::make_shared<rc3::fusion::Decoder>(
                 rc3::fusion::DecoderOptions{.vocabulary = 7, .width = 8, .heads = 2}),
             masks);
      },
      "objective::Mclm", "7");
}

BOOST_AUTO_TEST_CASE(a_model_learns_from_all_of_them) {
  const auto m = model();
  m->to(at::kFloat);
  auto b = batch(3);
  for (at::Tensor* t : {&b.images.regions, &b.images.boxes, &b.images.sizes}) *t = t->to(at::kFloat);
  using Training = rc3::Pretrainer<Model, Mlm, Mclm, Mrm<>>;
  const auto decoder = std::make_shared<rc3::fusion::Decoder>(rc3::fusion::DecoderOptions{
      .vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 16, .positions = 8});
  const auto training =
      std::make_shared<Training>(m, std::array{1.0, 1.0, 1.0}, std::make_shared<Mlm>(8, masks),
                                 std::make_shared<Mclm>(decoder, masks), std::make_shared<Mrm<>>(8, 4));
  rc3::train::Trainer<Training> trainer(training, {.optimizer = {.learning_rate = 1e-2}, .schedule = {0, 300, 0.0}});
  double first = 0, last = 0;
  for (int step = 0; step < 300; ++step) {
    const double loss = trainer.step(b).loss;
    if (step < 20) first += loss / 20;
    if (step >= 280) last += loss / 20;
  }
  at_most("loss after 300 steps, of that at the start", last / first, 0.6);
}

BOOST_AUTO_TEST_SUITE_END()
