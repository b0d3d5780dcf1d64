#pragma once
/// XLM-R: a BERT body whose position ids start behind the padding id.

#include "rc3/text/bert.hpp"

namespace rc3::text {

/// Source: Conneau et al. 2020, "Unsupervised Cross-lingual Representation Learning at Scale".
/// Position id of a token = its number among the tokens + pad id; padding has the pad id itself.
class XlmRoberta : public Bert {
 public:
  /// @param options  `first_position` is pad id + 1, so 2 for every published model
  explicit XlmRoberta(BertOptions options = base()) : Bert(options) {
    require(options.first_position >= 1, "text::XlmRoberta: first_position must be pad id + 1, is ",
            options.first_position, "; for a BERT body use text::Bert");
  }

  /// Loads a Hugging Face directory whose config.json says "xlm-roberta".
  /// @param report  where it is given, it is told of every tensor's name, and a missing or unused one is no error
  /// @throws rc3::Error naming the file, and the key or tensor that is missing, unknown or of another shape
  static std::shared_ptr<XlmRoberta> from_pretrained(const std::filesystem::path& directory,
                                                     io::LoadReport* report = nullptr) {
    auto model = std::make_shared<XlmRoberta>(BertOptions::from_config(directory));
    io::load_pretrained(*model, directory, detail::bert_layout(), report);
    return model;
  }

  /// The sizes of xlm-roberta-base.
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

  /// The sizes of xlm-roberta-large.
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
