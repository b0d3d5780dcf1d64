// Any bytes as the file of a vector index: refused with an rc3::Error, or an index whose vectors are inside the file.
// The first byte says how the rest is read: 0 as it is; else as three texts for metadata, shape and names, with a line
// between them, which reach what lies behind the header.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/search/index_file.hpp"

namespace {

using rc3::io::safetensors::Dtype;
using rc3::io::safetensors::Entry;

std::string file_of(std::string_view text) {
  std::string lines[4];
  for (auto& line : lines) {
    const auto end = std::min(text.find('\n'), text.size());
    line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const std::string names(text.substr(0, 2000));
  const auto number = [](const std::string& s) { return s.empty() ? 0 : static_cast<unsigned char>(s[0]) % 8; };
  const std::int64_t n = number(lines[2]), d = number(lines[3]);
  const bool scaled = lines[1] == "int8";
  const std::uint64_t scales = scaled ? 4 * n : 0, vectors = scales + (scaled ? 1 : 4) * n * d;
  std::vector<Entry> entries;
  if (scaled) entries.push_back({"scales", Dtype::f32, {n}, 0, scales});
  entries.push_back({"vectors", scaled ? Dtype::i8 : Dtype::f32, {n, d}, scales, vectors});
  entries.push_back({"names", Dtype::u8, {std::int64_t(names.size())}, vectors, vectors + names.size()});
  std::string data(vectors, '\0');
  for (std::uint64_t i = 0; i < scales; ++i) data[i] = i % 4 == 3 ? '\x3f' : '\x01';
  return rc3::io::safetensors::header_bytes(entries,
                                            {{"format", "rc3.search.index"},
                                             {"version", "1"},
                                             {"dimension", lines[0]},
                                             {"storage", lines[1]},
                                             {"model", ""}},
                                            "fuzz") +
         data + names;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    const std::string bytes = data[0] == 0 ? std::string(text) : file_of(text);
    const auto* begin = reinterpret_cast<const std::byte*>(bytes.data());
    const auto index = rc3::search::parse_index({begin, bytes.size()}, "fuzz");
    const auto& form = rc3::search::storage_row(index.storage);
    const auto extent = index.names.size() * static_cast<std::size_t>(index.dimension) * form.bytes;
    if (index.vectors < begin || extent > bytes.size() - static_cast<std::size_t>(index.vectors - begin)) std::abort();
    if (index.scales.size() != (form.scaled ? index.names.size() : 0)) std::abort();
    unsigned sum = 0;
    for (std::size_t i = 0; i < extent; ++i) sum += static_cast<unsigned>(index.vectors[i]);
    volatile unsigned used = sum;
    static_cast<void>(used);
  } catch (const rc3::Error&) {
  }
  return 0;
}
