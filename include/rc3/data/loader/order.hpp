#pragma once
/// Order of an epoch's samples: a function of (seed, epoch) only, for any number of readers. LibTorch-free.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/loader/shuffle.hpp"

namespace rc3::data {

/// How the samples of an epoch are shuffled.
struct OrderOptions {
  std::uint64_t seed = 1;      ///< of the shuffle, together with the epoch
  bool shuffle = true;         ///< false: 0, 1, 2, ... in every epoch
  std::int64_t window = 8192;  ///< for sharded data: samples that are shuffled together, > 0
};

/// Samples of one file are shuffled as a whole. With several shards, first the shards are shuffled, then every window
/// of adjacent samples. A window is thus read in a few long contiguous ranges.
class Order {
 public:
  /// Adjacent samples first .. first + count - 1.
  struct Stretch {
    std::int64_t first = 0, count = 0;
  };

  /// @param shards  the first sample of each shard, ascending from 0; {0}: not sharded
  /// @param size    total samples, > 0
  /// @throws rc3::Error for no sample, a window that is not above 0, or shards that do not ascend
  Order(std::vector<std::int64_t> shards, std::int64_t size, OrderOptions options = {})
      : shards_(std::move(shards)), size_(size), options_(options) {
    require(size > 0, "data::Order: there are no samples");
    require(options.window > 0, "data::Order: window must be above 0, is ", options.window);
    require(!shards_.empty() && shards_.front() == 0 && std::is_sorted(shards_.begin(), shards_.end()) &&
                shards_.back() <= size,
            "data::Order: shards must ascend from 0 to at most ", size);
    if (shards_.size() == 1) options_.window = size;
  }

  std::int64_t size() const { return size_; }
  const OrderOptions& options() const { return options_; }

  /// Order of one epoch. It holds a copy of its data.
  class Epoch {
   public:
    /// The sample at @p place. @pre 0 <= place < size()
    std::int64_t operator[](std::int64_t place) const {
      if (!options_.shuffle) return place;
      const std::int64_t window = place / options_.window, begin = window * options_.window;
      const std::int64_t n = std::min(options_.window, size_ - begin);
      const Shuffle inside(unsigned_of(n), options_.seed, epoch_, unsigned_of(window + 1));
      return sample(begin + static_cast<std::int64_t>(inside(unsigned_of(place - begin))));
    }

    std::int64_t size() const { return size_; }
    /// Samples that are shuffled together, > 0; all of them without shards.
    std::int64_t window() const { return options_.window; }

    /// Ranges of the window that begins at @p place, in the order of the shuffled shards.
    std::vector<Stretch> stretches(std::int64_t place) const {
      std::vector<Stretch> all;
      const std::int64_t end = std::min(place + options_.window, size_);
      while (place < end) {
        const std::size_t k = shard_at(place);
        const std::int64_t until = std::min(end, ends_[k]);
        all.push_back({sample(place), until - place});
        place = until;
      }
      return all;
    }

   private:
    friend class Order;
    Epoch(const Order& order, std::int64_t epoch)
        : size_(order.size_), options_(order.options_), epoch_(unsigned_of(epoch)) {
      const auto& shards = order.shards_;
      const Shuffle shuffle(shards.size(), options_.seed, epoch_, 0);
      std::int64_t end = 0;
      for (std::size_t i = 0; i < shards.size(); ++i) {
        const std::size_t k = options_.shuffle ? static_cast<std::size_t>(shuffle(i)) : i;
        const std::int64_t next = k + 1 < shards.size() ? shards[k + 1] : size_;
        if (next == shards[k]) continue;  // an empty shard
        end += next - shards[k];
        firsts_.push_back(shards[k]);
        ends_.push_back(end);
      }
    }

    static std::uint64_t unsigned_of(std::int64_t value) { return static_cast<std::uint64_t>(value); }
    std::size_t shard_at(std::int64_t place) const {
      return static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), place) - ends_.begin());
    }
    /// The sample at @p place of the concatenated shuffled shards.
    std::int64_t sample(std::int64_t place) const {
      const std::size_t k = shard_at(place);
      return firsts_[k] + place - (k == 0 ? 0 : ends_[k - 1]);
    }

    std::int64_t size_;
    OrderOptions options_;
    std::uint64_t epoch_;
    std::vector<std::int64_t> firsts_, ends_;  ///< of the shuffled shards: first sample, and end position
  };

  /// @param epoch  >= 0
  /// @throws rc3::Error for a negative epoch
  Epoch epoch(std::int64_t epoch) const {
    require(epoch >= 0, "data::Order: epoch must be >= 0, is ", epoch);
    return Epoch(*this, epoch);
  }

 private:
  std::vector<std::int64_t> shards_;
  std::int64_t size_;
  OrderOptions options_;
};

}  // namespace rc3::data
