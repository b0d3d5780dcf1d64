// Parameters without random values, and values that are given without a copy.
#include "rc3/core/nn/uninitialized.hpp"

#include <boost/test/unit_test.hpp>

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>

#include <thread>

BOOST_AUTO_TEST_SUITE(core_uninitialized)

using rc3::nn::Uninitialized;

bool changes_anything() {
  at::Tensor values = at::zeros({100});
  values.normal_();
  const bool normal = values.ne(0).any().item<bool>();
  values.zero_().uniform_(1, 2);
  BOOST_TEST(normal == values.ne(0).any().item<bool>());
  return normal;
}

BOOST_AUTO_TEST_CASE(random_values_are_left_out_while_one_lives) {
  BOOST_TEST(changes_anything());
  {
    const Uninitialized outer;
    BOOST_TEST(!changes_anything());
    {
      const Uninitialized inner, without(false);
      BOOST_TEST(!changes_anything());
    }
    BOOST_TEST(!changes_anything());
    bool other = false;
    std::thread([&] { other = changes_anything(); }).join();  // another thread's modules are random
    BOOST_TEST(other);
    // Everything else is computed.
    torch::nn::Linear linear(3, 2);
    c10::NoGradGuard no_grad;
    linear->weight.fill_(2);
    linear->bias.fill_(1);
    BOOST_TEST(linear->forward(at::full({1, 3}, 1.0f)).sum().item<float>() == 14);
  }
  BOOST_TEST(changes_anything());
  const Uninitialized without(false);
  BOOST_TEST(changes_anything());
}

BOOST_AUTO_TEST_CASE(random_numbers_are_those_without_the_module) {
  const auto draw = [](bool module) {
    at::manual_seed(3);
    if (module) {
      const Uninitialized guard;
      const torch::nn::Embedding made(50, 20);
    }
    return at::rand({5});
  };
  BOOST_TEST(draw(true).equal(draw(false)));
}

BOOST_AUTO_TEST_CASE(values_are_assigned_without_a_copy_where_they_fit) {
  c10::NoGradGuard no_grad;
  torch::nn::Linear linear(3, 2);
  const at::Tensor tied = linear->weight;
  const auto version = linear->weight._version();
  const at::Tensor values = at::full({2, 3}, 0.5f);
  rc3::nn::assign(linear->weight, values);
  BOOST_TEST(linear->weight.data_ptr() == values.data_ptr());
  BOOST_TEST(tied.data_ptr() == values.data_ptr());
  BOOST_TEST(linear->weight.requires_grad());
  BOOST_TEST(linear->weight._version() > version);
  const void* before = linear->weight.data_ptr();
  rc3::nn::assign(linear->weight, at::full({2, 3}, 0.25, at::kDouble));
  BOOST_TEST(linear->weight.data_ptr() == before);
  BOOST_TEST(linear->weight.eq(0.25).all().item<bool>());
  BOOST_TEST((linear->weight.scalar_type() == at::kFloat));
}

BOOST_AUTO_TEST_SUITE_END()
