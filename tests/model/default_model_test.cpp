#include "rc3/model/default_model.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/core/nn/state.hpp"
#include "rc3/visual/backbone/linear_patches.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(default_model)

using rc3::visual::backbone::LinearPatches;

// Weights of earlier runs are of this type: another name would refuse them.
BOOST_AUTO_TEST_CASE(its_name_is_that_of_earlier_weights) {
  BOOST_TEST(rc3::DefaultModel::name() ==
             "Model<visual::Both<visual::RoiFromCrops<visual::backbone::EfficientNetLite0>, "
             "visual::Patch<visual::backbone::EfficientNetLite0>>, text::Bert, "
             "fusion::LateInteractionFusion<fusion::SingleStream>>");
}

BOOST_AUTO_TEST_CASE(regions_and_patches_share_the_backbone_and_the_text_encoder_is_frozen) {
  const auto backbone =
      std::make_shared<LinearPatches>(rc3::visual::backbone::LinearPatchesOptions{.channels = 5, .patch_size = 8});
  const auto text = std::make_shared<rc3::text::Bert>(
      rc3::text::BertOptions{.vocabulary = 20, .width = 12, .layers = 2, .heads = 2, .feed_forward = 8});
  const auto model = rc3::default_model(backbone, text);
  BOOST_TEST(model->width() == 12);
  BOOST_TEST(std::get<0>(model->visual_policy()->roi()->parts()) == backbone);
  BOOST_TEST(std::get<0>(model->visual_policy()->patch()->parts()) == backbone);
  BOOST_TEST(rc3::nn::count_parameters(*text).trainable == 0);
  BOOST_TEST(rc3::nn::count_parameters(*model).trainable > 0);
}

BOOST_AUTO_TEST_SUITE_END()
