#pragma once
/// Examples of a task in memory, with frozen features: only the first epoch computes the frozen layers.

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/data/loader/loader.hpp"
#include "rc3/data/text/text_id.hpp"
#include "rc3/features/feature_cache.hpp"
#include "rc3/task/batch.hpp"
#include "rc3/task/collate.hpp"

namespace rc3::task {

/// Images that are equal to the last pixel, and equal texts, are stored and computed once: the same images in twenty
/// languages need one pass. All examples must fit into memory; otherwise use data::Loader.
class CachedExamples {
 public:
  /// Reads all of @p source. @param host  an rc3::Model; its frozen parts must not change afterwards
  /// @param prepare  a task::PrepareExample without augmentation
  /// @param errors   counts damaged examples, which are dropped
  /// @param tick     called with (examples done, total examples)
  /// @param folder   of features on disk, see features::FeatureStore; empty: memory only
  template <class Host, data::Indexed Source, class Prepare>
  CachedExamples(Host& host, const Source& source, Prepare prepare, data::DataErrors& errors,
                 const std::function<void(std::int64_t, std::int64_t)>& tick = {}, std::filesystem::path folder = {})
      : cache_(std::move(folder)) {
    data::LoaderOptions options;
    options.order.shuffle = false;
    options.batch.size = 32;
    options.epochs = 1;
    options.workers = 1;
    struct Whole {
      std::vector<PreparedExample> operator()(std::vector<PreparedExample> all) const { return all; }
    };
    data::Loader loader(source, std::move(prepare), Whole{}, errors, options);
    const bool training = host.is_training();
    host.eval();
    std::int64_t done = 0;
    while (auto loaded = loader.next()) {
      add(host, loaded->batch);
      done += static_cast<std::int64_t>(loaded->samples.size());
      if (tick) tick(done, source.size());
    }
    cache_.flush();
    host.train(training);
    require(!rows_.empty(), source.name(), ": has no valid example\n", errors.report());
  }

  /// Number of intact examples, > 0.
  std::int64_t size() const { return static_cast<std::int64_t>(rows_.size()); }
  /// Number of distinct images.
  std::int64_t images() const { return cache_.images(); }
  /// Source of example @p i of 0 .. size() - 1, without its views.
  const data::Example& example(std::int64_t i) const { return row(i).example; }
  /// Class of example @p i, -1 if unknown.
  std::int64_t label(std::int64_t i) const { return row(i).label; }

  /// @param index  indices in the order of the source, without damaged examples
  ExampleBatch batch(const std::vector<std::int64_t>& index) const { return batch(index, index); }

  /// Texts and answers of @p index with the images of @p seen, an equal number of examples.
  /// @throws rc3::Error without an example, for different numbers, or an index out of range
  ExampleBatch batch(const std::vector<std::int64_t>& index, const std::vector<std::int64_t>& seen) const {
    require(!index.empty(), "task::CachedExamples: a batch without examples");
    require(seen.size() == index.size(), "task::CachedExamples: ", seen.size(), " examples' images for ", index.size(),
            " texts");
    std::vector<const Row*> rows;
    for (const std::int64_t i : index) rows.push_back(&row(i));
    ExampleBatch batch;
    std::vector<std::int64_t> left, right;
    for (const std::int64_t i : seen) {
      left.push_back(row(i).left);
      if (row(i).right) right.push_back(*row(i).right);
    }
    batch.images = cache_.images(left);
    if (!right.empty()) batch.right = cache_.images(right);
    std::vector<std::vector<std::int64_t>> targets;
    std::vector<std::int64_t> labels, languages, text_ids;
    for (const Row* row : rows) {
      text_ids.push_back(row->text);
      labels.push_back(row->label);
      targets.push_back(row->target);
      languages.push_back(row->target_language);
    }
    batch.texts = cache_.texts(text_ids);
    if (rows[0]->target_language < 0) {
      batch.labels = at::tensor(labels, at::kLong);
    } else {
      batch.targets = text::pad_batch(targets);
      batch.target_languages = at::tensor(languages, at::kLong);
    }
    batch.image_ids = at::tensor(left, at::kLong);
    batch.text_ids = at::tensor(text_ids, at::kLong);
    return batch;
  }

  /// Index of example @p i's (left) image, 0 .. images() - 1.
  std::int64_t image_of(std::int64_t i) const { return row(i).left; }

  /// An example with another image, or two others, half of all examples away: adjacent ones often share an image.
  /// @throws rc3::Error if all have the same image
  std::int64_t elsewhere(std::int64_t i) const {
    for (std::int64_t k = 0; k < size(); ++k) {
      const std::int64_t j = (i + size() / 2 + k) % size();
      if (row(j).left != row(i).left && (!row(i).right || row(j).right != row(i).right)) return j;
    }
    fail("task::CachedExamples: all ", size(), " examples are about one image, there is no other to be seen instead");
  }

