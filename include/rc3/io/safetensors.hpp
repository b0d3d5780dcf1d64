#pragma once
/// Tensors in safetensors files: the only format of weights in rc3.

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/mapping.hpp"
#include "rc3/io/safetensors/header.hpp"
#include "rc3/io/safetensors/write_header.hpp"

namespace rc3::io {

static_assert(std::endian::native == std::endian::little,
              "safetensors files are little-endian, and copied as they are");

namespace safetensors {

/// In the order of Dtype, which is its index.
inline constexpr std::pair<Dtype, at::ScalarType> scalar_types[] = {
    {Dtype::boolean, at::kBool},
    {Dtype::u8, at::kByte},
    {Dtype::i8, at::kChar},
    {Dtype::f8_e5m2, at::kFloat8_e5m2},
    {Dtype::f8_e4m3, at::kFloat8_e4m3fn},
    {Dtype::f8_e8m0, at::kFloat8_e8m0fnu},
    {Dtype::f8_e4m3fnuz, at::kFloat8_e4m3fnuz},
    {Dtype::f8_e5m2fnuz, at::kFloat8_e5m2fnuz},
    {Dtype::i16, at::kShort},
    {Dtype::u16, at::kUInt16},
    {Dtype::f16, at::kHalf},
    {Dtype::bf16, at::kBFloat16},
    {Dtype::i32, at::kInt},
    {Dtype::u32, at::kUInt32},
    {Dtype::f32, at::kFloat},
    {Dtype::i64, at::kLong},
    {Dtype::u64, at::kUInt64},
    {Dtype::f64, at::kDouble},
    {Dtype::c64, at::kComplexFloat},
};

/// LibTorch's name of an element type.
inline at::ScalarType scalar_type(Dtype dtype) { return scalar_types[static_cast<std::size_t>(dtype)].second; }

/// The format's name of an element type. @throws rc3::Error if it has none, as for complex doubles.
inline Dtype dtype_of(at::ScalarType type, std::string_view tensor) {
  for (const auto& [dtype, scalar] : scalar_types)
    if (scalar == type) return dtype;
  fail("tensor \"", tensor, "\": safetensors files have no type for ", type);
}

/// Access to a tensor's bytes.
enum class Access {
  read,   ///< copied immediately; later changes of the file have no effect
  mapped  ///< mapped, page by page on use; io::Mapping states the restrictions on the file
};

/// Reads tensors one by one: only requested tensors are in memory.
class Reader {
 public:
  /// Reads and checks the header. @throws rc3::Error as safetensors::read_header does.
  explicit Reader(const std::filesystem::path& path, Access access = Access::read)
      : file_(path), header_(read_header(file_)) {
    for (std::size_t i = 0; i < header_.entries.size(); ++i) index_.emplace(header_.entries[i].name, i);
    if (access == Access::mapped) mapping_ = Mapping::of(file_);
  }

  const Header& header() const { return header_; }
  /// Entry of the tensor @p name, or nullptr.
  const Entry* find(const std::string& name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &header_.entries[found->second];
  }

  bool contains(const std::string& name) const { return find(name) != nullptr; }

  /// Tensor @p name, on the CPU. A mapped one outlives the Reader; writing to it changes no file.
  /// @throws rc3::Error if it does not exist, or the file was truncated meanwhile.
  at::Tensor read(const std::string& name) const {
    const Entry* found = find(name);
    require(found != nullptr, file_.path().string(), ": has no tensor \"", name, '"');
    const Entry& entry = *found;
    at::Tensor tensor = mapped(entry);
    if (!tensor.defined()) {
      tensor = at::empty(entry.shape, scalar_type(entry.dtype));
      file_.read(tensor.data_ptr(), entry.end - entry.begin, header_.data_offset + entry.begin);
    }
    if (entry.dtype == Dtype::boolean) check_booleans(tensor, name);
    return tensor;
  }

