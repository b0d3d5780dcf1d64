#include "rc3/core/nn/packing.hpp"

#include <ATen/ops/randn.h>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <vector>

#include "rc3/core/nn/transformer_stack.hpp"
#include "support/support.hpp"

using rc3::nn::Packing;

namespace {

/// Tokens at the left, and in the last row with gaps.
at::Tensor mask_of(const std::vector<std::int64_t>& lengths, std::int64_t columns) {
  auto mask = at::zeros({static_cast<std::int64_t>(lengths.size()), columns}, at::kBool);
  for (std::size_t i = 0; i < lengths.size(); ++i)
    mask[static_cast<std::int64_t>(i)].narrow(0, 0, lengths[i]).fill_(true);
  mask[-1][1] = false;
  mask[-1][columns - 1] = true;
  return mask;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_packing)

BOOST_AUTO_TEST_CASE(rows_come_back_to_their_places) {
  const auto mask = mask_of({3, 1, 6, 4}, 6);
  const auto x = at::randn({4, 6, 5});
  const Packing packing(mask);
  BOOST_TEST(packing.pack(x).size(0) == mask.sum().item<std::int64_t>());
  BOOST_TEST(packing.unpack(packing.pack(x)).equal(x * mask.unsqueeze(2)));
}

BOOST_AUTO_TEST_CASE(tokens_are_those_of_the_padded_batch) {
  // Heads of 32, 16 and 48 have kernels of their own where there is AVX-512, those of 12 have none.
  for (const std::int64_t width : {64, 32, 96, 24})
    for (const auto norm : {rc3::nn::Norm::post, rc3::nn::Norm::pre}) {
      torch::manual_seed(5);
      std::vector<rc3::nn::TransformerLayer> layers;
      for (int i = 0; i < 3; ++i) layers.emplace_back(rc3::nn::TransformerLayerOptions{width, 2, 50, 0.1, 1e-12, norm});
      for (auto& layer : layers) layer.eval();
      const auto layer = [&](std::int64_t i) -> rc3::nn::TransformerLayer& {
        return layers[static_cast<std::size_t>(i)];
      };
      const auto mask = mask_of({70, 1, 17, 33, 16, 5, 5, 64, 40}, 70);
      const auto x = at::randn({9, 70, width});
      const auto padded = rc3::nn::forward(x, mask, 0, 3, layer).detach() * mask.unsqueeze(2);  // with gradient
      const c10::NoGradGuard no_grad;
      BOOST_TEST_REQUIRE(Packing::pays(x, mask));
      const auto packed = rc3::nn::forward(x, mask, 0, 3, layer);
      rc3::test::at_most("packed against padded tokens", (packed - padded).abs().max().item<double>(), 1e-5);
      for (const std::int64_t i : {1, 3}) {  // one by one
        const auto own = mask[i].sum().item<std::int64_t>();
        const auto alone =
            rc3::nn::forward(x[i].narrow(0, 0, own).unsqueeze(0), at::ones({1, own}, at::kBool), 0, 3, layer);
        BOOST_TEST((packed[i].narrow(0, 0, own) - alone[0]).abs().max().item<double>() < 1e-5);
      }
    }
}

BOOST_AUTO_TEST_CASE(weights_in_bfloat16_have_tokens_in_bfloat16) {
  torch::manual_seed(5);
  rc3::nn::TransformerLayer one(rc3::nn::TransformerLayerOptions{32, 2, 50, 0.1, 1e-12, rc3::nn::Norm::post});
  one.eval();
  const auto layer = [&](std::int64_t) -> rc3::nn::TransformerLayer& { return one; };
  const auto mask = mask_of({3, 20, 33}, 40);
  const auto x = at::randn({3, 40, 32});
  const c10::NoGradGuard no_grad;
  const auto expected = rc3::nn::forward(x, mask, 0, 1, layer);
  one.to(at::kBFloat16);
  const auto found = rc3::nn::forward(x.to(at::kBFloat16), mask, 0, 1, layer);
  BOOST_TEST(found.scalar_type() == at::kBFloat16);
  rc3::test::at_most("bfloat16 against float32", (found.to(at::kFloat) - expected).abs().max().item<double>(), 0.1);
}

BOOST_AUTO_TEST_CASE(scores_of_any_size) {
  // Softmax of scores of 0, of a few, and of one far above the others: a token's key is most like its own.
  const auto mask = mask_of({3, 20, 33}, 40);
  const Packing packing(mask);
  const auto rows = mask.sum().item<std::int64_t>();
  const auto value = at::randn({rows, 32});
  auto key = at::randn({rows, 2, 16});
  key = (key / key.norm(2, 2, true)).view({rows, 32});
  for (const double size : {0.0, 4.0, 1000.0}) {
    const auto query = key * size;
    const auto mixed = packing.attention(query, key, value, 2);
    BOOST_TEST(mixed.isfinite().all().item<bool>());
    if (size == 1000.0) BOOST_TEST((mixed - value).abs().max().item<double>() < 1e-3);
    if (size == 0.0) {
      const auto mean = value.narrow(0, 0, 3).mean(0);  // the shortest comes first
      BOOST_TEST((mixed[0] - mean).abs().max().item<double>() < 1e-6);
    }
  }
}

BOOST_AUTO_TEST_CASE(only_where_it_pays) {
  const auto mask = mask_of({3, 4, 6, 4}, 6);
  const auto x = at::randn({4, 6, 8});
  BOOST_TEST(!Packing::pays(x, mask));  // with gradient
  const c10::NoGradGuard no_grad;
  BOOST_TEST(Packing::pays(x, mask));
  BOOST_TEST(!Packing::pays(x, at::ones({4, 6}, at::kBool)));
  BOOST_TEST(!Packing::pays(x.narrow(0, 0, 1), mask.narrow(0, 0, 1)));
  auto empty = mask.clone();
  empty[2].fill_(false);  // a row without tokens has no softmax
  BOOST_TEST(!Packing::pays(x, empty));
}

BOOST_AUTO_TEST_CASE(every_row_is_worked_on_once) {
  for (const std::int64_t rows : {0, 1, 7, 5000}) {
    std::vector<std::atomic<int>> visits(static_cast<std::size_t>(rows));
    rc3::nn::parallel_rows(rows, 3, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
    });
    for (const auto& count : visits) BOOST_TEST(count == 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()
