#pragma once
/// Format of a model directory: `config.json` and the files that it lists. LibTorch-free.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/folder_writer.hpp"
#include "rc3/io/json.hpp"

namespace rc3::pipeline {

inline constexpr std::string_view format = "rc3.model";           ///< value of "format" in config.json
inline constexpr std::int64_t version = 1;                        ///< the newest, which is written
inline constexpr const char* config_file = "config.json";         ///< lists the other files with sizes and checksums
inline constexpr const char* weights_file = "model.safetensors";  ///< every parameter and buffer
inline constexpr const char* card_file = "README.md";             ///< model card, for people; not checksummed

/// Parsed config.json of a model directory.
struct Directory {
  std::filesystem::path path;         ///< the directory itself
  nlohmann::ordered_json config;      ///< whole file, in the order of its keys
  std::string variant;                ///< type of the model
  std::vector<io::FolderFile> files;  ///< all but config.json and README.md

  /// Name of config.json, for errors.
  std::string where() const { return (path / config_file).string(); }

  /// Member @p key of config.json. @throws rc3::Error if it is missing
  const nlohmann::ordered_json& at(const char* key) const {
    require(config.contains(key), where(), ": the key \"", key, "\" is missing");
    return config.at(key);
  }
};

namespace detail {

/// @throws rc3::Error for a bare file of weights, as the demo wrote it before there were model directories
[[noreturn]] inline void refuse_bare_weights(const std::filesystem::path& path) {
  fail(path.string(),
       ": has weights alone, without the options, tokenizer and image preparation of a model directory; start the "
       "program that wrote it with --init ",
       std::filesystem::is_directory(path) ? (path / weights_file).string() : path.string(),
       ", which writes a model directory at its end, or call train::load_checkpoint and rc3::save");
}

}  // namespace detail

/// Reads and checks config.json in @p path; the other files are not read.
/// @throws rc3::Error if @p path is no model directory, or of a newer version
inline Directory open_directory(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) {
    require(std::filesystem::exists(path), path.string(), ": there is no such directory");
    if (path.extension() == ".safetensors") detail::refuse_bare_weights(path);
    fail(path.string(), ": is a file; give the model directory");
  }
  Directory directory;
  directory.path = path;
  const auto where = directory.where();
  if (!std::filesystem::exists(path / config_file)) {
    if (std::filesystem::exists(path / weights_file)) detail::refuse_bare_weights(path);
    fail(path.string(), ": is no model directory: it has no ", config_file);
  }
  const auto text = io::read_file(path / config_file, 16 << 20);
  const auto json = io::parse_json(text, where);  // refuses invalid JSON and repeated keys
  directory.config = nlohmann::ordered_json::parse(text);
  require(json.is_object() && json.contains("format") && json["format"] == format, where, ": is no \"", format,
          "\": rc3::save writes one; directories of transformers are read by from_pretrained of their class");
  const auto written = io::get<std::int64_t>(json, "version", where);
  require(written <= version, where, ": is of version ", written, ", this rc3 reads up to ", version,
          "; use a newer rc3");
  require(written >= 1, where, ": \"version\" must be at least 1, is ", written);
  directory.variant = io::get<std::string>(json, "variant", where);
  require(json.contains("files") && json["files"].is_object(), where, ": the object \"files\" is missing");
  for (const auto& [name, facts] : json["files"].items()) {
    require(!name.empty() && name != ".." && std::filesystem::path(name).filename() == name, where,
            ": \"files\" names ", name, ", which is no file in the directory");
    const auto in = where + ": files: " + name;
    directory.files.push_back(
        {name, io::get<std::uint64_t>(facts, "size", in), io::get<std::uint32_t>(facts, "crc32c", in)});
  }
  return directory;
}

/// @throws rc3::Error unless rc3::save may replace @p path: it does not exist, is empty, or contains only the files of
/// a
///         model directory
inline void check_replaceable(const std::filesystem::path& path) {
  if (!std::filesystem::exists(std::filesystem::symlink_status(path))) return;
  require(std::filesystem::is_directory(path) && !std::filesystem::is_symlink(path), path.string(),
          ": exists and is no directory; give another name");
  if (std::filesystem::is_empty(path)) return;
  std::vector<std::string> known{config_file, card_file};
  try {
    for (const auto& file : open_directory(path).files) known.push_back(file.name);
  } catch (const Error& error) {
    fail(path.string(), ": exists and is no model directory (", error.what(), "); give another name");
  }
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    const auto name = entry.path().filename().string();
    bool listed = false;
    for (const auto& one : known) listed = listed || one == name;
    require(listed, path.string(), ": would be replaced, but has the file ", name,
            ", which is no part of the model; move it away or give another name");
  }
}

}  // namespace rc3::pipeline
