#include <boost/test/unit_test.hpp>

#include "rc3/io/json.hpp"
#include "rc3/model/gradient_cache.hpp"
#include "rc3/objective/objective.hpp"
#include "rc3/regularizer/regularizer.hpp"
#include "support/fake_model.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(baselines_losses)

using namespace rc3::test;
using namespace rc3::objective;
using rc3::Batch;
using Json = nlohmann::json;

/// Relevance as the case has it.
struct Table {
  at::Tensor rows;
  at::Tensor score(const Batch& batch) { return batch.relevance; }
  at::Tensor score_rows(const Batch&, std::int64_t begin, std::int64_t end) {
    return rows.narrow(0, begin, end - begin);
  }
};
static_assert(rc3::relevance::Policy<Table> && rc3::relevance::ScoresRows<Table>);

at::Tensor matrix(const Json& json) {
  std::vector<double> all;
  for (const auto& row : json)
    for (const auto& x : row) all.push_back(x.get<double>());
  return at::tensor(all, at::kDouble).view({static_cast<std::int64_t>(json.size()), -1});
}
at::Tensor integers(const Json& json) { return at::tensor(json.get<std::vector<std::int64_t>>(), at::kLong); }

struct Case {
  std::string name;
  Batch batch;
  at::Tensor relevances;
  std::map<std::string, double> losses;
};

Case read(const Json& json) {
  const auto leaf = [&](const char* key) { return matrix(json[key]).unsqueeze(1).requires_grad_(); };
  Case c;
  c.name = json["name"];
  const auto n = static_cast<std::int64_t>(json["v"].size());
  const auto mask = at::ones({n, 1}, at::kBool);
  c.batch.images.regions = leaf("v");
  c.batch.a = {{}, mask, leaf("a")};
  c.batch.b = {{}, mask, leaf("b")};
  c.batch.image_ids = integers(json["image_ids"]);
  c.batch.caption_a_ids = integers(json["caption_a_ids"]);
  c.batch.caption_b_ids = integers(json["caption_b_ids"]);
  std::vector<std::int64_t> strict;
  for (const bool s : json["strict"]) strict.push_back(s);
  c.batch.strict = at::tensor(strict, at::kLong).to(at::kBool);
  c.batch.relevance = at::tensor(json["relevance"].get<std::vector<double>>(), at::kDouble);
  c.relevances = matrix(json["relevances"]);
  c.losses = json["losses"].get<std::map<std::string, double>>();
  return c;
}

std::vector<Case> cases() {
  const auto folder = environment("RC3_BASELINES");
  if (folder.empty()) {
    std::cout << "skipped: no RC3_BASELINES; ./run test sets it\n";
    return {};
  }
  std::vector<Case> all;
  for (const auto& json : rc3::io::read_json(std::filesystem::path(folder) / "losses.json")) all.push_back(read(json));
  return all;
}

/// Calls @p visit(name, objective) with each objective of the baseline, in float64 and with the temperature 0.07
/// exactly.
template <class Visit>
void each_objective(const Case& c, const Visit& visit) {
  const auto give = [&](const std::string& name, auto objective) {
    objective->to(at::kDouble);
    const torch::NoGradGuard no_grad;
    for (auto& item : objective->named_parameters()) item.value().fill_(std::log(1 / 0.07));
    at::AutoGradMode with_gradient(true);
    visit(name, *objective);
  };
  const auto both = [&](const std::string& name, const auto& regularizer) {
    using R = std::decay_t<decltype(regularizer)>;
    const RXvtclOptions options{.tau = 0.07, .lambda = 0.7, .hidden_images = 0};
    give("RXvtcl<" + name + ", InBatch>",
         std::make_shared<RXvtcl<R, Table, negatives::InBatch>>(options, regularizer, Table{c.relevances}));
    give("RXvtcl<" + name + ", SameImage>",
         std::make_shared<RXvtcl<R, Table, negatives::SameImage>>(options, regularizer, Table{c.relevances}));
  };
  using namespace rc3::regularizer;
  give("Itc", std::make_shared<Itc>());
  give("SigmoidItc", std::make_shared<SigmoidItc>());
  give("Xtcl", std::make_shared<Xtcl>());
  both("None", None());
  both("Ceiling", Ceiling(0.2));
  both("HuberToTarget", HuberToTarget(0.1, 0.3));
  both("Weighted", Weighted(1.5));
  both("SoftTarget", SoftTarget(0.2));
  both("Sum",
       Sum<Ceiling, HuberToTarget, Weighted>({0.5, 2.0, 1.0}, Ceiling(0.2), HuberToTarget(0.1, 0.3), Weighted(1.5)));
}

