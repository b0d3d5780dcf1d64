#pragma once
/// Cache of frozen features: each image and each text passes the frozen layers of a model once.

#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/hash.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/preprocess/collate_images.hpp"
#include "rc3/text/tokenize.hpp"
#include "rc3/text/tokenizer.hpp"
#include "rc3/visual/cache_frozen_features.hpp"

namespace rc3::features {

namespace detail {

/// Tensor of rows of different lengths, padded with zeros along dimension 1; undefined if the first row is. Uses
/// copies: at::cat is subject to autocast, which does not support half precision on the CPU.
inline at::Tensor stack_padded(const std::vector<at::Tensor>& rows) {
  if (rows.empty() || !rows[0].defined()) return {};
  auto shape = rows[0].sizes().vec();
  shape[0] = 0;
  for (const auto& row : rows) {
    shape[0] += row.size(0);
    if (row.dim() > 1) shape[1] = std::max(shape[1], row.size(1));
  }
  auto all = at::zeros(shape, rows[0].options());
  std::int64_t at = 0;
  for (const auto& row : rows) {
    auto place = all.narrow(0, at, row.size(0));
    (row.dim() > 1 ? place.narrow(1, 0, row.size(1)) : place).copy_(row);
    at += row.size(0);
  }
  return all;
}

/// SHA-1 of the bytes of numeric vectors: equal images and equal texts share one row.
class Digest {
 public:
  template <class T>
  Digest& add(const std::vector<T>& numbers) {
    const std::uint64_t size = numbers.size();
    bytes_.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes_.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
    return *this;
  }
  std::string str() const { return c10::sha1(bytes_).str(); }

 private:
  std::string bytes_;
};

}  // namespace detail

/// Frozen features in CPU memory, float16. Images and texts are numbered in the order of first use; equal ones (to the
/// last pixel, to the last token) share a number. Trainable parts of a model are not cached: the pixels, or the ids,
/// are kept instead.
/// @pre The frozen parts of the model do not change while their features are cached.
class FeatureCache {
 public:
  /// @param host    an rc3::Model in eval mode
  /// @param images  prepared without augmentation
  /// @return the number of each image
  template <class Host>
  std::vector<std::int64_t> add_images(Host& host, const std::vector<const preprocess::PreparedImage*>& images) {
    std::vector<std::int64_t> numbers;
    std::vector<const preprocess::PreparedImage*> fresh;
    for (const auto* image : images) {
      auto key = detail::Digest().add(image->pixels).add(image->regions.boxes).add(image->regions.features).str();
      const auto [found, is_new] = image_at_.try_emplace(std::move(key), images_.size() + fresh.size());
      if (is_new) fresh.push_back(image);
      numbers.push_back(static_cast<std::int64_t>(found->second));
    }
    if (fresh.empty()) return numbers;
    const c10::InferenceMode usable_in_training(false);
    c10::NoGradGuard no_grad;
    auto rows =
        visual::cache_frozen_features(*host.visual_policy(), preprocess::collate_images(fresh).to(nn::device_of(host)))
            .to(at::kCPU);
    for (std::int64_t i = 0; i < rows.size(); ++i) images_.push_back(rows.select(at::tensor({i}, at::kLong)));
    return numbers;
  }

  /// @param host   an rc3::Model
  /// @param texts  ids, <s> and </s> included
  /// @return the number of each text
  template <class Host>
  std::vector<std::int64_t> add_texts(Host& host, const std::vector<std::vector<std::int64_t>>& texts) {
    std::vector<std::int64_t> numbers;
    std::vector<std::size_t> fresh;
    for (const auto& text : texts) {
      const auto [found, is_new] = text_at_.try_emplace(detail::Digest().add(text).str(), texts_.size());
      if (is_new) {
        fresh.push_back(texts_.size());
        texts_.push_back(text::pad_batch(std::span(&text, 1)));
      }
      numbers.push_back(static_cast<std::int64_t>(found->second));
    }
    encode(host, std::move(fresh));
    return numbers;
  }

  /// Number of distinct images, and of distinct texts.
  std::int64_t images() const { return static_cast<std::int64_t>(images_.size()); }
  std::int64_t texts() const { return static_cast<std::int64_t>(texts_.size()); }

