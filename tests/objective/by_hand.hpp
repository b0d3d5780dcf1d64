#pragma once
/// The contrastive losses as plain loops, and batches with false negatives.

#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include "rc3/objective/false_negatives.hpp"
#include "rc3/objective/forward_cache.hpp"
#include "support/fake_model.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

namespace rc3::test::by_hand {

using objective::ForwardCache;

template <class Objective>
std::shared_ptr<Objective> in_double(Objective objective) {
  auto made = std::make_shared<Objective>(std::move(objective));
  made->to(at::kDouble);
  made->eval();  // R-XVtCL hides no image
  return made;
}

template <class Objective>
at::Tensor loss_of(Objective& objective, const Batch& batch, FakeModel model = {}) {
  ForwardCache<FakeModel> forward(model, batch);
  return objective.loss(forward);
}

inline std::vector<at::Tensor> leaves_of(const Batch& batch) {
  return {batch.images.regions, batch.a.hidden, batch.b.hidden};
}

// The formulas, as plain C++.

using Allowed = std::vector<std::vector<bool>>;

inline Vector unit(Vector v) {
  double squares = 0;
  for (const double x : v) squares += x * x;
  for (double& x : v) x /= std::sqrt(squares);
  return v;
}

inline double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

inline Matrix units(const at::Tensor& t) {
  Matrix rows = matrix_of(t.mean(1));
  for (auto& row : rows) row = unit(row);
  return rows;
}

/// z of FakeModel for image i and text j.
inline Vector fused(const Vector& v, const Vector& t) {
  Vector z;
  for (std::size_t i = 0; i < v.size(); ++i) z.push_back(v[i] + t[i] + v[i] * t[i]);
  return z;
}

/// Which sample may be another's negative, by the words of docs/concepts/objective.md.
inline Allowed negatives_by_hand(const Batch& batch) {
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
inline double info_nce_by_hand(const Matrix& logits, const Allowed& negatives, const std::vector<Vector>& more = {}) {
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

inline Matrix logits(const Matrix& a, const Matrix& b, double scale) {
  Matrix l(a.size(), Vector(b.size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < b.size(); ++j) l[i][j] = scale * dot(a[i], b[j]);
  return l;
}

inline double symmetric_by_hand(const Matrix& a, const Matrix& b, const Allowed& negatives, double scale) {
  return (info_nce_by_hand(logits(a, b, scale), negatives) + info_nce_by_hand(logits(b, a, scale), negatives)) / 2;
}

/// R-XVtCL, with lambda times Ceiling(c0); same_image adds g(v_i, x_j) with j the next true negative behind i.
inline double rxvtcl_by_hand(const Batch& batch, double scale, bool same_image, double lambda, double c0) {
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

/// Seven samples with two false negatives: 1 and 4 show one image; text b of 2 is text a of 5.
inline Batch tangled() {
  auto batch = fake_batch(7);
  batch.image_ids[4] = 1;
  batch.caption_b_ids[2] = batch.caption_a_ids[5];
  batch.strict = at::tensor({1, 0, 1, 1, 0, 1, 0}, at::kLong).to(at::kBool);
  batch.relevance = at::tensor({1.0, 0.2, 0.0, 0.7, 0.1, 1.0, 0.4}, at::kDouble);
  return batch;
}

inline double scale_of(const torch::nn::Module& objective) {
  return std::exp(objective.parameters()[0].item<double>());
}

template <class Objective>
void check_formula(const char* name, Objective objective, const Batch& batch,
                   const std::function<double(double)>& by_hand) {
  auto o = in_double(std::move(objective));
  const auto loss = [&] { return loss_of(*o, batch); };
  at_most(rc3::join(name, " against loops"), std::abs(loss().template item<double>() - by_hand(scale_of(*o))), 1e-12);
  auto leaves = leaves_of(batch);
  leaves.push_back(o->parameters()[0]);
  at_most(rc3::join(name, " gradient against central differences"), gradient_error(loss, leaves), 1e-6);
}

}  // namespace rc3::test::by_hand
