#pragma once
/// Byte-pair encoding with the merges of a tokenizer.json or merges.txt. LibTorch-free.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <queue>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/io/json.hpp"

namespace rc3::text::detail {

/// Vocabulary and ranked merges. Joins the pair of lowest rank, the leftmost first, until none is left; in
/// O(n log n), so that one word of a megabyte is no denial of service.
class BytePairs {
 public:
  using Id = std::int32_t;

  /// @param vocabulary  object of names and ids
  /// @param merges      pairs of names, in the order of their ranks
  /// @param where       the file, for errors
  /// @throws rc3::Error if a merge joins names that the vocabulary lacks, or an id is negative or given twice
  BytePairs(const nlohmann::json& vocabulary, const std::vector<std::pair<std::string, std::string>>& merges,
            const std::string& where) {
    require(vocabulary.is_object(), where, ": the vocabulary must be an object of names and ids");
    ids_.reserve(vocabulary.size());
    std::unordered_map<Id, bool> used;
    for (const auto& [name, value] : vocabulary.items()) {
      const auto id = io::as<Id>(value, name, where);
      require(id >= 0 && used.emplace(id, true).second, where, ": the id ", id, " of \"", name,
              "\" is negative or given twice");
      ids_.emplace(name, id);
      most_ = std::max(most_, id);
    }
    merges_.reserve(merges.size());
    for (std::size_t rank = 0; rank < merges.size(); ++rank) {
      const auto& [a, b] = merges[rank];
      const Id left = id(a), right = id(b), both = id(a + b);
      require(left >= 0 && right >= 0 && both >= 0, where, ": merge ", rank, ", \"", a, "\" and \"", b,
              "\": it or a part is not in the vocabulary");
      merges_.emplace(key(left, right), Merge{static_cast<std::uint32_t>(rank), both});
    }
  }

  /// Id of a name; -1 if there is none.
  Id id(const std::string& name) const {
    const auto found = ids_.find(name);
    return found == ids_.end() ? -1 : found->second;
  }

  /// Largest id + 1.
  std::int64_t size() const { return std::int64_t{most_} + 1; }

  /// Appends the ids of @p symbols, joined, to @p out.
  void merge(const std::vector<Id>& symbols, std::vector<std::int64_t>& out) const {
    struct Node {
      Id id;
      std::int64_t before, after;
    };
    const auto n = static_cast<std::int64_t>(symbols.size());
    std::vector<Node> nodes;
    nodes.reserve(symbols.size());
    for (std::int64_t i = 0; i < n; ++i)
      nodes.push_back({symbols[static_cast<std::size_t>(i)], i - 1, i + 1 < n ? i + 1 : -1});
    using Entry = std::tuple<std::uint32_t, std::int64_t, Id>;  // rank, position, id of both
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
    const auto node = [&](std::int64_t i) -> Node& { return nodes[static_cast<std::size_t>(i)]; };
    const auto consider = [&](std::int64_t i) {
      if (i < 0 || node(i).after < 0) return;
      const auto found = merges_.find(key(node(i).id, node(node(i).after).id));
      if (found != merges_.end()) queue.emplace(found->second.rank, i, found->second.id);
    };
    for (std::int64_t i = 0; i < n; ++i) consider(i);
    while (!queue.empty()) {
      const auto [rank, i, both] = queue.top();
      queue.pop();
      if (node(i).id < 0 || node(i).after < 0) continue;
      const auto next = node(i).after;
      const auto found = merges_.find(key(node(i).id, node(next).id));
      if (found == merges_.end() || found->second.id != both) continue;  // one of the two has been joined since
      node(i).id = both;
      node(i).after = node(next).after;
      node(next).id = -1;
      if (node(i).after >= 0) node(node(i).after).before = i;
      consider(node(i).before);
      consider(i);
    }
    for (std::int64_t i = n > 0 ? 0 : -1; i >= 0; i = node(i).after) out.push_back(node(i).id);
  }

 private:
  struct Merge {
    std::uint32_t rank;
    Id id;
  };
  static std::uint64_t key(Id a, Id b) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(a)) << 32 | static_cast<std::uint32_t>(b);
  }

  std::unordered_map<std::string, Id> ids_;
  std::unordered_map<std::uint64_t, Merge> merges_;
  Id most_ = -1;
};

/// Merges of a tokenizer.json: "a b" or ["a", "b"] each. @throws rc3::Error naming @p where
inline std::vector<std::pair<std::string, std::string>> merges_of(const nlohmann::json& json,
                                                                  const std::string& where) {
  require(json.is_array(), where, ": \"merges\" must be an array");
  std::vector<std::pair<std::string, std::string>> merges;
  merges.reserve(json.size());
  for (const auto& merge : json) {
    if (merge.is_string()) {
      const auto& text = merge.get_ref<const std::string&>();
      const auto blank = text.find(' ');
      require(blank != std::string::npos && blank > 0 && blank + 1 < text.size(), where, ": the merge \"", text,
              "\" is no pair");
      merges.emplace_back(text.substr(0, blank), text.substr(blank + 1));
    } else {
      const auto pair = io::as<std::vector<std::string>>(merge, "merges", where);
      require(pair.size() == 2, where, ": a merge has ", pair.size(), " parts, not two");
      merges.emplace_back(pair[0], pair[1]);
    }
  }
  return merges;
}

}  // namespace rc3::text::detail
