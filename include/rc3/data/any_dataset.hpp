#pragma once
/// Type-erased data set: a program is compiled once for all formats. LibTorch-free.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rc3/data/concept.hpp"

namespace rc3::data {

/// Data set of any type; copies share it. A sharded data set keeps its shards and their prefetching.
class AnyDataset {
 public:
  template <Dataset Source>
  explicit AnyDataset(Source source) {
    const auto held = std::make_shared<const Source>(std::move(source));
    name_ = std::string(held->name());
    size_ = held->size();
    languages_ = held->languages();
    read_ = [held](std::int64_t i) { return held->read(i); };
    if constexpr (ShardedDataset<Source>) {
      shards_ = held->shards();
      will_read_ = [held](std::int64_t first, std::int64_t count) { held->will_read(first, count); };
    }
  }
  const std::string& name() const { return name_; }
  std::int64_t size() const { return size_; }
  /// @throws rc3::Error as the data set inside
  Sample read(std::int64_t i) const { return read_(i); }
  const LanguageCounts& languages() const { return languages_; }
  /// First sample of each shard, ascending; {0} for a data set without shards.
  const std::vector<std::int64_t>& shards() const { return shards_; }
  /// No effect on a data set without shards.
  void will_read(std::int64_t first, std::int64_t count) const {
    if (will_read_) will_read_(first, count);
  }

 private:
  std::string name_;
  std::int64_t size_ = 0;
  LanguageCounts languages_;
  std::function<Sample(std::int64_t)> read_;
  std::vector<std::int64_t> shards_ = {0};
  std::function<void(std::int64_t, std::int64_t)> will_read_;
};
static_assert(ShardedDataset<AnyDataset>);

}  // namespace rc3::data
