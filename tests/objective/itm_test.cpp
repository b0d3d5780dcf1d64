#include "rc3/objective/itm.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <utility>

#include "objective/by_hand.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_itm)

using namespace rc3::test;
using namespace rc3::test::by_hand;
using namespace rc3::objective;
using rc3::Batch;

BOOST_AUTO_TEST_CASE(itm_is_its_formula) {
  // Of two samples each has one possible negative, so nothing is left to chance.
  const auto batch = fake_batch(2);
  Itm itm;
  const Matrix v = matrix_of(batch.images.regions.mean(1)), t = matrix_of(batch.a.hidden.mean(1));
  const auto score = [&](std::size_t i, std::size_t j) {
    double sum = 0;
    for (const double x : fused(v[i], t[j])) sum += x;
    return sum;
  };
  const auto softplus = [](double x) { return std::log1p(std::exp(x)); };
  const double matched = (softplus(-score(0, 0)) + softplus(-score(1, 1))) / 2;
  const double mismatched = (softplus(score(0, 1)) + softplus(score(1, 0))) / 2;  // each of them twice
  at_most("Itm against loops (float32)", std::abs(loss_of(itm, batch).item<double>() - (matched + mismatched) / 2),
          1e-6);
  // Its gradient: matched pairs are pushed up, the others down. d loss / d score = (sigmoid - target) / 4.
  loss_of(itm, batch).backward();
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  double worst = 0;
  for (std::size_t d = 0; d < 3; ++d) {
    const double by_hand = (sigmoid(score(0, 0)) - 1) / 4 * (1 + t[0][d]) + sigmoid(score(0, 1)) / 4 * (1 + t[1][d]);
    worst = std::max(worst, std::abs(by_hand - vector_of(batch.images.regions.grad()[0][0])[d]));
  }
  at_most("Itm gradient against loops (float32)", worst, 1e-6);
}

/// Six samples whose vectors begin with their number, with all kinds of false negatives.
Batch numbered() {
  auto batch = fake_batch(6, 2);
  batch.images.regions = at::stack({at::arange(6), at::ones({6})}, 1).to(at::kDouble).unsqueeze(1);
  batch.a.hidden = batch.images.regions.clone();
  batch.image_ids[1] = 0;
  batch.caption_a_ids[3] = batch.caption_a_ids[2];
  batch.caption_b_ids[5] = batch.caption_a_ids[4];
  return batch;
}

BOOST_AUTO_TEST_CASE(itm_never_draws_what_is_right) {
  const auto batch = numbered();
  const auto allowed = negatives_by_hand(batch);
  for (const double hardness : {0.0, 20.0}) {
    Itm itm({.hardness = hardness});
    torch::manual_seed(6);
    std::set<std::pair<int, int>> pairs;
    int wrong = 0;
    for (int draw = 0; draw < 300; ++draw) {
      FakeModel model;
      ForwardCache<FakeModel> forward(model, batch);
      itm.loss(forward);
      BOOST_REQUIRE(model.fused.size() == 18u);  // six matched, six with another text, six with another image
      for (std::size_t k = 6; k < 18; ++k) {
        const auto [image, text] = model.fused[k];
        const auto i = static_cast<std::size_t>(image), j = static_cast<std::size_t>(text);
        BOOST_REQUIRE((k < 12 ? i : j) == k % 6);  // the side that was not drawn is the sample's own
        if (!allowed[i][j]) ++wrong;
        pairs.emplace(i, j);
      }
    }
    at_most(rc3::join("Itm, hardness ", hardness, ": false negatives in 3600 draws"), wrong, 0);
    if (hardness == 0) BOOST_TEST(pairs.size() == 24u);  // uniform draws reach all 30 - 6 ordered pairs
  }
}

BOOST_AUTO_TEST_CASE(itm_draws_in_proportion_to_similarity) {
  // Cosines of image 0 with texts 1 and 2: 1 and -1/sqrt 2; of text 0 with images 1 and 2: 1/sqrt 2 and 1.
  auto batch = fake_batch(3, 2);
  batch.images.regions = at::tensor({1.0, 0.0, 3.0, 3.0, 0.0, 5.0}, at::kDouble).view({3, 1, 2});
  batch.a.hidden = at::tensor({0.0, 1.0, 2.0, 0.0, -4.0, 4.0}, at::kDouble).view({3, 1, 2});
  Itm itm({.hardness = 1.5});
  torch::manual_seed(7);
  constexpr int draws = 3000;
  int text_1 = 0, image_2 = 0;
  for (int draw = 0; draw < draws; ++draw) {
    FakeModel model;
    ForwardCache<FakeModel> forward(model, batch);
    itm.loss(forward);
    text_1 += model.fused[3].second == 2.0;  // which text image 0 got
    image_2 += model.fused[6].first == 0.0;  // which image text 0 got
  }
  const auto check = [&](const char* what, int drawn, double difference) {
    const double expected = 1 / (1 + std::exp(-1.5 * difference));
    at_most(rc3::join("Itm: share of the more similar ", what, ", from its probability"),
            std::abs(drawn / double(draws) - expected), 4 * std::sqrt(expected * (1 - expected) / draws));
  };
  check("text", text_1, 1 + std::sqrt(0.5));
  check("image", image_2, 1 - std::sqrt(0.5));
}

BOOST_AUTO_TEST_CASE(itm_of_what_is_not_a_number_is_not_a_number) {  // and no error: the trainer skips such a step
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    auto batch = numbered();
    {
      const torch::NoGradGuard no_grad;
      batch.images.regions[2] = bad;
    }
    Itm itm;
    BOOST_TEST(!std::isfinite(loss_of(itm, batch).item<double>()));
  }
}

BOOST_AUTO_TEST_SUITE_END()