 private:
  // Undefined without a mapping, or if the tensor is misaligned in the file.
  at::Tensor mapped(const Entry& entry) const {
    if (!mapping_) return {};
    std::byte* at = mapping_->data() + header_.data_offset + entry.begin;
    const auto type = scalar_type(entry.dtype);
    if (reinterpret_cast<std::uintptr_t>(at) % c10::elementSize(type) != 0) return {};
    return at::from_blob(
        at, entry.shape, [mapping = mapping_](void*) {}, type);
  }

  // A bool that is neither 0 nor 1 is undefined behaviour for every reader.
  void check_booleans(const at::Tensor& tensor, const std::string& name) const {
    const auto* bytes = static_cast<const unsigned char*>(tensor.data_ptr());
    const bool right = std::all_of(bytes, bytes + tensor.numel(), [](unsigned char b) { return b <= 1; });
    require(right, file_.path().string(), ": tensor \"", name, "\": a bool that is neither 0 nor 1");
  }

  InputFile file_;
  Header header_;
  std::shared_ptr<Mapping> mapping_;  ///< null: tensors are read
  std::unordered_map<std::string, std::size_t> index_;
};

/// All tensors of the file @p path, by name. @throws rc3::Error naming file and reason.
inline std::map<std::string, at::Tensor> load(const std::filesystem::path& path) {
  const Reader reader(path);
  std::map<std::string, at::Tensor> tensors;
  for (const Entry& entry : reader.header().entries) tensors.emplace(entry.name, reader.read(entry.name));
  return tensors;
}

/// Writes the file content of @p tensors to @p sink by `write(const void*, std::size_t)`. Equal tensors give equal
/// bytes. Tensors on another device or not contiguous are copied, one at a time.
/// @param file      name of the file, for errors
/// @param metadata  strings for the header; transformers requires "format": "pt"
/// @throws rc3::Error if a tensor's type is not in the format or its name is not UTF-8
template <class Sink>
void write(Sink& sink, const std::string& file, const std::map<std::string, at::Tensor>& tensors,
           const std::map<std::string, std::string>& metadata = {{"format", "pt"}}) {
  struct Item {
    const std::string* name;
    const at::Tensor* tensor;
    Dtype dtype;
    std::uint64_t bytes;
  };
  std::vector<Item> items;
  for (const auto& [name, tensor] : tensors) {
    require_utf8(name, join(file, ": the name of a tensor"));
    require(name != "__metadata__", file, ": no tensor can be called __metadata__");
    require(tensor.defined(), file, ": tensor \"", name, "\" is undefined");
    require(tensor.layout() == at::kStrided && !tensor.is_quantized(), file, ": tensor \"", name,
            "\": only dense tensors can be saved");
    items.push_back({&name, &tensor, dtype_of(tensor.scalar_type(), name), std::uint64_t(tensor.nbytes())});
  }
  // Wide elements first, so that every tensor is aligned; then by name. stable_sort keeps the map's order.
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return dtype_bits(a.dtype) > dtype_bits(b.dtype); });

  std::vector<Entry> entries;
  std::uint64_t offset = 0;
  for (const Item& item : items) {
    entries.push_back({*item.name, item.dtype, item.tensor->sizes().vec(), offset, offset + item.bytes});
    offset += item.bytes;
  }
  const std::string header = header_bytes(entries, metadata, file);
  sink.write(header.data(), header.size());
  for (const Item& item : items) {
    const at::Tensor dense = item.tensor->detach().resolve_conj().resolve_neg().cpu().contiguous();
    sink.write(dense.data_ptr(), static_cast<std::size_t>(item.bytes));
  }
}

/// Writes @p tensors to @p path, complete or not at all. @throws rc3::Error as write() does, or if the disk is full;
/// the old file at @p path then remains.
inline void save(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors,
                 const std::map<std::string, std::string>& metadata = {{"format", "pt"}}) {
  OutputFile file(path);
  write(file, path.string(), tensors, metadata);
  file.commit();
}

}  // namespace safetensors
}  // namespace rc3::io
