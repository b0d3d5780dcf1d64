#pragma once
/// The data of one run: glyphs, the side to train on and the side to test on, languages, images and texts.

#include <rc3/train/progress.hpp>
#include "emoji/emoji.hpp"

#include <cmath>
#include <iostream>
#include <memory>
#include <optional>

#include "memory.hpp"

namespace pretrain {

/// What a caption of glyph @p g in @p language is.
inline const std::string& name_of(const emoji::Glyphs& glyphs, std::size_t g, const std::string& language) {
  const auto* found = glyphs[g].find(language);
  rc3::require(found != nullptr, "glyph ", glyphs[g].id, " has no name in ", language);
  return found->name;
}

/// Draws view @p view of glyph @p g; view 0 is the canonical one, the others vary with (seed, g, view) and are as small
/// as the objects of scenes.
inline emoji::Drawing draw_view(const emoji::Glyphs& glyphs, std::size_t g, std::size_t view, std::uint64_t seed) {
  auto style = view == 0 ? emoji::Style::canonical() : emoji::Style::training();
  if (view > 0) {
    style.single_min = style.scene_min;
    style.single_max = style.scene_max;
  }
  return emoji::draw_single(glyphs, g, style, rc3::Random(seed, g, view));
}

/// Says how far a step of the preparation is: a bar on a terminal, elsewhere a line at its end.
inline Tick step(std::string label, std::string unit) {
  auto bar = std::make_shared<std::optional<rc3::train::Progress>>();
  return [=](std::size_t done, std::size_t all) {
    if (!*bar) {
      rc3::train::Progress::Options options;
      options.label = label;
      options.unit = unit;
      options.every_seconds = 60;
      options.every_share = 2;  // one line, the last
      bar->emplace(static_cast<std::int64_t>(all), std::cout, rc3::train::stdout_is_terminal(), options);
    }
    (*bar)->update(static_cast<std::int64_t>(done));
    if (done == all) (*bar)->finish();
  };
}

/// Shows the backbone what our images are like, so that it takes out what they all have in common.
inline void calibrate_images(Backbone& network, const emoji::Glyphs& glyphs, const std::vector<std::size_t>& sample,
                             std::uint64_t seed) {
  c10::NoGradGuard no_grad;
  std::vector<at::Tensor> maps;
  for (std::size_t begin = 0; begin < sample.size(); begin += 32) {
    std::vector<at::Tensor> pixels;
    for (std::size_t i = begin; i < std::min(sample.size(), begin + 32); ++i)
      pixels.push_back(pixels_of(draw_view(glyphs, sample[i], i % 2, seed)));
    maps.push_back(network.lower(at::stack(pixels)));
  }
  network.calibrate(at::cat(maps));
}

/// Feature maps of several views of some glyphs; with one view each, whole images alone, without their regions.
class Views {
 public:
  Views(Visual& visual, const emoji::Glyphs& glyphs, std::vector<std::size_t> which, std::size_t views,
        std::uint64_t seed, const std::string& label)
      : which_(std::move(which)),
        views_(views),
        memory_(
            visual, which_.size() * views,
            [&](std::size_t i) {
              auto image = draw_view(glyphs, which_[i / views], i % views, seed);
              if (views == 1) image.boxes.clear();
              return image;
            },
            step(label, "images")) {}

  std::size_t glyphs() const { return which_.size(); }
  std::size_t views() const { return views_; }
  /// The index into `which` and the view of each image wanted.
  rc3::Images select(std::span<const std::int64_t> glyph, std::span<const std::int64_t> view) const {
    std::vector<std::int64_t> index;
    for (std::size_t i = 0; i < glyph.size(); ++i)
      index.push_back(glyph[i] * static_cast<std::int64_t>(views_) + view[i]);
    return memory_.select(at::tensor(index, at::kLong));
  }
  rc3::Images range(std::int64_t begin, std::int64_t end) const { return memory_.select(at::arange(begin, end)); }
  std::int64_t size() const { return memory_.size(); }

 private:
  std::vector<std::size_t> which_;
  std::size_t views_;
  ImageMemory memory_;
};

}  // namespace pretrain
