#include "rc3/objective/objective.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

#include "rc3/regularizer/regularizer.hpp"
#include "rc3/relevance/relevance.hpp"
#include "support/fake_model.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective)

using namespace rc3::test;
using namespace rc3::objective;
using rc3::Batch;
using rc3::regularizer::Ceiling;
using rc3::relevance::Constant;
using rc3::relevance::Provided;

using FakePass = ForwardCache<FakeModel>;

template <class Regularizer, class Negatives, class Relevance = Provided>
using Rx = RXvtcl<Regularizer, Relevance, Negatives>;

template <class Objective>
std::shared_ptr<Objective> in_double(Objective objective) {
  auto made = std::make_shared<Objective>(std::move(objective));
  made->to(at::kDouble);
  return made;
}

template <class Objective>
at::Tensor loss_of(Objective& objective, const Batch& batch, FakeModel model = {}) {
  FakePass forward(model, batch);
  return objective.loss(forward);
}

std::vector<at::Tensor> leaves_of(const Batch& batch) { return {batch.images.regions, batch.a.hidden, batch.b.hidden}; }

// ------------------------------------------------------------------------------ the formulas, as plain C++

using Allowed = std::vector<std::vector<bool>>;

Vector unit(Vector v) {
  double squares = 0;
  for (const double x : v) squares += x * x;
  for (double& x : v) x /= std::sqrt(squares);
  return v;
}

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Matrix units(const at::Tensor& t) {
  Matrix rows = matrix_of(t.mean(1));
  for (auto& row : rows) row = unit(row);
  return rows;
}

/// z of FakeModel for image i and text j.
Vector fused(const Vector& v, const Vector& t) {
  Vector z;
  for (std::size_t i = 0; i < v.size(); ++i) z.push_back(v[i] + t[i] + v[i] * t[i]);
  return z;
}

/// Which sample may be another's negative, by the words of docs/concepts/objective.md.
Allowed negatives_by_hand(const Batch& batch) {
  const auto n = static_cast<std::size_t>(batch.size());
  const auto p = vector_of(batch.image_ids), a = vector_of(batch.caption_a_ids), b = vector_of(batch.caption_b_ids);
  Allowed allowed(n, std::vector<bool>(n));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const bool same_image = p[i] == p[j];
      const bool same_caption = a[i] == a[j] || b[i] == b[j] || a[i] == b[j] || b[i] == a[j];
      allowed[i][j] = i != j && !same_image && !same_caption;
    }
  return allowed;
}

/// Mean over i of -log(exp(l_ii) / sum), the sum over i itself, its negatives, and `more[i]` where there is one.
double info_nce_by_hand(const Matrix& logits, const Allowed& negatives, const std::vector<Vector>& more = {}) {
  double loss = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    double sum = std::exp(logits[i][i]);
    for (std::size_t j = 0; j < logits.size(); ++j)
      if (negatives[i][j]) sum += std::exp(logits[i][j]);
    if (!more.empty())
      for (const double l : more[i]) sum += std::exp(l);
    loss -= std::log(std::exp(logits[i][i]) / sum);
  }
  return loss / static_cast<double>(logits.size());
}

