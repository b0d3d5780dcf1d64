#pragma once
/// Protobuf's encoding, as far as SentencePiece models need it. LibTorch-free.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rc3::text::detail {

/// Reader of protobuf's fields, up to the first malformed one.
class ProtoFields {
 public:
  explicit ProtoFields(std::string_view bytes) : left_(bytes) {}

  std::uint64_t field = 0;  ///< number of the current one
  std::uint64_t value = 0;  ///< of a varint
  std::string_view bytes;   ///< of a string or message

  /// Reads the next field; false at the end.
  bool next() {
    const auto tag = varint();
    if (!tag) return false;
    field = *tag >> 3;
    bytes = {};
    value = 0;
    switch (*tag & 7) {
      case 0: {
        const auto number = varint();
        value = number.value_or(0);
        return number.has_value();
      }
      case 1:
        return take(8);
      case 2: {
        const auto size = varint();
        return size && take(*size);
      }
      case 5:
        return take(4);
      default:
        return false;
    }
  }

 private:
  std::optional<std::uint64_t> varint() {
    std::uint64_t all = 0;
    for (unsigned shift = 0; shift < 64 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      all |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return all;
    }
    return std::nullopt;
  }
  bool take(std::uint64_t size) {
    if (size > left_.size()) return false;
    bytes = left_.substr(0, static_cast<std::size_t>(size));
    left_.remove_prefix(bytes.size());
    return true;
  }

  std::string_view left_;
};

/// Writer of protobuf's fields.
class ProtoWriter {
 public:
  void number(std::uint64_t field, std::uint64_t value) {
    varint(field << 3);
    varint(value);
  }
  void text(std::uint64_t field, std::string_view value) {
    varint(field << 3 | 2);
    varint(value.size());
    bytes_ += value;
  }
  void real(std::uint64_t field, float value) {
    varint(field << 3 | 5);
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (unsigned shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>(bits >> shift & 0xFF);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value) {
    for (; value > 0x7F; value >>= 7) bytes_ += static_cast<char>((value & 0x7F) | 0x80);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

}  // namespace rc3::text::detail
