#pragma once
/// Model of one of several types, chosen at run time, behind one type.

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "rc3/config/json.hpp"
#include "rc3/core/batch.hpp"
#include "rc3/core/digits.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/pipeline/from_transformers.hpp"
#include "rc3/pipeline/identity.hpp"
#include "rc3/pipeline/load.hpp"
#include "rc3/pipeline/pipeline.hpp"
#include "rc3/pipeline/pooled_tokens.hpp"

namespace rc3 {

/// Tokenizer of any type. A cheap handle, thread-safe.
class AnyTokenizer {
 public:
  /// @param tokenizer  with encode(), pad_id() and options(), a config::Configuration; copied into the handle
  template <class Tokenizer>
  explicit AnyTokenizer(Tokenizer tokenizer)
      : pad_id_(tokenizer.pad_id()), options_(config::to_json(tokenizer.options()).dump()) {
    encode_ = [tokenizer = std::move(tokenizer)](std::string_view text) { return tokenizer.encode(text); };
  }

  /// Ids of @p text. @throws rc3::Error as the tokenizer inside
  std::vector<std::int64_t> encode(std::string_view text) const { return encode_(text); }
  std::int64_t pad_id() const { return pad_id_; }  ///< id that fills short texts
  /// Options of the tokenizer inside, as JSON.
  const std::string& options_json() const { return options_; }

 private:
  std::int64_t pad_id_;
  std::string options_;
  std::function<std::vector<std::int64_t>(std::string_view)> encode_;
};

/// Model of any type, with the functions that Embedder and ImageIndex call. One compiled Embedder<AnyModel> then serves
/// every type of model.
class AnyModel : public torch::nn::Module {
 public:
  using Tokenizer = AnyTokenizer;  ///< what Pipeline<AnyModel> holds

  /// Shares @p model, which must not be null. Its parameters have the prefix "model.".
  template <class M>
  explicit AnyModel(std::shared_ptr<M> model) : model_(std::make_unique<Held<M>>(model)) {
    register_module("model", std::move(model));
  }

  /// @param to_fuse  as Model's
  /// @return Tokens [B, V, D]
  Tokens visual(const Images& images, bool to_fuse = true) { return model_->visual(images, to_fuse); }
  /// @param to_fuse  as Model's  @return Tokens [B, L, D]
  Tokens text(const Texts& texts, bool to_fuse = true) { return model_->text(texts, to_fuse); }
  /// @return unit-norm embeddings, float [B, E]
  at::Tensor image_embedding(const Tokens& visual) { return model_->image_embedding(visual); }
  /// @return unit-norm embeddings, float [B, E]
  at::Tensor text_embedding(const Tokens& text) { return model_->text_embedding(text); }

  /// Whether the model fuses images and texts: dual encoders do not.
  bool matches() const { return model_->matches; }
  /// @return z, float [B, D] @throws rc3::Error unless matches()
  at::Tensor fuse(const Tokens& visual, const Tokens& text) { return model_->fuse(visual, text); }
  /// @return logits, float [B] @throws rc3::Error unless matches()
  at::Tensor itm_logits(const at::Tensor& z) { return model_->itm_logits(z); }

  /// Type of the model inside.
  const std::string& variant() const { return model_->variant; }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual Tokens visual(const Images&, bool to_fuse) = 0;
    virtual Tokens text(const Texts&, bool to_fuse) = 0;
    virtual at::Tensor image_embedding(const Tokens&) = 0;
    virtual at::Tensor text_embedding(const Tokens&) = 0;
    virtual at::Tensor fuse(const Tokens&, const Tokens&) = 0;
    virtual at::Tensor itm_logits(const at::Tensor&) = 0;
    std::string variant;
    bool matches = false;
  };

  template <class M>
  struct Held final : Interface {
    static constexpr bool can_match = requires(M & m, const Tokens& t) { m.itm_logits(m.fuse(t, t)); };
    explicit Held(std::shared_ptr<M> m) : model(std::move(m)) {
      this->variant = type_name<M>();
      this->matches = can_match;
    }
    Tokens visual(const Images& images, bool to_fuse) override {
      return to_fuse ? model->visual(images) : pipeline::tokens_to_pool(*model, images);
    }
    Tokens text(const Texts& texts, bool to_fuse) override {
      return to_fuse ? model->text(texts) : pipeline::tokens_to_pool(*model, texts);
    }
    at::Tensor image_embedding(const Tokens& tokens) override { return model->image_embedding(tokens); }
    at::Tensor text_embedding(const Tokens& tokens) override { return model->text_embedding(tokens); }
    at::Tensor fuse([[maybe_unused]] const Tokens& visual, [[maybe_unused]] const Tokens& text) override {
      if constexpr (can_match)
        return model->fuse(visual, text);
      else
        fail(this->variant, ": has no image-text matching, so that it cannot re-rank; compare embeddings");
    }
    at::Tensor itm_logits([[maybe_unused]] const at::Tensor& z) override {
      if constexpr (can_match)
        return model->itm_logits(z);
      else
        fail(this->variant, ": has no image-text matching");
    }
    std::shared_ptr<M> model;
  };

  std::unique_ptr<Interface> model_;
};

/// The same pipeline behind one type. Its identity is that of @p pipeline, so that both read one index.
/// @throws rc3::Error without a model
template <class M>
Pipeline<AnyModel> any_pipeline(const Pipeline<M>& pipeline) {
  require(pipeline.model != nullptr, "rc3::any_pipeline: the pipeline has no model");
  auto checksum = pipeline.checksum;
  if (const auto version = pipeline::weights_version(*pipeline.model);
      checksum.value.empty() || checksum.version != version)
    checksum = {hexadecimal(pipeline::weights_checksum(*pipeline.model)), version};
  return {std::make_shared<AnyModel>(pipeline.model), AnyTokenizer(pipeline.tokenizer), pipeline.images, pipeline.card,
          std::move(checksum)};
}

/// The pipeline in @p path, a model directory or one that transformers wrote, of that one of @p Models which its
/// config.json names.
/// @throws rc3::Error as load(), and naming all @p Models if the directory holds none of them
template <class... Models>
Pipeline<AnyModel> load_any_model(const std::filesystem::path& path) {
  static_assert(sizeof...(Models) > 0, "rc3::load_any_model: name one model type at least");
  std::string known;
  using Load = Pipeline<AnyModel> (*)(const std::filesystem::path&);
  Load chosen = nullptr;
  const auto type = pipeline::transformers_type(path);
  const auto variant = type.empty() ? pipeline::open_directory(path).variant : std::string();
  const auto consider = [&]<class M>(std::type_identity<M>) {
    bool right = variant == type_name<M>();
    known += "\n  " + type_name<M>();
    if constexpr (pipeline::FromTransformers<M>) {
      known += join(", from transformers: \"", M::model_type, '"');
      right = right || (!type.empty() && type == M::model_type);
    }
    if (right) chosen = [](const std::filesystem::path& p) { return any_pipeline(load<M>(p)); };
  };
  (consider(std::type_identity<Models>{}), ...);
  require(chosen != nullptr, path.string(), ": holds ",
          type.empty() ? "a " + variant : "a model of transformers, \"" + type + '"', "; this program has:", known);
  return chosen(path);
}

}  // namespace rc3
