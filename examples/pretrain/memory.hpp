#pragma once
/// What frozen layers make of images and texts, computed once and kept: most of an encoder's work is then done once a
/// run instead of once a step.

#include <rc3/rc3.hpp>
#include "emoji/emoji.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "variant.hpp"

namespace pretrain {

/// Told how much is done, 0 to all.
using Tick = std::function<void(std::size_t done, std::size_t all)>;

/// @return uint8 [3, H, W]
inline at::Tensor pixels_of(const emoji::Drawing& image) {
  const auto rows = at::empty({image.height, image.width, 3}, at::kByte);
  std::copy(image.rgb.begin(), image.rgb.end(), rows.data_ptr<std::uint8_t>());
  return rows.permute({2, 0, 1}).contiguous();
}

/// Frozen layers compute as training does.
inline rc3::train::Autocast autocast() {
  return rc3::train::Autocast(rc3::train::resolve(rc3::train::Precision::automatic));
}

/// Feature maps of drawn images and of their objects, in half precision.
class ImageMemory {
 public:
  static constexpr std::int64_t most_regions = 5;

  /// Draws and encodes @p count images, 32 at a time.
  ImageMemory(Visual& visual, std::size_t count, const std::function<emoji::Drawing(std::size_t)>& draw,
              const Tick& tick) {
    c10::InferenceMode inference;
    std::vector<rc3::Images> parts;
    tick(0, count);
    for (std::size_t begin = 0; begin < count; begin += 32) {
      const std::size_t end = std::min(count, begin + 32);
      std::vector<emoji::Drawing> drawn;
      for (std::size_t i = begin; i < end; ++i) drawn.push_back(draw(i));
      const auto precision = autocast();
      parts.push_back(rc3::visual::cache_frozen_features(visual, together(drawn)));
      tick(end, count);
    }
    const auto all = [&](at::Tensor rc3::Images::*member) {
      std::vector<at::Tensor> rows;
      for (const auto& part : parts) rows.push_back(part.*member);
      return at::cat(rows);
    };
    images_.features = all(&rc3::Images::features);
    images_.boxes = all(&rc3::Images::boxes);
    images_.region_mask = all(&rc3::Images::region_mask);
    images_.sizes = all(&rc3::Images::sizes);
    if (parts[0].regions.defined()) {
      images_.regions = all(&rc3::Images::regions);
    } else {  // the backbone learns, so what it says of regions cannot be kept: wholes alone
      images_.region_mask.fill_(false);
      images_.regions = at::zeros({images_.boxes.size(0), most_regions, visual.roi()->summary_width()}, at::kHalf);
    }
  }

  /// The images @p index (int64 [n]).
  rc3::Images select(const at::Tensor& index) const { return images_.select(index); }
  std::int64_t size() const { return images_.size(); }

 private:
  static rc3::Images together(const std::vector<emoji::Drawing>& drawn) {
    const auto n = std::ssize(drawn);
    std::vector<at::Tensor> pixels;
    auto boxes = at::zeros({n, most_regions, 4});
    auto mask = at::zeros({n, most_regions}, at::kBool);
    auto sizes = at::zeros({n, 2});
    for (std::int64_t i = 0; i < n; ++i) {
      const auto& image = drawn[static_cast<std::size_t>(i)];
      pixels.push_back(pixels_of(image));
      sizes[i][0] = image.width;
      sizes[i][1] = image.height;
      for (std::int64_t r = 0; r < std::min(std::ssize(image.boxes), most_regions); ++r) {
        for (std::int64_t k = 0; k < 4; ++k)
          boxes[i][r][k] = image.boxes[static_cast<std::size_t>(r)][static_cast<std::size_t>(k)];
        mask[i][r] = true;
      }
    }
    rc3::Images images;
    images.pixels = at::stack(pixels);
    images.boxes = boxes;
    images.region_mask = mask;
    images.sizes = sizes;
    return images;
  }

  rc3::Images images_;
};

/// Token ids and frozen hidden states of texts, each text once.
class TextMemory {
 public:
  TextMemory(const rc3::text::Tokenizer& tokenizer, rc3::text::Bert& encoder)
      : tokenizer_(tokenizer), encoder_(encoder) {}

  /// Encodes those of @p texts that are new, alike lengths together.
  void add(std::span<const std::string> texts, const Tick& tick) {
    c10::InferenceMode inference;
    const auto precision = autocast();
    encoder_.eval();
    std::vector<std::pair<std::vector<std::int64_t>, const std::string*>> fresh;
    for (const auto& text : texts)
      if (known_.emplace(text, Known{}).second) fresh.emplace_back(tokenizer_.encode(text), &text);
    std::stable_sort(fresh.begin(), fresh.end(),
                     [](const auto& a, const auto& b) { return a.first.size() < b.first.size(); });
    if (fresh.empty()) return;
    tick(0, fresh.size());
    constexpr std::size_t batch = 128;
    for (std::size_t begin = 0; begin < fresh.size(); begin += batch) {
      const std::size_t end = std::min(fresh.size(), begin + batch);
      std::vector<std::vector<std::int64_t>> ids;
      for (std::size_t i = begin; i < end; ++i) ids.push_back(fresh[i].first);
      const auto padded = rc3::text::pad_batch(ids);
      const auto hidden = encoder_.lower(padded).values.to(at::kHalf);
      for (std::size_t i = begin; i < end; ++i) {
        const auto row = static_cast<std::int64_t>(i - begin);
        const auto length = static_cast<std::int64_t>(fresh[i].first.size());
        known_[*fresh[i].second] = {std::move(fresh[i].first), hidden[row].narrow(0, 0, length).clone()};
      }
      tick(end, fresh.size());
    }
  }

  /// A padded batch of texts that were added before.
  rc3::Texts batch(std::span<const std::string> texts) const {
    std::vector<std::vector<std::int64_t>> ids;
    for (const auto& text : texts) ids.push_back(known_.at(text).ids);
    auto batch = rc3::text::pad_batch(ids);
    batch.hidden = at::zeros({batch.ids.size(0), batch.ids.size(1), encoder_.width()});
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto& hidden = known_.at(texts[i]).hidden;
      batch.hidden[static_cast<std::int64_t>(i)].narrow(0, 0, hidden.size(0)).copy_(hidden);
    }
    return batch;
  }

  std::size_t size() const { return known_.size(); }
  void clear() { known_.clear(); }

 private:
  struct Known {
    std::vector<std::int64_t> ids;
    at::Tensor hidden;  // half [L, D]
  };

  const rc3::text::Tokenizer& tokenizer_;
  rc3::text::Bert& encoder_;
  std::unordered_map<std::string, Known> known_;
};

}  // namespace pretrain
