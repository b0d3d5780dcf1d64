#pragma once
/// Algorithm of a SentencePiece model. LibTorch-free.

#include <cstddef>
#include <cstdint>
#include <optional>
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

/// Whether a serialized ModelProto is a unigram model: trainer_spec (2), model_type (3), where UNIGRAM is 1 and the
/// default. Only these have ties that rounding decides; BPE merges the leftmost of equal pairs.
inline bool is_unigram(std::string_view model) {
  for (ProtoFields all(model); all.next();)
    if (all.field == 2)
      for (ProtoFields trainer(all.bytes); trainer.next();)
        if (trainer.field == 3) return trainer.value == 1;
  return true;
}

}  // namespace rc3::text::detail
