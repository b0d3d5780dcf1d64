#include "rc3/objective/mrm.hpp"

#include <boost/test/unit_test.hpp>

#include "objective/modelling.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_mrm)

using namespace rc3::test;
using namespace rc3::test::modelling;
using namespace rc3::objective;
using rc3::Batch;

BOOST_AUTO_TEST_CASE(a_region_that_the_visual_policy_drops_is_not_asked_for) {
  struct Drops : rc3::visual::Roi {
    using rc3::visual::Roi::Roi;
    rc3::Tokens encode(const rc3::Images& images) {
      auto tokens = rc3::visual::Roi::encode(images);
      tokens.mask = tokens.mask.clone();
      tokens.mask[1].fill_(false);
      return {tokens.values * tokens.mask.unsqueeze(2), tokens.mask};
    }
  };
  using Dropping = rc3::Model<Drops, rc3::text::Bert>;
  torch::manual_seed(1);
  Dropping m(std::make_shared<Drops>(rc3::visual::RegionEmbeddingOptions{.features = 4, .width = 8}),
             std::make_shared<rc3::text::Bert>(rc3::text::BertOptions{
                 .vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 16, .positions = 8}),
             std::make_shared<rc3::fusion::SingleStream>(rc3::fusion::SingleStreamOptions{8, 1, 2, 16, 0.1}));
  m.to(at::kDouble);
  m.eval();
  const auto mrm = in_double(std::make_shared<Mrm<>>(8, 4, MrmOptions{.fraction = 1.0}));
  const auto loss = [&](const Batch& b) {
    ForwardCache<Dropping> forward(m, b);
    return mrm->loss(forward).template item<double>();
  };
  const auto b = batch();
  auto other = b;
  other.images.regions = b.images.regions.clone();
  other.images.regions[1].add_(5);  // what nobody sees and nobody asks for
  BOOST_TEST(loss(b) > 0);
  at_most("another image in the dropped sample", std::abs(loss(other) - loss(b)), 1e-12);
}

BOOST_AUTO_TEST_CASE(mrm_says_the_regions_it_cannot_see) {
  const auto m = model();
  const auto b = batch();
  const auto mrm = in_double(std::make_shared<Mrm<>>(8, 4, MrmOptions{.fraction = 1.0}));  // all eight that are there
  auto hidden = b.images;
  hidden.regions = at::zeros_like(hidden.regions);
  hidden.regions[0][2].copy_(b.images.regions[0][2]);  // not under the mask: neither hidden nor asked for
  const auto fused = m->fuse_tokens(m->visual(hidden), m->text(b.a));
  const auto parameters = mrm->named_parameters();
  const auto said = at::linear(fused.visual.values, parameters["head.weight"], parameters["head.bias"]);
  double squares = 0;
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t r = 0; r < 3; ++r)
      if (!(i == 0 && r == 2)) squares += (said[i][r] - b.images.regions[i][r]).square().sum().item<double>();
  at_most("Mrm against its formula", std::abs(loss_of(*mrm, *m, b).item<double>() - squares / (8 * 4)), 1e-10);

  const auto few = in_double(std::make_shared<Mrm<>>(8, 4, MrmOptions{.fraction = 1e-9}));
  BOOST_TEST(loss_of(*few, *m, b).item<double>() > 0);  // at least one
}

BOOST_AUTO_TEST_CASE(mrm_says_the_classes_of_the_regions) {
  const auto m = model();
  auto b = batch();
  b.images.region_classes = at::randn({3, 3, 5}, at::kDouble).softmax(2);
  b.images.region_classes[1][1] = at::tensor({0.0, 1.0, 0.0, 0.0, 0.0}, at::kDouble);  // sure of it
  const auto mrm = in_double(std::make_shared<Mrm<RegionClasses>>(8, 5, MrmOptions{.fraction = 1.0}));
  auto hidden = b.images;
  hidden.regions = at::zeros_like(hidden.regions);
  hidden.regions[0][2].copy_(b.images.regions[0][2]);
  const auto fused = m->fuse_tokens(m->visual(hidden), m->text(b.a));
  const auto parameters = mrm->named_parameters();
  const auto said = at::linear(fused.visual.values, parameters["head.weight"], parameters["head.bias"]);
  double divergence = 0;
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t r = 0; r < 3; ++r) {
      if (i == 0 && r == 2) continue;
      const auto p = vector_of(b.images.region_classes[i][r]), l = vector_of(said[i][r]);
      double all = 0;
      for (const double x : l) all += std::exp(x);
      for (std::size_t c = 0; c < p.size(); ++c)
        if (p[c] > 0) divergence += p[c] * (std::log(p[c]) - (l[c] - std::log(all)));
    }
  at_most("Mrm<RegionClasses> against its formula", std::abs(loss_of(*mrm, *m, b).item<double>() - divergence / 8),
          1e-10);
  b.images.region_classes = at::Tensor();
  throws_with([&] { loss_of(*mrm, *m, b); }, "objective::Mrm", "region_classes");
}

BOOST_AUTO_TEST_SUITE_END()
