#pragma once
/// Random permutation of n items: computing its i-th element needs no memory and no pass over the others.

#include <array>
#include <bit>
#include <cstdint>

#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"

namespace rc3::data {

/// A keyed bijection of 0 .. n-1: a Feistel network of Philox rounds on the next power of four, iterated until in
/// range. Source: Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002.
class Shuffle {
 public:
  /// @param n  number of items, 1 .. 2^62; orders with another seed, epoch or pass are independent
  /// @throws rc3::Error for n out of range
  Shuffle(std::uint64_t n, std::uint64_t seed, std::uint64_t epoch, std::uint64_t pass) : n_(n) {
    require(n > 0 && n <= (std::uint64_t{1} << 62), "data::Shuffle: n must be 1 .. 2^62, is ", n);
    const int bits = n == 1 ? 1 : static_cast<int>(std::bit_width(n - 1));
    half_ = (bits + 1) / 2;
    Random random(seed ^ 0x5348554646u, epoch, pass);  // a separate domain, apart from the items' generators
    const std::uint64_t key = random();
    key_ = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
  }

  /// The element at index @p i. @pre i < n
  std::uint64_t operator()(std::uint64_t i) const {
    require(i < n_, "data::Shuffle: place ", i, " of ", n_);
    // The bijection of the power of four leads every start in range back into range; at most four steps on average.
    do i = permute(i);
    while (i >= n_);
    return i;
  }

 private:
  std::uint64_t permute(std::uint64_t value) const {
    const std::uint64_t mask = (std::uint64_t{1} << half_) - 1;
    std::uint64_t left = value >> half_;
    std::uint64_t right = value & mask;
    for (std::uint32_t round = 0; round < 6; ++round) {
      const auto word =
          philox4x32({static_cast<std::uint32_t>(right), static_cast<std::uint32_t>(right >> 32), round, 0}, key_);
      const std::uint64_t next = (left ^ word[0]) & mask;
      left = right;
      right = next;
    }
    return (left << half_) | right;
  }

  std::uint64_t n_;
  int half_ = 1;
  std::array<std::uint32_t, 2> key_{};
};

}  // namespace rc3::data
