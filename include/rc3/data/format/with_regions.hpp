#pragma once
/// Data sets and sets of examples with regions from a separate source. LibTorch-free.

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/sample.hpp"

namespace rc3::data {

/// Source of regions by image name, see VoltaRegions. `find` is called from many threads.
template <class R>
concept RegionSource = requires(const R& regions, const std::string& id) {
  { regions.name() } -> std::convertible_to<std::string_view>;
  { regions.find(id) } -> std::same_as<std::optional<Regions>>;
};

/// How samples and regions of another source are matched.
struct WithRegionsOptions {
  /// Maps a sample's id, or the name of an example's view, to a name in the source; empty: identity.
  std::function<std::string(const std::string&)> id;
  /// Whether an image without regions is an error; otherwise it keeps its previous regions.
  bool required = true;
};

/// Samples or examples of @p D, with the regions of their images from @p R.
template <class D, RegionSource R>
requires(Dataset<D> || ExampleSet<D>) class WithRegions {
 public:
  /// @param regions  may be shared by several data sets
  /// @throws rc3::Error if @p regions is null
  WithRegions(D data, std::shared_ptr<const R> regions, WithRegionsOptions options = {})
      : data_(std::move(data)), regions_(std::move(regions)), options_(std::move(options)) {
    require(regions_ != nullptr, "data::WithRegions: there are no regions");
  }

  decltype(auto) name() const { return data_.name(); }
  std::int64_t size() const { return data_.size(); }
  decltype(auto) languages() const { return data_.languages(); }

  /// Sample or example @p i. @throws rc3::Error as both sources, and if required regions are missing
  ItemOf<D> read(std::int64_t i) const {
    ItemOf<D> item = data_.read(i);
    if constexpr (Dataset<D>)
      find(item.regions, item.id, "sample", item.id);
    else
      for (View& view : item.views) find(view.regions, view.name, "example", item.id);
    return item;
  }

  decltype(auto) shards() const requires ShardedDataset<D> { return data_.shards(); }
  void will_read(std::int64_t first, std::int64_t count) const requires ShardedDataset<D> {
    data_.will_read(first, count);
  }

 private:
  void find(Regions& into, const std::string& name, std::string_view kind, const std::string& item) const {
    const std::string id = options_.id ? options_.id(name) : name;
    if (auto regions = regions_->find(id))
      into = std::move(*regions);
    else
      require(!options_.required, data_.name(), ": ", kind, " \"", item, "\": ", regions_->name(),
              " has no regions for \"", id, '"');
  }

  D data_;
  std::shared_ptr<const R> regions_;
  WithRegionsOptions options_;
};

}  // namespace rc3::data
