#pragma once
/// Backbone of the study: a frozen backbone's map, averaged to few cells before it is cached.

#include <ATen/TensorOperators.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>
#include <rc3/core/nn/state.hpp>
#include <rc3/visual/concept.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "rc3/core/batch.hpp"
#include "rc3/core/error.hpp"

namespace study {

/// Map of @p Backbone, averaged to side x side cells and standardised by channel. The cache holds the map before it is
/// standardised, so that features on disk do not depend on the calibration.
/// @tparam Backbone  frozen, with `lower` and `channels`
template <class Backbone>
class Averaged : public torch::nn::Module {
 public:
  /// @param side  cells on a side, >= 1
  Averaged(std::shared_ptr<Backbone> backbone, std::int64_t side)
      : side_(side), backbone_(register_module("backbone", std::move(backbone))) {
    rc3::require(side >= 1, "study::Averaged: side must be 1 or more, is ", side);
    mean_ = register_buffer("mean", at::zeros({channels(), 1, 1}));
    deviation_ = register_buffer("deviation", at::ones({channels(), 1, 1}));
  }

  /// @return float [B, C, side, side]
  at::Tensor features(const rc3::Images& images) {
    const auto map = images.features.defined() ? images.features.to(at::kFloat) : lower(images.pixels);
    return (map - mean_) / deviation_;
  }

  /// Frozen layers and average; the output may be cached.
  at::Tensor lower(const at::Tensor& pixels) {
    c10::NoGradGuard no_grad;
    return at::adaptive_avg_pool2d(backbone_->lower(pixels), {side_, side_});
  }

  /// Sets mean and deviation of each channel. @param maps  outputs of `lower`, float [n, C, side, side]
  void calibrate(const at::Tensor& maps) {
    c10::NoGradGuard no_grad;
    const auto values = maps.to(at::kFloat).transpose(0, 1).flatten(1);
    mean_.copy_(values.mean(1).view_as(mean_));
    deviation_.copy_(values.std(1).clamp_min(1e-3).view_as(deviation_));
  }

  /// What the output of `lower` depends on.
  std::map<std::string, at::Tensor> lower_state() const {
    auto all = rc3::nn::named_state(*backbone_);
    all.emplace("side", at::full({}, side_, at::kLong));
    return all;
  }

  std::int64_t channels() const { return backbone_->channels(); }

 private:
  std::int64_t side_;
  std::shared_ptr<Backbone> backbone_;
  at::Tensor mean_, deviation_;
};

}  // namespace study
