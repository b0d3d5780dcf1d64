#pragma once
/// Beginning of a safetensors file, without LibTorch.

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/io/safetensors/entry.hpp"
#include "rc3/io/safetensors/header.hpp"

namespace rc3::io::safetensors {

/// Header length and header; the bytes of @p entries follow it in the file. Equal arguments give equal bytes.
/// @param entries   contiguous from byte 0, wide elements first so that each tensor is aligned
/// @param metadata  strings for the header, UTF-8
/// @param file      name of the file, for errors
/// @throws rc3::Error if a string is not UTF-8 or the header exceeds max_header_bytes
inline std::string header_bytes(const std::vector<Entry>& entries, const std::map<std::string, std::string>& metadata,
                                std::string_view file) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!metadata.empty()) json["__metadata__"] = metadata;
  for (const Entry& entry : entries)
    json[entry.name] = {
        {"dtype", dtype_name(entry.dtype)}, {"shape", entry.shape}, {"data_offsets", {entry.begin, entry.end}}};
  std::string header;
  try {
    header = json.dump();
  } catch (const nlohmann::json::exception& error) {
    fail(file, ": the metadata: ", error.what());
  }
  header.append((8 - header.size() % 8) % 8, ' ');
  require(header.size() <= max_header_bytes, file, ": a header of ", header.size(), " bytes, more than the allowed ",
          max_header_bytes);
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes += header;
}

}  // namespace rc3::io::safetensors
