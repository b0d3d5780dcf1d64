#pragma once
/// Cross-lingual textual contrastive: translations of each other lie close.

#include "rc3/objective/concept.hpp"
#include "rc3/objective/info_nce.hpp"
#include "rc3/objective/pass.hpp"

namespace rc3::objective {

/// Symmetric InfoNCE between the two text vectors of the strictly aligned samples; a batch without any gives zero.
class Xtcl : public torch::nn::Module {
 public:
  /// @param tau  first temperature, >= 0.01
  explicit Xtcl(double tau = 0.07) : temperature_(register_module("temperature", std::make_shared<Temperature>(tau))) {}

  template <class Model>
  at::Tensor loss(Pass<Model>& pass) {
    auto a = pass.text_a_vectors(), b = pass.text_b_vectors(), allowed = pass.contrast();
    if (pass.batch().strict.defined()) {
      check_shape("objective::Xtcl", "strict", pass.batch().strict, {{'B', pass.batch().size()}});
      const auto rows = pass.batch().strict.nonzero().squeeze(1);
      if (rows.numel() == 0) return a.sum() * 0;
      a = a.index_select(0, rows);
      b = b.index_select(0, rows);
      allowed = allowed.index_select(0, rows).index_select(1, rows);
    }
    return symmetric_info_nce((a * temperature_->scale()).matmul(b.t()), allowed);
  }

 private:
  std::shared_ptr<Temperature> temperature_;
};

}  // namespace rc3::objective
