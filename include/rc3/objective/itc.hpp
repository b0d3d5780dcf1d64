#pragma once
/// Image-text contrastive: pictures and texts alone, so that millions can be searched without a fusion pass per pair.

#include "rc3/objective/concept.hpp"
#include "rc3/objective/info_nce.hpp"
#include "rc3/objective/pass.hpp"

namespace rc3::objective {

/// Symmetric InfoNCE between picture vectors and text vectors, mean over both texts of each picture.
class Itc : public torch::nn::Module {
 public:
  /// @param tau  first temperature, >= 0.01
  explicit Itc(double tau = 0.07) : temperature_(register_module("temperature", std::make_shared<Temperature>(tau))) {}

  template <class Model>
  at::Tensor loss(Pass<Model>& pass) {
    const auto scaled = pass.picture_vectors() * temperature_->scale();
    const auto against = [&](const at::Tensor& texts) {
      return symmetric_info_nce(scaled.matmul(texts.t()), pass.contrast());
    };
    return (against(pass.text_a_vectors()) + against(pass.text_b_vectors())) / 2;
  }

 private:
  std::shared_ptr<Temperature> temperature_;
};

}  // namespace rc3::objective
