#pragma once
/// Reading of a model directory.

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

#include <exception>
#include <filesystem>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/digits.hpp"
#include "rc3/core/nn/state.hpp"
#include "rc3/core/nn/uninitialized.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/io/folder_writer.hpp"
#include "rc3/io/hf/made.hpp"
#include "rc3/io/safetensors.hpp"
#include "rc3/io/state.hpp"
#include "rc3/pipeline/architecture.hpp"
#include "rc3/pipeline/directory.hpp"
#include "rc3/pipeline/from_transformers.hpp"
#include "rc3/pipeline/identity.hpp"
#include "rc3/pipeline/pipeline.hpp"

namespace rc3 {

namespace pipeline {

/// @throws rc3::Error naming both types unless @p directory holds @p variant
inline void check_variant(const Directory& directory, const std::string& variant) {
  require(directory.variant == variant, directory.path.string(), ": holds a ", directory.variant,
          ", and the program asks for a ", variant);
}

namespace detail {

/// Model of the architecture; its weights have any values.
template <class M>
std::shared_ptr<M> new_model(const Directory& directory) {
  const auto where = directory.where();
  const nn::Uninitialized all_are_read;
  return io::made(where, [&] { return build<M>(directory.at("architecture"), where); });
}

/// Image preparation. The option `pad` is missing in directories that were saved before there was one.
inline preprocess::PreprocessOptions image_options(const Directory& directory) {
  auto json = directory.at("images");
  if (json.is_object() && !json.contains("pad")) json["pad"] = false;
  return all_options<preprocess::PreprocessOptions>(json, directory.where() + ": images");
}

template <class Tokenizer>
Tokenizer new_tokenizer(const Directory& directory) {
  const auto where = directory.where() + ": tokenizer";
  const auto& json = directory.at("tokenizer");
  require(json.is_object() && json.size() == 2 && json.contains("type") && json.contains("options"), where,
          ": {\"type\", \"options\"} is expected");
  require(json.at("type") == type_name<Tokenizer>(), where, ": is a ", io::short_text(json.at("type")),
          ", the program's is ", type_name<Tokenizer>());
  using Options = std::remove_cvref_t<decltype(std::declval<const Tokenizer&>().options())>;
  return Tokenizer::from_pretrained(directory.path, all_options<Options>(json.at("options"), where));
}

}  // namespace detail

/// Reads the weights of @p directory into @p module, which must have the same architecture. They are mapped: read from
/// the disk on first use, shared with other processes; io::Mapping states the restrictions on the file.
/// @throws rc3::Error for damaged files, and tensors that are missing, extra or of another shape; the module is then
///         unchanged
inline void load_weights(const Directory& directory, torch::nn::Module& module) {
  const auto path = directory.path / weights_file;
  const io::safetensors::Reader reader(path, io::safetensors::Access::mapped);
  const auto state = nn::named_state(module);
  io::check_state(reader, path.string(), state);
  c10::NoGradGuard no_grad;
  for (const auto& [name, tensor] : state) nn::assign(tensor, reader.read(name));
}

}  // namespace pipeline

/// The pipeline in @p path, with its model in eval mode, on the CPU. Reads nothing outside the directory. A directory
/// that transformers wrote is read too, if @p M has a class there (rc3::Clip, rc3::Siglip): see from_transformers().
/// @tparam M  type of the model, for example rc3::DefaultModel
/// @throws rc3::Error naming the file: no model directory, a newer version, another type of model, a damaged file, a
///         missing or unknown option, a missing, extra or differently shaped tensor
template <class M>
Pipeline<M> load(const std::filesystem::path& path) {
  static_assert(pipeline::Diagnosis<M>::said);
  if constexpr (pipeline::FromTransformers<M>)
    if (!pipeline::transformers_type(path).empty()) return from_transformers<M>(path);
  const auto directory = pipeline::open_directory(path);
  pipeline::check_variant(directory, type_name<M>());
  for (const auto& [key, value] : directory.config.items())
    require(key == "format" || key == "version" || key == "variant" || key == "architecture" || key == "tokenizer" ||
                key == "images" || key == "card" || key == "files",
            directory.where(), ": the key \"", key, "\" is unknown");
  // The sums are computed, and the tokenizer is read, while the model is built.
  auto verified =
      std::async(std::launch::async, [&] { io::verify_files(path, directory.files, pipeline::config_file); });
  auto tokenizer = std::async(std::launch::async, [&] {
    return pipeline::detail::new_tokenizer<typename pipeline::TokenizerOf<M>::type>(directory);
  });
  auto model = pipeline::detail::new_model<M>(directory);
  verified.get();  // a damaged file is said before what cannot be read of it
  pipeline::load_weights(directory, *model);
  model->eval();
  pipeline::WeightsChecksum checksum{{}, pipeline::weights_version(*model)};
  for (const auto& file : directory.files)
    if (file.name == pipeline::weights_file) checksum.value = hexadecimal(file.checksum);
  return {std::move(model), tokenizer.get(), pipeline::detail::image_options(directory),
          pipeline::all_options<ModelCard>(directory.at("card"), directory.where() + ": card"), std::move(checksum)};
}

}  // namespace rc3
