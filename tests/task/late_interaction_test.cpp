#include "rc3/task/late_interaction.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <vector>

#include "rc3/core/nn/l2_normalize.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(task_meetings)

using namespace rc3::test;
using rc3::Tokens;
using rc3::task::LateInteraction;

struct Fixture {
  Fixture() {
    torch::manual_seed(6);
    for (const std::int64_t n : {3, 10}) {
      Tokens image{at::zeros({2, n, 4}), at::ones({2, n}, at::kBool)};
      image.embeddings = rc3::nn::l2_normalize(at::randn({2, n, 6}));
      image.embeddings[1][0].zero_();
      images.push_back(image);
    }
    text = {at::zeros({2, 4, 4}), at::ones({2, 4}, at::kBool)};
    text.embeddings = rc3::nn::l2_normalize(at::randn({2, 4, 6}));
    text.mask[1][3] = false;
    text.embeddings[1][3].zero_();
    vector = rc3::nn::l2_normalize(at::randn({2, 6}));
  }
  /// Cosines of one region or token with all regions of images @p which that lie somewhere.
  std::vector<double> cosines(std::int64_t b, const at::Tensor& x, const std::vector<std::size_t>& which) const {
    std::vector<double> all;
    for (const auto p : which)
      for (std::int64_t r = 0; r < images[p].embeddings.size(1); ++r)
        if (images[p].embeddings[b][r].ne(0).any().item<bool>())
          all.push_back(x.dot(images[p].embeddings[b][r]).item<double>());
    std::sort(all.begin(), all.end(), std::greater<>());
    return all;
  }
  /// Mean and least over the tokens.
  std::vector<double> met(std::int64_t b, const std::vector<std::size_t>& which) const {
    std::vector<double> best;
    for (std::int64_t l = 0; l < 4; ++l)
      if (text.mask[b][l].item<bool>()) best.push_back(cosines(b, text.embeddings[b][l], which)[0]);
    double mean = 0;
    for (const double x : best) mean += x / static_cast<double>(best.size());
    return {mean, *std::min_element(best.begin(), best.end())};
  }
  /// The highest cosine of each region that lies somewhere with a token, highest first.
  std::vector<double> found_by_regions(std::int64_t b, const std::vector<std::size_t>& which) const {
    std::vector<double> all;
    for (const auto p : which)
      for (std::int64_t r = 0; r < images[p].embeddings.size(1); ++r) {
        double best = -2;
        for (std::int64_t l = 0; l < 4; ++l)
          if (text.mask[b][l].item<bool>())
            best = std::max(best, text.embeddings[b][l].dot(images[p].embeddings[b][r]).item<double>());
        if (images[p].embeddings[b][r].ne(0).any().item<bool>()) all.push_back(best);
      }
    std::sort(all.begin(), all.end(), std::greater<>());
    all.resize(static_cast<std::size_t>(LateInteraction::regions), -0.3);
    return all;
  }
  std::vector<Tokens> images;
  Tokens text;
  at::Tensor vector;
};

BOOST_FIXTURE_TEST_CASE(are_what_loops_say, Fixture) {
  const auto found = LateInteraction::features(images, text, vector);
  BOOST_TEST((found.sizes() == at::IntArrayRef{2, LateInteraction::width(2)}));
  double worst = 0;
  for (std::int64_t b = 0; b < 2; ++b) {
    std::vector<double> expected;
    for (std::size_t p = 0; p < 2; ++p) {
      auto s = cosines(b, vector[b], {p});
      s.resize(static_cast<std::size_t>(LateInteraction::regions), -0.3);
      expected.insert(expected.end(), s.begin(), s.end());
      for (const double x : met(b, {p})) expected.push_back(x);
    }
    for (const double x : met(b, {0, 1})) expected.push_back(x);
    for (const double x : found_by_regions(b, {0, 1})) expected.push_back(x);
    BOOST_TEST_REQUIRE(std::ssize(expected) == LateInteraction::width(2));
    for (std::size_t i = 0; i < expected.size(); ++i)
      worst = std::max(worst, std::abs(found[b][static_cast<std::int64_t>(i)].item<double>() - 10 * expected[i]));
  }
  at_most("meetings against loops", worst, 1e-5);
  const auto one = LateInteraction::features({images[0]}, text, vector);
  const auto own = LateInteraction::regions + 2;
  at_most("of one image", max_difference(one.narrow(1, 0, own), found.narrow(1, 0, own)), 1e-6);
  for (std::int64_t b = 0; b < 2; ++b) {
    const auto expected = found_by_regions(b, {0});
    for (std::int64_t i = 0; i < LateInteraction::regions; ++i)
      at_most("by regions of one image",
              std::abs(one[b][own + i].item<double>() - 10 * expected[static_cast<std::size_t>(i)]), 1e-5);
  }
}

BOOST_FIXTURE_TEST_CASE(the_order_of_regions_does_not_count, Fixture) {
  const auto before = LateInteraction::features({images[0]}, text, vector);
  images[0].embeddings = images[0].embeddings.flip(1);
  at_most("regions the other way round", max_difference(before, LateInteraction::features({images[0]}, text, vector)),
          1e-6);
}

BOOST_FIXTURE_TEST_CASE(nothing_is_said_without_vectors, Fixture) {
  images[1].embeddings = at::Tensor();
  const auto found = LateInteraction::features(images, text, vector);
  BOOST_TEST((found.sizes() == at::IntArrayRef{2, LateInteraction::width(2)}));
  at_most("all missing", max_difference(found, at::full_like(found, -3.0)), 1e-6);
}

BOOST_AUTO_TEST_SUITE_END()
