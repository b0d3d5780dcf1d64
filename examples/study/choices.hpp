#pragma once
/// Policies of the study that are chosen at run time: all arms are one compiled type, with equal parameters.

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones_like.h>
#include <rc3/config/config.hpp>
#include <rc3/objective/negatives/in_batch.hpp>
#include <rc3/objective/negatives/same_image.hpp>
#include <rc3/regularizer/regularizer.hpp>
#include <rc3/relevance/relevance.hpp>

#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace study {

enum class Omega { none, ceiling, huber, weighted, soft_target };
enum class Rho { encoder, constant };
enum class Candidates { in_batch, same_image };
enum class Seen { patches, regions, both };

/// One of the library's regularizers.
class Regularizer {
 public:
  static constexpr bool uses_rows = true;  // SoftTarget does

  /// @param c0  of Ceiling and HuberToTarget, in [-1, 1]
  explicit Regularizer(Omega omega = Omega::none, double c0 = 0.2) : chosen_(make(omega, c0)) {}

  at::Tensor penalty(const rc3::regularizer::Pairs& pairs) const {
    return std::visit([&](const auto& r) { return r.penalty(pairs); }, chosen_);
  }
  at::Tensor weights(const at::Tensor& relevance) const {
    if (const auto* weighted = std::get_if<rc3::regularizer::Weighted>(&chosen_)) return weighted->weights(relevance);
    return at::ones_like(relevance);
  }

 private:
  using All = std::variant<rc3::regularizer::None, rc3::regularizer::Ceiling, rc3::regularizer::HuberToTarget,
                           rc3::regularizer::Weighted, rc3::regularizer::SoftTarget>;
  static All make(Omega omega, double c0) {
    switch (omega) {
      case Omega::none:
        return rc3::regularizer::None();
      case Omega::ceiling:
        return rc3::regularizer::Ceiling(c0);
      case Omega::huber:
        return rc3::regularizer::HuberToTarget(c0);
      case Omega::weighted:
        return rc3::regularizer::Weighted();
      case Omega::soft_target:
        return rc3::regularizer::SoftTarget();
    }
    rc3::fail("study::Regularizer: no such regularizer");
  }

  All chosen_;
};
static_assert(rc3::regularizer::Policy<Regularizer> && rc3::regularizer::Weighs<Regularizer>);

struct RelevanceOptions {
  Rho rho = Rho::encoder;
  double constant = 0.3;  ///< of weak pairs with Rho::constant
  bool shuffled = false;  ///< control: each pair gets the relevance of another pair of the batch
};

/// Relevance 1 of translations; that of weak pairs from the frozen text encoder, or a constant.
/// @tparam Text  the model's text encoder, frozen as a whole
template <class Text>
class Relevance {
 public:
  static constexpr bool needs_calibration = true;

  Relevance(std::shared_ptr<Text> text, RelevanceOptions options)
      : options_(options),
        text_(text),
        encoder_(Encoder(std::move(text), {.hidden = true})),
        constant_(options.constant) {}

  at::Tensor score(const rc3::Batch& batch) {
    const auto rho = options_.rho == Rho::encoder ? encoder_.score(batch) : constant_.score(batch);
    return options_.shuffled ? rho.flip(0) : rho;  // the order of a batch is random
  }
  at::Tensor score_rows(const rc3::Batch& batch, std::int64_t begin, std::int64_t end) {
    if (!options_.shuffled) return rows(batch, begin, end);
    return rows(batch, 0, batch.size()).flip(0).narrow(0, begin, end - begin);
  }

  /// Also with a constant, so that checkpoints of all arms have equal state.
  void calibrate(const rc3::Texts& a, const rc3::Texts& b) {
    const bool training = text_->is_training();
    text_->eval();
    encoder_.calibrate(a, b);
    text_->train(training);
  }
  bool calibrated() const { return encoder_.calibrated(); }

  rc3::StateDict state_dict() const { return encoder_.state_dict(); }
  void check_state_dict(const rc3::StateDict& all) const { encoder_.check_state_dict(all); }
  void load_state_dict(const rc3::StateDict& all) { encoder_.load_state_dict(all); }

  /// Calibrated cosines of the texts, whatever the options are: the yardstick of the measures.
  rc3::relevance::Encoder<Text>& encoder() { return encoder_.inner(); }

 private:
  using Encoder = rc3::relevance::Encoder<Text>;

  at::Tensor rows(const rc3::Batch& batch, std::int64_t begin, std::int64_t end) {
    return options_.rho == Rho::encoder ? encoder_.score_rows(batch, begin, end)
                                        : constant_.score_rows(batch, begin, end);
  }

  RelevanceOptions options_;
  std::shared_ptr<Text> text_;
  rc3::relevance::ByAlignment<Encoder> encoder_;
  rc3::relevance::ByAlignment<rc3::relevance::Constant> constant_;
};

/// Other images of the batch, alone or with the same image and another text.
class Negatives {
 public:
  explicit Negatives(Candidates candidates = Candidates::in_batch) : candidates_(candidates) {}

  template <class Model>
  rc3::objective::negatives::ExtraNegatives for_a(rc3::objective::ForwardCache<Model>& forward) {
    return candidates_ == Candidates::in_batch ? in_batch_.for_a(forward) : same_image_.for_a(forward);
  }
  template <class Model>
  rc3::objective::negatives::ExtraNegatives for_b(rc3::objective::ForwardCache<Model>& forward) {
    return candidates_ == Candidates::in_batch ? in_batch_.for_b(forward) : same_image_.for_b(forward);
  }

 private:
  Candidates candidates_;
  rc3::objective::negatives::InBatch in_batch_;
  rc3::objective::negatives::SameImage same_image_;
};

}  // namespace study

namespace rc3::config {

template <>
struct Names<study::Omega> {
  static constexpr const char* all[] = {"none", "ceiling", "huber", "weighted", "soft-target"};
};
template <>
struct Names<study::Rho> {
  static constexpr const char* all[] = {"encoder", "constant"};
};
template <>
struct Names<study::Candidates> {
  static constexpr const char* all[] = {"in-batch", "same-image"};
};
template <>
struct Names<study::Seen> {
  static constexpr const char* all[] = {"patches", "regions", "both"};
};

}  // namespace rc3::config
