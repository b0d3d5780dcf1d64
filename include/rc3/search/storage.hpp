#pragma once
/// Stored form of unit vectors.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/io/safetensors/entry.hpp"

namespace rc3::search {

/// Element type of the stored vectors. The rounded ones carry one float32 scale a vector, which makes its norm 1 again.
enum class Storage {
  float32,   ///< 4 bytes an element
  bfloat16,  ///< 2 bytes an element: 8 bits of precision
  int8       ///< 1 byte an element: 255 levels between plus and minus the largest element of the vector
};

/// A Storage, its name and size.
struct StorageRow {
  Storage storage;               ///< of this row
  std::string_view name;         ///< in files and options
  std::size_t bytes;             ///< bytes an element
  bool scaled;                   ///< one scale a vector
  io::safetensors::Dtype dtype;  ///< type of an element in safetensors files
};

/// In the order of Storage, which is its index.
inline constexpr std::array<StorageRow, 3> storages{{
    {Storage::float32, "float32", 4, false, io::safetensors::Dtype::f32},
    {Storage::bfloat16, "bfloat16", 2, true, io::safetensors::Dtype::bf16},
    {Storage::int8, "int8", 1, true, io::safetensors::Dtype::i8},
}};

/// Name and size of @p storage.
constexpr const StorageRow& storage_row(Storage storage) { return storages[static_cast<std::size_t>(storage)]; }

/// Bits of a bfloat16.
using Bfloat16 = std::uint16_t;

/// Float of an element.
inline float value_of(float x) { return x; }
/// Exact: each bfloat16 is a float.
inline float value_of(Bfloat16 x) { return std::bit_cast<float>(std::uint32_t{x} << 16); }
/// In [-127, 127] as store_vector() writes it, before the vector's scale.
inline float value_of(std::int8_t x) { return static_cast<float>(x); }

/// Floats of @p n elements. Loops of a constant count are vectorized at -O2 too.
inline void to_floats(const Bfloat16* from, float* to, std::size_t n) {
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (std::size_t j = 0; j < 16; ++j) to[i + j] = value_of(from[i + j]);
  for (; i < n; ++i) to[i] = value_of(from[i]);
}
/// Floats of @p n elements, without the vector's scale.
inline void to_floats(const std::int8_t* from, float* to, std::size_t n) {
  constexpr std::size_t count = 64;
  std::size_t i = 0;
  for (; i + count <= n; i += count) {
    std::int32_t wide[count];  // g++ 12 vectorizes the two steps at -O2, not both in one: four times as fast
    for (std::size_t j = 0; j < count; ++j) wide[j] = from[i + j];
    for (std::size_t j = 0; j < count; ++j) to[i + j] = static_cast<float>(wide[j]);
  }
  for (; i < n; ++i) to[i] = value_of(from[i]);
}

/// Nearest bfloat16 of a finite float, ties to even.
inline Bfloat16 to_bfloat16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<Bfloat16>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

/// Calls @p f with a pointer to the elements at @p vectors, of the type that @p storage has.
template <class F>
decltype(auto) with_elements(Storage storage, const std::byte* vectors, const F& f) {
  switch (storage) {
    case Storage::bfloat16:
      return f(reinterpret_cast<const Bfloat16*>(vectors));
    case Storage::int8:
      return f(reinterpret_cast<const std::int8_t*>(vectors));
    case Storage::float32:
      break;
  }
  return f(reinterpret_cast<const float*>(vectors));
}

/// Unit vector x / |x|, computed in double, rounded to float.
/// @param what  name of the vector in errors
/// @throws rc3::Error if a number is not finite or all are zero
inline std::vector<float> unit_vector(std::span<const float> x, std::string_view what) {
  double squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    require(std::isfinite(x[i]), what, ": number ", i, " is ", x[i], "; every number must be finite");
    squares += double{x[i]} * double{x[i]};
  }
  require(squares > 0, what, ": every number is zero: a zero vector has no direction and no cosine; leave it out");
  const double norm = std::sqrt(squares);
  std::vector<float> unit(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) unit[i] = static_cast<float>(x[i] / norm);
  return unit;
}

/// Writes the stored form of the vector @p unit, of norm 1, to @p out.
/// @return scale: the stored elements times it have norm 1; 1 for float32
inline float store_vector(Storage storage, std::span<const float> unit, std::byte* out) {
  if (storage == Storage::float32) {
    std::memcpy(out, unit.data(), unit.size_bytes());
    return 1;
  }
  double squares = 0;
  const auto put = [&](std::size_t i, auto element) {
    std::memcpy(out + i * sizeof element, &element, sizeof element);
    squares += double{value_of(element)} * double{value_of(element)};
  };
  float largest = 0;
  for (const float x : unit) largest = std::max(largest, std::abs(x));
  for (std::size_t i = 0; i < unit.size(); ++i)
    if (storage == Storage::bfloat16)
      put(i, to_bfloat16(unit[i]));
    else
      put(i, static_cast<std::int8_t>(std::lround(double{unit[i]} / double{largest} * 127)));
  return static_cast<float>(1 / std::sqrt(squares));
}

}  // namespace rc3::search
