#pragma once
/// Definitions of text::Bert.

#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>

#include <optional>
#include <string_view>

#include "rc3/core/nn/dropout.hpp"
#include "rc3/text/bert.hpp"
#include "rc3/text/detail/check_texts.hpp"

namespace rc3::text {

namespace detail {

/// Pooling of sentence-transformers, if the directory states it.
inline std::optional<Pooling> read_pooling(const std::filesystem::path& directory) {
  const auto file = directory / "1_Pooling" / "config.json";
  if (!std::filesystem::exists(file)) return {};
  const auto json = io::read_json(file);
  if (io::get_or(json, "pooling_mode_cls_token", file.string(), false)) return Pooling::first;
  require(io::get_or(json, "pooling_mode_mean_tokens", file.string(), false), file.string(),
          ": neither pooling_mode_mean_tokens nor pooling_mode_cls_token is true; only these are computed here");
  return Pooling::mean;
}

/// Names of a norm's weight and bias in old BERT files.
inline std::string modern_norm(std::string name) {
  for (const auto& [old, now] : {std::pair{".gamma", ".weight"}, std::pair{".beta", ".bias"}})
    if (name.ends_with(old)) name.replace(name.size() - std::string_view(old).size(), std::string::npos, now);
  return name;
}

}  // namespace detail

inline BertOptions BertOptions::from_config(const std::filesystem::path& directory) {
  const io::Config config(directory);
  const auto type = config.model_type({"bert", "xlm-roberta"});
  BertOptions o;
  o.vocabulary = config.size("vocab_size");
  o.width = config.size("hidden_size");
  o.layers = config.size("num_hidden_layers", 1, 1000);
  o.heads = config.size("num_attention_heads");
  o.feed_forward = config.size("intermediate_size");
  o.positions = config.size("max_position_embeddings");
  o.types = config.size("type_vocab_size");
  o.norm_eps = config.positive("layer_norm_eps");
  o.dropout = config.dropout("hidden_dropout_prob", 0.1);
  config.one_of("hidden_act", {"gelu"});
  config.only<std::string>("position_embedding_type", "absolute");
  config.only("is_decoder", false);
  if (type == "xlm-roberta") o.first_position = config.size("pad_token_id", 0) + 1;
  o.pooling = detail::read_pooling(directory).value_or(o.pooling);
  return o;
}

inline nlohmann::json BertOptions::to_config() const {
  const bool xlm_r = first_position > 0;
  return {{"model_type", xlm_r ? "xlm-roberta" : "bert"},
          {"architectures", {xlm_r ? "XLMRobertaModel" : "BertModel"}},
          {"vocab_size", vocabulary},
          {"hidden_size", width},
          {"num_hidden_layers", layers},
          {"num_attention_heads", heads},
          {"intermediate_size", feed_forward},
          {"max_position_embeddings", positions},
          {"type_vocab_size", types},
          {"layer_norm_eps", norm_eps},
          {"hidden_dropout_prob", dropout},
          {"attention_probs_dropout_prob", dropout},
          {"hidden_act", "gelu"},
          {"pad_token_id", xlm_r ? first_position - 1 : 0},
          {"bos_token_id", 0},
          {"eos_token_id", 2},
          {"dtype", "float32"}};
}

inline Bert::Bert(BertOptions options) : options_(options) {
  const auto d = options.width;
  word_ = register_module("word", torch::nn::Embedding(options.vocabulary, d));
  position_ = register_module("position", torch::nn::Embedding(options.positions, d));
  type_ = register_module("type", torch::nn::Embedding(options.types, d));
  norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({d}).eps(options.norm_eps)));
  layers_ = register_module("layers", torch::nn::ModuleList());
  for (std::int64_t i = 0; i < options.layers; ++i)
    layers_->push_back(std::make_shared<nn::TransformerLayer>(nn::TransformerLayerOptions{
        d, options.heads, options.feed_forward, options.dropout, options.norm_eps, nn::Norm::post}));
}

