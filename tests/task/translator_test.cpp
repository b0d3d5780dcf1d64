#include "rc3/task/translator.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>

#include "support/support.hpp"
#include "toy.hpp"

using namespace rc3;
using test::throws_with;
using test::Toy;

namespace {

using Head = task::Translator<Toy>;
constexpr std::int64_t vocabulary = 9;

std::shared_ptr<Head> head(double smoothing) {
  torch::manual_seed(5);
  auto made = std::make_shared<Head>(
      std::make_shared<Toy>(),
      std::make_shared<fusion::Decoder>(fusion::DecoderOptions{
          .vocabulary = vocabulary, .width = 4, .layers = 1, .heads = 2, .feed_forward = 8, .positions = 10}),
      smoothing);
  made->to(at::kDouble);
  made->eval();
  for (auto& p : made->named_parameters())
    if (p.key() == "decoder.bias" || p.key() == "decoder.embedding") torch::nn::init::normal_(p.value());
  return made;
}

/// Two texts: language 2 with two words, language 3 with one.
task::ExampleBatch batch() {
  auto made = test::toy_batch(2, false);
  made.targets = {at::tensor({2, 5, 7, 0, 3, 8, 0, 1}, at::kLong).view({2, 4}),
                  at::tensor({1, 1, 1, 1, 1, 1, 1, 0}, at::kLong).to(at::kBool).view({2, 4}),
                  {}};
  made.target_languages = at::tensor({2, 3}, at::kLong);
  return made;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(task_translator)

BOOST_AUTO_TEST_CASE(loss_follows_the_formula) {
  double worst = 0;
  for (const double smoothing : {0.0, 0.2}) {
    const auto h = head(smoothing);
    const auto b = batch();
    const auto memory = h->model()->fuse_tokens(h->model()->visual(b.images), h->model()->text(b.texts)).memory();
    // One text and one prefix at a time: neither padding nor what comes later can be seen.
    const std::vector<std::vector<std::int64_t>> texts = {{2, 5, 7, 0}, {3, 8, 0}};
    double sum = 0;
    int asked = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto row = memory.select(at::tensor({static_cast<std::int64_t>(i)}, at::kLong));
      std::vector<std::int64_t> read = {task::Vocabulary::end, texts[i][0]};
      for (std::size_t t = 1; t < texts[i].size(); ++t) {
        const auto states = h->decoder()->forward(at::tensor(read, at::kLong).unsqueeze(0), row);
        const auto log_p = h->decoder()->logits(states.select(1, -1)).log_softmax(1)[0];
        sum -= (1 - smoothing) * log_p[texts[i][t]].item<double>() + smoothing * log_p.mean().item<double>();
        ++asked;
        read.push_back(texts[i][t]);
      }
    }
    worst = std::max(worst, std::abs(sum / asked - h->losses(b).total.item<double>()));
  }
  test::at_most("translator's loss against the formula", worst, 1e-13);
}

BOOST_AUTO_TEST_CASE(each_text_is_written_in_its_language) {
  const auto h = head(0.1);
  auto b = test::toy_batch(4, false);
  b.target_languages = at::tensor({2, 3, 2, 3}, at::kLong);
  const auto all = h->translate(b, {.max_length = 6, .beams = 2});
  for (std::int64_t i = 0; i < 4; ++i) {
    const auto alone = h->translate(b.select(at::tensor({i}, at::kLong)), {.max_length = 6, .beams = 2});
    const auto& found = all[static_cast<std::size_t>(i)];
    BOOST_TEST(found.ids == alone[0].ids);
    BOOST_TEST_REQUIRE(!found.ids.empty());
    BOOST_TEST(found.ids[0] == 2 + i % 2);
  }
}

BOOST_AUTO_TEST_CASE(a_text_is_learned) {
  const auto h = head(0.0);
  h->train();
  const auto b = batch();
  torch::optim::Adam adam(h->parameters(), 0.05);
  for (int i = 0; i < 150; ++i) {
    adam.zero_grad();
    h->losses(b).total.backward();
    adam.step();
  }
  h->eval();
  const auto found = h->translate(b, {.max_length = 6});
  BOOST_TEST((found[0].ids == std::vector<std::int64_t>{2, 5, 7}));
  BOOST_TEST((found[1].ids == std::vector<std::int64_t>{3, 8}));
}

BOOST_AUTO_TEST_CASE(wrong_input_is_named) {
  throws_with([] { head(1.0); }, "label_smoothing must be in [0, 1), is 1");
  auto b = batch();
  b.targets.mask[1].fill_(false);
  throws_with([&] { head(0.1)->losses(b); }, "has no reference");
}

BOOST_AUTO_TEST_SUITE_END()
