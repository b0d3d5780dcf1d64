// A tensor's rows as an Eigen matrix, without a copy.
#include "rc3/pipeline/rows.hpp"

#include <boost/test/unit_test.hpp>

#include <torch/torch.h>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(pipeline_rows)

using rc3::test::throws_with;

BOOST_AUTO_TEST_CASE(no_copy) {
  const auto x = at::arange(6, at::kFloat).view({2, 3});
  const auto rows = rc3::pipeline::rows(x);
  BOOST_TEST(rows.data() == x.data_ptr<float>());
  BOOST_TEST(rows.rows() == 2);
  BOOST_TEST(rows(1, 2) == 5);
  BOOST_TEST(rc3::pipeline::row(x, 1).data() == x.data_ptr<float>() + 3);
  BOOST_TEST(rc3::pipeline::row(x, 1).size() == 3u);
  for (const auto& wrong : {x.t(), x[0], x.to(at::kDouble), at::Tensor()})
    throws_with([&] { rc3::pipeline::rows(wrong); }, "pipeline::rows: vectors must be float [n, E], contiguous");
  throws_with([&] { rc3::pipeline::row(x, 2); }, "row 2 of 2");
}

BOOST_AUTO_TEST_SUITE_END()
