#pragma once
/// Concatenation of several backbones.

#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/core/nn/state.hpp"
#include "rc3/visual/concept.hpp"

namespace rc3::visual::backbone {

/// Concatenated maps of several backbones; C is the sum of their channels. Networks trained separately make different
/// errors, so together they outperform the largest of them.
/// @tparam Backbones  backbone::Policies with maps of one size, for example of one stride
template <class... Backbones>
class Concat : public torch::nn::Module {
  static_assert((Diagnosis<Backbones>::said && ...));
  static_assert(sizeof...(Backbones) > 0, "backbone::Concat: name one backbone at least [docs/concepts/visual.md]");

 public:
  /// @param parts  backbones, in the order of their channels; they read the same images
  explicit Concat(std::shared_ptr<Backbones>... parts) : parts_(std::move(parts)...) {
    each([&, i = 0](auto& part) mutable { register_module(std::to_string(i++), part); });
  }

  /// @param images  features from `lower`, or the inputs of all backbones
  /// @return float [B, C, h, w]
  /// @throws rc3::Error if the sizes of the maps differ
  at::Tensor features(const Images& images) {
    if (images.features.defined()) return images.features.to(at::kFloat);
    std::vector<at::Tensor> maps;
    each([&](auto& part) {
      maps.push_back(part->features(images));
      require(maps.back().sizes().slice(2) == maps[0].sizes().slice(2), "visual::backbone::Concat: part ",
              maps.size() - 1, " gives a map of ", maps.back().size(2), " x ", maps.back().size(3),
              " places, part 0 of ", maps[0].size(2), " x ", maps[0].size(3), "; join backbones of one stride");
    });
    return at::cat(maps, 1);
  }

  /// Cacheable output of the frozen backbones; undefined if a part is trainable.
  /// @param pixels  uint8 or float [B, 3, H, W], 0..255  @return float [B, C, h, w]
  at::Tensor lower(const at::Tensor& pixels) {
    if (!frozen()) return {};
    c10::NoGradGuard no_grad;
    Images images;
    images.pixels = pixels;
    return features(images);
  }

  /// Whether all parts are frozen.
  bool frozen() const { return nn::count_parameters(*this).trainable == 0; }

  /// Calibrates each part with its own channels.
  /// @param maps  float [n, C, h, w], output of `features` for n representative images
  /// @throws rc3::Error for another shape
  void calibrate(const at::Tensor& maps) {
    check_shape("visual::backbone::Concat", "maps", maps, {{'n'}, {'C', channels()}, {'h'}, {'w'}});
    std::int64_t begin = 0;
    each([&](auto& part) {
      part->calibrate(maps.narrow(1, begin, part->channels()));
      begin += part->channels();
    });
  }

  /// C: the sum of the channels.
  std::int64_t channels() const {
    return std::apply([](const auto&... part) { return (part->channels() + ...); }, parts_);
  }
  /// Parts, in the order of their channels.
  const std::tuple<std::shared_ptr<Backbones>...>& parts() const { return parts_; }

 private:
  template <class F>
  void each(F&& f) {
    std::apply([&](auto&... part) { (f(part), ...); }, parts_);
  }

  std::tuple<std::shared_ptr<Backbones>...> parts_;
};

}  // namespace rc3::visual::backbone
