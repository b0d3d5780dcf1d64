#pragma once
/// Truncation of a pair of texts. LibTorch-free.

#include <algorithm>
#include <cstddef>
#include <utility>

#include "rc3/config/fields.hpp"
#include "rc3/core/error.hpp"

namespace rc3::text {

/// Which text of a pair is truncated, at its end.
enum class Truncation {
  longest_first,  ///< the longer one to the other's length, then both evenly; an odd token stays with the longer one,
                  ///< or the second
  only_first,
  only_second
};

/// Remaining tokens of each text if @p room are available for both. Source: `truncate_encodings` of Hugging Face
/// tokenizers.
/// @param first, second  tokens without special tokens
/// @throws rc3::Error if the text that must not be truncated leaves less than one token for the other
inline std::pair<std::size_t, std::size_t> truncate(std::size_t first, std::size_t second, std::size_t room,
                                                    Truncation how) {
  if (first + second <= room) return {first, second};
  if (how == Truncation::longest_first) {
    const std::size_t shorter = std::min(first, second);
    if (shorter <= room / 2)
      return first > second ? std::pair{room - shorter, shorter} : std::pair{shorter, room - shorter};
    const std::size_t less = room / 2, more = room - less;
    return first > second ? std::pair{more, less} : std::pair{less, more};
  }
  const bool cut_first = how == Truncation::only_first;
  const std::size_t kept = cut_first ? second : first;
  require(kept < room, "text::truncate: the ", cut_first ? "second" : "first", " text has ", kept,
          " tokens and may not be cut, of ", room, " for both; use Truncation::longest_first or a larger max_length");
  return cut_first ? std::pair{room - second, second} : std::pair{first, room - first};
}

}  // namespace rc3::text

namespace rc3::config {

template <>
struct Names<text::Truncation> {
  static constexpr const char* all[] = {"longest_first", "only_first", "only_second"};
};

}  // namespace rc3::config
