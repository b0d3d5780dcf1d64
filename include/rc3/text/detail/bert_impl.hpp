#pragma once
/// Bodies of text::Bert.

#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>

#include "rc3/text/bert.hpp"

namespace rc3::text {

inline BertOptions BertOptions::from_config(const std::filesystem::path& directory) {
  const auto config = io::read_config(directory);
  const auto where = (directory / "config.json").string();
  const auto integer = [&](const char* key, std::int64_t least = 1, std::int64_t most = 10'000'000) {
    const auto value = io::get<std::int64_t>(config, key, where);
    require(value >= least && value <= most, where, ": ", key, " must lie in ", least, " to ", most, ", is ", value);
    return value;
  };
  BertOptions o;
  o.vocabulary = integer("vocab_size");
  o.width = integer("hidden_size");
  o.layers = integer("num_hidden_layers", 1, 1000);
  o.heads = integer("num_attention_heads");
  o.feed_forward = integer("intermediate_size");
  o.positions = integer("max_position_embeddings");
  o.types = integer("type_vocab_size");
  o.norm_eps = io::get<double>(config, "layer_norm_eps", where);
  o.dropout = io::get_or<double>(config, "hidden_dropout_prob", where, 0.1);
  const auto activation = io::get<std::string>(config, "hidden_act", where);
  require(activation == "gelu", where, ": hidden_act is \"", activation, "\", text::Bert computes \"gelu\"");
  const auto type = io::get<std::string>(config, "model_type", where);
  require(type == "bert" || type == "xlm-roberta", where, ": model_type is \"", type,
          "\"; text::Bert loads \"bert\", text::XlmRoberta \"xlm-roberta\"");
  if (type == "xlm-roberta") o.first_position = integer("pad_token_id", 0) + 1;
  return o;
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
/// The name in our tree of a tensor in a BERT checkpoint.
inline std::string bert_name(std::string key) {
  static constexpr std::pair<std::string_view, std::string_view> renames[] = {
      {"embeddings.word_embeddings", "word"},
      {"embeddings.position_embeddings", "position"},
      {"embeddings.token_type_embeddings", "type"},
      {"embeddings.LayerNorm", "norm"},
      {"encoder.layer.", "layers."},
      {"attention.self.", ""},
      {"attention.output.dense", "attention_output"},
      {"attention.output.LayerNorm", "attention_norm"},
      {"intermediate.dense", "inner"},
      {"output.dense", "output"},
      {"output.LayerNorm", "output_norm"},
      {".gamma", ".weight"},  // what old BERT files call a norm's weight and bias
      {".beta", ".bias"},
  };
  for (const auto& [from, to] : renames)
    if (const auto at = key.find(from); at != std::string::npos) key.replace(at, from.size(), to);
  return key;
}

/// A checkpoint's body into @p bert; its pooler and heads are left.
inline void load_bert(Bert& bert, const std::filesystem::path& directory) {
  io::load_weights(bert, directory,
                   {.strip_prefixes = {"bert.", "roberta."},
                    .ignore = {"pooler\\..*", "lm_head\\..*", "cls\\..*", "classifier\\..*", "embeddings\\.position_ids"},
                    .rename = bert_name,
                    .optional = {},
                    .strict = true});
}
}  // namespace detail

inline std::shared_ptr<Bert> Bert::from_pretrained(const std::filesystem::path& directory) {
  auto bert = std::make_shared<Bert>(BertOptions::from_config(directory));
  detail::load_bert(*bert, directory);
  return bert;
}

inline at::Tensor Bert::embed(const Texts& texts) {
  check_shape("text::Bert", "ids", texts.ids, {{'B'}, {'L'}});
  check_dtype("text::Bert", "ids", texts.ids, at::kLong);
  check_shape("text::Bert", "mask", texts.mask, {{'B', texts.ids.size(0)}, {'L', texts.ids.size(1)}});
  check_dtype("text::Bert", "mask", texts.mask, at::kBool);
  const auto first = options_.first_position;
  require(texts.ids.size(1) + first <= options_.positions, "text::Bert: texts of ", texts.ids.size(1),
          " tokens, but it has positions for ", options_.positions - first, "; set the tokenizer's max_length");
  // BERT counts columns; XLM-R counts tokens and gives padding the position before the first.
  const auto positions =
      first == 0 ? at::arange(texts.ids.size(1), texts.ids.options()).unsqueeze(0)
                 : at::cumsum(texts.mask, 1) * texts.mask + (first - 1);
  return norm_->forward(word_->forward(texts.ids) + position_->forward(positions) + type_->weight[0]);
}

inline Tokens Bert::lower(const Texts& texts) {
  if (frozen_ < 0) return {at::dropout(embed(texts), options_.dropout, is_training()), texts.mask};
  c10::NoGradGuard no_grad;
  auto x = embed(texts);
  const auto mask = texts.mask.unsqueeze(1).unsqueeze(1);
  for (std::int64_t i = 0; i < frozen_; ++i) x = layer(i).forward(x, mask);
  return {x, texts.mask};
}

inline Tokens Bert::upper(const Tokens& hidden) {
  auto x = hidden.values;
  const auto mask = hidden.mask.unsqueeze(1).unsqueeze(1);
  for (std::int64_t i = std::max<std::int64_t>(frozen_, 0); i < options_.layers; ++i) x = layer(i).forward(x, mask);
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
  for (torch::nn::Module* part : {static_cast<torch::nn::Module*>(word_.get()), static_cast<torch::nn::Module*>(position_.get()),
                                  static_cast<torch::nn::Module*>(type_.get()), static_cast<torch::nn::Module*>(norm_.get())})
    nn::freeze(*part);
  for (std::int64_t i = 0; i < layers; ++i) nn::freeze(layer(i));
}

static_assert(Policy<Bert>);

}  // namespace rc3::text
