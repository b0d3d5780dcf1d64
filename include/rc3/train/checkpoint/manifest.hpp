#pragma once
/// Manifest of a checkpoint folder, written last: a folder with a matching manifest is complete. LibTorch-free.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/folder_writer.hpp"
#include "rc3/io/json.hpp"

namespace rc3::train {

/// The files of a checkpoint with sizes and CRC-32C; written last.
struct Manifest {
  using File = io::FolderFile;
  static constexpr const char* name = "manifest.json";

  std::int64_t step = 0;         ///< completed optimizer steps
  std::optional<double> metric;  ///< of the evaluation at this step, higher is better
  std::vector<File> files;       ///< all but the manifest

  /// JSON, with a line feed at its end.
  std::string text() const {
    nlohmann::ordered_json json{{"format", "rc3.checkpoint"}, {"version", 1}, {"step", step}};
    if (metric) json["metric"] = *metric;
    for (const File& f : files) json["files"][f.name] = {{"size", f.size}, {"crc32c", f.checksum}};
    return json.dump(2) + '\n';
  }

  /// Manifest of the checkpoint in @p folder, without a check of the files. @throws rc3::Error naming file and field
  static Manifest read(const std::filesystem::path& folder) {
    const auto path = folder / name;
    const auto json = io::parse_json(io::read_file(path, 1 << 20), path.string());
    const auto wrong = [&](const char* what) { fail(path.string(), ": ", what); };
    Manifest manifest;
    try {
      if (json.at("format") != "rc3.checkpoint" || json.at("version") != 1) wrong("is no manifest of this version");
      manifest.step = json.at("step").get<std::int64_t>();
      if (json.contains("metric")) manifest.metric = json.at("metric").get<double>();
      for (const auto& [file, facts] : json.at("files").items()) {
        if (file.empty() || file.find('/') != std::string::npos) wrong("names a file outside the folder");
        manifest.files.push_back(
            {file, facts.at("size").get<std::uint64_t>(), facts.at("crc32c").get<std::uint32_t>()});
      }
    } catch (const nlohmann::json::exception& error) {
      wrong(error.what());
    }
    return manifest;
  }

  /// Checks every file. @throws rc3::Error naming the first that is missing, of another size, or changed
  void verify(const std::filesystem::path& folder) const { io::verify_files(folder, files, "the manifest"); }
};

}  // namespace rc3::train
