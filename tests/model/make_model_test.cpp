#include "rc3/model/make_model.hpp"

#include <boost/test/unit_test.hpp>

#include <ATen/ops/full.h>
#include <c10/core/GradMode.h>

#include "rc3/fusion/single_stream.hpp"
#include "rc3/text/bert.hpp"
#include "rc3/visual/roi.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(model_make_model)

using namespace rc3;

namespace {

text::Bert encoder() { return text::Bert({.vocabulary = 10, .width = 8, .layers = 1, .heads = 2, .feed_forward = 8}); }
fusion::SingleStream stream(std::int64_t width = 8) {
  return fusion::SingleStream({.width = width, .layers = 1, .heads = 2, .feed_forward = 8});
}

}  // namespace

BOOST_AUTO_TEST_CASE(policies_are_moved_into_the_model) {
  const c10::NoGradGuard no_grad;
  auto text = encoder();
  text.word_embedding().fill_(7);
  const auto model = make_model(visual::Roi({.features = 4, .width = 8}), std::move(text), stream(), {.embedding = 5});
  static_assert(std::is_same_v<decltype(model), const std::shared_ptr<Model<visual::Roi, text::Bert>>>);
  BOOST_TEST(model->text_policy()->word_embedding().eq(7).all().item<bool>());
  BOOST_TEST(model->options().embedding == 5);
  // Every parameter of the text encoder is one of the model's, the very same memory.
  const auto all = model->named_parameters();
  for (const auto& p : model->text_policy()->named_parameters())
    BOOST_TEST(all["text." + p.key()].data_ptr() == p.value().data_ptr());
  const auto handle = model;
  handle->text_policy()->word_embedding().fill_(1);
  BOOST_TEST(model->text_policy()->word_embedding().eq(1).all().item<bool>());
}

BOOST_AUTO_TEST_CASE(a_shared_policy_stays_shared) {
  const auto text = std::make_shared<text::Bert>(encoder());
  const auto model = make_model(visual::Roi({.features = 4, .width = 8}), text, stream());
  BOOST_TEST(model->text_policy() == text);
}

BOOST_AUTO_TEST_CASE(widths_that_differ_are_an_error) {
  test::throws_with([] { make_model(visual::Roi({.features = 4, .width = 8}), encoder(), stream(16)); }, "width", "16");
}

BOOST_AUTO_TEST_SUITE_END()