namespace detail {
/// Tensor names of a BERT encoder: BERT, XLM-R and every e5 model. Poolers and heads are not loaded.
inline const io::Layout& bert_layout() {
  static const io::Layout layout{
      .rules = {{"word.", "embeddings.word_embeddings."},
                {"position.", "embeddings.position_embeddings."},
                {"type.", "embeddings.token_type_embeddings."},
                {"norm.", "embeddings.LayerNorm."},
                {"layers.#.query.", "encoder.layer.#.attention.self.query."},
                {"layers.#.key.", "encoder.layer.#.attention.self.key."},
                {"layers.#.value.", "encoder.layer.#.attention.self.value."},
                {"layers.#.attention_output.", "encoder.layer.#.attention.output.dense."},
                {"layers.#.attention_norm.", "encoder.layer.#.attention.output.LayerNorm."},
                {"layers.#.inner.", "encoder.layer.#.intermediate.dense."},
                {"layers.#.output.", "encoder.layer.#.output.dense."},
                {"layers.#.output_norm.", "encoder.layer.#.output.LayerNorm."}},
      .prefixes = {"bert.", "roberta."},
      .ignore = {"pooler\\..*", "lm_head\\..*", "cls\\..*", "classifier\\..*", "embeddings\\.position_ids"},
      .modern = modern_norm};
  return layout;
}
}  // namespace detail

inline std::shared_ptr<Bert> Bert::from_pretrained(const std::filesystem::path& directory, io::LoadReport* report) {
  const nn::Uninitialized all_are_read(report == nullptr);
  auto bert = io::made(directory.string(), [&] { return std::make_shared<Bert>(BertOptions::from_config(directory)); });
  io::load_pretrained(*bert, directory, detail::bert_layout(), report);
  return bert;
}

inline void Bert::save_pretrained(const std::filesystem::path& directory) const {
  io::save_pretrained(*this, directory, detail::bert_layout(), options_.to_config());
}

inline at::Tensor Bert::embed(const Texts& texts) {
  const auto first = options_.first_position;
  detail::check_texts("text::Bert", texts, options_.vocabulary, options_.positions - first);
  // BERT counts columns. XLM-R counts tokens, and padding has the position before the first.
  const auto positions = first == 0 ? at::arange(texts.ids.size(1), texts.ids.options()).unsqueeze(0)
                                    : at::cumsum(texts.mask, 1) * texts.mask + (first - 1);
  return norm_->forward(word_->forward(texts.ids) + position_->forward(positions) + type_->weight[0]);
}

inline Tokens Bert::lower(const Texts& texts) {
  if (frozen_ < 0) return {nn::dropout(embed(texts), options_.dropout, is_training()), texts.mask};
  c10::NoGradGuard no_grad;
  const auto at = [this](std::int64_t i) -> nn::TransformerLayer& { return layer(i); };
  return {nn::forward(embed(texts), texts.mask, 0, frozen_, at), texts.mask};
}

inline Tokens Bert::upper(const Tokens& hidden) {
  const auto at = [this](std::int64_t i) -> nn::TransformerLayer& { return layer(i); };
  const auto x = nn::forward(hidden.values, hidden.mask, std::max<std::int64_t>(frozen_, 0), options_.layers, at);
  return {x * hidden.mask.unsqueeze(-1), hidden.mask};
}

inline at::Tensor Bert::pool(const Tokens& tokens) {
  check_shape("text::Bert", "tokens", tokens.values, {{'B'}, {'L'}, {'D', width()}});
  if (options_.pooling == Pooling::first) return tokens.values.select(1, 0);
  const auto weight = tokens.mask.unsqueeze(-1).to(tokens.values.scalar_type());
  return (tokens.values * weight).sum(1) / weight.sum(1).clamp_min(1);
}

inline void Bert::freeze_lower(std::int64_t layers) {
  require(layers >= 0 && layers <= options_.layers, "text::Bert: freeze_lower(", layers, "), but there are ",
          options_.layers, " layers");
  frozen_ = layers;
  nn::freeze(*this, false);
  for (torch::nn::Module* part :
       {static_cast<torch::nn::Module*>(word_.get()), static_cast<torch::nn::Module*>(position_.get()),
        static_cast<torch::nn::Module*>(type_.get()), static_cast<torch::nn::Module*>(norm_.get())})
    nn::freeze(*part);
  for (std::int64_t i = 0; i < layers; ++i) nn::freeze(layer(i));
}

static_assert(Policy<Bert>);

}  // namespace rc3::text
