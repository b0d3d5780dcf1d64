#pragma once
/// Weights of an earlier run, for option `init`.

#include <filesystem>
#include <type_traits>
#include <utility>

#include "rc3/io/safetensors.hpp"
#include "rc3/pipeline/architecture.hpp"
#include "rc3/pipeline/load.hpp"
#include "rc3/train/checkpoint.hpp"

namespace rc3::experiment {

namespace detail {

/// @throws rc3::Error naming the first place where @p file's value differs from @p own
inline void check_equal(const nlohmann::ordered_json& file, const nlohmann::ordered_json& own, const std::string& place,
                        const std::string& where, const std::string& weights) {
  if (file == own) return;
  if (file.is_structured() && own.is_structured() && file.type() == own.type()) {
    for (const auto& [key, value] : own.items()) {
      const auto* other = file.is_object() ? (file.contains(key) ? &file.at(key) : nullptr)
                                           : (std::stoul(key) < file.size() ? &file.at(std::stoul(key)) : nullptr);
      if (other != nullptr) check_equal(*other, value, place + '/' + key, where, weights);
    }
  }
  fail("init: ", where, ": architecture", place, " is ", io::short_text(file), ", the program's is ",
       io::short_text(own), "; --init ", weights, " takes the weights in spite of it");
}

}  // namespace detail

/// Reads the weights at @p path into @p trained, a Pretrainer: of a model directory of the same architecture, or of a
/// file `model.safetensors` of the model or of a checkpoint.
/// @throws rc3::Error naming file and reason; for a model directory also the first option that differs
template <class Trained>
void init_weights(const std::filesystem::path& path, Trained& trained) {
  using Model = std::remove_cvref_t<decltype(*trained.model())>;
  if (std::filesystem::is_directory(path)) {
    if constexpr (pipeline::Describable<Model>) {
      const auto directory = pipeline::open_directory(path);
      pipeline::check_variant(directory, Model::name());
      detail::check_equal(directory.at("architecture"), pipeline::describe(*trained.model()), "", directory.where(),
                          (path / pipeline::weights_file).string());
      io::verify_files(path, directory.files, pipeline::config_file);
      pipeline::load_weights(directory, *trained.model());
      return;
    }
    fail("init: ", path.string(), ": is a directory; give the file ", pipeline::weights_file, " in it");
  }
  const io::safetensors::Reader file(path);
  const auto& metadata = file.header().metadata;
  const auto variant = metadata.find("rc3.variant");
  if (variant != metadata.end() && variant->second == Model::name())
    train::load_checkpoint(path, *trained.model(), Model::name());
  else
    train::load_checkpoint(path, trained, Trained::name());
}

}  // namespace rc3::experiment