Matrix logits(const Matrix& a, const Matrix& b, double scale) {
  Matrix l(a.size(), Vector(b.size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < b.size(); ++j) l[i][j] = scale * dot(a[i], b[j]);
  return l;
}

double symmetric_by_hand(const Matrix& a, const Matrix& b, const Allowed& negatives, double scale) {
  return (info_nce_by_hand(logits(a, b, scale), negatives) + info_nce_by_hand(logits(b, a, scale), negatives)) / 2;
}

/// R-XVtCL, with lambda times Ceiling(c0); same_image adds g(v_i, x_j) with j the next true negative behind i.
double rxvtcl_by_hand(const Batch& batch, double scale, bool same_image, double lambda, double c0) {
  const Matrix v = matrix_of(batch.images.regions.mean(1)), ta = matrix_of(batch.a.hidden.mean(1)),
               tb = matrix_of(batch.b.hidden.mean(1));
  const auto negatives = negatives_by_hand(batch);
  const std::size_t n = v.size();
  Matrix za, zb;
  std::vector<Vector> more_a(n), more_b(n);
  double omega = 0;
  const auto rho = vector_of(batch.relevance);
  for (std::size_t i = 0; i < n; ++i) {
    za.push_back(unit(fused(v[i], ta[i])));
    zb.push_back(unit(fused(v[i], tb[i])));
    const double over = dot(za[i], zb[i]) - (c0 + (1 - c0) * rho[i]);
    omega += over > 0 ? over * over : 0;
    for (std::size_t step = 1; same_image && step < n; ++step) {
      const std::size_t j = (i + step) % n;
      if (!negatives[i][j]) continue;
      more_a[i] = {scale * dot(za[i], unit(fused(v[i], tb[j])))};
      more_b[i] = {scale * dot(zb[i], unit(fused(v[i], ta[j])))};
      break;
    }
  }
  return (info_nce_by_hand(logits(za, zb, scale), negatives, more_a) +
          info_nce_by_hand(logits(zb, za, scale), negatives, more_b)) /
             2 +
         lambda * omega / static_cast<double>(n);
}

// ------------------------------------------------------------------------------ batches

/// Seven samples with two false negatives: 1 and 4 show one image; text b of 2 is text a of 5.
Batch tangled() {
  auto batch = fake_batch(7);
  batch.image_ids[4] = 1;
  batch.caption_b_ids[2] = batch.caption_a_ids[5];
  batch.strict = at::tensor({1, 0, 1, 1, 0, 1, 0}, at::kLong).to(at::kBool);
  batch.relevance = at::tensor({1.0, 0.2, 0.0, 0.7, 0.1, 1.0, 0.4}, at::kDouble);
  return batch;
}

double scale_of(const torch::nn::Module& objective) { return std::exp(objective.parameters()[0].item<double>()); }

template <class Objective>
void check(const char* name, Objective objective, const Batch& batch, const std::function<double(double)>& by_hand) {
  auto o = in_double(std::move(objective));
  const auto loss = [&] { return loss_of(*o, batch); };
  at_most(rc3::join(name, " against loops"), std::abs(loss().template item<double>() - by_hand(scale_of(*o))), 1e-12);
  auto leaves = leaves_of(batch);
  leaves.push_back(o->parameters()[0]);
  at_most(rc3::join(name, " gradient against central differences"), gradient_error(loss, leaves), 1e-6);
}

BOOST_AUTO_TEST_CASE(itc_is_its_formula) {
  const auto batch = tangled();
  check("Itc", Itc(0.2), batch, [&](double scale) {
    const auto p = units(batch.images.regions), a = units(batch.a.hidden), b = units(batch.b.hidden);
    const auto negatives = negatives_by_hand(batch);
    return (symmetric_by_hand(p, a, negatives, scale) + symmetric_by_hand(p, b, negatives, scale)) / 2;
  });
}

BOOST_AUTO_TEST_CASE(xtcl_is_its_formula) {
  const auto batch = tangled();
  check("Xtcl", Xtcl(0.2), batch, [&](double scale) {
    const auto rows = batch.strict.nonzero().squeeze(1);
    const auto few = reordered(batch, rows);
    return symmetric_by_hand(units(few.a.hidden), units(few.b.hidden), negatives_by_hand(few), scale);
  });
}

BOOST_AUTO_TEST_CASE(rxvtcl_is_its_formula) {
  const auto batch = tangled();
  const auto by_hand = [&](bool same_image, double lambda, double c0) {
    return
        [&batch, same_image, lambda, c0](double scale) { return rxvtcl_by_hand(batch, scale, same_image, lambda, c0); };
  };
  using rc3::regularizer::None;
  check("RXvtcl<None, InBatch>", Rx<None, negatives::InBatch>({0.2, 1}), batch, by_hand(false, 0, 0));
  check("RXvtcl<None, SameImage>", Rx<None, negatives::SameImage>({0.2, 1}), batch, by_hand(true, 0, 0));
  check("RXvtcl<Ceiling, InBatch>", Rx<Ceiling, negatives::InBatch>({0.2, 3}, Ceiling(-0.2)), batch,
        by_hand(false, 3, -0.2));
  check("RXvtcl<Ceiling, SameImage>", Rx<Ceiling, negatives::SameImage>({0.2, 3}, Ceiling(-0.2)), batch,
        by_hand(true, 3, -0.2));

  // The last sample has something in common with every other: nothing is left to be its negative.
  auto lonely = fake_batch(4);
  lonely.caption_a_ids[3] = lonely.caption_a_ids[0];
  lonely.caption_b_ids[3] = lonely.caption_a_ids[1];
  lonely.image_ids[3] = 2;
  lonely.relevance = at::full({4}, 0.5, at::kDouble);
  BOOST_TEST(!true_negatives(lonely)[3].any().item<bool>());
  check("RXvtcl<None, SameImage>, a sample without negatives", Rx<None, negatives::SameImage>({0.2, 1}), lonely,
        [&](double scale) { return rxvtcl_by_hand(lonely, scale, true, 0, 0); });
}

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

// ------------------------------------------------------------------------------ parts

BOOST_AUTO_TEST_CASE(true_negatives_by_hand) {
  const auto batch = tangled();
  const auto seen = true_negatives(batch);
  const auto expected = negatives_by_hand(batch);
  for (std::size_t i = 0; i < expected.size(); ++i)
    for (std::size_t j = 0; j < expected.size(); ++j)
      BOOST_TEST(seen[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(j)].item<bool>() == expected[i][j]);
  BOOST_TEST(!seen[1][4].item<bool>());
  BOOST_TEST(!seen[5][2].item<bool>());
  BOOST_TEST(seen.equal(seen.t()));

  Batch bare;  // without ids all samples differ
  bare.a = batch.a;
  BOOST_TEST(true_negatives(bare).sum().item<std::int64_t>() == 7 * 6);
  auto wrong = tangled();
  wrong.caption_b_ids = at::arange(3);
  throws_with([&] { true_negatives(wrong); }, "caption_b_ids", "B=7");
}

BOOST_AUTO_TEST_CASE(temperature) {
  Temperature t(0.05);
  at_most("1/tau", std::abs(t.scale().item<double>() - 20), 1e-5);
  const torch::NoGradGuard no_grad;
  t.parameters()[0].fill_(50.0);
  at_most("1/tau at its clamp", std::abs(t.scale().item<double>() - 100), 1e-4);
  throws_with([] { Temperature(0.001); }, "objective::Temperature", "0.001");
}

// ------------------------------------------------------------------------------ properties

BOOST_AUTO_TEST_CASE(relevance_1_makes_rxvtcl_plain_infonce) {
  auto batch = tangled();
  batch.relevance = at::Tensor();
  const auto ceiling = in_double(Rx<Ceiling, negatives::InBatch, Constant>({0.07, 5}, Ceiling(0), Constant(1)));
  const auto none = in_double(Rx<rc3::regularizer::None, negatives::InBatch, Constant>());
  BOOST_TEST(loss_of(*ceiling, batch).equal(loss_of(*none, batch)));
  // And plain InfoNCE is what it is, without any machinery of the objective.
  FakeModel model;
  FakePass forward(model, batch);
  const auto a = rc3::nn::l2_normalize(forward.z_a()), b = rc3::nn::l2_normalize(forward.z_b());
  const auto plain = symmetric_info_nce(a.matmul(b.t()) * scale_of(*none), forward.negative_mask());
  at_most("RXvtcl<Ceiling> at relevance 1 against InfoNCE", max_difference(loss_of(*ceiling, batch), plain), 1e-12);
}

BOOST_AUTO_TEST_CASE(the_order_of_the_batch_does_not_count) {
  const auto batch = tangled();
  torch::manual_seed(4);
  const auto any = at::randperm(7), turned = (at::arange(7) + 3) % 7;
  const auto moved = [&](auto objective, const at::Tensor& order) {
    auto o = in_double(std::move(objective));
    return max_difference(loss_of(*o, batch), loss_of(*o, reordered(batch, order)));
  };
  at_most("Itc in another order", moved(Itc(), any), 1e-13);
  at_most("Xtcl in another order", moved(Xtcl(), any), 1e-13);
  at_most("RXvtcl<InBatch> in another order", moved(Rx<Ceiling, negatives::InBatch>(), any), 1e-13);
  // SameImage takes the next sample's text, so turning the batch round is what changes nothing.
  at_most("RXvtcl<SameImage> turned round", moved(Rx<Ceiling, negatives::SameImage>(), turned), 1e-13);
}

BOOST_AUTO_TEST_CASE(an_equal_caption_is_no_negative) {
  auto two = fake_batch(2);
  two.relevance = at::ones({2}, at::kDouble);
  Itc itc;
  Xtcl xtcl;
  Rx<Ceiling, negatives::InBatch> in_batch;
  Rx<Ceiling, negatives::SameImage> same_image;
  const auto losses = [&](const Batch& batch) {
    return std::vector<double>{loss_of(itc, batch).item<double>(), loss_of(xtcl, batch).item<double>(),
                               loss_of(in_batch, batch).item<double>(), loss_of(same_image, batch).item<double>()};
  };
  for (const double loss : losses(two)) BOOST_TEST(loss > 1e-3);
  // Whichever ids agree, the two samples stop being negatives of each other, and nothing is left to tell apart.
  for (auto tie : {+[](Batch& b) { b.caption_a_ids[1] = 0; }, +[](Batch& b) { b.caption_b_ids[1] = 2; },
                   +[](Batch& b) { b.caption_b_ids[1] = 0; }, +[](Batch& b) { b.image_ids[1] = 0; }}) {
    auto tied = two;
    for (auto* ids : {&tied.image_ids, &tied.caption_a_ids, &tied.caption_b_ids}) *ids = ids->clone();
    tie(tied);
    for (const double loss : losses(tied)) BOOST_TEST(std::abs(loss) < 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(same_image_negatives_close_the_door_to_copying_the_image) {
  // A model that copies the image: z is the image and a hundredth of the text; the images are orthogonal.
  auto batch = fake_batch(4, 4);
  batch.relevance = at::ones({4}, at::kDouble);
  batch.images.regions = at::eye(4, at::kDouble).unsqueeze(1);
  const FakeModel copier{.visual_weight = 1, .text_weight = 0.01, .cross_weight = 0};
  const auto pull = [&](auto objective) {
    batch.a.hidden.mutable_grad() = at::Tensor();
    const auto loss = loss_of(objective, batch, copier);
    loss.backward();
    return std::pair(loss.template item<double>(), batch.a.hidden.grad().norm().template item<double>());
  };
  const auto [loss_without, pull_without] = pull(Rx<rc3::regularizer::None, negatives::InBatch>());
  const auto [loss_with, pull_with] = pull(Rx<rc3::regularizer::None, negatives::SameImage>());
  at_most("InBatch: the copier's loss", loss_without, 1e-4);
  at_least("SameImage: the copier's loss", loss_with, 0.6);
  at_most("InBatch: gradient through the text", pull_without, 1e-5);
  at_least("SameImage: gradient through the text, over that of InBatch", pull_with / pull_without, 1e3);

  // And where all images are equal, the text is what is left to learn from.
  batch.images.regions = at::ones({4, 1, 4}, at::kDouble);
  at_least("all images equal: gradient through the text",
           pull(Rx<rc3::regularizer::None, negatives::SameImage>()).second, 1e-4);
}

BOOST_AUTO_TEST_CASE(same_image_takes_only_true_negatives) {
  // Sample 3 shares a caption with all others: it has no mismatched text, the others have each other's.
  auto batch = fake_batch(4);
  batch.caption_a_ids = at::tensor({0, 1, 2, 3}, at::kLong);
  batch.caption_b_ids = at::tensor({3, 3, 3, 3}, at::kLong);
  FakeModel model;
  FakePass forward(model, batch);
  BOOST_TEST(!negatives::SameImage().for_a(forward).per_row.ne(0).any().item<bool>());  // all four share text b

  batch = fake_batch(4);
  batch.image_ids[3] = 0;  // 0 and 3 are one image
  FakePass other(model, batch);
  model.fused.clear();
  negatives::SameImage().for_a(other);
  const auto first = [](const at::Tensor& t, std::int64_t i) { return t[i][0][0].item<double>(); };
  const std::int64_t expected[] = {1, 2, 3, 1};  // behind 3 comes 0, its own image; then 1
  BOOST_REQUIRE(model.fused.size() == 4u);
  for (std::int64_t i = 0; i < 4; ++i) {
    BOOST_TEST(model.fused[static_cast<std::size_t>(i)].first == first(batch.images.regions, i));
    BOOST_TEST(model.fused[static_cast<std::size_t>(i)].second == first(batch.b.hidden, expected[i]));
  }
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
      FakePass forward(model, batch);
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
    FakePass forward(model, batch);
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

BOOST_AUTO_TEST_CASE(a_batch_of_one_is_finite) {
  auto one = fake_batch(1);
  one.relevance = at::zeros({1}, at::kDouble);
  one.strict = at::ones({1}, at::kBool);
  const auto finite_here = [&](auto objective) {
    for (const auto& leaf : leaves_of(one)) leaf.mutable_grad() = at::Tensor();
    const auto loss = loss_of(objective, one);
    loss.backward();
    BOOST_TEST(finite(loss));
    for (const auto& leaf : leaves_of(one)) BOOST_TEST((!leaf.grad().defined() || finite(leaf.grad())));
    return loss.template item<double>();
  };
  BOOST_TEST(std::abs(finite_here(Itc())) < 1e-12);
  BOOST_TEST(std::abs(finite_here(Xtcl())) < 1e-12);
  BOOST_TEST(std::abs(finite_here(Rx<rc3::regularizer::None, negatives::SameImage>())) < 1e-12);
  finite_here(Rx<Ceiling, negatives::InBatch>());
  BOOST_TEST(finite_here(Itm()) > 0);  // the matched pair is left
}

BOOST_AUTO_TEST_CASE(zero_vectors_and_extreme_relevance_are_finite) {
  auto batch = fake_batch(3);
  for (const auto& leaf : leaves_of(batch)) leaf.detach().zero_();
  batch.relevance = at::tensor({0.0, 1.0, 0.5}, at::kDouble);
  const auto finite_here = [&](auto objective) {
    for (const auto& leaf : leaves_of(batch)) leaf.mutable_grad() = at::Tensor();
    const auto loss = loss_of(objective, batch);
    loss.backward();
    BOOST_TEST(finite(loss));
    for (const auto& leaf : leaves_of(batch)) BOOST_TEST((!leaf.grad().defined() || finite(leaf.grad())));
  };
  finite_here(Itc());
  finite_here(Xtcl());
  finite_here(Itm());
  finite_here(Rx<Ceiling, negatives::SameImage>({0.07, 1}, Ceiling(-1)));
}

BOOST_AUTO_TEST_CASE(xtcl_without_a_strict_sample_is_zero_with_a_gradient) {
  auto batch = tangled();
  batch.strict = at::zeros({7}, at::kBool);
  Xtcl xtcl;
  const auto loss = loss_of(xtcl, batch);
  loss.backward();
  BOOST_TEST(loss.item<double>() == 0);
  BOOST_TEST(batch.a.hidden.grad().equal(at::zeros_like(batch.a.hidden)));
  batch.strict = at::zeros({3}, at::kBool);
  throws_with([&] { loss_of(xtcl, batch); }, "objective::Xtcl", "strict", "B=7");
}

BOOST_AUTO_TEST_CASE(what_is_told_apart_well_costs_nothing) {
  auto batch = fake_batch(3);
  batch.images.regions = (at::eye(3, at::kDouble) * 2 - 1).unsqueeze(1);  // cosine 1 with itself, -1/3 with others
  batch.a.hidden = batch.b.hidden = batch.images.regions;
  batch.relevance = at::ones({3}, at::kDouble);
  const FakeModel model{.visual_weight = 1, .text_weight = 1, .cross_weight = 0};
  Itc itc(0.01);
  Xtcl xtcl(0.01);
  Rx<Ceiling, negatives::InBatch> rxvtcl({0.01, 1});
  at_most("Itc at its minimum", loss_of(itc, batch, model).item<double>(), 1e-12);
  at_most("Xtcl at its minimum", loss_of(xtcl, batch, model).item<double>(), 1e-12);
  at_most("RXvtcl at its minimum", loss_of(rxvtcl, batch, model).item<double>(), 1e-12);
}

BOOST_AUTO_TEST_CASE(lambda_is_not_negative) {
  throws_with([] { Rx<Ceiling, negatives::InBatch>({0.07, -1}); }, "lambda", "-1");
}

BOOST_AUTO_TEST_CASE(a_pass_encodes_once) {
  auto batch = tangled();
  FakeModel model;
  FakePass forward(model, batch);
  Itc itc;
  Xtcl xtcl;
  Rx<Ceiling, negatives::SameImage> rxvtcl;
  Itm itm;
  itc.loss(forward);
  xtcl.loss(forward);
  rxvtcl.loss(forward);
  itm.loss(forward);
  BOOST_TEST(model.images_encoded == 1);
  BOOST_TEST(model.texts_encoded == 2);
}

BOOST_AUTO_TEST_SUITE_END()
