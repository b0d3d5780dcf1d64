// Identity of a pipeline: equal for equal weights and preparation, else different.
#include "rc3/pipeline/identity.hpp"

#include <boost/test/unit_test.hpp>

#include <torch/torch.h>

#include "pipeline/tiny.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(pipeline_identity)

using namespace rc3::test;
using rc3::pipeline::identity_of;

BOOST_AUTO_TEST_CASE(weights_and_preparation_count) {
  const auto same = identity_of(tiny_pipeline(1));
  BOOST_TEST(identity_of(tiny_pipeline(1)) == same);
  BOOST_TEST(identity_of(tiny_pipeline(2)) != same);
  const torch::NoGradGuard no_grad;
  for (int k = 0; k < 5; ++k) {
    auto p = tiny_pipeline(1);
    if (k == 0) p.model->parameters().back().view(-1)[0] += 1;
    if (k == 1) p.model->named_buffers()["image_scale"].mul_(2);
    if (k == 2) p.images.crop = rc3::preprocess::PreprocessSize{32, 32, 0};
    if (k == 3) p.images.background = {0, 0, 0};
    if (k == 4) p.images.mean[2] = 0.5;
    BOOST_TEST(identity_of(p) != same);
  }
}

BOOST_AUTO_TEST_SUITE_END()
