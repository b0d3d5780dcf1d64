#pragma once
/// Position of a loader, for checkpoints. LibTorch-free.

#include <cstdint>
#include <optional>
#include <string>

namespace rc3::data {

/// Identity of the samples that an order is drawn over; see identity_of().
struct DataIdentity {
  std::string name;       ///< for messages only: a data set that was moved is the same
  std::int64_t size = 0;  ///< samples, >= 0
  std::string content;    ///< digest of 64 samples' ids and texts, 16 hexadecimal digits

  friend bool operator==(const DataIdentity&, const DataIdentity&) = default;
};

/// Complete state for a loader's resume.
struct LoaderState {
  std::uint64_t seed = 1;                           ///< of the order
  std::int64_t epoch = 0;                           ///< >= 0
  std::int64_t samples = 0;                         ///< samples of this epoch that were returned, over all ranks, >= 0
  std::string order = {};                           ///< options of the order in words; empty: unknown
  std::optional<DataIdentity> data = std::nullopt;  ///< nullopt: unknown

  friend bool operator==(const LoaderState&, const LoaderState&) = default;
};

/// Choice for a resume with another data set, seed or option that the middle of a run cannot take.
enum class Changes {
  refuse,  ///< an rc3::Error names the old and the new value
  allow    ///< continues with the new value; the loader begins the next epoch if its order changed
};

}  // namespace rc3::data