  /// The distinct images from @p begin to @p end, one row each.
  Images images(std::int64_t begin, std::int64_t end) const {
    std::vector<std::int64_t> which;
    for (; begin < end; ++begin) which.push_back(begin);
    return cache_.images(which);
  }

 private:
  struct Row {
    std::int64_t left = 0;  ///< indices in the cache
    std::optional<std::int64_t> right;
    std::int64_t text = 0;
    std::int64_t label = -1;
    std::vector<std::int64_t> target;
    std::int64_t target_language = -1;
    data::Example example;
  };

  const Row& row(std::int64_t i) const {
    require(i >= 0 && i < size(), "task::CachedExamples: example ", i, " of ", size());
    return rows_[static_cast<std::size_t>(i)];
  }

  template <class Host>
  void add(Host& host, std::vector<PreparedExample>& examples) {
    std::vector<const preprocess::PreparedImage*> images;
    std::vector<std::vector<std::int64_t>> texts;
    for (const PreparedExample& e : examples) {
      for (const auto& image : e.images) images.push_back(&image);
      texts.push_back(e.text);
    }
    const auto image_numbers = cache_.add_images(host, images), text_numbers = cache_.add_texts(host, texts);
    std::size_t image = 0;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      PreparedExample& e = examples[i];
      Row row;
      row.left = image_numbers.at(image++);
      if (e.images.size() == 2) row.right = image_numbers.at(image++);
      row.text = text_numbers[i];
      row.label = e.label;
      row.target = std::move(e.target);
      row.target_language = e.target_language;
      row.example = std::move(e.example);
      rows_.push_back(std::move(row));
    }
  }

  std::vector<Row> rows_;
  features::FeatureCache cache_;
};

/// Ranks that share batches.
struct Ranks {
  std::int64_t size = 1;  ///< above 0
  std::int64_t rank = 0;  ///< this rank, 0 .. size - 1
};

/// Batches of cached examples for train::Run, in an order that is a function of (seed, epoch). Each of several ranks
/// has its part of every batch, and all cache the same examples.
class CachedBatches {
 public:
  /// @param examples  outlives this
  /// @param size      of a batch over all ranks, at least their number; an epoch's last may be smaller
  /// @param from      state to continue from, with any number of ranks
  /// @throws rc3::Error naming the invalid argument
  CachedBatches(const CachedExamples& examples, std::int64_t size, std::uint64_t seed,
                std::optional<data::LoaderState> from = std::nullopt, Ranks ranks = {})
      : examples_(examples),
        size_(size),
        ranks_(ranks),
        state_(data::start_of(
            from, seed, "shuffled", [&] { return identity(); }, data::Changes::refuse, "task::CachedBatches")),
        order_({0}, examples.size(), {.seed = state_.seed}) {
    require(size > 0, "task::CachedBatches: a batch must have a size above 0, has ", size);
    require(ranks.rank >= 0 && ranks.rank < ranks.size, "task::CachedBatches: rank ", ranks.rank, " of ", ranks.size);
    require(std::min(size, examples.size()) >= ranks.size, "task::CachedBatches: a batch of ",
            std::min(size, examples.size()), " has not one example for each of ", ranks.size, " ranks");
    if (!state_.data) state_.data = identity();
  }

  /// The next batch, never empty: epoch follows epoch. Drops an epoch's last batch if it has fewer examples than ranks.
  std::optional<data::Loaded<ExampleBatch>> next() {
    if (examples_.size() - state_.samples < ranks_.size) {
      ++state_.epoch;
      state_.samples = 0;
    }
    const auto order = order_.epoch(state_.epoch);
    std::vector<std::int64_t> index;
    for (std::int64_t i = 0; i < size_ && state_.samples < examples_.size(); ++i, ++state_.samples)
      if (i % ranks_.size == ranks_.rank) index.push_back(order[state_.samples]);
    return data::Loaded<ExampleBatch>{examples_.batch(index), state_.epoch, index, 0};
  }
  /// Position after the last next(), equal on all ranks: any number of ranks can continue from it.
  data::LoaderState state() const { return state_; }

 private:
  data::DataIdentity identity() const {
    return data::identity_of("the examples", examples_.size(), {0},
                             [&](std::int64_t i) -> decltype(auto) { return examples_.example(i); });
  }

  const CachedExamples& examples_;
  std::int64_t size_;
  Ranks ranks_;
  data::LoaderState state_;
  data::Order order_;
};

}  // namespace rc3::task
