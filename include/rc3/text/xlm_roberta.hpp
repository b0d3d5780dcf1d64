#pragma once
/// XLM-R: a BERT encoder whose position ids start after the padding id.

#include "rc3/text/bert.hpp"

namespace rc3::text {

/// Source: Conneau et al. 2020, "Unsupervised Cross-lingual Representation Learning at Scale".
/// Position id of a token = its 1-based index among the tokens + pad id; padding has the pad id.
class XlmRoberta : public Bert {
 public:
  /// @param options  `first_position` is pad id + 1, so 2 for every published model
  /// @throws rc3::Error for a first_position below 1
  explicit XlmRoberta(BertOptions options = base()) : Bert(options) {
    require(options.first_position >= 1, "text::XlmRoberta: first_position must be pad id + 1, is ",
            options.first_position, "; for a BERT body use text::Bert");
  }

  /// Loads a Hugging Face directory whose config.json has model type "xlm-roberta".
  /// @param report  if given, receives the name of every tensor, and a missing or unused one is not an error
  /// @throws rc3::Error naming the file, and the key or tensor that is missing, unknown or of another shape
  static std::shared_ptr<XlmRoberta> from_pretrained(const std::filesystem::path& directory,
                                                     io::LoadReport* report = nullptr) {
    const nn::Uninitialized all_are_read(report == nullptr);
    auto model =
        io::made(directory.string(), [&] { return std::make_shared<XlmRoberta>(BertOptions::from_config(directory)); });
    io::load_pretrained(*model, directory, detail::bert_layout(), report);
    return model;
  }

  /// Sizes of xlm-roberta-base.
  static BertOptions base() {
    BertOptions o;
    o.vocabulary = 250002;
    o.width = 768;
    o.feed_forward = 3072;
    o.positions = 514;
    o.types = 1;
    o.first_position = 2;
    o.norm_eps = 1e-5;
    return o;
  }

  /// Sizes of xlm-roberta-large.
  static BertOptions large() {
    BertOptions o = base();
    o.width = 1024;
    o.layers = 24;
    o.heads = 16;
    o.feed_forward = 4096;
    return o;
  }
};

static_assert(Policy<XlmRoberta>);

}  // namespace rc3::text
