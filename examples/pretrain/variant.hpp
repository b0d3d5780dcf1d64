#pragma once
/// The variant that a program trains: a type, and how it is put together. Its Backbone and make_backbone() are those of
/// the header of pretrain/backbone that the program includes before.

#include <rc3/rc3.hpp>

#include <filesystem>
#include <memory>

namespace pretrain {

namespace objective = rc3::objective;

using Visual = rc3::visual::Both<rc3::visual::RoiFromCrops<Backbone>, rc3::visual::Patch<Backbone>>;
using Fusion = rc3::fusion::LateInteractionFusion<rc3::fusion::SingleStream>;
using Model = rc3::Model<Visual, rc3::text::Bert, Fusion>;

/// First both encoders learn where images and texts lie in one space ...
using Align = rc3::Pretrainer<Model, objective::Itc, objective::Xtcl>;

/// ... then the fusion encoder learns what belongs together, on scenes with weakly aligned texts.
using Relevance = rc3::relevance::Encoder<rc3::text::Bert>;
using RXvtcl = objective::RXvtcl<rc3::regularizer::Ceiling, Relevance, objective::negatives::SameImage>;
using Fuse = rc3::Pretrainer<Model, RXvtcl, objective::Itm>;

/// Encoders with their pretrained weights, all of them frozen; the rest is new.
inline std::shared_ptr<Model> make_model(const std::filesystem::path& weights) {
  const auto network = make_backbone(weights);
  const auto text = rc3::text::Bert::from_pretrained(weights / "multilingual-e5-small");
  text->freeze_lower(text->options().layers);
  const auto d = text->width();
  const auto roi = std::make_shared<rc3::visual::RoiFromCrops<Backbone>>(
      network, rc3::visual::RoiFromCropsOptions{.width = d, .dropout = 0.0});
  const auto patch = std::make_shared<rc3::visual::Patch<Backbone>>(
      network, rc3::visual::PatchOptions{.width = d, .grid = 4, .max_patches = 16, .dropout = 0.0});
  const auto inner = std::make_shared<rc3::fusion::SingleStream>(
      rc3::fusion::SingleStreamOptions{.width = d, .layers = 2, .heads = 6, .feed_forward = 768});
  const auto visual =
      std::make_shared<Visual>(roi, patch, rc3::visual::BothOptions{.drop_regions = 0.3, .drop_patches = 0.3});
  return std::make_shared<Model>(visual, text, std::make_shared<Fusion>(inner));
}

}  // namespace pretrain
