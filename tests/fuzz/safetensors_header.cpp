// Any bytes as a safetensors header: refused with an rc3::Error, or entries that tile the buffer.
#include <cstdlib>

#include "rc3/io/safetensors/header.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view json(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::uint64_t buffer = data[0];
  try {
    std::uint64_t end = 0;
    for (const auto& entry : rc3::io::safetensors::parse_header(json, buffer, "fuzz").entries) {
      if (entry.begin != end || entry.end < entry.begin) std::abort();
      end = entry.end;
    }
    if (end != buffer) std::abort();
  } catch (const rc3::Error&) {
  }
  return 0;
}
