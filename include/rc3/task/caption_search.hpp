#pragma once
/// Search between the captions of one language and their images: the protocol of xFlickr&CO and WIT.

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/task/cached_examples.hpp"
#include "rc3/task/retrieval.hpp"
#include "rc3/task/search.hpp"

namespace rc3::task {

/// Recall in both directions, shares in [0, 1], and chance level.
struct CaptionRecall {
  Recall to_image;            ///< of captions that search images
  Recall to_text;             ///< of images that search captions
  Recall to_image_chance;     ///< of captions that guess
  Recall to_text_chance;      ///< of images that guess
  std::int64_t captions = 0;  ///< number of distinct ones
  std::int64_t images = 0;    ///< number of distinct ones
};

/// Search result of one caption.
struct FoundImage {
  std::int64_t example = 0;  ///< of the caption
  std::int64_t rank = 0;     ///< of its image, 1 the best
  std::int64_t found = 0;    ///< an example of the best-ranked image
};

/// Searches among the images with a caption in the language. If an image has several captions, the best one counts.
/// Equal captions count as one, and each of their images is correct.
/// @tparam Host  with the members of rc3::Model, in eval mode
template <class Host>
class CaptionSearch {
 public:
  /// Compares the embeddings. @param images  of @p examples, from encode_images()
  /// @throws rc3::Error if no caption is in @p language
  CaptionSearch(Host& model, const CachedExamples& examples, const Encoded& images, const std::string& language) {
    std::unordered_map<std::string, std::int64_t> text_at;
    std::unordered_map<std::int64_t, std::int64_t> image_at;
    std::vector<std::int64_t> columns, pairs;
    for (std::int64_t i = 0; i < examples.size(); ++i) {
      const auto& example = examples.example(i);
      if (example.language != language) continue;
      const auto [text, new_text] = text_at.try_emplace(example.text, std::ssize(captions_));
      if (new_text) captions_.push_back(i);
      const auto [image, new_image] = image_at.try_emplace(examples.image_of(i), std::ssize(columns));
      if (new_image) {
        columns.push_back(examples.image_of(i));
        first_with_.push_back(i);
      }
      pairs.insert(pairs.end(), {text->second, image->second});
    }
    require(!captions_.empty(), "task::CaptionSearch: there is no caption in ", language);
    texts_ = encode_texts(model, examples, captions_);
    const auto index = at::tensor(columns, at::kLong).to(images.embeddings.device());
    images_ = {images.tokens.select(index), images.embeddings.index_select(0, index)};
    to_image_ = compare(texts_, images_);
    to_text_ = to_image_.t().contiguous();
    const auto where = at::tensor(pairs, at::kLong).view({-1, 2});
    right_ = at::zeros({std::ssize(captions_), std::ssize(columns)}, at::kBool);
    right_.index_put_({where.select(1, 0), where.select(1, 1)}, at::ones({}, at::kBool));
    right_ = right_.to(to_image_.device());
  }

  /// Re-ranks the @p top best of each query by ITM.
  void rerank(Host& model, std::int64_t top) {
    to_image_ = task::rerank(model, to_image_, texts_, images_, true, top);
    to_text_ = task::rerank(model, to_text_, images_, texts_, false, top);
  }

  /// Recall of the distinct captions, and of the distinct images, after rerank() with the new order.
  CaptionRecall recall() const {
    const auto back = right_.t();
    return {task::recall(best_ranks(to_image_, right_)),
            task::recall(best_ranks(to_text_, back)),
            chance(right_),
            chance(back),
            right_.size(0),
            right_.size(1)};
  }

  /// Search result of each distinct caption, in the order of the examples.
  std::vector<FoundImage> found() const {
    const auto ranks = best_ranks(to_image_, right_).cpu(), first = to_image_.argmax(1).cpu();
    std::vector<FoundImage> all;
    for (std::int64_t i = 0; i < std::ssize(captions_); ++i)
      all.push_back({captions_[static_cast<std::size_t>(i)], ranks[i].template item<std::int64_t>(),
                     first_with_[static_cast<std::size_t>(first[i].template item<std::int64_t>())]});
    return all;
  }

 private:
  std::vector<std::int64_t> captions_;    ///< the first example of each distinct caption
  std::vector<std::int64_t> first_with_;  ///< the first example of each image
  Encoded texts_, images_;
  at::Tensor to_image_, to_text_;  ///< float [T, P] and [P, T]
  at::Tensor right_;               ///< correct pairs, bool [T, P]
};

}  // namespace rc3::task
