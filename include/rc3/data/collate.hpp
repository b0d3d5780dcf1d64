#pragma once
/// From prepared samples to the Batch that objectives look at.

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/error.hpp"
#include "rc3/data/prepare.hpp"
#include "rc3/text/tokenize.hpp"

namespace rc3::data {

/// Pads texts and regions to the longest of the batch. Samples without a picture are outside Pictures::patch_mask;
/// Batch::relevance is defined where the source knows it of every sample.
class Collate {
 public:
  /// @param multiple  L is rounded up to a multiple of this, >= 1
  explicit Collate(std::int64_t multiple = 1) : multiple_(multiple) {}

  /// @throws rc3::Error when pictures differ in size, or regions in how many numbers they have
  Batch operator()(std::vector<Prepared> samples) const {
    require(!samples.empty(), "data::Collate: no samples");
    Batch batch;
    pictures(samples, batch.pictures);
    regions(samples, batch.pictures);
    std::vector<std::vector<std::int64_t>> a, b;
    std::vector<std::int64_t> strict, picture_ids, a_ids, b_ids;
    std::vector<float> relevance;
    for (Prepared& s : samples) {
      a.push_back(std::move(s.a));
      b.push_back(std::move(s.b));
      strict.push_back(s.strict);
      picture_ids.push_back(s.picture_id);
      a_ids.push_back(s.caption_a_id);
      b_ids.push_back(s.caption_b_id);
      if (s.relevance) relevance.push_back(*s.relevance);
    }
    batch.a = text::pad_batch(a, multiple_);
    batch.b = text::pad_batch(b, multiple_);
    batch.strict = at::tensor(strict, at::kLong).to(at::kBool);
    if (relevance.size() == samples.size()) batch.relevance = at::tensor(relevance, at::kFloat);
    batch.picture_ids = at::tensor(picture_ids, at::kLong);
    batch.caption_a_ids = at::tensor(a_ids, at::kLong);
    batch.caption_b_ids = at::tensor(b_ids, at::kLong);
    return batch;
  }

 private:
  static void pictures(const std::vector<Prepared>& samples, Pictures& out) {
    const auto with = std::find_if(samples.begin(), samples.end(), [](const auto& s) { return !s.pixels.empty(); });
    if (with == samples.end()) return;
    const auto n = static_cast<std::int64_t>(samples.size());
    out.pixels = at::empty({n, 3, with->height, with->width}, at::kByte);
    auto* const to = out.pixels.data_ptr<std::uint8_t>();  // no LibTorch loop: it would start threads in each worker
    const std::size_t size = with->pixels.size();
    std::vector<std::int64_t> there;
    for (std::int64_t i = 0; i < n; ++i) {
      const Prepared& s = samples[static_cast<std::size_t>(i)];
      there.push_back(!s.pixels.empty());
      auto* const row = to + static_cast<std::size_t>(i) * size;
      if (s.pixels.empty()) {
        std::fill_n(row, size, std::uint8_t{0});
        continue;
      }
      require(s.width == with->width && s.height == with->height, "data::Collate: pictures of ", s.width, " x ",
              s.height, " and of ", with->width, " x ", with->height, " pixels in one batch");
      std::copy(s.pixels.begin(), s.pixels.end(), row);
    }
    if (std::find(there.begin(), there.end(), 0) != there.end())
      out.patch_mask = at::tensor(there, at::kLong).to(at::kBool);
  }

  static void regions(const std::vector<Prepared>& samples, Pictures& out) {
    std::size_t most = 0;
    for (const Prepared& s : samples) most = std::max(most, s.regions.size());
    if (most == 0) return;
    const auto n = static_cast<std::int64_t>(samples.size()), r = static_cast<std::int64_t>(most);
    out.boxes = at::zeros({n, r, 4});
    out.sizes = at::ones({n, 2});
    out.region_mask = at::zeros({n, r}, at::kBool);
    out.regions = rows(samples, &Regions::features, r, "features");
    out.region_classes = rows(samples, &Regions::classes, r, "classes");
    for (std::int64_t i = 0; i < n; ++i) {
      const Regions& all = samples[static_cast<std::size_t>(i)].regions;
      if (all.size() == 0) continue;
      const auto count = static_cast<std::int64_t>(all.size());
      auto* box = out.boxes[i].data_ptr<float>();
      for (const Box& b : all.boxes) box = std::copy(b.begin(), b.end(), box);
      out.sizes[i][0] = all.width;
      out.sizes[i][1] = all.height;
      out.region_mask[i].narrow(0, 0, count).fill_(true);
    }
  }

  /// [B, R, F] of a member that holds [R, F]; undefined where no sample has it.
  static at::Tensor rows(const std::vector<Prepared>& samples, std::vector<float> Regions::*member, std::int64_t r,
                         const char* name) {
    std::size_t width = 0;
    for (const Prepared& s : samples)
      if (!(s.regions.*member).empty()) width = (s.regions.*member).size() / s.regions.size();
    if (width == 0) return {};
    const auto out = at::zeros({static_cast<std::int64_t>(samples.size()), r, static_cast<std::int64_t>(width)});
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto& values = samples[i].regions.*member;
      require(values.size() == samples[i].regions.size() * width, "data::Collate: regions with ", values.size(),
              " numbers of ", name, " for ", samples[i].regions.size(), " boxes, where another sample has ", width,
              " a box");
      std::copy(values.begin(), values.end(), out[static_cast<std::int64_t>(i)].data_ptr<float>());
    }
    return out;
  }

  std::int64_t multiple_;
};

}  // namespace rc3::data
