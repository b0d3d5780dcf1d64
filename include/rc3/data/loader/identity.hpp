#pragma once
/// Identity of a data set, and the check of a loader's resume. LibTorch-free.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/digits.hpp"
#include "rc3/core/error.hpp"
#include "rc3/data/example.hpp"
#include "rc3/data/loader/loader_state.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/data/text/text_id.hpp"

namespace rc3::data {

namespace detail {

/// Id and texts. Images are left out: reading them takes long.
inline std::string described(const Sample& sample) {
  std::string all = sample.id;
  for (const Text& text : sample.texts) all += join('\0', text.language, '\0', text.group, '\0', text.text);
  return all;
}
inline std::string described(const Example& example) {
  return join(example.id, '\0', example.language, '\0', example.text, '\0', example.answer);
}
template <class Item>
std::string described(const Item&) {
  return {};
}

}  // namespace detail

/// @param size    number of samples
/// @param shards  the first sample of each shard, on which the order depends; {0}: not sharded
/// @param read    `read(i)` returns sample i; of one that throws rc3::Error only that counts
template <class Read>
DataIdentity identity_of(std::string_view name, std::int64_t size, const std::vector<std::int64_t>& shards,
                         const Read& read) {
  constexpr std::int64_t at_most = 64;
  std::string all;
  if (shards.size() > 1)
    for (const auto first : shards) all += join(first, ',');
  const auto count = std::min(size, at_most);
  for (std::int64_t k = 0; k < count; ++k) {
    all += '\1';
    try {
      all += detail::described(read(count > 1 ? k * (size - 1) / (count - 1) : 0));
    } catch (const Error&) {
      all += '\2';
    }
  }
  return {std::string(name), size, hexadecimal(static_cast<std::uint64_t>(text_id(all)))};
}

/// Whether both have the same samples, under whatever name.
inline bool same_data(const DataIdentity& a, const DataIdentity& b) {
  return a.size == b.size && a.content == b.content;
}

/// Differences of data, seed and order: "the data was ..., is now ..."; empty without one. What either does not know
/// does not count.
inline std::string differences(const LoaderState& before, const LoaderState& now) {
  std::string all;
  const auto differs = [&](std::string_view what, const auto& old, const auto& fresh) {
    all += join(all.empty() ? "" : "; ", what, " was ", old, ", is now ", fresh);
  };
  const auto in_words = [](const DataIdentity& data) {
    return join(data.name, " (", data.size, " samples, digest ", data.content, ')');
  };
  if (before.data && now.data && !same_data(*before.data, *now.data))
    differs("the data set", in_words(*before.data), in_words(*now.data));
  if (before.seed != now.seed) differs("the seed", before.seed, now.seed);
  if (!before.order.empty() && !now.order.empty() && before.order != now.order)
    differs("the order", before.order, now.order);
  return all;
}

/// State that a loader begins with: that of a new run, or @p from if its order is the loader's.
/// @param from   state to continue from; nullopt for a new run
/// @param seed   of the loader's options
/// @param order  the other options of its order, in words
/// @param data   returns the DataIdentity of the loader's data; called if it matters
/// @param who    class of the loader, for messages
/// @throws rc3::Error naming old and new data, seed or order if they differ, unless @p changes allows it
template <class Data>
LoaderState start_of(const std::optional<LoaderState>& from, std::uint64_t seed, const std::string& order,
                     const Data& data, Changes changes, std::string_view who) {
  if (!from) return {seed, 0, 0, order, std::nullopt};
  LoaderState now{seed, from->epoch, from->samples, order, std::nullopt};
  if (from->data) now.data = data();
  const auto other = differences(*from, now);
  if (other.empty()) return now;
  require(changes == Changes::allow, who, ": cannot go on in the middle of an epoch: ", other,
          "; give the former ones, or allow changes (checkpoint.changes=allow): the next epoch then begins");
  ++now.epoch;
  now.samples = 0;
  return now;
}

}  // namespace rc3::data
