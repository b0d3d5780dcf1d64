#pragma once
/// Late-interaction features: similarity of words and image regions, without the identity of either.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"

namespace rc3::task {

/// Features of a text and an image: the cosines of the text embedding with the regions, highest first. Further features
/// over the text's tokens: mean and minimum of each one's highest cosine with a region. Features of two images are
/// concatenated, followed by this mean and minimum over the regions of both.
/// The last ones are the other direction: each region's highest cosine with a token, highest first, over both images'
/// regions. Missing features are -0.3; all are if tokens have no embeddings. Source: late interaction of FILIP (Yao et
/// al. 2021).
class LateInteraction {
 public:
  static constexpr std::int64_t regions = 8;  ///< number of cosines

  /// @return number of features for this number of images
  static std::int64_t width(std::int64_t images) { return images * (regions + 2) + (images > 1 ? 2 : 0) + regions; }

  /// Whether all tokens have embeddings; if not, all features are missing.
  static bool available(const std::vector<Tokens>& images, const Tokens& text) {
    return text.embeddings.defined() &&
           std::all_of(images.begin(), images.end(), [](const Tokens& p) { return p.embeddings.defined(); });
  }

  /// @param images          Tokens [B, V, D] of each image, with embeddings [B, V, E] or without
  /// @param text            Tokens [B, L, D] with embeddings [B, L, E] or without
  /// @param text_embedding  of the whole text, float [B, E]
  /// @return float [B, width(images)], ten times the cosines
  /// @throws rc3::Error for token embeddings of another width
  static at::Tensor features(const std::vector<Tokens>& images, const Tokens& text, const at::Tensor& text_embedding) {
    const auto b = text.values.size(0);
    if (!available(images, text))
      return at::full({b, width(std::ssize(images))}, 10 * missing, text_embedding.options());
    std::vector<at::Tensor> numbers, of_tokens, of_regions;
    for (const Tokens& image : images) {
      check_shape("task::LateInteraction", "image's vectors", image.embeddings,
                  {{'B', b}, {'V'}, {'E', text_embedding.size(1)}});
      const auto nowhere = image.embeddings.ne(0).any(2).logical_not();  // [B, V]
      numbers.push_back(
          highest(image.embeddings.matmul(text_embedding.unsqueeze(2)).squeeze(2).masked_fill(nowhere, none)));
      const auto cosines = image.embeddings.matmul(text.embeddings.transpose(1, 2))
                               .masked_fill(nowhere.unsqueeze(2), none);  // [B, V, L]
      of_tokens.push_back(cosines.amax(1));
      of_regions.push_back(cosines.masked_fill(text.mask.logical_not().unsqueeze(1), none).amax(2));
      numbers.push_back(over_tokens(or_missing(of_tokens.back()), text.mask));
    }
    if (images.size() > 1) numbers.push_back(over_tokens(or_missing(at::stack(of_tokens).amax(0)), text.mask));
    numbers.push_back(highest(at::cat(of_regions, 1)));
    return at::cat(numbers, 1) * 10;
  }

 private:
  static constexpr double none = -2;       // less than any cosine
  static constexpr double missing = -0.3;  // its replacement: a cosine lower than most

  /// The highest values of each row. @param x  float [B, n]  @return float [B, regions]
  static at::Tensor highest(const at::Tensor& x) {
    auto sorted = std::get<0>(x.sort(/*dim=*/1, /*descending=*/true));
    if (sorted.size(1) < regions) sorted = at::constant_pad_nd(sorted, {0, regions - sorted.size(1)}, none);
    return or_missing(sorted.narrow(1, 0, regions));
  }

  static at::Tensor or_missing(const at::Tensor& cosines) { return cosines.masked_fill(cosines.lt(-1.5), missing); }

  /// Mean and minimum. @param x  float [B, L]  @return float [B, 2]
  static at::Tensor over_tokens(const at::Tensor& x, const at::Tensor& mask) {
    const auto mean = (x * mask).sum(1) / mask.sum(1).clamp_min(1);
    return at::stack({mean, x.masked_fill(~mask, 1.0).amin(1)}, 1);
  }
};

}  // namespace rc3::task
