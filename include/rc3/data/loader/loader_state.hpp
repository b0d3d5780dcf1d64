#pragma once
/// Where a loader is, for checkpoints. LibTorch-free.

#include <cstdint>

namespace rc3::data {

/// All that a resume needs of a loader.
struct LoaderState {
  std::uint64_t seed = 1;
  std::int64_t epoch = 0;    ///< >= 0
  std::int64_t samples = 0;  ///< of this epoch that were given out, over all ranks, >= 0

  friend bool operator==(const LoaderState&, const LoaderState&) = default;
};

}  // namespace rc3::data
