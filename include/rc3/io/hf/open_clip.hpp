#pragma once
/// Directories of open_clip: open_clip_config.json, and both towers in one file under open_clip's names.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/io/hf/config.hpp"
#include "rc3/io/hf/load.hpp"
#include "rc3/io/hf/open_clip_config.hpp"
#include "rc3/io/weights.hpp"

namespace rc3::io {

/// A model that open_clip wrote: its configuration, and its tensors under the names that transformers gives the towers.
class OpenClip {
 public:
  /// Weights of @p directory. @throws rc3::Error if they are a pickle only
  static std::filesystem::path weights_of(const std::filesystem::path& directory) {
    auto path = directory / "open_clip_model.safetensors";
    require(std::filesystem::exists(path), path.string(),
            ": is missing; open_clip_pytorch_model.bin, a pickle, is not read: save the model again with open_clip, "
            "safe_serialization=True");
    return path;
  }

  /// @throws rc3::Error naming the file that is missing or damaged
  explicit OpenClip(const std::filesystem::path& directory)
      : model_(open_clip_config(directory).section("model_cfg")),
        weights_(std::make_shared<Weights>(weights_of(directory), safetensors::Access::mapped)) {}

  /// "model_cfg", and its parts "vision_cfg" and "text_cfg".
  const Config& model() const { return model_; }
  /// @throws rc3::Error if "vision_cfg" is missing
  Config vision() const { return model_.section("vision_cfg"); }
  /// @throws rc3::Error if "text_cfg" is missing
  Config text() const { return model_.section("text_cfg"); }

  /// Whether there is a tensor of this name of open_clip.
  bool contains(const std::string& name) const { return weights_->readers().contains(name); }
  /// Tensor @p name of open_clip. @throws rc3::Error if it does not exist
  at::Tensor read(const std::string& name) const { return weights_->read(name); }

  /// Tensors of the image tower, as CLIPVisionModelWithProjection names them. open_clip holds query, key and value as
  /// one matrix, and the projection transposed.
  TensorSource vision_tensors() const {
    TensorSource source{weights_->path().string(), {}};
    auto tower = tensors("visual.");
    for (auto& [own, entry] : tower.entries) {
      if (const auto at = own.find(".attn.in_proj_"); at != std::string::npos) {
        for (std::size_t part = 0; part < 3; ++part)
          source.add(join(block(own.substr(0, at)), ".self_attn.", "qkv"[part], "_proj.", own.substr(at + 14)),
                     [read = entry.read, part] { return read().chunk(3)[part]; });
      } else if (own == "proj") {
        source.add("visual_projection.weight", [read = entry.read] { return read().t(); });
      } else {
        source.entries.emplace(vision_name(own), std::move(entry));
      }
    }
    return source;
  }

  /// Tensors whose names start with @p prefix, without it.
  TensorSource tensors(const std::string& prefix) const { return source_of(weights_, prefix); }

 private:
  /// "transformer.resblocks.7" -> "encoder.layers.7".
  static std::string block(const std::string& name) {
    constexpr std::string_view ours = "transformer.resblocks.";
    return name.starts_with(ours) ? "encoder.layers." + name.substr(ours.size()) : name;
  }

  static std::string vision_name(const std::string& own) {
    for (const auto& [theirs, name] : {std::pair{"class_embedding", "embeddings.class_embedding"},
                                       std::pair{"positional_embedding", "embeddings.position_embedding.weight"},
                                       std::pair{"conv1.weight", "embeddings.patch_embedding.weight"}})
      if (own == theirs) return name;
    auto name = block(own);
    for (const auto& [theirs, other] : {std::pair{"ln_pre.", "pre_layrnorm."}, std::pair{"ln_post.", "post_layernorm."},
                                        std::pair{".ln_1.", ".layer_norm1."}, std::pair{".ln_2.", ".layer_norm2."},
                                        std::pair{".attn.out_proj.", ".self_attn.out_proj."},
                                        std::pair{".mlp.c_fc.", ".mlp.fc1."}, std::pair{".mlp.c_proj.", ".mlp.fc2."}})
      if (const auto at = name.find(theirs); at != std::string::npos)
        return name.replace(at, std::string_view(theirs).size(), other);
    return name;
  }

  Config model_;
  std::shared_ptr<Weights> weights_;
};

}  // namespace rc3::io
