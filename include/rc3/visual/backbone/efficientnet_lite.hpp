#pragma once
/// EfficientNet-Lite 0, 1 and 2: convolutional networks for small machines.

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/rsqrt.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/conv.h>

#include <array>
#include <filesystem>
#include <memory>

#include "rc3/config/fields.hpp"
#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/core/nn/convolution.hpp"
#include "rc3/core/nn/state.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/io/hf.hpp"
#include "rc3/visual/concept.hpp"

namespace rc3::visual::backbone {

namespace detail {

/// Convolution without bias, batch norm with fixed running statistics, and optional ReLU6. Updating the statistics on
/// small batches would degrade those of ImageNet.
class ConvNorm : public torch::nn::Module {
 public:
  struct Options {
    std::int64_t in, out, kernel = 1, stride = 1, groups = 1;
    bool activate = true;
  };

  explicit ConvNorm(Options o) : options_(o) {
    conv_ = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(o.in, o.out, o.kernel)
                                                          .stride(o.stride)
                                                          .groups(o.groups)
                                                          .bias(false)
                                                          .padding(o.stride == 1 ? o.kernel / 2 : 0)));
    norm_ = register_module("norm", torch::nn::BatchNorm2d(torch::nn::BatchNorm2dOptions(o.out).eps(1e-3)));
    norm_->eval();
  }

  void train(bool on = true) override {
    torch::nn::Module::train(on);
    norm_->eval();
  }

  /// Without gradient, convolution, norm and ReLU6 are one operator.
  at::Tensor forward(at::Tensor x) {
    if (options_.stride == 2) {  // TensorFlow's "same" for even sizes: an extra row and column at the far side
      const auto near = (options_.kernel - 2) / 2, far = near + 1;
      x = at::constant_pad_nd(x, {near, far, near, far});
    }
    if (!at::GradMode::is_enabled()) return folded(x);
    x = norm_->forward(conv_->forward(x));
    if (!options_.activate) return x;
    return x.requires_grad() ? at::hardtanh(x, 0, 6) : at::hardtanh_(x, 0, 6);  // in place: half the memory traffic
  }

 private:
  /// The norm as a factor and a bias of the convolution. Computed in each call, which takes a hundredth of a batch's
  /// time and cannot be out of date.
  at::Tensor folded(const at::Tensor& x) const {
    const auto factor = norm_->weight * at::rsqrt(norm_->running_var + norm_->options.eps());
    return nn::convolution(x, conv_->weight * factor.view({-1, 1, 1, 1}), norm_->bias - norm_->running_mean * factor,
                           options_.stride, options_.stride == 1 ? options_.kernel / 2 : 0, options_.groups,
                           options_.activate);
  }

  Options options_;
  torch::nn::Conv2d conv_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
};

/// Inverted bottleneck: 1x1 expansion, depthwise convolution, 1x1 projection without activation.
class InvertedBottleneck : public torch::nn::Module {
 public:
  struct Options {
    std::int64_t in, out, kernel, stride, expand;
  };

  explicit InvertedBottleneck(Options o) : residual_(o.stride == 1 && o.in == o.out) {
    const auto inner = o.in * o.expand;
    if (o.expand != 1) expand_ = register_module("expand", std::make_shared<ConvNorm>(ConvNorm::Options{o.in, inner}));
    depthwise_ = register_module(
        "depthwise", std::make_shared<ConvNorm>(ConvNorm::Options{inner, inner, o.kernel, o.stride, inner}));
    project_ = register_module(
        "project", std::make_shared<ConvNorm>(ConvNorm::Options{.in = inner, .out = o.out, .activate = false}));
  }

  at::Tensor forward(const at::Tensor& x) {
    auto y = project_->forward(depthwise_->forward(expand_ ? expand_->forward(x) : x));
    if (!residual_) return y;
    return at::GradMode::is_enabled() ? y + x : y.add_(x);
  }

 private:
  bool residual_;
  std::shared_ptr<ConvNorm> expand_, depthwise_, project_;
};

}  // namespace detail

