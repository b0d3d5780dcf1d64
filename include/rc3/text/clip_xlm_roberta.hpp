#pragma once
/// Text tower of open_clip's multilingual models: XLM-R, the mean of its tokens, and a projection.

#include <ATen/ops/gelu.h>
#include <torch/nn/modules/linear.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "rc3/config/fields.hpp"
#include "rc3/core/nn/linear.hpp"
#include "rc3/core/nn/uninitialized.hpp"
#include "rc3/io/hf/made.hpp"
#include "rc3/io/hf/open_clip.hpp"
#include "rc3/text/concept.hpp"
#include "rc3/text/tokenizer.hpp"
#include "rc3/text/xlm_roberta.hpp"

namespace rc3::text {

/// Options; the defaults are xlm-roberta-base-ViT-B-32.
struct ClipXlmRobertaOptions : BertOptions {
  ClipXlmRobertaOptions() : BertOptions(XlmRoberta::base()) {}

  std::int64_t projection = 512;  ///< E, width of the space shared with images, > 0
  std::int64_t hidden = 640;      ///< inner width of the projection; 0: one linear map

  /// Reads open_clip_config.json, and sizes of the text tower from its tensors: the configuration only names the model.
  /// @throws rc3::Error naming the file and the missing or invalid key, and for a text tower that is not XLM-R
  static ClipXlmRobertaOptions from_open_clip(const io::OpenClip& files);
};

template <class V>
void visit_fields(ClipXlmRobertaOptions& o, V&& v) {
  visit_fields(static_cast<BertOptions&>(o), v);
  v("projection", o.projection, "width of the space shared with images", config::above(0));
  v("hidden", o.hidden, "inner width of the projection; 0: one linear map", config::at_least(0));
}

/// Source: Ilharco et al. 2021 (OpenCLIP), xlm-roberta-base-ViT-B-32 and xlm-roberta-large-ViT-H-14.
class ClipXlmRoberta : public XlmRoberta {
 public:
  static constexpr std::string_view dual_model_type = "open_clip";  ///< of a directory of both towers

  /// Random weights. @throws rc3::Error if `heads` does not divide `width`
  explicit ClipXlmRoberta(ClipXlmRobertaOptions options = {}) : XlmRoberta(options), clip_(options) {
    const auto linear = [](std::int64_t in, std::int64_t out) {
      return torch::nn::Linear(torch::nn::LinearOptions(in, out).bias(false));
    };
    if (options.hidden > 0) inner_ = register_module("inner_projection", linear(options.width, options.hidden));
    projection_ =
        register_module("projection", linear(options.hidden > 0 ? options.hidden : options.width, options.projection));
  }

  /// Loads the text tower of a directory of open_clip.
  /// @throws rc3::Error naming the file, and the key or tensor that is missing, unknown or of another shape
  static std::shared_ptr<ClipXlmRoberta> from_pretrained(const std::filesystem::path& directory);

  /// The tokenizer's options: open_clip trains on 77 tokens.
  static TokenizerOptions tokenizer_options(const std::filesystem::path& directory) {
    const auto text = io::open_clip_config(directory).section("model_cfg").section("text_cfg");
    return {.max_length = text.has("context_length") ? text.size("context_length", 3, 512) : 77};
  }

  /// @param pooled  float [B, D]  @return float [B, E], not normalised
  at::Tensor project(const at::Tensor& pooled) {
    return nn::linear(projection_, inner_ ? at::gelu(nn::linear(inner_, pooled)) : pooled);
  }

  std::int64_t projection_width() const { return clip_.projection; }  ///< E
  const ClipXlmRobertaOptions& options() const { return clip_; }

 private:
  ClipXlmRobertaOptions clip_;
  torch::nn::Linear inner_{nullptr}, projection_{nullptr};
};

inline ClipXlmRobertaOptions ClipXlmRobertaOptions::from_open_clip(const io::OpenClip& files) {
  const auto text = files.text();
  require(text.has("hf_model_name"), text.where(),
          ": the text tower is CLIP's own; rc3::Clip reads the directory that transformers writes of such a model");
  const auto name = io::get<std::string>(text.json(), "hf_model_name", text.where());
  require(name.find("xlm-roberta-") != std::string::npos, text.where(), ": hf_model_name is \"", name,
          "\"; the text tower that is read is XLM-R");
  io::only_keys(text, {"hf_model_name", "hf_tokenizer_name", "hf_model_pretrained", "hf_proj_type", "hf_pooler_type",
                       "proj", "pooler_type", "context_length", "vocab_size"});
  for (const char* key : {"hf_pooler_type", "pooler_type"})
    if (text.has(key)) text.one_of(key, {"mean_pooler"});

  const auto shape = [&](const std::string& tensor) { return files.read("text." + tensor).sizes().vec(); };
  const std::string layer = "transformer.encoder.layer.";
  ClipXlmRobertaOptions o;
  const auto words = shape("transformer.embeddings.word_embeddings.weight");
  o.vocabulary = words.at(0);
  o.width = words.at(1);
  o.positions = shape("transformer.embeddings.position_embeddings.weight").at(0);
  o.types = shape("transformer.embeddings.token_type_embeddings.weight").at(0);
  o.feed_forward = shape(layer + "0.intermediate.dense.weight").at(0);
  for (o.layers = 0; files.contains(join("text.", layer, o.layers, ".output.dense.weight"));) ++o.layers;
  require(o.width % 64 == 0, text.where(), ": XLM-R has heads of width 64, the tensors are ", o.width, " wide");
  o.heads = o.width / 64;
  o.projection = files.model().size("embed_dim", 1, 1'000'000);
  o.hidden = files.contains("text.proj.0.weight") ? shape("proj.0.weight").at(0) : 0;
  return o;
}

inline std::shared_ptr<ClipXlmRoberta> ClipXlmRoberta::from_pretrained(const std::filesystem::path& directory) {
  const io::OpenClip files(directory);
  const nn::Uninitialized all_are_read;
  auto tower = io::made(directory.string(),
                        [&] { return std::make_shared<ClipXlmRoberta>(ClipXlmRobertaOptions::from_open_clip(files)); });
  auto layout = detail::bert_layout();
  layout.prefixes = {"transformer."};
  layout.rules.push_back({"inner_projection.", "proj.0."});
  layout.rules.push_back({"projection.", tower->options().hidden > 0 ? "proj.2." : "proj."});
  io::load_pretrained(*tower, files.tensors("text."), layout);
  return tower;
}

static_assert(Policy<ClipXlmRoberta> && Projects<ClipXlmRoberta>);

}  // namespace rc3::text