  /// The images @p numbers, one row each; regions are padded to the largest number.
  Images images(const std::vector<std::int64_t>& numbers) const {
    const auto all = [&](at::Tensor Images::*member) {
      std::vector<at::Tensor> rows;
      const Images* example = nullptr;
      for (const auto i : numbers)
        if ((at_number(images_, i).*member).defined()) example = &at_number(images_, i);
      if (example == nullptr) return at::Tensor();
      for (const auto i : numbers) {
        const auto& row = at_number(images_, i).*member;
        rows.push_back(row.defined() ? row : missing(example->*member, member));
      }
      return detail::stack_padded(rows);
    };
    return {all(&Images::pixels),      all(&Images::regions),    all(&Images::boxes),    all(&Images::sizes),
            all(&Images::region_mask), all(&Images::patch_mask), all(&Images::features), all(&Images::region_classes)};
  }

  /// The texts @p numbers, padded.
  Texts texts(const std::vector<std::int64_t>& numbers) const {
    std::vector<at::Tensor> ids, mask, hidden;
    for (const auto i : numbers) {
      const Texts& text = at_number(texts_, i);
      ids.push_back(text.ids);
      mask.push_back(text.mask);
      if (text.hidden.defined()) hidden.push_back(text.hidden);
    }
    Texts all{detail::stack_padded(ids), detail::stack_padded(mask), detail::stack_padded(hidden)};
    if (all.hidden.defined()) all.hidden = all.hidden.to(at::kFloat);
    all.ids.masked_fill_(~all.mask, text::Tokenizer::pad);  // stack_padded pads with zeros
    return all;
  }

  /// Clears all texts, for a text encoder whose first trained layer changes.
  void clear_texts() {
    texts_.clear();
    text_at_.clear();
  }

 private:
  template <class T>
  static const T& at_number(const std::vector<T>& all, std::int64_t number) {
    require(number >= 0 && number < static_cast<std::int64_t>(all.size()), "features::FeatureCache: number ", number,
            " of ", all.size());
    return all[static_cast<std::size_t>(number)];
  }

  /// Placeholder for a member that this image lacks and others have. Without a mask all entries are valid.
  static at::Tensor missing(const at::Tensor& like, at::Tensor Images::*member) {
    auto shape = like.sizes().vec();
    if (member == &Images::patch_mask) return at::ones(shape, like.options());
    if (member == &Images::sizes) return at::ones(shape, like.options());
    if (shape.size() > 1 && member != &Images::pixels && member != &Images::features) shape[1] = 0;  // no regions
    return at::zeros(shape, like.options());
  }

  /// Groups texts of similar length, to reduce padding.
  template <class Host>
  void encode(Host& host, std::vector<std::size_t> fresh) {
    if constexpr (requires { host.text_policy()->frozen_layers(); }) {
      if (fresh.empty() || host.text_policy()->frozen_layers() < 0) return;
      const c10::InferenceMode usable_in_training(false);
      c10::NoGradGuard no_grad;
      const auto length = [&](std::size_t i) { return texts_[i].ids.size(1); };
      std::stable_sort(fresh.begin(), fresh.end(), [&](auto a, auto b) { return length(a) < length(b); });
      constexpr std::size_t chunk = 128;
      for (std::size_t begin = 0; begin < fresh.size(); begin += chunk) {
        std::vector<std::int64_t> part;
        for (std::size_t i = begin; i < std::min(fresh.size(), begin + chunk); ++i)
          part.push_back(static_cast<std::int64_t>(fresh[i]));
        const auto hidden = host.text_policy()->lower(texts(part).to(nn::device_of(host))).values.to(at::kHalf).cpu();
        for (std::size_t i = 0; i < part.size(); ++i) {
          const auto n = static_cast<std::size_t>(part[i]);
          texts_[n].hidden = hidden.narrow(0, static_cast<std::int64_t>(i), 1).narrow(1, 0, length(n)).clone();
        }
      }
    }
  }

  std::vector<Images> images_;  // one row per image
  std::vector<Texts> texts_;    // one row per text, without padding
  std::unordered_map<std::string, std::size_t> image_at_, text_at_;
};

}  // namespace rc3::features
