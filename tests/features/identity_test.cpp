#include "rc3/features/identity.hpp"

#include <boost/test/unit_test.hpp>

#include <torch/torch.h>

#include "rc3/train/precision.hpp"

BOOST_AUTO_TEST_SUITE(features_identity)

using namespace rc3;

namespace {

struct Layers : torch::nn::Module {
  torch::nn::Linear frozen{nullptr}, trained{nullptr};
  std::int64_t count = 1;
  Layers() {
    at::manual_seed(1);
    frozen = register_module("frozen", torch::nn::Linear(3, 3));
    trained = register_module("trained", torch::nn::Linear(3, 3));
    nn::freeze(*frozen);
  }
  std::int64_t frozen_layers() const { return count; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(it_changes_with_what_features_depend_on) {
  c10::NoGradGuard no_grad;
  Layers layers;
  const auto before = features::identity(layers);
  BOOST_TEST(before.size() == 40u);
  BOOST_TEST(features::identity(Layers()) == before);
  layers.trained->weight.add_(1);
  BOOST_TEST(features::identity(layers) == before);
  layers.frozen->weight[1][2].add_(1e-3);
  BOOST_TEST(features::identity(layers) != before);
  Layers more;
  more.count = 2;
  BOOST_TEST(features::identity(more) != before);
  const train::Autocast autocast(train::Precision::bfloat16);
  BOOST_TEST(features::identity(Layers()) != before);
}

BOOST_AUTO_TEST_SUITE_END()
