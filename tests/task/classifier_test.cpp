#include "rc3/task/classifier.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>

#include "support/support.hpp"
#include "support/thread_communicator.hpp"
#include "toy.hpp"

using namespace rc3;
using test::throws_with;
using test::Toy;

namespace {

using Head = task::Classifier<Toy>;

std::shared_ptr<Head> head(std::int64_t images, bool vectors = true) {
  torch::manual_seed(3);
  auto made = std::make_shared<Head>(std::make_shared<Toy>(),
                                     task::ClassifierOptions{.classes = 3, .images = images, .embeddings = vectors});
  made->to(at::kDouble);
  made->eval();
  return made;
}

using Row = std::vector<double>;

Row row(const at::Tensor& t) {
  const auto flat = t.contiguous().to(at::kDouble);
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

Row affine(const Row& x, const at::Tensor& weight, const at::Tensor& bias) {
  Row y;
  for (std::int64_t i = 0; i < weight.size(0); ++i) {
    double sum = bias[i].item<double>();
    for (std::size_t j = 0; j < x.size(); ++j) sum += weight[i][static_cast<std::int64_t>(j)].item<double>() * x[j];
    y.push_back(sum);
  }
  return y;
}

Row mean_of(const at::Tensor& tokens, const at::Tensor& mask) {
  Row sum(static_cast<std::size_t>(tokens.size(1)), 0);
  double n = 0;
  for (std::int64_t i = 0; i < tokens.size(0); ++i) {
    if (!mask[i].item<bool>()) continue;
    n += 1;
    for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += tokens[i][static_cast<std::int64_t>(j)].item<double>();
  }
  for (double& x : sum) x /= n;
  return sum;
}

double norm(const Row& x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return std::sqrt(sum);
}

/// The definition, number by number.
Row expected(Head& h, const task::ExampleBatch& batch, std::int64_t i, bool vectors) {
  const auto p = h.named_parameters();
  Row seen;
  const Row text = mean_of(batch.texts.hidden[i], batch.texts.mask[i]);
  for (const Images* images : {&batch.images, &batch.right}) {
    if (images->size() == 0) continue;
    const Row image = mean_of(images->regions[i], images->region_mask[i]);
    Row both = image;
    both.insert(both.end(), text.begin(), text.end());
    for (const double z : affine(both, p["model.mix.weight"], p["model.mix.bias"])) seen.push_back(std::tanh(z));
    if (vectors)
      for (std::size_t j = 0; j < text.size(); ++j) seen.push_back(4 * image[j] / norm(image) * text[j] / norm(text));
  }
  if (vectors)
    for (const double t : text) seen.push_back(2 * t / norm(text));
  Row x = affine(seen, p["hidden.weight"], p["hidden.bias"]);
  for (double& v : x) v *= 0.5 * (1 + std::erf(v / std::sqrt(2.0)));
  double mean = 0, variance = 0;
  for (const double v : x) mean += v / static_cast<double>(x.size());
  for (const double v : x) variance += (v - mean) * (v - mean) / static_cast<double>(x.size());
  for (std::size_t j = 0; j < x.size(); ++j)
    x[j] = (x[j] - mean) / std::sqrt(variance + 1e-5) * p["norm.weight"][static_cast<std::int64_t>(j)].item<double>() +
           p["norm.bias"][static_cast<std::int64_t>(j)].item<double>();
  Row logits = affine(x, p["out.weight"], p["out.bias"]);
  if (!vectors) return logits;
  // Tokens of this model have no vectors: meetings say that they are missing.
  Row met = affine(Row(static_cast<std::size_t>(task::LateInteraction::width(batch.pairs() ? 2 : 1)), -3.0),
                   p["interaction_hidden.weight"], p["interaction_hidden.bias"]);
  for (double& v : met) v *= 0.5 * (1 + std::erf(v / std::sqrt(2.0)));
  const Row by_interaction = affine(met, p["interaction_out.weight"], p["interaction_out.bias"]);
  for (std::size_t c = 0; c < logits.size(); ++c) logits[c] += by_interaction[c];
  return logits;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(task_classifier)

BOOST_AUTO_TEST_CASE(logits_follow_the_formula) {
  double worst = 0, loss_difference = 0;
  for (const std::int64_t images : {1, 2})
    for (const bool vectors : {false, true}) {
      const auto h = head(images, vectors);
      const auto batch = test::toy_batch(5, images == 2);
      const auto logits = h->logits(batch);
      double loss = 0;
      for (std::int64_t i = 0; i < 5; ++i) {
        const Row want = expected(*h, batch, i, vectors), got = row(logits[i]);
        double sum = 0;
        for (std::size_t c = 0; c < 3; ++c) {
          worst = std::max(worst, std::abs(want[c] - got[c]));
          sum += std::exp(want[c]);
        }
        loss += (std::log(sum) - want[static_cast<std::size_t>(i % 3)]) / 5;
      }
      loss_difference = std::max(loss_difference, std::abs(loss - h->losses(batch).total.item<double>()));
    }
  test::at_most("classifier's logits against the formula", worst, 1e-13);
  test::at_most("classifier's loss against the formula", loss_difference, 1e-13);
}

/// Its tokens have vectors that never meet.
struct LateInteractionFusion : Toy {
  static Tokens with_vectors(Tokens t) {
    t.embeddings = at::zeros_like(t.values);
    return t;
  }
  Tokens visual(const Images& p) { return with_vectors(Toy::visual(p)); }
  Tokens text(const Texts& t) { return with_vectors(Toy::text(t)); }
};

BOOST_AUTO_TEST_CASE(training_answers_some_by_meetings_alone) {
  torch::manual_seed(3);
  task::Classifier<LateInteractionFusion> h(std::make_shared<LateInteractionFusion>(),
                                            {.classes = 3, .dropout = 0, .leave_out = 0.5});
  h.to(at::kDouble);
  const auto batch = test::toy_batch(64, false);
  h.eval();
  const auto whole = h.logits(batch);
  h.train();
  const auto some = h.logits(batch);
  // All examples' meetings are equal here, so what is left of those without z is one row.
  const auto kept = (some - whole).abs().amax(1).lt(1e-12);
  const auto n = kept.sum().item<std::int64_t>();
  BOOST_TEST(n > 16);
  BOOST_TEST(n < 48);
  const auto left = some.index({kept.logical_not()});
  test::at_most("what is left", (left - left[0]).abs().max().item<double>(), 1e-12);
  throws_with([] { Head(std::make_shared<Toy>(), {.leave_out = 1}); }, "leave_out must be in [0, 1), is 1");
}

BOOST_AUTO_TEST_CASE(where_tokens_have_no_vectors_all_is_answered_by_z) {
  torch::manual_seed(3);
  Head h(std::make_shared<Toy>(), {.classes = 3, .dropout = 0, .leave_out = 0.5});
  h.to(at::kDouble);
  const auto batch = test::toy_batch(64, false);
  h.eval();
  const auto whole = h.logits(batch);
  h.train();
  BOOST_TEST(h.logits(batch).equal(whole));
}

BOOST_AUTO_TEST_CASE(the_order_of_two_images_matters) {
  const auto h = head(2);
  auto batch = test::toy_batch(4, true);
  const auto before = h->logits(batch);
  std::swap(batch.images, batch.right);
  BOOST_TEST((h->logits(batch) - before).abs().max().item<double>() > 1e-3);
}

BOOST_AUTO_TEST_CASE(shares_of_ranks_add_up_to_the_loss) {
  const auto h = head(1);
  const auto whole = test::toy_batch(6, false);
  const double all = h->losses(whole).total.item<double>();
  struct Two : Single {
    std::int64_t size() const { return 2; }
  } two;
  const double left = h->losses(whole.select(at::arange(3)), two).total.item<double>();
  const double right = h->losses(whole.select(at::arange(3, 6)), two).total.item<double>();
  BOOST_TEST(std::abs(all - left - right) < 1e-14);
}

BOOST_AUTO_TEST_CASE(wrong_input_is_named) {
  throws_with([] { head(3); }, "images must be 1 or 2, are 3");
  throws_with([] { Head(std::make_shared<Toy>(), {.classes = 1}); }, "classes must be above 1");
  throws_with([] { head(2)->logits(test::toy_batch(2, false)); }, "made for 2 images a question, the batch has 1");
  throws_with([] { head(1)->logits(test::toy_batch(2, true)); }, "made for 1 images a question, the batch has 2");
  auto batch = test::toy_batch(3, false);
  batch.labels[1] = -1;
  throws_with([&] { head(1)->losses(batch); }, "has no answer");
}

BOOST_AUTO_TEST_SUITE_END()
