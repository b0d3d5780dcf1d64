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
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/features/feature_store.hpp"
#include "rc3/features/identity.hpp"
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
/// With a folder, features that are on disk are read (mapped) instead of computed, and new ones are saved there.
/// @pre The frozen parts of the model do not change while their features are cached.
class FeatureCache {
 public:
  /// @param folder  of stores of features, see FeatureStore; empty: memory only
  explicit FeatureCache(std::filesystem::path folder = {}) : folder_(std::move(folder)) {}

  /// @param host    an rc3::Model in eval mode
  /// @param images  prepared without augmentation
  /// @return the number of each image
  template <class Host>
  std::vector<std::int64_t> add_images(Host& host, const std::vector<const preprocess::PreparedImage*>& images) {
    std::vector<std::int64_t> numbers;
    std::vector<const preprocess::PreparedImage*> fresh;
    std::vector<std::pair<std::size_t, std::string>> missing;  // numbers and keys of the images in `fresh`
    const c10::InferenceMode usable_in_training(false);
    c10::NoGradGuard no_grad;
    for (const auto* image : images) {
      auto key = detail::Digest().add(image->pixels).add(image->regions.boxes).add(image->regions.features).str();
      const auto [found, is_new] = image_at_.try_emplace(key, images_.size());
      numbers.push_back(static_cast<std::int64_t>(found->second));
      if (!is_new) continue;
      images_.push_back(image_on_disk(host, *image, key));
      if (images_.back().size() > 0) continue;
      missing.emplace_back(found->second, std::move(key));
      fresh.push_back(image);
    }
    if (fresh.empty()) return numbers;
    const auto given = preprocess::collate_images(fresh);
    const auto rows = visual::cache_frozen_features(*host.visual_policy(), given.to(nn::device_of(host))).to(at::kCPU);
    for (std::size_t i = 0; i < missing.size(); ++i) {
      auto& row = images_[missing[i].first];
      row = rows.select(at::tensor({static_cast<std::int64_t>(i)}, at::kLong));
      if (!image_store_) continue;
      FeatureStore::Row computed;
      if (row.features.defined() && !given.features.defined()) computed.emplace("features", row.features);
      const auto regions = static_cast<std::int64_t>(fresh[i]->regions.size());
      if (row.regions.defined() && !given.regions.defined() && regions > 0)
        computed.emplace("regions", row.regions.squeeze(0).narrow(0, 0, regions));
      if (!computed.empty()) image_store_->put(missing[i].second, std::move(computed));
    }
    return numbers;
  }

  /// @param host   an rc3::Model
  /// @param texts  ids, `<s>` and `</s>` included
  /// @return the number of each text
  template <class Host>
  std::vector<std::int64_t> add_texts(Host& host, const std::vector<std::vector<std::int64_t>>& texts) {
    std::vector<std::int64_t> numbers;
    std::vector<Fresh> fresh;
    for (const auto& text : texts) {
      auto key = detail::Digest().add(text).str();
      const auto [found, is_new] = text_at_.try_emplace(key, texts_.size());
      if (is_new) {
        fresh.push_back({texts_.size(), std::move(key)});
        texts_.push_back(text::pad_batch(std::span(&text, 1)));
      }
      numbers.push_back(static_cast<std::int64_t>(found->second));
    }
    encode(host, std::move(fresh));
    return numbers;
  }

  /// Saves all features, if there is a folder; the destructor saves them as well. @throws rc3::Error if it fails
  void flush() {
    if (image_store_) image_store_->flush();
    if (text_store_) text_store_->flush();
  }

  /// Whether there is a folder of features.
  bool on_disk() const { return !folder_.empty(); }

  /// Number of distinct images, and of distinct texts.
  std::int64_t images() const { return static_cast<std::int64_t>(images_.size()); }
  /// Number of distinct texts: equal ids count once.
  std::int64_t texts() const { return static_cast<std::int64_t>(texts_.size()); }

  /// The images @p numbers, one row each; regions are padded to the largest number.
  /// @return on the CPU; features and computed regions in float16
  /// @throws rc3::Error for a number out of range
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
  /// @return ids and mask [n, L], hidden float [n, L, D] if layers are frozen; on the CPU
  /// @throws rc3::Error for a number out of range
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
    text_store_.reset();  // of the former frozen layers
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

  struct Fresh {
    std::size_t number;
    std::string key;
  };

  /// The image with its features from disk; an empty one if they are not there.
  template <class Host>
  Images image_on_disk(Host& host, const preprocess::PreparedImage& image, const std::string& key) {
    if (folder_.empty()) return {};
    if (!image_store_)
      image_store_ = std::make_shared<FeatureStore>(folder_, "images", identity(*host.visual_policy()));
    const auto found = image_store_->find(key);
    if (!found) return {};
    const std::vector<const preprocess::PreparedImage*> one{&image};
    auto row = preprocess::collate_images(one);
    if (const auto map = found->find("features"); map != found->end()) {
      row.features = map->second;
      row.pixels = at::Tensor();
    }
    if (const auto regions = found->find("regions"); regions != found->end())
      row.regions = regions->second.unsqueeze(0);
    return row;
  }

  /// Fills in the features of those texts that are on disk. @return the others
  template <class Host>
  std::vector<Fresh> not_on_disk(Host& host, std::vector<Fresh> fresh) {
    if (folder_.empty()) return fresh;
    if (!text_store_) text_store_ = std::make_shared<FeatureStore>(folder_, "texts", identity(*host.text_policy()));
    std::vector<Fresh> others;
    for (auto& f : fresh) {
      const auto found = text_store_->find(f.key);
      if (found && found->contains("hidden"))
        texts_[f.number].hidden = found->at("hidden").unsqueeze(0);
      else
        others.push_back(std::move(f));
    }
    return others;
  }

  /// Groups texts of similar length, to reduce padding.
  template <class Host>
  void encode(Host& host, std::vector<Fresh> fresh) {
    if constexpr (requires { host.text_policy()->frozen_layers(); }) {
      if (fresh.empty() || host.text_policy()->frozen_layers() < 0) return;
      const c10::InferenceMode usable_in_training(false);
      c10::NoGradGuard no_grad;
      fresh = not_on_disk(host, std::move(fresh));
      const auto length = [&](const Fresh& f) { return texts_[f.number].ids.size(1); };
      std::stable_sort(fresh.begin(), fresh.end(), [&](const auto& a, const auto& b) { return length(a) < length(b); });
      constexpr std::size_t chunk = 128;
      for (std::size_t begin = 0; begin < fresh.size(); begin += chunk) {
        const auto end = std::min(fresh.size(), begin + chunk);
        std::vector<std::int64_t> part;
        for (std::size_t i = begin; i < end; ++i) part.push_back(static_cast<std::int64_t>(fresh[i].number));
        const auto hidden = host.text_policy()->lower(texts(part).to(nn::device_of(host))).values.to(at::kHalf).cpu();
        for (std::size_t i = begin; i < end; ++i) {
          auto& row = texts_[fresh[i].number].hidden;
          row = hidden.narrow(0, static_cast<std::int64_t>(i - begin), 1).narrow(1, 0, length(fresh[i])).clone();
          if (text_store_) text_store_->put(fresh[i].key, {{"hidden", row.squeeze(0)}});
        }
      }
    }
  }

  std::filesystem::path folder_;
  std::shared_ptr<FeatureStore> image_store_, text_store_;
  std::vector<Images> images_;  // one row per image
  std::vector<Texts> texts_;    // one row per text, without padding
  std::unordered_map<std::string, std::size_t> image_at_, text_at_;
};

}  // namespace rc3::features
