#pragma once
/// File of an index: safetensors with two to four tensors, and those of a search policy.
///
/// | tensor | type | content |
/// |---|---|---|
/// | files | I64 [N, 3] | size, time and checksum of each vector's file (FileState); absent without files |
/// | scales | F32 [N] | scale of each vector; absent for float32 |
/// | graph_... | | of a search policy, as Hnsw |
/// | vectors | F32, BF16 or I8 [N, D] | stored elements |
/// | names | U8 [bytes] | JSON array of N strings, in the order of the vectors |
///
/// Metadata, all strings: format, version, dimension, storage, model; model_directory, if there is one.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/mapping.hpp"
#include "rc3/io/safetensors/header.hpp"
#include "rc3/io/safetensors/write_header.hpp"
#include "rc3/search/file_state.hpp"
#include "rc3/search/storage.hpp"

namespace rc3::search {

inline constexpr std::string_view index_format = "rc3.search.index";  ///< value of "format" in the metadata
inline constexpr std::int64_t index_version = 2;       ///< of an index with tensors of a policy; 1 without
inline constexpr std::int64_t max_dimension = 65'536;  ///< numbers of a vector

/// Tensor that a search policy keeps in the file of an index.
struct IndexTensor {
  std::string name;                                           ///< begins with policy_prefix
  io::safetensors::Dtype dtype = io::safetensors::Dtype::u8;  ///< type of an element
  std::vector<std::int64_t> shape;                            ///< of the elements, row by row
  std::vector<std::byte> bytes;                               ///< elements, row by row
};
inline constexpr std::string_view policy_prefix = "graph_";  ///< keeps a policy's tensors apart from those of the index

/// Parsed index. The vectors are those of the file's bytes, not copied.
struct IndexContent {
  std::int64_t dimension = 0;          ///< D, in [1, 65536]
  Storage storage = Storage::float32;  ///< type of `vectors`
  std::string model;                   ///< that made the vectors; may be empty
  std::string model_directory;         ///< where a program finds that model; empty: unknown
  std::vector<std::string> names;      ///< one a vector, in the order of the rows
  std::vector<float> scales;           ///< one a vector, > 0; empty for float32
  std::vector<FileState> files;        ///< of each name; size -1: not a file; empty: no vector has one
  std::vector<IndexTensor> tensors;    ///< of a search policy
  const std::byte* vectors = nullptr;  ///< elements [names.size(), dimension], aligned
};

namespace detail {

/// Reads an array of strings and nothing else, without a document in memory.
class NamesReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  NamesReader(std::vector<std::string>& names, std::string& reason) : names_(names), reason_(reason) {}
  bool start_array(std::size_t) override { return depth_++ == 0 || refuse("an array within the array"); }
  bool end_array() override { return true; }
  bool string(std::string& name) override {
    if (depth_ == 0) return refuse("a string outside of an array");
    names_.push_back(std::move(name));
    return true;
  }
  bool null() override { return refuse("null"); }
  bool boolean(bool) override { return refuse("a boolean"); }
  bool number_integer(std::int64_t) override { return refuse("a number"); }
  bool number_unsigned(std::uint64_t) override { return refuse("a number"); }
  bool number_float(double, const std::string&) override { return refuse("a number"); }
  bool binary(nlohmann::json::binary_t&) override { return refuse("binary"); }
  bool start_object(std::size_t) override { return refuse("an object"); }
  bool key(std::string&) override { return refuse("a key"); }
  bool end_object() override { return refuse("an object"); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) override {
    return refuse(error.what());
  }

 private:
  bool refuse(std::string_view reason) {
    reason_ = reason;
    return false;
  }
  std::vector<std::string>& names_;
  std::string& reason_;
  int depth_ = 0;
};

inline std::vector<std::string> parse_names(std::string_view json, std::string_view file) {
  require_utf8(json, join(file, ": tensor \"names\""));
  // nlohmann/json treats a NUL as the end of its input and would ignore the rest.
  require(json.find('\0') == std::string_view::npos, file, ": tensor \"names\": a NUL byte");
  std::vector<std::string> names;
  std::string reason;
  NamesReader reader(names, reason);
  require(nlohmann::json::sax_parse(json.begin(), json.end(), &reader), file,
          ": tensor \"names\": not a JSON array of strings: ", reason);
  return names;
}

inline const std::string& metadata(const io::safetensors::Header& header, const std::string& key,
                                   std::string_view file) {
  const auto found = header.metadata.find(key);
  require(found != header.metadata.end(), file, ": metadata \"", key, "\" is missing; make the index again");
  return found->second;
}

inline std::int64_t metadata_number(const io::safetensors::Header& header, const std::string& key,
                                    std::string_view file) {
  const std::string& text = metadata(header, key, file);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size() && value >= 1, file, ": metadata \"", key,
          "\": must be a whole number >= 1, is \"", text, '"');
  return value;
}

}  // namespace detail