/// Frozen blocks and channels of an EfficientNetLite.
struct EfficientNetLiteOptions {
  static constexpr std::int64_t all = -1;  ///< every block, and the head
  /// Frozen blocks, 0 to all. `lower` runs the stem and these; if all are frozen, so is the head.
  std::int64_t frozen_blocks = all;
  /// Adds earlier layers to the head's 1280 channels: the channels before the head, and mean and maximum of those of
  /// stride 16. Drawings differ from photographs most in the last layers.
  bool multi_scale = false;
};

template <class V>
void visit_fields(EfficientNetLiteOptions& o, V&& v) {
  v("frozen_blocks", o.frozen_blocks, "frozen blocks; -1: all", config::at_least(-1));
  v("multi_scale", o.multi_scale, "adds earlier layers to the channels of the head");
}

namespace detail {

/// Widths and repeats of the seven stages of each size. Stem and head are equal in all sizes.
/// Source: Tan and Le 2019 (EfficientNet), in its "lite" form: ReLU6, no squeeze-and-excitation.
struct EfficientNetLiteSize {
  std::array<std::int64_t, 7> widths, repeats;
};
inline constexpr std::array<EfficientNetLiteSize, 3> efficientnet_lite_sizes{{
    {{16, 24, 40, 80, 112, 192, 320}, {1, 2, 2, 3, 3, 4, 1}},
    {{16, 24, 40, 80, 112, 192, 320}, {1, 3, 3, 4, 4, 5, 1}},
    {{16, 24, 48, 88, 120, 208, 352}, {1, 3, 3, 4, 4, 5, 1}},
}};

/// Name in this module of a tensor of the PyTorch model.
inline std::string efficientnet_name(std::string key) {
  const bool in_block = key.starts_with("_blocks.");
  const std::array<std::pair<std::string_view, std::string_view>, 9> renames{{
      {"_blocks.", "blocks."},
      {"_conv_stem", "stem.conv"},
      {"_conv_head", "head.conv"},
      {"_expand_conv", "expand.conv"},
      {"_depthwise_conv", "depthwise.conv"},
      {"_project_conv", "project.conv"},
      {"_bn0", in_block ? "expand.norm" : "stem.norm"},
      {"_bn1", in_block ? "depthwise.norm" : "head.norm"},
      {"_bn2", "project.norm"},
  }};
  for (const auto& [from, to] : renames)
    if (const auto at = key.find(from); at != std::string::npos) key.replace(at, from.size(), to);
  return key;
}

}  // namespace detail