template <class Objective>
at::Tensor loss_of(Objective& objective, const Batch& batch) {
  FakeModel model;
  ForwardCache<FakeModel> forward(model, batch);
  return objective.loss(forward);
}

std::vector<at::Tensor> leaves_of(const Batch& batch) { return {batch.images.regions, batch.a.hidden, batch.b.hidden}; }

/// A unit vector has no derivative at zero.
bool has_zero_vectors(const Case& c) { return c.name.starts_with("zero"); }

BOOST_AUTO_TEST_CASE(every_loss_is_that_of_numpy) {
  double worst = 0;
  std::size_t compared = 0;
  for (const auto& c : cases())
    each_objective(c, [&](const std::string& name, auto& objective) {
      const double difference = std::abs(loss_of(objective, c.batch).template item<double>() - c.losses.at(name));
      BOOST_TEST(difference <= 1e-10, c.name << ", " << name << ": differs by " << difference);
      worst = std::max(worst, difference);
      ++compared;
    });
  if (compared == 0) return;
  at_least("losses compared with NumPy float64", compared, 220u);
  at_most("largest difference", worst, 1e-10);
}

BOOST_AUTO_TEST_CASE(every_gradient_is_that_of_finite_differences) {
  double worst = 0;
  for (const auto& c : cases()) {
    if (c.batch.size() > 6) continue;
    each_objective(c, [&](const std::string& name, auto& objective) {
      const auto loss = [&] { return loss_of(objective, c.batch); };
      if (has_zero_vectors(c)) {
        for (const auto& leaf : leaves_of(c.batch)) leaf.mutable_grad() = at::Tensor();
        if (const auto l = loss(); l.requires_grad()) l.backward();
        for (const auto& leaf : leaves_of(c.batch))
          BOOST_TEST((!leaf.grad().defined() || finite(leaf.grad())),
                     c.name << ", " << name << ": gradient not finite");
        return;
      }
      const double error = gradient_error(loss, leaves_of(c.batch));
      BOOST_TEST(error <= 1e-6, c.name << ", " << name << ": gradient differs by " << error);
      worst = std::max(worst, error);
    });
  }
  at_most("gradients against finite differences", worst, 1e-6);
}

BOOST_AUTO_TEST_CASE(in_parts_the_loss_and_every_gradient_are_the_same) {
  double worst_loss = 0, worst_gradient = 0;
  for (const auto& c : cases()) {
    if (has_zero_vectors(c)) continue;
    each_objective(c, [&](const std::string& name, auto& objective) {
      const auto inputs = leaves_of(c.batch);
      const auto gradients = [&] {
        std::vector<at::Tensor> found;
        for (const auto& leaf : inputs)
          found.push_back(leaf.grad().defined() ? leaf.grad().clone() : at::zeros_like(leaf));
        for (const auto& p : objective.parameters())
          found.push_back(p.grad().defined() ? p.grad().clone() : at::zeros_like(p));
        return found;
      };
      const auto forget = [&] {
        for (const auto& leaf : inputs) leaf.mutable_grad() = at::Tensor();
        for (const auto& p : objective.parameters()) p.mutable_grad() = at::Tensor();
      };
      forget();
      const auto loss = loss_of(objective, c.batch);
      loss.backward();
      const auto expected = gradients();
      double scale = 1e-3;
      for (const auto& g : expected) scale = std::max(scale, g.abs().max().template item<double>());
      for (const auto& [chunk, block] : {std::pair{1, 2}, {3, 1}, {4, 3}, {100, 100}}) {
        forget();
        FakeModel model;
        const double in_parts = rc3::backward_cached(model, objective, c.batch, {.chunk = chunk, .block = block});
        const auto seen = gradients();
        double difference = 0;
        for (std::size_t k = 0; k < seen.size(); ++k)
          difference = std::max(difference, max_difference(seen[k], expected[k]));
        BOOST_TEST(difference <= 1e-10 * scale,
                   c.name << ", " << name << ", chunks of " << chunk << ": " << difference);
        worst_gradient = std::max(worst_gradient, difference / scale);
        worst_loss = std::max(worst_loss, std::abs(in_parts - loss.template item<double>()));
      }
    });
  }
  at_most("loss in parts against the whole", worst_loss, 1e-10);
  at_most("gradients in parts against the whole, relative", worst_gradient, 1e-10);
}

BOOST_AUTO_TEST_SUITE_END()
