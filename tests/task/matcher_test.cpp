#include "rc3/task/matcher.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <memory>
#include <vector>

#include "support/support.hpp"
#include "support/tensors.hpp"
#include "support/thread_communicator.hpp"
#include "toy.hpp"

BOOST_AUTO_TEST_SUITE(task_matcher)

using namespace rc3;
using test::at_least;
using test::at_most;

namespace {

/// A Toy whose embeddings pass a map that no fusion sees: only ITC's gradient reaches it.
struct Searching : test::Toy {
  Searching() { search = register_module("search", torch::nn::Linear(4, 4)); }
  at::Tensor image_embedding(const Tokens& t) { return nn::l2_normalize(search->forward(mean(t))); }
  at::Tensor text_embedding(const Tokens& t) { return nn::l2_normalize(search->forward(mean(t))); }
  torch::nn::Linear search{nullptr};
};
using Matcher = task::Matcher<Searching>;

std::shared_ptr<Matcher> matcher() {
  torch::manual_seed(21);
  const auto made = std::make_shared<Matcher>(std::make_shared<Searching>());
  made->to(at::kDouble);
  return made;
}

task::ExampleBatch batch_of(const at::Tensor& images, const at::Tensor& texts) {
  torch::manual_seed(22);
  auto batch = test::toy_batch(images.size(0), false);
  batch.image_ids = images;
  batch.text_ids = texts;
  return batch;
}

struct Seen {
  std::array<double, 2> parts{};
  double total = 0;
  std::vector<std::pair<std::string, at::Tensor>> gradients = {};
};

Seen seen(Matcher& m, const Losses& losses) {
  losses.total.backward();
  Seen out{{losses.parts.at(0), losses.parts.at(1)}, losses.total.item<double>()};
  for (const auto& p : m.named_parameters())
    out.gradients.emplace_back(p.key(),
                               p.value().grad().defined() ? p.value().grad().clone() : at::zeros_like(p.value()));
  return out;
}

/// The sum over two ranks that have half of @p whole each.
Seen of_two_ranks(const task::ExampleBatch& whole) {
  const std::array matchers{matcher(), matcher()};
  std::array<Seen, 2> shares;
  const auto half = whole.size() / 2;
  test::as_ranks(2, [&](test::ThreadCommunicator& comm) {
    const auto r = static_cast<std::size_t>(comm.rank());
    const auto mine = whole.select(at::arange(half * comm.rank(), half * comm.rank() + half));
    shares[r] = seen(*matchers[r], matchers[r]->losses(mine, comm));
  });
  Seen sum = shares[0];
  for (const std::size_t k : {0, 1}) sum.parts[k] += shares[1].parts[k];
  sum.total += shares[1].total;
  for (std::size_t i = 0; i < sum.gradients.size(); ++i) sum.gradients[i].second += shares[1].gradients[i].second;
  return sum;
}

double apart(const Seen& a, const Seen& b, const std::string& beginning = "") {
  double worst = 0;
  int compared = 0;
  for (std::size_t i = 0; i < a.gradients.size(); ++i) {
    if (!a.gradients[i].first.starts_with(beginning)) continue;
    ++compared;
    BOOST_TEST(b.gradients[i].second.abs().max().item<double>() > 0, b.gradients[i].first);
    worst = std::max(worst, test::max_difference(a.gradients[i].second, b.gradients[i].second));
  }
  BOOST_TEST(compared > 0);
  return worst;
}

}  // namespace

BOOST_AUTO_TEST_CASE(ITC_of_two_ranks_is_that_of_one_with_the_whole_batch) {
  // An image that both ranks have, and a text: no negatives of each other.
  const auto batch =
      batch_of(at::tensor({0, 1, 2, 3, 4, 1, 6, 7}, at::kLong), at::tensor({0, 1, 2, 3, 4, 5, 2, 7}, at::kLong));
  const auto alone = matcher();
  const auto whole = seen(*alone, alone->losses(batch));
  const auto both = of_two_ranks(batch);
  at_most("ITC of 2 ranks x 4 against 1 rank x 8", std::abs(both.parts[0] - whole.parts[0]), 1e-12);
  at_most("its gradient", apart(both, whole, "model.search"), 1e-12);
  at_most("its temperature's gradient", apart(both, whole, "itc"), 1e-12);
  // Without the gather each rank would have half of the negatives.
  double halves = 0;
  for (const std::int64_t r : {0, 1}) halves += alone->losses(batch.select(at::arange(4 * r, 4 * r + 4))).parts[0] / 2;
  at_least("ITC of the halves alone, from that of the whole", std::abs(halves - whole.parts[0]), 0.1);
}

BOOST_AUTO_TEST_CASE(all_of_it_is_where_each_sample_has_one_negative_and_its_rank_has_it) {
  // 0 and 1 are negatives of each other, and so are 2 and 3: ITM has nothing to draw.
  const auto batch = batch_of(at::tensor({0, 1, 0, 1}, at::kLong), at::tensor({0, 1, 1, 0}, at::kLong));
  const auto alone = matcher();
  const auto whole = seen(*alone, alone->losses(batch));
  const auto both = of_two_ranks(batch);
  at_most("ITM of 2 ranks x 2 against 1 rank x 4", std::abs(both.parts[1] - whole.parts[1]), 1e-12);
  at_most("ITC", std::abs(both.parts[0] - whole.parts[0]), 1e-12);
  at_most("their sum", std::abs(both.total - whole.total), 1e-12);
  at_most("all gradients", apart(both, whole), 1e-12);
}

BOOST_AUTO_TEST_CASE(one_rank_alone_takes_no_other_way) {
  const auto batch = batch_of(at::tensor({0, 1}, at::kLong), at::tensor({0, 1}, at::kLong));
  Single comm;
  const auto a = matcher(), b = matcher();
  BOOST_TEST(a->losses(batch, comm).parts == b->losses(batch).parts, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_said_before_the_ranks_wait_for_each_other) {
  test::as_ranks(2, [](test::ThreadCommunicator& comm) {
    const auto m = std::make_shared<Matcher>(std::make_shared<Searching>());
    test::throws_with([&] { m->losses(test::toy_batch(4, false), comm); },
                      "does not say which images and texts are equal");
  });
}

BOOST_AUTO_TEST_SUITE_END()
