#pragma once
/// Counter-based random numbers: each is a pure function of (seed, stream, counter). A sample's augmentation thus
/// depends on its id only, on every machine and for any number of workers.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"

namespace rc3 {

/// Philox4x32-10: ten rounds of a keyed bijection on a 128-bit counter.
/// Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

/// Stream of random numbers. Generators with the same (seed, stream) return the same numbers. Construction is cheap, so
/// use one per sample: `Random(seed, epoch, sample)`.
class Random {
 public:
  using result_type = std::uint64_t;

  /// @param seed    seed of the run
  /// @param stream  stream of that seed, for example a sample's id
  /// @param substream  a second coordinate, for example the epoch
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0, std::uint64_t substream = 0)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)} {
    // One Philox call hashes stream and substream (128 bits) into the key and the upper half of the counter, so that
    // neighbouring ids are independent.
    const auto mixed = philox4x32({static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32),
                                   static_cast<std::uint32_t>(substream), static_cast<std::uint32_t>(substream >> 32)},
                                  key_);
    key_ = {mixed[0], mixed[1]};
    upper_ = {mixed[2], mixed[3]};
  }

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }

  /// Next 64 bits.
  result_type operator()() {
    if (have_ == 0) {
      block_ = philox4x32(
          {static_cast<std::uint32_t>(counter_), static_cast<std::uint32_t>(counter_ >> 32), upper_[0], upper_[1]},
          key_);
      ++counter_;
      have_ = 2;
    }
    const std::size_t at = 2 * static_cast<std::size_t>(2 - have_);
    --have_;
    return std::uint64_t{block_[at]} | (std::uint64_t{block_[at + 1]} << 32);
  }

  /// Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }

  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// Uniform integer in [0, n), without bias. @pre n > 0
  std::uint64_t below(std::uint64_t n) {
    require(n > 0, "Random::below: n must be positive");
    // Rejection of the incomplete last interval (at most one number in two is rejected, usually none).
    const std::uint64_t limit = max() - max() % n;
    std::uint64_t draw = (*this)();
    while (draw >= limit) draw = (*this)();
    return draw % n;
  }

  /// True with probability @p p in [0, 1].
  bool chance(double p) { return uniform() < p; }

  /// Standard normal (Box-Muller).
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

  /// Random permutation of 0 .. n-1 (Fisher-Yates). @pre n >= 0
  std::vector<std::int64_t> permutation(std::int64_t n) {
    require(n >= 0, "Random::permutation: n must not be negative, is ", n);
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[below(i)]);
    return order;
  }

  /// @p k distinct numbers of 0 .. n-1, in random order. @pre 0 <= k <= n
  std::vector<std::int64_t> choose(std::int64_t n, std::int64_t k) {
    require(0 <= k && k <= n, "Random::choose: cannot choose ", k, " out of ", n);
    auto order = permutation(n);
    order.resize(static_cast<std::size_t>(k));
    return order;
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 2> upper_{};
  std::array<std::uint32_t, 4> block_{};
  std::uint64_t counter_ = 0;
  int have_ = 0;
};

}  // namespace rc3
