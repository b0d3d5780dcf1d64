#pragma once
/// Position of a loader, for checkpoints. LibTorch-free.

#include <cstdint>

namespace rc3::data {

/// Complete state for a loader's resume.
struct LoaderState {
  std::uint64_t seed = 1;
  std::int64_t epoch = 0;    ///< >= 0
  std::int64_t samples = 0;  ///< samples of this epoch that were returned, over all ranks, >= 0

  friend bool operator==(const LoaderState&, const LoaderState&) = default;
};

}  // namespace rc3::data