/// Common base of EfficientNetLite0, 1 and 2: stem, inverted bottlenecks and a 1x1 head, stride 32.
/// @tparam Self  the derived class
/// @tparam Size  0 to 2
template <class Self, std::size_t Size>
class EfficientNetLite : public torch::nn::Module {
  static constexpr auto size = detail::efficientnet_lite_sizes[Size];
  static constexpr std::int64_t sum_of_repeats(std::size_t stages) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < stages; ++i) sum += size.repeats[i];
    return sum;
  }
  static constexpr std::int64_t stride_16 = sum_of_repeats(5);  // blocks up to the last of stride 16

 public:
  static constexpr std::int64_t blocks = sum_of_repeats(7);              ///< 16, 21, 21
  static constexpr std::int64_t width_before_head = size.widths.back();  ///< 320, 320, 352

  /// Random weights.
  /// @throws rc3::Error for frozen_blocks outside 0 .. blocks; with multi_scale also between the last block of stride
  ///         16 and all
  explicit EfficientNetLite(EfficientNetLiteOptions options = {}) : options_(options) {
    using detail::ConvNorm;
    using Block = detail::InvertedBottleneck;
    constexpr std::array<std::int64_t, 7> kernels{3, 3, 5, 3, 5, 5, 3}, strides{1, 2, 2, 2, 1, 2, 1};
    stem_ = register_module(
        "stem", std::make_shared<ConvNorm>(ConvNorm::Options{.in = 3, .out = 32, .kernel = 3, .stride = 2}));
    list_ = register_module("blocks", torch::nn::ModuleList());
    std::int64_t in = 32;
    for (std::size_t stage = 0; stage < 7; ++stage)
      for (std::int64_t i = 0; i < size.repeats[stage]; ++i) {
        list_->push_back(std::make_shared<Block>(Block::Options{
            in, size.widths[stage], kernels[stage], i == 0 ? strides[stage] : 1, stage == 0 ? 1 : std::int64_t{6}}));
        in = size.widths[stage];
      }
    head_ = register_module("head", std::make_shared<ConvNorm>(ConvNorm::Options{in, 1280}));
    mean_ = register_buffer("mean", at::zeros({channels(), 1, 1}));
    deviation_ = register_buffer("deviation", at::ones({channels(), 1, 1}));
    freeze_blocks(options.frozen_blocks == EfficientNetLiteOptions::all ? blocks : options.frozen_blocks);
  }

  /// @param directory  config.json and model.safetensors, as tools/prepare writes them
  /// @param report     where it is given, it is told of every tensor's name, and a missing or unused one is no error
  /// @throws rc3::Error naming the file and the tensor that is missing, unknown or of another shape
  static std::shared_ptr<Self> from_pretrained(const std::filesystem::path& directory,
                                               EfficientNetLiteOptions options = {}, io::LoadReport* report = nullptr) {
    const nn::Uninitialized all_are_read(report == nullptr);
    auto network = std::make_shared<Self>(options);
    auto found = io::load_weights(*network, directory,
                                  {.strip_prefixes = {},
                                   .ignore = {"_fc\\..*"},  // the classifier, not part of a backbone
                                   .rename = detail::efficientnet_name,
                                   .optional = {".*num_batches_tracked", "mean", "deviation"},
                                   .strict = report == nullptr});
    if (report != nullptr) *report = std::move(found);
    return network;
  }

  /// @param images  features from `lower`, else pixels [B, 3, H, W] in 0..255; H and W multiples of 32
  /// @return float [B, C, H/32, W/32], standardised by `calibrate`
  /// @throws rc3::Error for another shape, or sides that are no multiples of 32
  at::Tensor features(const Images& images) {
    return upper(images.features.defined() ? images.features.to(at::kFloat) : lower(images.pixels));
  }

  /// Frozen layers. The output may be cached and passed again as Images::features.
  /// @param pixels  uint8 or float [B, 3, H, W], 0..255
  /// @return float [B, C, H/32, W/32] if all is frozen, else the map after the last frozen block
  at::Tensor lower(const at::Tensor& pixels) {
    c10::NoGradGuard no_grad;
    const auto map = stem(pixels);
    return frozen() ? standardised(tail(map, 0)) : run(map, 0, options_.frozen_blocks);
  }

  /// Trainable layers, on the output of `lower`.
  /// @return float [B, C, H/32, W/32]
  at::Tensor upper(const at::Tensor& map) { return frozen() ? map : standardised(tail(map, options_.frozen_blocks)); }

  /// Map after block @p block (0 to blocks - 1) of @p pixels.
  /// @throws rc3::Error for a block out of range
  /// @param pixels  uint8 or float [B, 3, H, W], 0..255  @return float [B, channels of the block, h, w]
  at::Tensor after_block(const at::Tensor& pixels, std::int64_t block) {
    require(block >= 0 && block < blocks, policy(), ": after_block(", block, "), want 0 to ", blocks - 1);
    return run(stem(pixels), 0, block + 1);
  }

  /// Freezes the stem and the first @p count blocks, and unfreezes the others. @pre 0 <= count <= blocks
  /// @throws rc3::Error for another count, with multi_scale also for one between stride 16 and all
  void freeze_blocks(std::int64_t count) {
    require(count >= 0 && count <= blocks, policy(), ": frozen_blocks must be 0 to ", blocks, ", is ", count);
    require(!options_.multi_scale || count <= stride_16 || count == blocks, policy(),
            ": with multi_scale frozen_blocks must be 0 to ", stride_16, ", or ", blocks, ", is ", count);
    options_.frozen_blocks = count;
    nn::freeze(*this, false);
    nn::freeze(*stem_);
    for (std::int64_t i = 0; i < count; ++i) nn::freeze(*list_[static_cast<std::size_t>(i)]);
    if (count == blocks) nn::freeze(*head_);
  }

  /// Whether all of it is frozen.
  bool frozen() const { return options_.frozen_blocks == blocks; }

  /// Sets the mean and deviation of each channel, by which `features` standardises; initially 0 and 1. Invalidates
  /// earlier outputs of `lower` if all blocks are frozen.
  /// @param maps  float [n, C, h, w], output of `features` for n representative images
  /// @throws rc3::Error for another shape
  void calibrate(const at::Tensor& maps) {
    check_shape(policy(), "maps", maps, {{'n'}, {'C', channels()}, {'h'}, {'w'}});
    c10::NoGradGuard no_grad;
    const auto values = maps.to(at::kFloat).transpose(0, 1).flatten(1);  // [C, n h w]
    const auto mean = values.mean(1), deviation = values.std(1).clamp_min(1e-3);
    mean_.copy_((mean_.flatten() + mean * deviation_.flatten()).view_as(mean_));  // `maps` had the old ones taken out
    deviation_.copy_((deviation * deviation_.flatten()).view_as(deviation_));
  }

  /// C: 1280; with multi_scale 1824 (Lite0, Lite1) or 1872 (Lite2).
  std::int64_t channels() const { return options_.multi_scale ? 1280 + width_before_head + 2 * size.widths[4] : 1280; }
  const EfficientNetLiteOptions& options() const { return options_; }

 private:
  static std::string policy() { return type_name<Self>(); }

  at::Tensor stem(const at::Tensor& pixels) {
    check_shape(policy(), "pixels", pixels, {{'B'}, {'3', 3}, {'H'}, {'W'}});
    require(pixels.size(2) % 32 == 0 && pixels.size(3) % 32 == 0, policy(), ": images of ", pixels.size(3), " x ",
            pixels.size(2), " pixels; both sides must be multiples of 32, resize them");
    // Channels last: depthwise convolutions are several times as fast on a processor.
    return stem_->forward(((pixels.to(at::kFloat) - 127) / 128).contiguous(at::MemoryFormat::ChannelsLast));
  }

  at::Tensor tail(const at::Tensor& map, std::int64_t from) {
    if (!options_.multi_scale) return head_->forward(run(map, from, blocks));
    const auto early = run(map, from, stride_16);
    const auto late = run(early, stride_16, blocks);
    return at::cat({head_->forward(late), late, at::avg_pool2d(early, 2), at::max_pool2d(early, 2)}, 1);
  }

  at::Tensor standardised(const at::Tensor& map) const { return (map - mean_) / deviation_; }

  at::Tensor run(at::Tensor x, std::int64_t first, std::int64_t last) {
    for (auto i = first; i < last; ++i)
      x = list_[static_cast<std::size_t>(i)]->template as<detail::InvertedBottleneck>()->forward(x);
    return x;
  }

  EfficientNetLiteOptions options_;
  std::shared_ptr<detail::ConvNorm> stem_, head_;
  torch::nn::ModuleList list_;
  at::Tensor mean_, deviation_;
};

/// 3.4 M parameters, 16 blocks; pretrained on images of 224 x 224.
class EfficientNetLite0 : public EfficientNetLite<EfficientNetLite0, 0> {
 public:
  using EfficientNetLite::EfficientNetLite;
};

/// 4.1 M parameters, 21 blocks; pretrained on images of 240 x 240.
class EfficientNetLite1 : public EfficientNetLite<EfficientNetLite1, 1> {
 public:
  using EfficientNetLite::EfficientNetLite;
};

/// 4.8 M parameters, 21 blocks; pretrained on images of 260 x 260.
class EfficientNetLite2 : public EfficientNetLite<EfficientNetLite2, 2> {
 public:
  using EfficientNetLite::EfficientNetLite;
};

static_assert(Policy<EfficientNetLite0>);

}  // namespace rc3::visual::backbone
