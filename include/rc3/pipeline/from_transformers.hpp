#pragma once
/// Pipelines from the directories that transformers and open_clip write.

#include <concepts>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "rc3/io/hf/config.hpp"
#include "rc3/io/hf/made.hpp"
#include "rc3/io/hf/open_clip_config.hpp"
#include "rc3/pipeline/directory.hpp"
#include "rc3/pipeline/pipeline.hpp"
#include "rc3/preprocess/preprocess.hpp"

namespace rc3 {

namespace pipeline {

/// A model of images and texts that reads the directory of its class in transformers or open_clip: rc3::Clip,
/// rc3::Siglip, rc3::XlmRobertaClip.
template <class M>
concept FromTransformers = requires(const std::filesystem::path& path) {
  { M::from_pretrained(path) } -> std::same_as<std::shared_ptr<M>>;
  {std::string(M::model_type)};
  M::tokenizer(path);
};

/// "model_type" of config.json in @p path, if transformers wrote the directory; "open_clip" if open_clip did; empty for
/// any other directory.
inline std::string transformers_type(const std::filesystem::path& path) {
  if (io::is_open_clip(path)) return "open_clip";
  if (!std::filesystem::exists(path / config_file)) return "";
  const auto where = (path / config_file).string();
  const auto json = io::read_json(path / config_file);
  if (!json.is_object() || json.contains("format") || !json.contains("model_type")) return "";
  return io::get<std::string>(json, "model_type", where);
}

}  // namespace pipeline

/// The pipeline of a directory that transformers or open_clip wrote: weights, tokenizer and image processor. The model
/// is in eval mode. The card names the directory; the weights' licence is with their publisher.
/// @throws rc3::Error naming the file, and what is missing, unknown or of another form
template <pipeline::FromTransformers M>
Pipeline<M> from_transformers(const std::filesystem::path& path) {
  auto model = io::made(path.string(), [&] { return M::from_pretrained(path); });
  model->eval();
  Pipeline<M> out{std::move(model), M::tokenizer(path), preprocess::Preprocess::from_pretrained(path).options()};
  const auto name = std::filesystem::absolute(path).lexically_normal();
  out.card.title = (name.has_filename() ? name : name.parent_path()).filename().string();
  out.card.weights = {{out.card.title, "", name.string()}};
  return out;
}

}  // namespace rc3
