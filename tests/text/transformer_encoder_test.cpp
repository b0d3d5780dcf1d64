#include "rc3/text/transformer_encoder.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/text/tokenize.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(text_scratch)

using namespace rc3::test;
using rc3::Texts;
using rc3::text::TransformerEncoder;
using rc3::text::TransformerEncoderOptions;

TransformerEncoderOptions tiny() {
  return {.vocabulary = 20, .width = 8, .layers = 2, .heads = 2, .feed_forward = 16, .positions = 9, .dropout = 0};
}

std::shared_ptr<TransformerEncoder> model(TransformerEncoderOptions options = tiny()) {
  torch::manual_seed(1);
  return std::make_shared<TransformerEncoder>(options);
}

Texts texts(std::vector<std::vector<std::int64_t>> ids, std::int64_t multiple = 1) {
  return rc3::text::pad_batch(ids, multiple);
}

const std::vector<std::vector<std::int64_t>> three{{0, 5, 6, 2}, {0, 7, 2}, {0, 8, 9, 10, 11, 2}};

BOOST_AUTO_TEST_CASE(padding_changes_nothing) {
  const auto m = model();
  const auto short_batch = texts(three), long_batch = texts(three, 9);
  const auto a = m->encode(short_batch), b = m->encode(long_batch);
  BOOST_TEST(b.values.sizes() == at::IntArrayRef({3, 9, 8}));
  BOOST_TEST(b.values.masked_select(~long_batch.mask.unsqueeze(2)).equal(at::zeros({(27 - 13) * 8})));
  at_most("TransformerEncoder: three columns more of padding", max_difference(b.values.slice(1, 0, 6), a.values), 1e-6);
  at_most("TransformerEncoder: pooled with more padding", max_difference(m->pool(b), m->pool(a)), 1e-6);
  const auto n = a.values[1].slice(0, 0, 3).mean(0);
  at_most("TransformerEncoder: pool is the mean over the mask", max_difference(m->pool(a)[1], n), 1e-6);
}

BOOST_AUTO_TEST_CASE(the_last_norm_and_the_positions_count) {
  const auto m = model();
  const auto t = m->encode(texts(three)).values;
  at_most("TransformerEncoder: rows have mean 0", t[2].mean(1).abs().max().item<double>(), 1e-6);
  at_most("TransformerEncoder: rows have variance 1", (t[2].square().mean(1) - 1).abs().max().item<double>(), 5e-2);
  const auto swapped = m->encode(texts({{0, 6, 5, 2}})).values[0];
  BOOST_TEST(max_difference(swapped[1], t[0][2]) > 1e-3);  // the same words elsewhere
}

BOOST_AUTO_TEST_CASE(weights_start_small) {
  auto options = tiny();
  options.width = options.feed_forward = 64;
  options.layers = 8;
  const auto m = model(options);
  for (const auto& item : m->named_parameters()) {
    const auto& name = item.key();
    const auto& p = item.value();
    if (p.dim() == 2) {
      const double expected = name.ends_with("output.weight") ? 0.02 / 4 : 0.02;
      BOOST_TEST(std::abs(p.std().item<double>() / expected - 1) < 0.1, name);
    } else {
      BOOST_TEST(p.equal(name.ends_with("bias") ? at::zeros_like(p) : at::ones_like(p)), name);
    }
  }
}

BOOST_AUTO_TEST_CASE(it_learns_from_nothing) {
  const auto m = model();
  const auto batch = texts({{0, 5, 2}, {0, 6, 2}, {0, 5, 6, 2}, {0, 6, 5, 2}});
  torch::manual_seed(2);
  const auto target = at::randn({4, 8});
  torch::optim::AdamW optimizer(m->parameters(), torch::optim::AdamWOptions(1e-2));
  double first = 0, last = 0;
  for (int step = 0; step < 150; ++step) {
    optimizer.zero_grad();
    const auto loss = (m->pool(m->encode(batch)) - target).square().mean();
    if (step == 0) {
      loss.backward();
      for (const auto& item : m->named_parameters())
        BOOST_TEST((item.value().grad().defined() && finite(item.value().grad())), item.key());
    } else {
      loss.backward();
    }
    optimizer.step();
    last = loss.item<double>();
    if (step == 0) first = last;
  }
  at_most("TransformerEncoder: loss after 150 steps over loss before", last / first, 0.1);
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
  const auto m = model();
  throws_with([&] { m->encode(texts({{0, 20, 2}})); }, "text::TransformerEncoder", "id 20", "vocabulary of 20");
  throws_with(
      [&] {
        m->encode(texts({{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}));
      },
      "text::TransformerEncoder", "10 tokens", "9");
  throws_with([&] { m->encode(texts({{0, 2}, {}})); }, "text::TransformerEncoder", "text 1 of 2", "no token");
  auto options = tiny();
  options.heads = 3;
  throws_with([&] { TransformerEncoder{options}; }, "width 8", "heads 3");
  options = tiny();
  options.positions = 0;
  throws_with([&] { TransformerEncoder{options}; }, "text::TransformerEncoderOptions", "positions");
}

BOOST_AUTO_TEST_SUITE_END()
