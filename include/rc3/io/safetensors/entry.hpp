#pragma once
/// Entry of a tensor in a safetensors header.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rc3::io::safetensors {

/// Element types of the format that LibTorch has.
enum class Dtype : std::uint8_t {
  boolean,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,  //
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  i64,
  u64,
  f64,
  c64
};

/// An element type of safetensors, its name and size.
struct DtypeRow {
  Dtype dtype;
  std::string_view name;  ///< in the format
  unsigned bits;          ///< of an element
};

/// Names in the format.
inline constexpr std::array<DtypeRow, 19> dtypes{{
    {Dtype::boolean, "BOOL", 8},
    {Dtype::u8, "U8", 8},
    {Dtype::i8, "I8", 8},
    {Dtype::f8_e5m2, "F8_E5M2", 8},
    {Dtype::f8_e4m3, "F8_E4M3", 8},
    {Dtype::f8_e8m0, "F8_E8M0", 8},
    {Dtype::f8_e4m3fnuz, "F8_E4M3FNUZ", 8},
    {Dtype::f8_e5m2fnuz, "F8_E5M2FNUZ", 8},
    {Dtype::i16, "I16", 16},
    {Dtype::u16, "U16", 16},
    {Dtype::f16, "F16", 16},
    {Dtype::bf16, "BF16", 16},
    {Dtype::i32, "I32", 32},
    {Dtype::u32, "U32", 32},
    {Dtype::f32, "F32", 32},
    {Dtype::i64, "I64", 64},
    {Dtype::u64, "U64", 64},
    {Dtype::f64, "F64", 64},
    {Dtype::c64, "C64", 64},
}};

constexpr const DtypeRow& dtype_row(Dtype dtype) { return dtypes[static_cast<std::size_t>(dtype)]; }
constexpr unsigned dtype_bits(Dtype dtype) { return dtype_row(dtype).bits; }          ///< of an element
constexpr std::string_view dtype_name(Dtype dtype) { return dtype_row(dtype).name; }  ///< in the format

/// One tensor: bytes [begin, end) of the data.
struct Entry {
  std::string name;  ///< UTF-8
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;  ///< row-major; empty: a scalar
  std::uint64_t begin = 0;          ///< bytes, from Header::data_offset on
  std::uint64_t end = 0;            ///< bytes, exclusive
};

}  // namespace rc3::io::safetensors
