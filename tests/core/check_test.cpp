#include "rc3/core/check.hpp"

#include <ATen/ops/zeros.h>

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(core_check)

using rc3::test::throws_with;

BOOST_AUTO_TEST_CASE(right_shapes_pass) {
  rc3::check_shape("p", "scalar", at::zeros({}), {});
  rc3::check_shape("p", "boxes", at::zeros({2, 3, 4}), {{'B'}, {'R', 3}, {'4', 4}});
  rc3::check_shape("p", "empty", at::zeros({0, 4}), {{'B'}, {'D', 4}});
}

BOOST_AUTO_TEST_CASE(wrong_shapes_name_policy_tensor_expected_and_seen) {
  throws_with(
      [] {
        rc3::check_shape("visual::Roi", "boxes", at::zeros({2, 5}), {{'B', 2}, {'R'}, {'D', 4}});
      },
      "visual::Roi", "boxes", "[B=2, R, D=4]", "[2, 5]");
  throws_with([] { rc3::check_shape("visual::Roi", "boxes", at::zeros({2, 5}), {{'B', 2}, {'D', 4}}); }, "[2, 5]");
  throws_with([] { rc3::check_shape("p", "x", at::zeros({1}), {}); }, "must be []", "[1]");
  throws_with([] { rc3::check_shape("visual::Roi", "boxes", at::Tensor(), {{'B'}}); }, "boxes [B] is missing");
}

BOOST_AUTO_TEST_CASE(types) {
  rc3::check_dtype("p", "ids", at::zeros({1}, at::kLong), at::kLong);
  rc3::check_floating("p", "x", at::zeros({1}, at::kBFloat16));
  throws_with([] { rc3::check_dtype("text::Bert", "ids", at::zeros({1}), at::kLong); }, "text::Bert", "ids", "Long",
              "Float");
  throws_with([] { rc3::check_floating("text::Bert", "x", at::zeros({1}, at::kInt)); }, "floating", "Int");
}

BOOST_AUTO_TEST_SUITE_END()
