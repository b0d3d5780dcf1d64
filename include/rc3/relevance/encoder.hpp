#pragma once
/// Relevance from the cosine similarity of a frozen text encoder.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <cmath>
#include <limits>
#include <memory>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/core/nn/l2_normalize.hpp"
#include "rc3/core/nn/state.hpp"
#include "rc3/core/state_dict.hpp"
#include "rc3/relevance/concept.hpp"

namespace rc3::relevance {

/// Caches of a relevance::Encoder.
struct EncoderOptions {
  std::size_t remember = 200'000;  ///< cached text embeddings, each computed once; 0: no cache
  /// Whether cached hidden states of the batch (Texts::hidden) are this encoder's, and are used instead of the ids: if
  /// the model's text encoder has the same weights and is frozen as a whole.
  bool hidden = false;
};

/// rho = clamp((cos(f(x^a), f(x^b)) - low) / (high - low), 0, 1). Calibration maps the mean of random pairs to 0 and
/// the mean of translations to 1. Raw cosines do not suffice: those of multilingual-e5 are all between 0.76 and 0.9.
/// @tparam Text  a text policy: encode, pool
template <class Text>
class Encoder {
 public:
  static constexpr bool needs_calibration = true;  ///< score() throws before calibrate()

  /// @param encoder  frozen by this call; pass a copy, not the encoder under training
  explicit Encoder(std::shared_ptr<Text> encoder, EncoderOptions options = {})
      : encoder_(std::move(encoder)), options_(options) {
    nn::freeze(*encoder_);
    encoder_->eval();
  }

  /// Sets the scale from translations: high is the mean cosine of (a_i, b_i), low that of (a_i, b_j), i != j.
  /// @throws rc3::Error for fewer than two pairs, or if translations are no closer than random pairs
  void calibrate(const Texts& a, const Texts& b) {
    require(a.size() == b.size() && a.size() >= 2, "relevance::Encoder: calibration needs two or more pairs, got ",
            a.size(), " and ", b.size(), " texts");
    c10::NoGradGuard no_grad;
    const auto cosines = vectors(a).matmul(vectors(b).t());
    const auto n = static_cast<double>(a.size());
    const double same = cosines.diagonal().sum().template item<double>();
    high_ = same / n;
    low_ = (cosines.sum().template item<double>() - same) / (n * (n - 1));
    require(high_ > low_, "relevance::Encoder: translations have mean cosine ", high_, ", random pairs ", low_,
            "; this encoder cannot tell them apart, or the pairs are no translations");
  }

  /// Whether calibrate() or a calibrated state has set the scale.
  bool calibrated() const { return high_ > low_; }

  /// @return float [B] in [0, 1]
  /// @throws rc3::Error before calibration
  at::Tensor score(const Batch& batch) {
    require_calibration();
    c10::NoGradGuard no_grad;
    const auto a = vectors(batch.a, batch.caption_a_ids), b = vectors(batch.b, batch.caption_b_ids);
    return (((a * b).sum(1) - low_) / (high_ - low_)).clamp(0, 1);
  }

  /// rho_ij of text b of every sample to text a of the samples @p begin to @p end. @return float [end - begin, B]
  /// @throws rc3::Error before calibration
  at::Tensor score_rows(const Batch& batch, std::int64_t begin, std::int64_t end) {
    require_calibration();
    c10::NoGradGuard no_grad;
    const auto rows = at::arange(begin, end, batch.device());
    const auto ids = batch.caption_a_ids.defined() ? batch.caption_a_ids.index_select(0, rows) : at::Tensor();
    const auto a = vectors(batch.a.select(rows), ids), b = vectors(batch.b, batch.caption_b_ids);
    return ((a.matmul(b.t()) - low_) / (high_ - low_)).clamp(0, 1);
  }

  /// Momentum update towards an encoder under training: f = momentum f + (1 - momentum) live, for each parameter.
  /// Relevance then follows the trained text embeddings, slowly enough to avoid feedback. Clears the cached embeddings;
  /// calibrate again from time to time, since the scale of cosines also changes.
  /// @param live      of the same shape, for example Model::text_policy()
  /// @param momentum  in [0, 1)
  /// @throws rc3::Error for a momentum out of range, or a parameter that @p live lacks in this shape
  void follow(const Text& live, double momentum = 0.999) {
    require(momentum >= 0 && momentum < 1, "relevance::Encoder: momentum must be in [0, 1), is ", momentum);
    c10::NoGradGuard no_grad;
    const auto theirs = live.named_parameters();
    for (auto& item : encoder_->named_parameters()) {
      const auto* other = theirs.find(item.key());
      require(other != nullptr && other->sizes() == item.value().sizes(),
              "relevance::Encoder: the encoder to follow has no \"", item.key(), "\" of the same shape");
      item.value().mul_(momentum).add_(other->to(item.value().device()), 1 - momentum);
    }
    known_.clear();
    moved_ = true;
  }

