#pragma once
/// XLM-R with its masked-language-model head, as one pretrained directory.

#include <filesystem>
#include <memory>
#include <utility>

#include "rc3/text/mlm_head.hpp"
#include "rc3/text/xlm_roberta.hpp"

namespace rc3::text {

namespace detail {
/// Tensor names of XLMRobertaForMaskedLM: the body's after "roberta.", and the head's. The decoder is the word
/// embedding; a copy of it in the file is ignored.
inline const io::Layout& masked_lm_layout() {
  static const io::Layout layout = [] {
    io::Layout whole{
        .rules = {{"head.dense.", "lm_head.dense."},
                  {"head.norm.", "lm_head.layer_norm."},
                  {"head.bias", "lm_head.bias"}},
        .prefixes = {},
        .ignore = {"lm_head\\.decoder\\..*", "roberta\\.pooler\\..*", "roberta\\.embeddings\\.position_ids"},
        .modern = modern_norm};
    for (const auto& [ours, file] : bert_layout().rules) whole.rules.push_back({"body." + ours, "roberta." + file});
    return whole;
  }();
  return layout;
}
}  // namespace detail

/// Body with a head that shares the body's word embedding.
class XlmRobertaForMaskedLm : public torch::nn::Module {
 public:
  /// Random weights. @throws rc3::Error if `heads` does not divide `width`
  explicit XlmRobertaForMaskedLm(BertOptions options = XlmRoberta::base())
      : XlmRobertaForMaskedLm(std::make_shared<XlmRoberta>(options)) {}

  /// New head on @p body, which is shared, not copied.
  explicit XlmRobertaForMaskedLm(std::shared_ptr<XlmRoberta> body)
      : body_(register_module("body", std::move(body))),
        head_(register_module("head", std::make_shared<MlmHead>(body_->width(), body_->options().vocabulary,
                                                                body_->options().norm_eps))) {}

  /// Loads the directory of an XLMRobertaForMaskedLM.
  /// @param report  if given, receives the name of every tensor, and a missing or unused one is not an error
  /// @throws rc3::Error naming the file, and the key or tensor that is missing, unknown or of another shape
  static std::shared_ptr<XlmRobertaForMaskedLm> from_pretrained(const std::filesystem::path& directory,
                                                                io::LoadReport* report = nullptr) {
    io::Config(directory).only("tie_word_embeddings", true);
    const nn::Uninitialized all_are_read(report == nullptr);
    auto model = io::made(directory.string(),
                          [&] { return std::make_shared<XlmRobertaForMaskedLm>(BertOptions::from_config(directory)); });
    io::load_pretrained(*model, directory, detail::masked_lm_layout(), report);
    return model;
  }

  /// Writes config.json and model.safetensors for transformers. @throws rc3::Error if writing fails
  void save_pretrained(const std::filesystem::path& directory) const {
    auto config = body_->options().to_config();
    config["architectures"] = {"XLMRobertaForMaskedLM"};
    config["tie_word_embeddings"] = true;
    io::save_pretrained(*this, directory, detail::masked_lm_layout(), config);
  }

  /// @param texts  as Bert::encode takes them
  /// @return float [B, L, K]; rows of padding are undefined
  /// @throws rc3::Error as Bert::encode
  at::Tensor logits(const Texts& texts) { return head_->forward(body_->encode(texts).values, body_->word_embedding()); }

  const std::shared_ptr<XlmRoberta>& body() const { return body_; }  ///< encoder, which a Model may share
  const std::shared_ptr<MlmHead>& head() const { return head_; }     ///< tied to the word embedding of body()

 private:
  std::shared_ptr<XlmRoberta> body_;
  std::shared_ptr<MlmHead> head_;
};

}  // namespace rc3::text