/// Version of an index. @throws rc3::Error unless @p header is that of an index, of a known version
inline std::int64_t require_index(const io::safetensors::Header& header, std::string_view file) {
  const auto format = header.metadata.find("format");
  require(format != header.metadata.end() && format->second == index_format, file,
          ": no index: metadata \"format\" must be \"", index_format, "\"; rc3::search::Index::save writes such files");
  const std::int64_t version = detail::metadata_number(header, "version", file);
  require(version <= index_version, file, ": version ", version, " is newer than ", index_version,
          ", the newest that this rc3 reads; update rc3 or make the index again");
  return version;
}

/// Index in the bytes of a file. Every size is checked; the vectors' elements are not read.
/// @param bytes           the whole file; must outlive the result's vectors
/// @param expected_model  model that the index must have; empty: any
/// @throws rc3::Error naming @p file, the field and the fix
inline IndexContent parse_index(std::span<const std::byte> bytes, std::string_view file,
                                std::string_view expected_model = {}) {
  using io::safetensors::Dtype;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const io::safetensors::Header header = io::safetensors::read_header(text, file);
  const std::int64_t version = require_index(header, file);

  IndexContent content;
  content.model = detail::metadata(header, "model", file);
  require(expected_model.empty() || content.model == expected_model, file, ": made with the model \"", content.model,
          "\", not with \"", expected_model, "\"; make the index again with that model");
  if (const auto found = header.metadata.find("model_directory"); found != header.metadata.end())
    content.model_directory = found->second;
  content.dimension = detail::metadata_number(header, "dimension", file);
  require(content.dimension <= max_dimension, file, ": metadata \"dimension\": ", content.dimension,
          " exceeds the allowed ", max_dimension);
  const std::string& storage = detail::metadata(header, "storage", file);
  const auto row = std::find_if(storages.begin(), storages.end(), [&](const auto& r) { return r.name == storage; });
  require(row != storages.end(), file, ": metadata \"storage\": \"", storage,
          "\" is none of float32, bfloat16 and int8");
  content.storage = row->storage;

  const auto find = [&](std::string_view name, Dtype dtype) {
    const auto entry =
        std::find_if(header.entries.begin(), header.entries.end(), [&](const auto& e) { return e.name == name; });
    require(entry != header.entries.end(), file, ": tensor \"", name, "\" is missing; make the index again");
    require(entry->dtype == dtype, file, ": tensor \"", name, "\": must have type ", dtype_name(dtype), ", has ",
            dtype_name(entry->dtype));
    return *entry;
  };
  const auto at = [&](const auto& entry) { return bytes.data() + header.data_offset + entry.begin; };
  const auto names = find("names", Dtype::u8);
  content.names = detail::parse_names(text.substr(header.data_offset + names.begin, names.end - names.begin), file);
  const auto count = static_cast<std::int64_t>(content.names.size());

  const auto vectors = find("vectors", row->dtype);
  require(vectors.shape == std::vector<std::int64_t>{count, content.dimension}, file,
          ": tensor \"vectors\": its shape must be [", count, ", ", content.dimension,
          "], names by dimension; make the index again");
  content.vectors = at(vectors);
  require(reinterpret_cast<std::uintptr_t>(content.vectors) % row->bytes == 0, file,
          ": tensor \"vectors\": begins at byte ", header.data_offset + vectors.begin, ", no multiple of ", row->bytes);
  const bool has_files =
      std::any_of(header.entries.begin(), header.entries.end(), [](const auto& e) { return e.name == "files"; });
  for (const auto& entry : header.entries)
    if (entry.name.starts_with(policy_prefix))
      content.tensors.push_back(
          {entry.name, entry.dtype, entry.shape, {at(entry), bytes.data() + header.data_offset + entry.end}});
  require(version > 1 || content.tensors.empty(), file, ": version 1 has no tensor \"",
          content.tensors.empty() ? "" : content.tensors[0].name, "\"; make the index again");
  require(header.entries.size() == 2u + row->scaled + has_files + content.tensors.size(), file, ": has ",
          header.entries.size(), " tensors; an index of ", row->name, " has ",
          row->scaled ? "scales, vectors and names" : "vectors and names", ", and may have files");
  if (row->scaled) {
    const auto scales = find("scales", Dtype::f32);
    require(scales.shape == std::vector<std::int64_t>{count}, file, ": tensor \"scales\": its shape must be [", count,
            "], one a name");
    content.scales.resize(content.names.size());
    if (count > 0) std::memcpy(content.scales.data(), at(scales), content.scales.size() * sizeof(float));
    for (std::size_t i = 0; i < content.scales.size(); ++i)
      require(content.scales[i] > 0 && std::isfinite(content.scales[i]), file, ": tensor \"scales\": scale ", i, " is ",
              content.scales[i], "; must be finite and > 0");
  }
  if (has_files) {
    const auto files = find("files", Dtype::i64);
    require(files.shape == std::vector<std::int64_t>{count, 3}, file, ": tensor \"files\": its shape must be [", count,
            ", 3], size, time and checksum of each name");
    for (std::int64_t i = 0; i < count; ++i) {
      std::int64_t row_of_file[3];
      std::memcpy(row_of_file, at(files) + i * std::int64_t{sizeof row_of_file}, sizeof row_of_file);
      const auto [size, modified, checksum] = row_of_file;
      require(size >= -1 && checksum >= 0 && checksum <= 0xFFFFFFFF, file, ": tensor \"files\": row ", i, " is ", size,
              ", ", modified, ", ", checksum, "; a size must be >= -1, a checksum in [0, 2^32); make the index again");
      content.files.push_back({size, modified, static_cast<std::uint32_t>(checksum)});
    }
  }
  return content;
}

