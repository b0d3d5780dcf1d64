#pragma once
/// Any data set as WebDataset shards. LibTorch-free.
///
/// Needs libarchive (Debian: libarchive-dev): link rc3::archive beside rc3::light.

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
#include "rc3/data/problems.hpp"
#include "rc3/data/record.hpp"
#include "rc3/data/region_file.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/image.hpp"
#include "rc3/io/image/kind.hpp"
#include "rc3/io/tar/writer.hpp"

namespace rc3::data {

struct PackOptions {
  std::string prefix = "shard";                  ///< shards are <prefix>-000000.tar, <prefix>-000001.tar, ...
  std::int64_t samples = 10'000;                 ///< in a shard, at most, > 0
  std::uint64_t bytes = std::uint64_t{1} << 30;  ///< a shard that has this many is full, > 0
  std::uint64_t max_picture = 32u << 20;         ///< bytes of a picture file
};

/// What pack() wrote.
struct Packed {
  std::int64_t samples = 0;
  std::vector<std::filesystem::path> shards;
};

/// Writes every sample of @p source with a picture: the file as it is, or PNG of pixels; its record; and its regions'
/// features. Keys are the sample's numbers, so that ids may be anything. Equal samples give equal bytes. A damaged
/// sample is left out and counted as "damaged sample".
/// @throws rc3::Error when a shard cannot be written or is there already, and over the budget of @p problems
template <Dataset Source>
Packed pack(const Source& source, const std::filesystem::path& folder, Problems& problems,
            const PackOptions& options = {}) {
  require(options.samples > 0 && options.bytes > 0, "data::pack: samples and bytes of a shard must be above 0");
  std::filesystem::create_directories(folder);
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
    problems.looked_at();
    std::string picture, extension, record, regions;
    try {
      Sample sample = source.read(i);
      const std::string where = join(source.name(), ": ", sample.id);
      if (const auto* path = std::get_if<std::filesystem::path>(&sample.picture))
        picture = io::read_file(*path, options.max_picture);
      else if (auto* file = std::get_if<EncodedPicture>(&sample.picture))
        picture = std::move(file->bytes);
      else if (const auto* image = std::get_if<io::Image>(&sample.picture))
        picture = io::encode_png(*image);
      require(!picture.empty(), where, ": has no picture");
      require(!sample.texts.empty(), where, ": has no text");
      const std::string kind = io::kind_of_file(picture);
      extension = kind == "JPEG" ? "jpg" : kind == "PNG" ? "png" : kind == "WebP" ? "webp" : "";
      require(!extension.empty(), where, ": the picture is ", kind, "; JPEG, PNG and WebP are packed");
      sample.picture = std::monostate{};
      if (!sample.regions.features.empty() || !sample.regions.classes.empty()) {
        regions = write_regions(sample.regions);
        sample.regions = {};
      }
      record = to_json(sample).dump();
    } catch (const Error& error) {
      problems.add("damaged sample", error.what());
      continue;
    }
    if (shard && (in_shard == options.samples || shard->bytes() >= options.bytes)) finish();
    if (!shard) {
      const auto path = folder / (options.prefix + numbered("-%06lld.tar", packed.shards.size()));
      require(!std::filesystem::exists(path), path.string(), ": is there already; give another folder or prefix");
      shard.emplace(path);
      packed.shards.push_back(path);
    }
    const std::string key = numbered("%09lld", i);
    shard->add(join(key, '.', extension), picture);
    shard->add(key + ".json", record);
    if (!regions.empty()) shard->add(key + ".safetensors", regions);
    ++in_shard;
    ++packed.samples;
  }
  finish();
  return packed;
}

}  // namespace rc3::data
