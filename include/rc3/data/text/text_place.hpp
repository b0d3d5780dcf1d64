#pragma once
/// Names for the texts of a sample: their language, and `#k` for its k-th text except the first. LibTorch-free.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/sample.hpp"

namespace rc3::data {

/// Whether @p tag is a valid language tag in a file: 1 to 35 ASCII letters, digits, - and _.
constexpr bool is_language_tag(std::string_view tag) {
  return !tag.empty() && tag.size() <= 35 && std::all_of(tag.begin(), tag.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// Positions of texts within their languages. @pre the texts are sorted by language
class TextPlaces {
 public:
  /// @param texts  must outlive this
  explicit TextPlaces(const std::vector<Text>& texts) : texts_(texts) {}

  /// Position of text @p i among those of its language, from 0.
  std::size_t position(std::size_t i) const { return i - first(texts_[i].language); }
  /// Number of texts in @p language.
  std::size_t count(std::string_view language) const { return last(language) - first(language); }

  /// Name of text @p i: "de", "de#1".
  std::string name(std::size_t i) const {
    const std::size_t k = position(i);
    return k == 0 ? texts_[i].language : join(texts_[i].language, '#', k);
  }

  /// Index of the text @p name. @throws rc3::Error "<where>: ..."
  std::size_t find(std::string_view name, std::string_view where) const {
    const auto hash = name.find('#');
    const std::string_view language = name.substr(0, hash);
    std::size_t k = 0;
    if (hash != std::string_view::npos) {
      const char* end = name.data() + name.size();
      const auto [stop, error] = std::from_chars(name.data() + hash + 1, end, k);
      require(error == std::errc() && stop == end, where, ": \"", name,
              "\" is no text: a language, or language#number");
    }
    require(k < count(language), where, ": there is no text \"", name, "\", but ", count(language), " in \"", language,
            '"');
    return first(language) + k;
  }

  /// Indices of the two texts in @p names, the smaller first. @throws rc3::Error "<where>: ..."
  std::pair<std::size_t, std::size_t> pair(std::string_view names, std::string_view where) const {
    const auto space = names.find(' ');
    require(space != std::string_view::npos, where, ": \"", names,
            "\" is no pair of texts, as \"de en\" or \"de en#1\"");
    const auto [a, b] = std::minmax({find(names.substr(0, space), where), find(names.substr(space + 1), where)});
    require(a != b, where, ": \"", names, "\" names one text twice");
    return {a, b};
  }

 private:
  std::size_t first(std::string_view language) const {
    return static_cast<std::size_t>(std::lower_bound(texts_.begin(), texts_.end(), language, before) - texts_.begin());
  }
  std::size_t last(std::string_view language) const {
    return static_cast<std::size_t>(
        std::upper_bound(texts_.begin(), texts_.end(), language,
                         [](std::string_view value, const Text& text) { return value < text.language; }) -
        texts_.begin());
  }
  static bool before(const Text& text, std::string_view language) { return text.language < language; }

  const std::vector<Text>& texts_;
};

}  // namespace rc3::data
