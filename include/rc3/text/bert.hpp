#pragma once
/// BERT encoders: BERT, multilingual-e5-small and, with other position ids, XLM-R and larger e5 models.

#include <ATen/ops/arange.h>
#include <ATen/ops/cumsum.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/embedding.h>

#include <filesystem>
#include <memory>

#include <nlohmann/json.hpp>

#include "rc3/config/fields.hpp"
#include "rc3/core/batch.hpp"
#include "rc3/core/nn/state.hpp"
#include "rc3/core/nn/transformer_stack.hpp"
#include "rc3/io/hf.hpp"
#include "rc3/text/concept.hpp"

namespace rc3::text {

/// Pooling of a text's tokens.
enum class Pooling {
  mean,  ///< mean over the tokens of the mask, for multilingual-e5
  first  ///< the first token, `<s>`, for classifiers on XLM-R
};

/// Sizes and pooling of a Bert encoder.
struct BertOptions {
  std::int64_t vocabulary = 250037;  ///< K, rows of the word embedding, > 0
  std::int64_t width = 384;          ///< D, > 0
  std::int64_t layers = 12;          ///< >= 1
  std::int64_t heads = 12;           ///< H, divides D
  std::int64_t feed_forward = 1536;  ///< inner width of a layer, > 0
  std::int64_t positions = 512;      ///< rows of the position embedding, > 0
  std::int64_t types = 2;            ///< rows of the token type embedding; type 0 is used
  std::int64_t first_position = 0;   ///< position id of the first token: 0 in BERT, pad id + 1 = 2 in XLM-R
  double norm_eps = 1e-12;           ///< above 0
  double dropout = 0.1;              ///< in training, probability in [0, 1)
  Pooling pooling = Pooling::mean;   ///< how pool() makes float [B, D] of the tokens' [B, L, D]

  /// Reads a config.json. @throws rc3::Error naming the file and the missing or invalid key
  static BertOptions from_config(const std::filesystem::path& directory);
  /// config.json with these sizes: "xlm-roberta" if first_position is above 0, else "bert".
  nlohmann::json to_config() const;
};

template <class V>
void visit_fields(BertOptions& o, V&& v) {
  v("vocabulary", o.vocabulary, "rows of the word embedding", config::above(0));
  v("width", o.width, "width of a token", config::above(0));
  v("layers", o.layers, "layers", config::at_least(1));
  v("heads", o.heads, "attention heads; divide the width", config::above(0));
  v("feed_forward", o.feed_forward, "inner width of a layer", config::above(0));
  v("positions", o.positions, "rows of the position embedding", config::above(0));
  v("types", o.types, "rows of the token type embedding", config::above(0));
  v("first_position", o.first_position, "position id of the first token: 0 in BERT, pad id + 1 in XLM-R",
    config::at_least(0));
  v("norm_eps", o.norm_eps, "epsilon of the norms", config::above(0));
  v("dropout", o.dropout, "in training", config::from_to_below(0, 1));
  v("pooling", o.pooling, "pooling of a text's tokens");
}

/// Token embeddings and a stack of post-norm transformer layers.
/// Source: Devlin et al. 2019 (BERT); Wang et al. 2024 (multilingual E5).
class Bert : public torch::nn::Module {
 public:
  /// Random weights. @throws rc3::Error if `heads` does not divide `width`
  explicit Bert(BertOptions options);

  /// Loads a Hugging Face directory: config.json and model.safetensors.
  /// @param report  if given, receives the name of every tensor, and a missing or unused one is not an error
  /// @throws rc3::Error naming the file, and the key or tensor that is missing, unknown or of another shape
  static std::shared_ptr<Bert> from_pretrained(const std::filesystem::path& directory,
                                               io::LoadReport* report = nullptr);

  /// Writes config.json and model.safetensors for transformers. @throws rc3::Error if writing fails
  void save_pretrained(const std::filesystem::path& directory) const;

  /// @param texts  ids int64 [B, L] (or hidden [B, L, D] from `lower`), mask bool [B, L]; 1 <= L <= positions -
  ///         first_position
  /// @return Tokens [B, L, D]; rows of padding are zero
  /// @throws rc3::Error for another shape or type, and on the CPU for ids outside the vocabulary or a text without
  ///         tokens
  Tokens encode(const Texts& texts) {
    return upper(texts.hidden.defined() ? Tokens{texts.hidden, texts.mask} : lower(texts));
  }

  /// Frozen layers of `encode`: embeddings and frozen layers. The output may be cached.
  /// @param texts  as `encode` takes them  @return Tokens [B, L, D]
  Tokens lower(const Texts& texts);

  /// Trainable layers of `encode`, on the output of `lower`.
  /// @param hidden  Tokens [B, L, D]  @return Tokens [B, L, D]; rows of padding are zero
  Tokens upper(const Tokens& hidden);

  /// One vector per text, by `options().pooling`; not normalised. @return float [B, D]
  at::Tensor pool(const Tokens& tokens);

  /// Word embedding [K, D], shared with a masked-language-model head.
  const at::Tensor& word_embedding() const { return word_->weight; }

  std::int64_t width() const { return options_.width; }  ///< D, of a token and of a pooled text
  const BertOptions& options() const { return options_; }

  /// Freezes the embeddings and the first @p layers layers, and unfreezes the others. @pre 0 <= layers
  void freeze_lower(std::int64_t layers);

  /// Layers of `lower`. -1: nothing is frozen, not even the embeddings.
  std::int64_t frozen_layers() const { return frozen_; }

 private:
  at::Tensor embed(const Texts& texts);
  nn::TransformerLayer& layer(std::int64_t i) {
    return *layers_[static_cast<std::size_t>(i)]->as<nn::TransformerLayer>();
  }

  BertOptions options_;
  std::int64_t frozen_ = -1;
  torch::nn::Embedding word_{nullptr}, position_{nullptr}, type_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::ModuleList layers_;
};

}  // namespace rc3::text

namespace rc3::config {

template <>
struct Names<text::Pooling> {
  static constexpr const char* all[] = {"mean", "first"};
};

}  // namespace rc3::config

#include "rc3/text/detail/bert_impl.hpp"
