#pragma once
/// Text encoder of SigLIP and SigLIP 2.

#include <ATen/ops/constant_pad_nd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/text/concept.hpp"
#include "rc3/text/detail/text_transformer.hpp"
#include "rc3/text/detail/tokenizer_config.hpp"

namespace rc3::text {

/// Options; the defaults are SigLIP-Base.
struct SiglipTextOptions : TextTransformerOptions {
  SiglipTextOptions() {
    vocabulary = 32000;
    width = projection = 768;
    heads = 12;
    feed_forward = 3072;
    positions = 64;
    norm_eps = 1e-6;
    activation = nn::Activation::gelu_tanh;
  }

  std::int64_t padding = 1;    ///< id that fills a text up to `positions` columns; 1 in SigLIP, 0 in SigLIP 2
  bool attend_padding = true;  ///< whether tokens attend to padding, as in every published SigLIP and SigLIP 2

  /// Reads config.json of the text model or of a whole SigLIP, and tokenizer_config.json if it exists: `padding` is the
  /// tokenizer's, else pad_token_id; `attend_padding` is false if the tokenizer gives an attention mask.
  /// @throws rc3::Error naming the file and the missing or invalid key
  static SiglipTextOptions from_config(const std::filesystem::path& directory);
  /// config.json of the text model with these sizes.
  nlohmann::json to_config() const;
};

template <class V>
void visit_fields(SiglipTextOptions& o, V&& v) {
  visit_fields(static_cast<TextTransformerOptions&>(o), v);
  v("padding", o.padding, "id that fills a text up to positions columns");
  v("attend_padding", o.attend_padding, "whether tokens attend to padding");
}

/// Bidirectional transformer on texts of a fixed length; a text is pooled from its last column, usually padding.
///
/// `encode` pads every batch to `positions` columns itself. An embedding therefore does not depend on the batch.
/// Source: Zhai et al. 2023 (SigLIP); Tschannen et al. 2025 (SigLIP 2).
class SiglipText : public detail::TextTransformer {
 public:
  using Tokenizer = SiglipTokenizer;  ///< that SigLIP is trained with; rc3::load reads it

  /// Random weights.
  /// @throws rc3::Error for a size that is not above 0, a `padding` outside the vocabulary, or if `heads` does not
  ///         divide `width`
  explicit SiglipText(SiglipTextOptions options = {})
      : TextTransformer(options, "text::SiglipText", /*bias=*/true), options_(options) {
    require(options.padding >= 0 && options.padding < options.vocabulary, "text::SiglipText: padding ", options.padding,
            " is not in the vocabulary of ", options.vocabulary);
  }

  /// Loads a transformers directory: the text model, or a whole SigLIP without its image encoder.
  /// @param report  if given, receives the name of every tensor, and a missing or unused one is not an error
  /// @throws rc3::Error naming the file, and the key or tensor that is missing, unknown or of another shape
  static std::shared_ptr<SiglipText> from_pretrained(const std::filesystem::path& directory,
                                                     io::LoadReport* report = nullptr) {
    const nn::Uninitialized all_are_read(report == nullptr);
    auto siglip = io::made(directory.string(),
                           [&] { return std::make_shared<SiglipText>(SiglipTextOptions::from_config(directory)); });
    io::load_pretrained(*siglip, directory, detail::text_layout("", "head."), report);
    return siglip;
  }

  /// Writes config.json and model.safetensors, for transformers' SiglipTextModel.
  void save_pretrained(const std::filesystem::path& directory) const {
    io::save_pretrained(*this, directory, detail::text_layout("text_model.", "text_model.head."), options_.to_config());
  }

  /// @param texts  ids int64 [B, L], mask bool [B, L]; 1 <= L <= positions
  /// @return Tokens [B, positions, D]; rows of padding are zero; `summary` is the state of the last column, [B, D]
  /// @throws rc3::Error for another shape or type, and on the CPU for ids outside the vocabulary or a text without
  ///         tokens
  Tokens encode(const Texts& texts) {
    detail::check_texts(name_, texts, sizes_.vocabulary, sizes_.positions);
    const auto more = sizes_.positions - texts.ids.size(1);
    const auto mask = at::constant_pad_nd(texts.mask, {0, more}, 0);
    const auto ids = at::constant_pad_nd(texts.ids, {0, more}, 0).masked_fill(~mask, options_.padding);
    const auto x = states(ids, options_.attend_padding ? at::Tensor() : mask.unsqueeze(1).unsqueeze(1));
    return {x * mask.unsqueeze(-1), mask, x.select(1, -1)};
  }

  const SiglipTextOptions& options() const { return options_; }

 private:
  SiglipTextOptions options_;
};

inline SiglipTextOptions SiglipTextOptions::from_config(const std::filesystem::path& directory) {
  const io::Config config(directory);
  const auto type = config.model_type({"siglip_text_model", "siglip2_text_model", "siglip", "siglip2"});
  const auto text = type == "siglip" || type == "siglip2" ? config.section("text_config") : config;
  SiglipTextOptions o;
  detail::read_text_sizes(text, o);
  o.projection = text.size("projection_size", 1, 1'000'000);
  if (std::filesystem::exists(directory / "tokenizer_config.json")) {
    const auto tokenizer = detail::read_tokenizer_config(directory);
    o.padding = tokenizer.id(directory, "pad_token");
    o.attend_padding = !tokenizer.gives_mask;
  } else {
    o.padding = text.size("pad_token_id", 0);
  }
  return o;
}

inline nlohmann::json SiglipTextOptions::to_config() const {
  auto json = detail::write_text_sizes(*this);
  json.update({{"model_type", "siglip_text_model"},
               {"architectures", {"SiglipTextModel"}},
               {"projection_size", projection},
               {"pad_token_id", padding}});
  return json;
}

static_assert(Policy<SiglipText> && Projects<SiglipText>);

}  // namespace rc3::text