  /// The scale, and after follow() also the encoder.
  StateDict state_dict() const {
    StateDict all{{"scale", at::tensor({low_, high_}, at::kDouble)}};
    if (moved_)
      for (const auto& [name, tensor] : nn::named_state(*encoder_)) all.emplace("encoder." + name, tensor.detach());
    return all;
  }
  /// @throws rc3::Error for state that does not fit this encoder
  void check_state_dict(const StateDict& all) const { read_scale(all); }
  /// Restores the scale, and the encoder if the state has one. Clears the cached embeddings.
  /// @throws rc3::Error as check_state_dict; nothing is then changed
  void load_state_dict(const StateDict& all) {
    const auto [low, high] = read_scale(all);
    moved_ = all.size() > 1;
    if (moved_) {
      c10::NoGradGuard no_grad;
      for (const auto& [name, tensor] : nn::named_state(*encoder_)) at::Tensor(tensor).copy_(all.at("encoder." + name));
    }
    low_ = low;
    high_ = high;
    known_.clear();
  }

  double low() const { return low_; }    ///< cosine of relevance 0; NaN before calibration
  double high() const { return high_; }  ///< cosine of relevance 1; NaN before calibration

 private:
  /// The scale in @p all, if all of the state fits.
  std::pair<double, double> read_scale(const StateDict& all) const {
    const auto scale = check_state(all, "relevance::Encoder", "scale", {2}, at::kDouble).cpu();
    const double low = scale[0].template item<double>(), high = scale[1].template item<double>();
    require((std::isnan(low) && std::isnan(high)) || (std::isfinite(low) && std::isfinite(high) && low < high),
            "relevance::Encoder: the state's \"scale\" must be a lower and a higher cosine, is ", low, " and ", high);
    const auto weights = all.size() > 1 ? nn::named_state(*encoder_) : StateDict{};
    check_state(all, "relevance::Encoder", "encoder.", weights);
    require(all.size() == 1 + weights.size(), "relevance::Encoder: the state has ", all.size() - 1 - weights.size(),
            " tensors that this encoder has no place for");
    return {low, high};
  }

  void require_calibration() const {
    require(calibrated(),
            "relevance::Encoder: not calibrated: call calibrate(a, b) with translations before training, in RXvtcl by "
            "relevance().calibrate(a, b), or restore a checkpoint");
  }

  /// Moves the encoder to its texts' device: no module that is moved as a whole contains it.
  void go_to(const at::Device& device) {
    if constexpr (std::is_base_of_v<torch::nn::Module, Text>) {
      if (nn::device_of(*encoder_) == device) return;
      encoder_->to(device);
      known_.clear();
    }
  }

  at::Tensor vectors(const Texts& texts) {
    go_to(texts.mask.device());
    return nn::l2_normalize(
        encoder_->pool(encoder_->encode({texts.ids, texts.mask, options_.hidden ? texts.hidden : at::Tensor()})));
  }

  at::Tensor vectors(const Texts& texts, const at::Tensor& ids) {
    if (!ids.defined() || options_.remember == 0) return vectors(texts);
    go_to(texts.mask.device());
    const auto here = ids.cpu();
    const auto id = here.template accessor<std::int64_t, 1>();
    std::vector<std::int64_t> unknown;
    std::unordered_set<std::int64_t> listed;
    for (std::int64_t i = 0; i < id.size(0); ++i)
      if (!known_.contains(id[i]) && listed.insert(id[i]).second) unknown.push_back(i);
    if (!unknown.empty()) {
      if (known_.size() + unknown.size() > options_.remember) {
        known_.clear();
        return vectors(texts);
      }
      const auto fresh = vectors(texts.select(at::tensor(unknown, at::kLong).to(ids.device())));
      for (std::size_t k = 0; k < unknown.size(); ++k)
        known_.emplace(id[unknown[k]], fresh[static_cast<std::int64_t>(k)].clone());
    }
    std::vector<at::Tensor> found;
    for (std::int64_t i = 0; i < id.size(0); ++i) found.push_back(known_.at(id[i]));
    return at::stack(found);
  }

  std::shared_ptr<Text> encoder_;
  EncoderOptions options_;
  std::unordered_map<std::int64_t, at::Tensor> known_;  // by caption id
  double low_ = std::numeric_limits<double>::quiet_NaN(), high_ = low_;
  bool moved_ = false;
};

}  // namespace rc3::relevance
