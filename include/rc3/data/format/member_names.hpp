#pragma once
/// Names of the members of a WebDataset shard. LibTorch-free.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/text/text_place.hpp"

namespace rc3::data {

/// A member's name: its key is the path up to the first dot of the base name, its ending the rest in lower case.
/// Source: github.com/webdataset/webdataset, `base_plus_ext` and `group_by_keys`
struct MemberName {
  std::string key;     ///< case as stored
  std::string ending;  ///< "jpg", "de.txt"
  std::string prefix;  ///< of the ending without its last part, case as stored: "de", "pt-BR"; often empty

  /// Whether the member belongs to no sample.
  bool passed_over() const { return key.empty(); }
};

/// Parts of @p name. Files without an ending and hidden files belong to no sample: among them are those of macOS
/// (.DS_Store, AppleDouble ._*) and, by their names, those of Windows (Thumbs.db, desktop.ini).
inline MemberName member_name(std::string_view name) {
  const auto slash = name.rfind('/');
  const std::size_t base = slash == std::string_view::npos ? 0 : slash + 1;
  const auto dot = name.find('.', base);
  if (dot == std::string_view::npos || dot == base) return {};
  const auto lower = [](std::string_view text) {
    std::string out(text);
    for (char& c : out)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
  };
  const std::string_view ending = name.substr(dot + 1);
  MemberName out{std::string(name.substr(0, dot)), lower(ending), ""};
  if (const std::string whole = lower(name.substr(base)); whole == "thumbs.db" || whole == "desktop.ini") return {};
  if (const auto last = ending.rfind('.'); last != std::string_view::npos) out.prefix = ending.substr(0, last);
  // An ending in capitals is a file system's, not an author's: X.DE.TXT.
  const bool capitals = std::none_of(ending.begin(), ending.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (capitals) out.prefix = lower(out.prefix);
  return out;
}

/// Whether @p tag begins as BCP 47's do, with two or three letters: "de", "pt-BR", "sr_Latn"; not "caption".
constexpr bool is_language_ending(std::string_view tag) {
  const auto end = std::min(tag.find_first_of("-_"), tag.size());
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return is_language_tag(tag) && (end == 2 || end == 3) &&
         std::all_of(tag.begin(), tag.begin() + static_cast<std::ptrdiff_t>(end), letter);
}

/// Number of each ending, or other word, with one name in which it occurred.
class Endings {
 public:
  /// Counts @p ending, and keeps the first @p name with it.
  void add(const std::string& ending, std::string_view name) {
    auto& [count, example] = all_[ending];
    if (count++ == 0) example = name;
  }
  bool empty() const { return all_.empty(); }
  /// "3 input.jpg, 3 outputs.txt", at most @p most of them, the most frequent first.
  std::string list(std::size_t most = 12) const {
    std::vector<std::pair<std::string, std::int64_t>> sorted;
    for (const auto& [ending, seen] : all_) sorted.emplace_back(ending, seen.first);
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    std::string out;
    for (std::size_t i = 0; i < std::min(most, sorted.size()); ++i)
      out += join(i == 0 ? "" : ", ", sorted[i].second, ' ', sorted[i].first);
    if (sorted.size() > most) out += join(" and ", sorted.size() - most, " other endings");
    return out;
  }
  /// Count and first name by ending.
  const std::map<std::string, std::pair<std::int64_t, std::string>>& all() const { return all_; }

 private:
  std::map<std::string, std::pair<std::int64_t, std::string>> all_;
};

}  // namespace rc3::data
