#pragma once
/// Conversion of any data set to WebDataset shards. LibTorch-free.
///
/// Needs libarchive (Debian: libarchive-dev): link rc3::archive in addition to rc3::light.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/record.hpp"
#include "rc3/data/format/region_file.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/image.hpp"
#include "rc3/io/image/kind.hpp"
#include "rc3/io/tar/writer.hpp"

namespace rc3::data {

/// Names and sizes of the shards that are written.
struct PackOptions {
  std::string prefix = "shard";                  ///< shards are PREFIX-000000.tar, PREFIX-000001.tar, ...
  std::int64_t samples = 10'000;                 ///< per shard, maximum, > 0
  std::uint64_t bytes = std::uint64_t{1} << 30;  ///< a shard of at least this size is full, > 0
  std::uint64_t max_image = 32u << 20;           ///< maximum bytes of an image file
};

/// Result of pack().
struct Packed {
  std::int64_t samples = 0;                   ///< in all shards
  std::vector<std::filesystem::path> shards;  ///< in the order of their numbers
};

/// Writes every sample of @p source with an image: the original file, or PNG from pixels; its record; and its regions'
/// features. Keys are the sample's numbers, so that ids may be any text. Equal samples give equal bytes. A damaged
/// sample is dropped and counted as "damaged sample".
/// @throws rc3::Error if a shard cannot be written or exists already, and over the budget of @p errors
template <Dataset Source>
Packed pack(const Source& source, const std::filesystem::path& folder, DataErrors& errors,
            const PackOptions& options = {}) {
  require(options.samples > 0 && options.bytes > 0, "data::pack: samples and bytes of a shard must be above 0");
  io::make_folder(folder);
  Packed packed;
  std::optional<io::tar::Writer> shard;
  std::int64_t in_shard = 0;
  const auto finish = [&] {
    if (shard) shard->commit();
    shard.reset();
    in_shard = 0;
  };
  const auto numbered = [](const char* form, auto number) {
    char text[32];
    std::snprintf(text, sizeof text, form, static_cast<long long>(number));
    return std::string(text);
  };
  for (std::int64_t i = 0; i < source.size(); ++i) {
    errors.add_samples();
    std::string image, extension, record, regions;
    try {
      Sample sample = source.read(i);
      const std::string where = join(source.name(), ": ", sample.id);
      if (const auto* path = std::get_if<std::filesystem::path>(&sample.image))
        image = io::read_file(*path, options.max_image);
      else if (auto* file = std::get_if<EncodedImage>(&sample.image))
        image = std::move(file->bytes);
      else if (const auto* pixels = std::get_if<io::Image>(&sample.image))
        image = io::encode_png(*pixels);
      require(!image.empty(), where, ": has no image");
      require(!sample.texts.empty(), where, ": has no text");
      const std::string kind = io::kind_of_file(image);
      extension = kind == "JPEG" ? "jpg" : kind == "PNG" ? "png" : kind == "WebP" ? "webp" : "";
      require(!extension.empty(), where, ": the image is ", kind, "; JPEG, PNG and WebP are packed");
      sample.image = std::monostate{};
      if (!sample.regions.features.empty() || !sample.regions.classes.empty()) {
        regions = write_regions(sample.regions);
        sample.regions = {};
      }
      record = to_json(sample).dump();
    } catch (const Error& error) {
      errors.add("damaged sample", error.what());
      continue;
    }
    if (shard && (in_shard == options.samples || shard->bytes() >= options.bytes)) finish();
    if (!shard) {
      const auto path = folder / (options.prefix + numbered("-%06lld.tar", packed.shards.size()));
      require(!std::filesystem::exists(path), path.string(), ": exists already; give another folder or prefix");
      shard.emplace(path);
      packed.shards.push_back(path);
    }
    const std::string key = numbered("%09lld", i);
    shard->add(join(key, '.', extension), image);
    shard->add(key + ".json", record);
    if (!regions.empty()) shard->add(key + ".safetensors", regions);
    ++in_shard;
    ++packed.samples;
  }
  finish();
  return packed;
}

}  // namespace rc3::data
