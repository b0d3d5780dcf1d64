#pragma once
/// Batches of an epoch: a function of (seed, epoch) only. LibTorch-free.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/loader/order.hpp"
#include "rc3/data/loader/shuffle.hpp"

namespace rc3::data {

/// Tokens of the longest text of each sample; see data::measure_lengths.
using Lengths = std::vector<std::int32_t>;

/// Size of batches, and how samples are divided among batches and ranks.
struct BatchOptions {
  std::int64_t size = 64;      ///< samples per batch over all ranks, > 0
  std::int64_t tokens = 0;     ///< maximum of a batch's samples times its longest text, >= 0; 0: no token budget
  std::int64_t window = 4096;  ///< with a budget: samples sorted by length together, > 0
  std::int64_t ranks = 1;      ///< minimum samples of a batch, > 0
};

/// Batches of one epoch. Without a token budget: consecutive groups of `size` samples in the epoch's order. With one:
/// each window of that order is sorted by length and cut into batches, in random order. A remainder of fewer samples
/// than ranks joins the previous batch.
class Batches {
 public:
  /// @param lengths  of all samples; null without a budget
  /// @throws rc3::Error for an option out of range, fewer samples than ranks, or a budget that one text of each rank
  ///         exceeds
  Batches(Order::Epoch order, std::uint64_t seed, std::int64_t epoch, BatchOptions options,
          std::shared_ptr<const Lengths> lengths = nullptr)
      : order_(std::move(order)), seed_(seed), epoch_(epoch), options_(options), lengths_(std::move(lengths)) {
    require(options.size > 0 && options.window > 0 && options.ranks > 0 && options.tokens >= 0,
            "data::BatchOptions: size, window and ranks must be above 0, tokens not below");
    require(options.ranks <= options.size && options.ranks <= order_.size(), "data::BatchOptions: ", options.ranks,
            " ranks cannot share batches of ", options.size, " of the ", order_.size(), " samples");
    if (options.tokens == 0) return;
    require(lengths_ != nullptr && static_cast<std::int64_t>(lengths_->size()) == order_.size(),
            "data::BatchOptions: a token budget needs the length of each of the ", order_.size(),
            " samples; see data::measure_lengths");
    const std::int64_t longest = *std::max_element(lengths_->begin(), lengths_->end());
    require(longest * options.ranks <= options.tokens, "data::BatchOptions: a budget of ", options.tokens,
            " tokens is less than one text of ", longest, " tokens on each of ", options.ranks, " ranks");
  }

  /// The samples of the next batch; empty at the end of the epoch.
  std::vector<std::int64_t> next() {
    if (ready_.empty()) fill();
    if (ready_.empty()) return {};
    auto batch = std::move(ready_.back());
    ready_.pop_back();
    given_ += static_cast<std::int64_t>(batch.size());
    return batch;
  }

  /// Skips the first @p samples samples. @throws rc3::Error if no batch ends there: another batch size
  void skip(std::int64_t samples) {
    while (given_ < samples && !next().empty()) {
    }
    require(given_ == samples, "data::Loader: cannot go on behind ", samples,
            " samples: no batch ends there; batch size, token budget, ranks or data are not those of before");
  }

  /// Samples of all batches so far.
  std::int64_t given() const { return given_; }

 private:
  void fill() {
    const std::int64_t n = order_.size();
    if (begin_ == n) return;
    const std::int64_t step = options_.tokens == 0 ? options_.size : options_.window;
    std::int64_t end = std::min(n, begin_ + step);
    if (n - end < options_.ranks) end = n;
    std::vector<std::int64_t> samples;
    for (std::int64_t place = begin_; place < end; ++place) samples.push_back(order_[place]);
    if (options_.tokens == 0) {
      ready_.push_back(std::move(samples));
    } else {
      cut(std::move(samples));
    }
    begin_ = end;
  }

  void cut(std::vector<std::int64_t> samples) {
    const auto length = [&](std::int64_t i) { return (*lengths_)[static_cast<std::size_t>(i)]; };
    std::stable_sort(samples.begin(), samples.end(),
                     [&](std::int64_t a, std::int64_t b) { return length(a) < length(b); });
    std::vector<std::vector<std::int64_t>> cuts;
    for (const std::int64_t i : samples) {
      const auto count = cuts.empty() ? options_.size : static_cast<std::int64_t>(cuts.back().size());
      if (count == options_.size || (count + 1) * length(i) > options_.tokens) cuts.emplace_back();
      cuts.back().push_back(i);
    }
    if (cuts.size() > 1 && static_cast<std::int64_t>(cuts.back().size()) < options_.ranks) {
      auto& before = cuts[cuts.size() - 2];
      before.insert(before.end(), cuts.back().begin(), cuts.back().end());
      cuts.pop_back();
    }
    const Shuffle shuffle(cuts.size(), seed_ ^ 0x42415443u, static_cast<std::uint64_t>(epoch_),
                          static_cast<std::uint64_t>(begin_));
    for (std::size_t k = 0; k < cuts.size(); ++k)
      ready_.push_back(std::move(cuts[static_cast<std::size_t>(shuffle(k))]));
  }

  Order::Epoch order_;
  std::uint64_t seed_;
  std::int64_t epoch_;
  BatchOptions options_;
  std::shared_ptr<const Lengths> lengths_;
  std::vector<std::vector<std::int64_t>> ready_;  ///< the next one is last
  std::int64_t begin_ = 0, given_ = 0;
};

/// Rank @p rank's part of @p batch, of @p ranks parts: adjacent samples, in number its share.
/// @pre batch has a sample for each rank
inline std::vector<std::int64_t> part_of_rank(const std::vector<std::int64_t>& batch, std::int64_t rank,
                                              std::int64_t ranks) {
  const auto n = static_cast<std::int64_t>(batch.size());
  return {batch.begin() + n * rank / ranks, batch.begin() + n * (rank + 1) / ranks};
}

}  // namespace rc3::data
