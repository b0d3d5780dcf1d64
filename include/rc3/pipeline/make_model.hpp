#pragma once
/// A new model on pretrained encoders.

#include <filesystem>
#include <map>
#include <memory>
#include <typeindex>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/fusion/late_interaction_fusion.hpp"
#include "rc3/fusion/single_stream.hpp"
#include "rc3/model/model.hpp"
#include "rc3/pipeline/pipeline.hpp"
#include "rc3/visual/both.hpp"
#include "rc3/visual/patch.hpp"
#include "rc3/visual/roi_from_backbone.hpp"
#include "rc3/visual/roi_from_crops.hpp"

namespace rc3 {

/// Folders of pretrained encoders, and what a model directory would say of their input.
struct PretrainedEncoders {
  std::filesystem::path text;             ///< weights and SentencePiece model of the text encoder
  std::filesystem::path image;            ///< weights of the image backbone
  text::TokenizerOptions tokenizer = {};  ///< for example the prefix "query: " of multilingual-e5
  /// Resize: to 224 x 224 pixels by default, whatever an image's shape. The backbone normalises.
  preprocess::PreprocessOptions images = {.resize = preprocess::PreprocessSize{224, 224, 0}};
  bool frozen = true;  ///< the text encoder keeps its weights; the backbone as its from_pretrained() has it
};

namespace pipeline {

/// Backbones of a folder, each type loaded once: policies of one backbone type share it.
class Backbones {
 public:
  /// @param folder  as of from_pretrained(); read at the first get() of each type
  explicit Backbones(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// @throws rc3::Error as Backbone::from_pretrained()
  template <class Backbone>
  std::shared_ptr<Backbone> get() {
    auto& loaded = loaded_[typeid(Backbone)];
    if (!loaded) loaded = Backbone::from_pretrained(folder_);
    return std::static_pointer_cast<Backbone>(loaded);
  }

 private:
  std::filesystem::path folder_;
  std::map<std::type_index, std::shared_ptr<void>> loaded_;
};

/// New visual policy or fusion encoder of a width; specialise it for a custom one.
template <class Policy>
struct New;

template <class Backbone>
struct New<visual::Patch<Backbone>> {
  static auto make(Backbones& backbones, std::int64_t width) {
    return std::make_shared<visual::Patch<Backbone>>(backbones.get<Backbone>(), visual::PatchOptions{.width = width});
  }
};
template <class Backbone>
struct New<visual::RoiFromBackbone<Backbone>> {
  static auto make(Backbones& backbones, std::int64_t width) {
    return std::make_shared<visual::RoiFromBackbone<Backbone>>(backbones.get<Backbone>(),
                                                               visual::RoiFromBackboneOptions{.width = width});
  }
};
template <class Backbone>
struct New<visual::RoiFromCrops<Backbone>> {
  static auto make(Backbones& backbones, std::int64_t width) {
    return std::make_shared<visual::RoiFromCrops<Backbone>>(backbones.get<Backbone>(),
                                                            visual::RoiFromCropsOptions{.width = width});
  }
};
template <class Roi, class Patch>
struct New<visual::Both<Roi, Patch>> {
  static auto make(Backbones& backbones, std::int64_t width) {
    const auto roi = New<Roi>::make(backbones, width);
    return std::make_shared<visual::Both<Roi, Patch>>(roi, New<Patch>::make(backbones, width));
  }
};
template <>
struct New<fusion::SingleStream> {
  static auto make(std::int64_t width) {
    return std::make_shared<fusion::SingleStream>(fusion::SingleStreamOptions{
        .width = width, .heads = width % 64 == 0 ? width / 64 : 1, .feed_forward = 2 * width});
  }
};
template <class Inner>
struct New<fusion::LateInteractionFusion<Inner>> {
  static auto make(std::int64_t width) {
    return std::make_shared<fusion::LateInteractionFusion<Inner>>(New<Inner>::make(width));
  }
};

/// Parts of a model type.
template <class M>
struct PoliciesOf;
template <class Visual, class Text, class Fusion>
struct PoliciesOf<Model<Visual, Text, Fusion>> {
  using VisualPolicy = Visual;
  using TextPolicy = Text;
  using FusionPolicy = Fusion;
};

}  // namespace pipeline

/// Model of type @p M on pretrained encoders; its heads and its fusion encoder are new. Every part has the width of the
/// text encoder.
/// @throws rc3::Error as the encoders' from_pretrained()
template <class M>
Pipeline<M> make_model(const PretrainedEncoders& encoders) {
  using Parts = pipeline::PoliciesOf<M>;
  const auto text = Parts::TextPolicy::from_pretrained(encoders.text);
  if constexpr (requires { text->freeze_lower(text->options().layers); })
    if (encoders.frozen) text->freeze_lower(text->options().layers);
  pipeline::Backbones backbones(encoders.image);
  const auto visual = pipeline::New<typename Parts::VisualPolicy>::make(backbones, text->width());
  const auto fusion = pipeline::New<typename Parts::FusionPolicy>::make(text->width());
  return {std::make_shared<M>(visual, text, fusion),
          text::Tokenizer::from_pretrained(encoders.text, encoders.tokenizer), encoders.images};
}

}  // namespace rc3
