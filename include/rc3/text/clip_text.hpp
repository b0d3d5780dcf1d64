#pragma once
/// Text encoder of CLIP.

#include <ATen/ops/eye.h>
#include <ATen/ops/ones.h>

#include <filesystem>
#include <memory>

#include <nlohmann/json.hpp>

#include "rc3/text/concept.hpp"
#include "rc3/text/detail/text_transformer.hpp"

namespace rc3::text {

/// Options; the defaults are OpenAI's ViT-B/32.
struct ClipTextOptions : TextTransformerOptions {
  /// Id of the token from which a text is pooled: the first one of each text. 2 is the legacy rule: the token of the
  /// highest id, because the configurations of OpenAI's models named a wrong id.
  std::int64_t eos = 49407;

  /// Reads config.json of the text model or of a whole CLIP.
  /// @throws rc3::Error naming the file and the missing or invalid key
  static ClipTextOptions from_config(const std::filesystem::path& directory);
  /// config.json of the text model with these sizes.
  nlohmann::json to_config() const;
};

template <class V>
void visit_fields(ClipTextOptions& o, V&& v) {
  visit_fields(static_cast<TextTransformerOptions&>(o), v);
  v("eos", o.eos, "id of the token from which a text is pooled; 2: the highest id");
}

/// Causal transformer; a text is pooled from its end token.
/// Source: Radford et al. 2021 (CLIP).
class ClipText : public detail::TextTransformer {
 public:
  using Tokenizer = ClipTokenizer;  ///< that CLIP is trained with; rc3::load reads it

  /// Random weights. @throws rc3::Error for a size that is not above 0, or if `heads` does not divide `width`
  explicit ClipText(ClipTextOptions options = {})
      : TextTransformer(options, "text::ClipText", /*bias=*/false), options_(options) {}

  /// Loads a transformers directory: the text model with or without projection, or a whole CLIP without its image
  /// encoder.
  /// @param report  if given, receives the name of every tensor, and a missing or unused one is not an error
  /// @throws rc3::Error naming the file, and the key or tensor that is missing, unknown or of another shape
  static std::shared_ptr<ClipText> from_pretrained(const std::filesystem::path& directory,
                                                   io::LoadReport* report = nullptr);

  /// Writes config.json and model.safetensors, for transformers' CLIPTextModelWithProjection, or CLIPTextModel without
  /// a projection.
  void save_pretrained(const std::filesystem::path& directory) const {
    io::save_pretrained(*this, directory, detail::text_layout("text_model.", "text_projection."), options_.to_config());
  }

  /// @param texts  ids int64 [B, L], mask bool [B, L]; 1 <= L <= positions
  /// @return Tokens [B, L, D]; rows of padding are zero; `summary` is the state of each end token, [B, D]
  /// @throws rc3::Error for another shape or type, and on the CPU for ids outside the vocabulary, or a text without
  ///         tokens or without an end token
  Tokens encode(const Texts& texts);

  const ClipTextOptions& options() const { return options_; }

 private:
  ClipTextOptions options_;
};

inline ClipTextOptions ClipTextOptions::from_config(const std::filesystem::path& directory) {
  const io::Config config(directory);
  const bool whole = config.model_type({"clip_text_model", "clip"}) == "clip";
  const auto text = whole ? config.section("text_config") : config;
  ClipTextOptions o;
  detail::read_text_sizes(text, o);
  o.eos = text.size("eos_token_id", 0);
  // A whole CLIP projects to its own projection_dim; its text_config may contain another value.
  o.projection = config.has("projection_dim") ? config.size("projection_dim", 1, 1'000'000) : 0;
  return o;
}

inline nlohmann::json ClipTextOptions::to_config() const {
  auto json = detail::write_text_sizes(*this);
  json.update({{"model_type", "clip_text_model"},
               {"architectures", {projection > 0 ? "CLIPTextModelWithProjection" : "CLIPTextModel"}},
               {"eos_token_id", eos}});
  if (projection > 0) json["projection_dim"] = projection;
  return json;
}

inline std::shared_ptr<ClipText> ClipText::from_pretrained(const std::filesystem::path& directory,
                                                           io::LoadReport* report) {
  auto options = ClipTextOptions::from_config(directory);
  const bool projects = io::Weights(directory).readers().contains("text_projection.weight");
  require(!projects || options.projection > 0, (directory / "config.json").string(),
          ": the key \"projection_dim\" is missing, but there is a text_projection.weight");
  if (!projects) options.projection = 0;
  const nn::Uninitialized all_are_read(report == nullptr);
  auto clip = io::made(directory.string(), [&] { return std::make_shared<ClipText>(options); });
  io::load_pretrained(*clip, directory, detail::text_layout("", "text_projection."), report);
  return clip;
}

inline Tokens ClipText::encode(const Texts& texts) {
  detail::check_texts(name_, texts, sizes_.vocabulary, sizes_.positions);
  const auto l = texts.ids.size(1);
  // A column always attends to itself: a row of padding before all tokens would otherwise have no column at all.
  const auto self = at::eye(l, texts.mask.options());
  const auto causal = at::ones({l, l}, texts.mask.options()).tril();
  const auto x = states(texts.ids, ((texts.mask.unsqueeze(1) & causal) | self).unsqueeze(1));
  const auto inside = texts.ids.masked_fill(~texts.mask, -1);
  const auto end = options_.eos == 2 ? inside.argmax(1) : inside.eq(options_.eos).to(at::kByte).argmax(1);
  if (options_.eos != 2 && texts.ids.is_cpu()) {
    const auto ends = inside.eq(options_.eos).any(1);
    if (!ends.all().item<bool>())
      fail(name_, ": text ", ends.to(at::kByte).argmin().item<std::int64_t>(), " of ", ends.size(0),
           " has no end token (id ", options_.eos, "); tokenize it with the model's own tokenizer");
  }
  const auto rows = at::arange(x.size(0), texts.ids.options());
  return {x * texts.mask.unsqueeze(-1), texts.mask, x.index({rows, end})};
}

static_assert(Policy<ClipText> && Projects<ClipText>);

}  // namespace rc3::text
