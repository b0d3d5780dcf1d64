#pragma once
/// Images of a batch from prepared images.

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/error.hpp"
#include "rc3/preprocess/prepare_image.hpp"

namespace rc3::preprocess {

namespace detail {

inline void collate_pixels(const std::vector<const PreparedImage*>& samples, Images& out) {
  const auto with = std::find_if(samples.begin(), samples.end(), [](const auto* s) { return !s->pixels.empty(); });
  if (with == samples.end()) return;
  const auto n = static_cast<std::int64_t>(samples.size());
  out.pixels = at::empty({n, 3, (*with)->height, (*with)->width}, at::kByte);
  auto* const to = out.pixels.data_ptr<std::uint8_t>();  // no LibTorch loop: it would start threads in each worker
  const std::size_t size = (*with)->pixels.size();
  std::vector<std::int64_t> there;
  for (std::int64_t i = 0; i < n; ++i) {
    const PreparedImage& s = *samples[static_cast<std::size_t>(i)];
    there.push_back(!s.pixels.empty());
    auto* const row = to + static_cast<std::size_t>(i) * size;
    if (s.pixels.empty()) {
      std::fill_n(row, size, std::uint8_t{0});
      continue;
    }
    require(s.width == (*with)->width && s.height == (*with)->height, "preprocess::collate_images: images of ", s.width,
            " x ", s.height, " and of ", (*with)->width, " x ", (*with)->height, " pixels in one batch");
    std::copy(s.pixels.begin(), s.pixels.end(), row);
  }
  if (std::find(there.begin(), there.end(), 0) != there.end())
    out.patch_mask = at::tensor(there, at::kLong).to(at::kBool);
}

/// [B, R, F] of a member with [R, F] per image; undefined if no sample has it.
inline at::Tensor region_rows(const std::vector<const PreparedImage*>& samples, std::vector<float> Regions::*member,
                              std::int64_t r, const char* name) {
  std::size_t width = 0;
  for (const PreparedImage* s : samples)
    if (!(s->regions.*member).empty()) width = (s->regions.*member).size() / s->regions.size();
  if (width == 0) return {};
  const auto out = at::zeros({static_cast<std::int64_t>(samples.size()), r, static_cast<std::int64_t>(width)});
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto& values = samples[i]->regions.*member;
    require(values.size() == samples[i]->regions.size() * width, "preprocess::collate_images: regions with ",
            values.size(), " numbers of ", name, " for ", samples[i]->regions.size(),
            " boxes, where another sample has ", width, " a box");
    std::copy(values.begin(), values.end(), out[static_cast<std::int64_t>(i)].data_ptr<float>());
  }
  return out;
}

inline void collate_regions(const std::vector<const PreparedImage*>& samples, Images& out) {
  std::size_t most = 0;
  for (const PreparedImage* s : samples) most = std::max(most, s->regions.size());
  if (most == 0) return;
  const auto n = static_cast<std::int64_t>(samples.size()), r = static_cast<std::int64_t>(most);
  out.boxes = at::zeros({n, r, 4});
  out.sizes = at::ones({n, 2});
  out.region_mask = at::zeros({n, r}, at::kBool);
  out.regions = region_rows(samples, &Regions::features, r, "features");
  out.region_classes = region_rows(samples, &Regions::classes, r, "classes");
  for (std::int64_t i = 0; i < n; ++i) {
    const Regions& all = samples[static_cast<std::size_t>(i)]->regions;
    if (all.size() == 0) continue;
    const auto count = static_cast<std::int64_t>(all.size());
    auto* box = out.boxes[i].data_ptr<float>();
    for (const Box& b : all.boxes) box = std::copy(b.begin(), b.end(), box);
    out.sizes[i][0] = all.width;
    out.sizes[i][1] = all.height;
    out.region_mask[i].narrow(0, 0, count).fill_(true);
  }
}

}  // namespace detail

/// One row per image, in their order; regions are padded to the largest number. Images without pixels are outside
/// Images::patch_mask.
/// @throws rc3::Error if the sizes of images, or the widths of region features, differ
inline Images collate_images(const std::vector<const PreparedImage*>& images) {
  Images out;
  detail::collate_pixels(images, out);
  detail::collate_regions(images, out);
  return out;
}

/// The same for any PreparedImage.
template <class Prepared>
Images collate_images(const std::vector<Prepared>& images) {
  std::vector<const PreparedImage*> all;
  for (const PreparedImage& p : images) all.push_back(&p);
  return collate_images(all);
}

}  // namespace rc3::preprocess