/// Directory of the model that the index in @p path was made with, by its header alone; empty if it names none.
/// @throws rc3::Error if it is no index
inline std::string model_directory_of(const std::filesystem::path& path) {
  const io::safetensors::Header header = io::safetensors::read_header(path);
  const std::string file = path.string();
  require_index(header, file);
  const auto found = header.metadata.find("model_directory");
  return found == header.metadata.end() ? std::string() : found->second;
}

/// Writes an index, complete or not at all.
/// @param files  states of the vectors' files, by name; names without a vector are left out
/// @param row    called as row(i): name, scale and element bytes of vector i; the order of writing
/// @param tensors  of the search policy; wide elements first, none of less than four bytes
/// @throws rc3::Error if the disk is full or the folder is not writable; an old file at @p path then remains
template <class Row>
void write_index(const std::filesystem::path& path, std::int64_t dimension, Storage storage, const std::string& model,
                 const std::string& model_directory, std::size_t count, const FileStates& files, const Row& row,
                 const std::vector<IndexTensor>& tensors = {}) {
  using io::safetensors::Dtype;
  const StorageRow& form = storage_row(storage);
  std::string names = "[";
  for (std::size_t i = 0; i < count; ++i) names.append(i > 0 ? ",\n" : "").append(nlohmann::json(*row(i).name).dump());
  names += ']';

  std::vector<io::safetensors::Entry> entries;
  const auto n = static_cast<std::int64_t>(count);
  std::uint64_t offset = 0;
  const auto entry = [&](std::string name, Dtype dtype, std::vector<std::int64_t> shape, std::uint64_t size) {
    entries.push_back({std::move(name), dtype, std::move(shape), offset, offset + size});
    offset += size;
  };
  const std::size_t vector_bytes = static_cast<std::size_t>(dimension) * form.bytes;
  if (!files.empty()) entry("files", Dtype::i64, {n, 3}, count * 3 * sizeof(std::int64_t));
  for (const IndexTensor& tensor : tensors) entry(tensor.name, tensor.dtype, tensor.shape, tensor.bytes.size());
  if (form.scaled) entry("scales", Dtype::f32, {n}, count * sizeof(float));
  entry("vectors", form.dtype, {n, dimension}, count * vector_bytes);
  entry("names", Dtype::u8, {static_cast<std::int64_t>(names.size())}, names.size());

  std::map<std::string, std::string> metadata{{"format", std::string(index_format)},
                                              {"version", tensors.empty() ? "1" : std::to_string(index_version)},
                                              {"dimension", std::to_string(dimension)},
                                              {"storage", std::string(form.name)},
                                              {"model", model}};
  if (!model_directory.empty()) metadata["model_directory"] = model_directory;
  io::OutputFile file(path);
  file.write(io::safetensors::header_bytes(entries, metadata, path.string()));
  std::string buffer;  // a system call a megabyte, not one a vector
  const auto put = [&](const void* data, std::size_t size) {
    buffer.append(static_cast<const char*>(data), size);
    if (buffer.size() < std::size_t{1} << 20) return;
    file.write(buffer);
    buffer.clear();
  };
  for (std::size_t i = 0; !files.empty() && i < count; ++i) {
    const auto found = files.find(*row(i).name);
    const FileState state = found == files.end() ? FileState{} : found->second;
    const std::int64_t numbers[3] = {state.size, state.modified, std::int64_t{state.checksum}};
    put(numbers, sizeof numbers);
  }
  for (const IndexTensor& tensor : tensors) put(tensor.bytes.data(), tensor.bytes.size());
  for (std::size_t i = 0; form.scaled && i < count; ++i) {
    const float scale = row(i).scale;
    put(&scale, sizeof scale);
  }
  for (std::size_t i = 0; i < count; ++i) put(row(i).elements, vector_bytes);
  file.write(buffer);
  file.write(names);
  file.commit();
}

}  // namespace rc3::search
