#pragma once
/// Regions of one image as a safetensors file: "features" [R, F], "boxes" [R, 4], "size" [2] (width, height in pixels),
/// "classes" [R, C], each float32 and optional. LibTorch-free.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/data/check/validate.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/io/safetensors/header.hpp"

namespace rc3::data {

static_assert(std::endian::native == std::endian::little, "files of regions are copied as they are");

/// Maximum regions of one image; detectors return 10 to 100.
inline constexpr std::int64_t max_regions = 1000;
/// Maximum features, or classes, of one region.
inline constexpr std::int64_t max_region_numbers = 65536;

/// Parses a file of regions.
/// @param name   the file, for errors
/// @param known  size and boxes in the image's record, if any
/// @throws rc3::Error naming @p name and the tensor: damaged, of another type or shape, with a number that is not
///         finite, or different from @p known
inline Regions read_regions(std::string_view bytes, std::string_view name, Regions known = {}) {
  const io::safetensors::Header header = io::safetensors::read_header(bytes, name);
  Regions regions;
  std::vector<float> boxes;
  std::vector<float> size;
  std::int64_t rows = -1;  // R, from the first tensor that has it
  for (const io::safetensors::Entry& entry : header.entries) {
    std::vector<float>* const values = entry.name == "features"  ? &regions.features
                                       : entry.name == "boxes"   ? &boxes
                                       : entry.name == "size"    ? &size
                                       : entry.name == "classes" ? &regions.classes
                                                                 : nullptr;
    require(values != nullptr, name, ": the tensor \"", entry.name,
            "\" is unknown; a file of regions has features, boxes, size and classes");
    const auto wrong = [&](const char* expected) {
      std::string shape;
      for (const std::int64_t side : entry.shape) shape += join(shape.empty() ? "" : ", ", side);
      fail(name, ": \"", entry.name, "\" must be float32 ", expected, ", is ", dtype_name(entry.dtype), " [", shape,
           "]");
    };
    if (entry.dtype != io::safetensors::Dtype::f32) wrong("numbers");
    if (values == &size) {
      if (entry.shape != std::vector<std::int64_t>{2}) wrong("[2]: width and height");
    } else {
      if (entry.shape.size() != 2 || (values == &boxes && entry.shape[1] != 4))
        wrong(values == &boxes ? "[R, 4]" : "[R, numbers of a region]");
      require(1 <= entry.shape[0] && entry.shape[0] <= max_regions, name, ": \"", entry.name, "\" has ", entry.shape[0],
              " regions; 1 to ", max_regions, " are expected");
      require(1 <= entry.shape[1] && entry.shape[1] <= max_region_numbers, name, ": \"", entry.name, "\" has ",
              entry.shape[1], " numbers a region; 1 to ", max_region_numbers, " are expected");
      require(rows < 0 || rows == entry.shape[0], name, ": \"", entry.name, "\" has ", entry.shape[0],
              " regions, another tensor ", rows);
      rows = entry.shape[0];
    }
    values->resize(static_cast<std::size_t>((entry.end - entry.begin) / sizeof(float)));
    std::memcpy(values->data(), bytes.data() + header.data_offset + entry.begin, values->size() * sizeof(float));
  }

  if (!size.empty()) {
    require(known.width == 0 || (known.width == size[0] && known.height == size[1]), name, ": is for an image of ",
            size[0], " x ", size[1], " pixels, its record says ", known.width, " x ", known.height);
    known.width = size[0];
    known.height = size[1];
  }
  if (!boxes.empty()) {
    std::vector<Box> all(boxes.size() / 4);
    for (std::size_t r = 0; r < all.size(); ++r)
      all[r] = {boxes[4 * r], boxes[4 * r + 1], boxes[4 * r + 2], boxes[4 * r + 3]};
    regions.boxes = std::move(all);
    regions.width = known.width;
    regions.height = known.height;
    clip_boxes(regions);
    require(known.boxes.empty() || known.boxes == regions.boxes, name,
            ": its boxes are others than those of the record");
    known.boxes = std::move(regions.boxes);
  }
  require(rows < 0 || known.size() == static_cast<std::size_t>(rows), name, ": has ", rows, " regions, but ",
          known.size(), " boxes are known: add \"boxes\" [R, 4] here or to the record");
  regions.width = known.width;
  regions.height = known.height;
  regions.boxes = std::move(known.boxes);
  check_regions(regions, name);
  return regions;
}

/// Content of a region file for read_regions(), with the members that @p regions has.
/// @throws rc3::Error as check_regions()
inline std::string write_regions(const Regions& regions) {
  check_regions(regions, "write_regions");
  const std::size_t rows = regions.size();
  std::string data;
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  const auto add = [&](const char* name, const std::vector<std::size_t>& shape, const void* values, std::size_t count) {
    const std::size_t begin = data.size();
    data.append(static_cast<const char*>(values), count * sizeof(float));
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, data.size()}}};
  };
  const float size[2] = {regions.width, regions.height};
  if (regions.width > 0) add("size", {2}, size, 2);
  if (rows > 0) add("boxes", {rows, 4}, regions.boxes.data(), 4 * rows);
  for (const auto& [name, values] :
       {std::pair<const char*, const std::vector<float>&>{"features", regions.features}, {"classes", regions.classes}})
    if (!values.empty()) add(name, {rows, values.size() / rows}, values.data(), values.size());

  std::string json = header.dump();
  json.append((8 - json.size() % 8) % 8, ' ');
  const std::uint64_t length = json.size();
  std::string out(sizeof length, '\0');
  std::memcpy(out.data(), &length, sizeof length);
  return out + json + data;
}

}  // namespace rc3::data
