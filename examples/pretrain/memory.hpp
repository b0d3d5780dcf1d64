#pragma once
/// What frozen layers make of pictures and texts, computed once and kept: most of an encoder's work is then done once a
/// run instead of once a step.

#include <rc3/data/emoji/emoji.hpp>
#include <rc3/rc3.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "variant.hpp"

namespace pretrain {

namespace emoji = rc3::data::emoji;

/// Told how much is done, 0 to all.
using Tick = std::function<void(std::size_t done, std::size_t all)>;

/// Regions to look at: each object, and of a lone object its four quarters as well.
inline std::vector<std::array<float, 4>> regions(const emoji::Picture& picture) {
  auto boxes = picture.boxes;
  if (boxes.size() == 1) {
    const auto [x1, y1, x2, y2] = boxes[0];
    const float x = (x1 + x2) / 2, y = (y1 + y2) / 2;
    boxes.insert(boxes.end(), {{x1, y1, x, y}, {x, y1, x2, y}, {x1, y, x, y2}, {x, y, x2, y2}});
  }
  return boxes;
}

/// @return uint8 [3, H, W]
inline at::Tensor pixels_of(const emoji::Picture& picture) {
  const auto rows = at::empty({picture.height, picture.width, 3}, at::kByte);
  std::copy(picture.rgb.begin(), picture.rgb.end(), rows.data_ptr<std::uint8_t>());
  return rows.permute({2, 0, 1}).contiguous();
}

/// Feature maps of drawn pictures, in half precision, with their regions.
class PictureMemory {
 public:
  static constexpr std::int64_t most_regions = 5;

  /// Draws and encodes @p count pictures, 32 at a time.
  PictureMemory(Backbone& network, std::size_t count, const std::function<emoji::Picture(std::size_t)>& draw,
                const Tick& tick) {
    c10::InferenceMode inference;
    std::vector<at::Tensor> maps, boxes, masks, sizes;
    tick(0, count);
    for (std::size_t begin = 0; begin < count; begin += 32) {
      const std::size_t end = std::min(count, begin + 32);
      std::vector<at::Tensor> pixels;
      for (std::size_t i = begin; i < end; ++i) {
        const auto picture = draw(i);
        pixels.push_back(pixels_of(picture));
        add_regions(picture, boxes, masks, sizes);
      }
      maps.push_back(network.lower(at::stack(pixels)).to(at::kHalf));
      tick(end, count);
    }
    pictures_.features = at::cat(maps);
    pictures_.boxes = at::stack(boxes);
    pictures_.region_mask = at::stack(masks);
    pictures_.sizes = at::stack(sizes);
  }

  /// The pictures @p index (int64 [n]).
  rc3::Pictures select(const at::Tensor& index) const { return pictures_.select(index); }
  std::int64_t size() const { return pictures_.size(); }

 private:
  static void add_regions(const emoji::Picture& picture, std::vector<at::Tensor>& boxes, std::vector<at::Tensor>& masks,
                          std::vector<at::Tensor>& sizes) {
    const auto found = regions(picture);
    auto box = at::zeros({most_regions, 4});
    auto mask = at::zeros({most_regions}, at::kBool);
    for (std::size_t r = 0; r < std::min<std::size_t>(found.size(), most_regions); ++r) {
      for (std::size_t k = 0; k < 4; ++k) box[static_cast<std::int64_t>(r)][static_cast<std::int64_t>(k)] = found[r][k];
      mask[static_cast<std::int64_t>(r)] = true;
    }
    boxes.push_back(box);
    masks.push_back(mask);
    sizes.push_back(at::tensor({static_cast<float>(picture.width), static_cast<float>(picture.height)}));
  }

  rc3::Pictures pictures_;
};

/// Token ids and frozen hidden states of texts, each text once.
class TextMemory {
 public:
  TextMemory(const rc3::text::Tokenizer& tokenizer, rc3::text::Bert& encoder)
      : tokenizer_(tokenizer), encoder_(encoder) {}

  /// Encodes those of @p texts that are new, alike lengths together.
  void add(std::span<const std::string> texts, const Tick& tick) {
    c10::InferenceMode inference;
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
