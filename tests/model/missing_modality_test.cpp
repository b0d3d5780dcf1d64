#include <boost/test/unit_test.hpp>

#include "support/everything.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

// A batch that mixes samples with regions only, patches only and both, under every objective at once.
BOOST_AUTO_TEST_SUITE(missing_modality)

using namespace rc3::test;
using namespace everything;
BOOST_AUTO_TEST_CASE(every_loss_is_there_and_every_gradient_is_that_of_finite_differences) {
  const auto all = training();
  const auto b = batch();
  const auto losses = all->losses(b);
  for (std::size_t k = 0; k < losses.parts.size(); ++k)
    BOOST_TEST((std::isfinite(losses.parts[k]) && losses.parts[k] > 0),
               Training::objective_names()[k] << " is " << losses.parts[k]);
  std::vector<at::Tensor> leaves;
  for (const auto& p : all->parameters())
    if (p.numel() <= 40) leaves.push_back(p);
  at_least("parameters that are looked at", leaves.size(), 60u);
  at_most("gradients with missing modalities against finite differences",
          gradient_error([&] { return all->losses(b).total; }, leaves), 1e-6);
}

BOOST_AUTO_TEST_CASE(what_a_sample_does_not_have_counts_for_nothing) {
  const auto all = training();
  const auto b = batch();
  auto other = b;
  other.images.regions = b.images.regions.clone();
  other.images.regions[1].fill_(1e6);
  other.images.regions[3][1].fill_(-1e6);
  other.images.boxes = b.images.boxes.clone();
  other.images.boxes[1].fill_(-7);
  other.images.pixels = b.images.pixels.clone();
  other.images.pixels[0].fill_(255);
  const auto expected = all->losses(b).parts, seen = all->losses(other).parts;
  for (std::size_t k = 0; k < seen.size(); ++k)
    at_most(rc3::join(Training::objective_names()[k], " with other numbers where nothing is"),
            std::abs(seen[k] - expected[k]), 1e-12);
}

BOOST_AUTO_TEST_SUITE_END()
