#pragma once
/// Writing of a model directory.

#include <filesystem>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "rc3/config/json.hpp"
#include "rc3/core/nn/state.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/folder_writer.hpp"
#include "rc3/io/safetensors.hpp"
#include "rc3/pipeline/architecture.hpp"
#include "rc3/pipeline/directory.hpp"
#include "rc3/pipeline/pipeline.hpp"

namespace rc3 {

namespace pipeline {

/// rc3::save with a replaceable operating system. @tparam System  io::System, or a replacement in tests
template <class M, class System>
void save(const Pipeline<M>& pipeline, std::filesystem::path path, System& system) {
  static_assert(Diagnosis<M>::said);
  if (!path.has_filename()) path = path.parent_path();  // "runs/first/"
  require(pipeline.model != nullptr, path.string(), ": cannot save a pipeline without a model");
  config::check(pipeline.images, path.string() + ": images");
  check_replaceable(path);
  if (path.has_parent_path()) io::make_folder(path.parent_path());
  const auto variant = type_name<M>();
  nlohmann::ordered_json json{{"format", format}, {"version", version}, {"variant", variant}};
  json["architecture"] = describe(*pipeline.model);
  json["tokenizer"] = {{"type", type_name<typename TokenizerOf<M>::type>()},
                       {"options", config::to_json(pipeline.tokenizer.options())}};
  json["images"] = config::to_json(pipeline.images);
  json["card"] = config::to_json(pipeline.card);

  io::FolderWriter<System> writer(path, system);
  writer.begin(weights_file);
  io::safetensors::write(writer, (path / weights_file).string(), nn::named_state(*pipeline.model),
                         {{"format", "pt"}, {"rc3.variant", variant}});
  for (const auto& [name, content] : pipeline.tokenizer.files()) {
    writer.begin(name);
    writer.write(content);
  }
  for (const auto& file : writer.files()) json["files"][file.name] = {{"size", file.size}, {"crc32c", file.checksum}};
  writer.begin(card_file);
  writer.write(markdown(pipeline.card, variant));
  writer.begin(config_file);
  writer.write(json.dump(2) + '\n');
  writer.commit();
}

}  // namespace pipeline

/// Writes a model directory: config.json, model.safetensors, the tokenizer's files and README.md, the model card. It
/// appears complete or not at all; an existing model directory of this name is then replaced.
/// @throws rc3::Error if @p directory has other files, or cannot be written; it is then unchanged
template <class M>
void save(const Pipeline<M>& pipeline, const std::filesystem::path& directory) {
  io::System system;
  pipeline::save(pipeline, directory, system);
}

}  // namespace rc3
