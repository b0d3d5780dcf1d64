#include <boost/test/unit_test.hpp>

#include "rc3/core/nn/l2_normalize.hpp"
#include "rc3/io/json.hpp"
#include "rc3/objective/objective.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(baselines_modelling)

using namespace rc3::test;
using namespace rc3::objective;
using rc3::Fused;
using rc3::Images;
using rc3::Texts;
using rc3::Tokens;
using Json = nlohmann::json;

at::Tensor tensor(const Json& json) {
  return at::tensor(json["values"].get<std::vector<double>>(), at::kDouble)
      .view(json["shape"].get<std::vector<std::int64_t>>());
}
at::Tensor integers(const Json& json) { return at::tensor(json.get<std::vector<std::int64_t>>(), at::kLong); }
template <class T>
at::Tensor table(const Json& rows, at::ScalarType type) {
  std::vector<std::int64_t> all;
  for (const auto& row : rows)
    for (const auto& x : row) all.push_back(x.get<T>());
  return at::tensor(all, at::kLong).view({static_cast<std::int64_t>(rows.size()), -1}).to(type);
}

/// Images are their regions, texts the rows of a table, and fusion adds the mean of one to the tokens of the other.
struct TokenModel {
  at::Tensor rows;

  Tokens visual(const Images& p) { return {p.regions * p.region_mask.unsqueeze(2), p.region_mask}; }
  Tokens text(const Texts& t) {
    return {rows.index_select(0, t.ids.flatten()).view({t.ids.size(0), t.ids.size(1), -1}) * t.mask.unsqueeze(2),
            t.mask};
  }
  static at::Tensor mean(const Tokens& t) { return t.values.sum(1) / t.mask.sum(1, true).clamp_min(1); }
  at::Tensor image_embedding(const Tokens& t) { return rc3::nn::l2_normalize(mean(t)); }
  at::Tensor text_embedding(const Tokens& t) { return rc3::nn::l2_normalize(mean(t)); }
  Fused fuse_tokens(const Tokens& v, const Tokens& t) {
    const auto a = mean(v), b = mean(t);
    return {a + b + a * b,
            {(v.values + b.unsqueeze(1)) * v.mask.unsqueeze(2), v.mask},
            {(t.values + (a * b).unsqueeze(1)) * t.mask.unsqueeze(2), t.mask}};
  }
  at::Tensor fuse(const Tokens& v, const Tokens& t) { return fuse_tokens(v, t).z; }
  at::Tensor itm_logits(const at::Tensor& z) { return z.sum(1); }
};

struct Case {
  std::string name;
  TokenModel model;
  rc3::Batch batch;
  MaskOptions masks;
  std::map<std::string, double> losses;
  Json parameters;
};

Case read(const Json& json) {
  Case c;
  c.name = json["name"];
  c.model.rows = tensor(json["table"]).requires_grad_();
  c.batch.images.regions = tensor(json["regions"]).requires_grad_();
  c.batch.images.region_classes = tensor(json["region_classes"]);
  c.batch.images.region_mask = table<bool>(json["region_mask"], at::kBool);
  c.batch.a = {table<std::int64_t>(json["ids"], at::kLong), table<bool>(json["text_mask"], at::kBool), {}};
  c.batch.image_ids = integers(json["image_ids"]);
  c.batch.caption_a_ids = integers(json["caption_a_ids"]);
  c.batch.caption_b_ids = integers(json["caption_b_ids"]);
  c.masks = {.fraction = 1, .replaced = 1, .mask = 11, .vocabulary = 12, .special = json["special"]};
  c.losses = json["losses"].get<std::map<std::string, double>>();
  c.parameters = json["parameters"];
  return c;
}

std::vector<Case> cases() {
  const auto folder = environment("RC3_BASELINES");
  if (folder.empty()) {
    std::cout << "skipped: no RC3_BASELINES; ./run test sets it\n";
    return {};
  }
  std::vector<Case> all;
  for (const auto& json : rc3::io::read_json(std::filesystem::path(folder) / "modelling.json"))
    all.push_back(read(json));
  return all;
}

/// Calls @p visit(name, objective) with each objective of the baseline, in float64 and with the case's parameters.
template <class Visit>
void each_objective(const Case& c, const Visit& visit) {
  const auto give = [&](const std::string& name, auto objective) {
    objective->to(at::kDouble);
    objective->eval();
    if (c.parameters.contains(name)) {
      auto given = c.parameters[name];
      const torch::NoGradGuard no_grad;
      for (auto& item : objective->named_parameters()) {
        auto key = item.key();
        if (name == "Mclm") key = key.substr(std::string("decoder.").size());
        BOOST_REQUIRE_MESSAGE(given.contains(key), name << " has a parameter that NumPy does not know: " << key);
        item.value().copy_(tensor(given[key]));
        given.erase(key);
      }
      BOOST_REQUIRE_MESSAGE(given.empty(), name << " lacks parameters: " << given.dump());
    }
    visit(name, *objective);
  };
  give("Itm", std::make_shared<Itm>(ItmOptions{.hardness = 1e7}));  // the hardest, for certain
  give("Mlm", std::make_shared<Mlm>(6, c.masks));
  give("Mclm", std::make_shared<Mclm>(
                   std::make_shared<rc3::fusion::Decoder>(rc3::fusion::DecoderOptions{
                       .vocabulary = 12, .width = 6, .layers = 2, .heads = 2, .feed_forward = 10, .positions = 8}),
                   c.masks));
  give("Mrm<RegionFeatures>", std::make_shared<Mrm<RegionFeatures>>(6, 6, MrmOptions{.fraction = 1}));
  give("Mrm<RegionClasses>", std::make_shared<Mrm<RegionClasses>>(6, 4, MrmOptions{.fraction = 1}));
}

template <class Objective>
at::Tensor loss_of(Objective& objective, Case& c) {
  ForwardCache<TokenModel> forward(c.model, c.batch);
  return objective.loss(forward);
}

BOOST_AUTO_TEST_CASE(every_loss_is_that_of_numpy) {
  double worst = 0;
  std::size_t compared = 0;
  for (auto& c : cases())
    each_objective(c, [&](const std::string& name, auto& objective) {
      if (!c.losses.contains(name)) return;
      const double difference = std::abs(loss_of(objective, c).template item<double>() - c.losses.at(name));
      BOOST_TEST(difference <= 1e-10, c.name << ", " << name << ": differs by " << difference);
      worst = std::max(worst, difference);
      ++compared;
    });
  if (compared == 0) return;
  at_least("losses compared with NumPy float64", compared, 57u);
  at_most("largest difference", worst, 1e-10);
}

BOOST_AUTO_TEST_CASE(every_gradient_is_that_of_finite_differences) {
  double worst = 0;
  for (auto& c : cases()) {
    if (c.batch.size() > 4) continue;
    each_objective(c, [&](const std::string& name, auto& objective) {
      if (!c.losses.contains(name)) return;
      std::vector<at::Tensor> leaves = objective.parameters();
      leaves.push_back(c.model.rows);
      if (name != "Mrm<RegionFeatures>") leaves.push_back(c.batch.images.regions);  // there they are what is asked for
      const double error = gradient_error([&] { return loss_of(objective, c); }, leaves);
      BOOST_TEST(error <= 1e-6, c.name << ", " << name << ": gradient differs by " << error);
      worst = std::max(worst, error);
    });
  }
  at_most("gradients against finite differences", worst, 1e-6);
}

BOOST_AUTO_TEST_SUITE_END()
