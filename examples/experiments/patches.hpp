#pragma once
/// Images as patches of EfficientNet-Lite0, texts by multilingual-e5-small, R-XVtCL with a ceiling and ITC.

#include <rc3/data/loader/prepare.hpp>
#include <rc3/rc3.hpp>

#include <filesystem>

#include "emoji/format.hpp"  // so that --data.format emoji is known

struct Experiment {
  using Backbone = rc3::visual::backbone::EfficientNetLite0;
  using Model = rc3::Model<rc3::visual::Patch<Backbone>, rc3::text::Bert>;
  using RXvtcl = rc3::objective::RXvtcl<rc3::regularizer::Ceiling, rc3::relevance::ByAlignment<>,
                                        rc3::objective::negatives::SameImage>;
  using Trained = rc3::Pretrainer<Model, RXvtcl, rc3::objective::Itc>;

  struct Config {
    std::filesystem::path weights = "weights";  ///< folder with multilingual-e5-small and efficientnet-lite0
    std::int64_t grid = 7;
    std::int64_t text_layers = 1;  ///< that learn, from the top
    double relevance = 0.3;        ///< of weakly aligned texts that have no score
    double margin = 0.1;           ///< c0 of the ceiling

    template <class V>
    friend void visit_fields(Config& c, V&& v) {
      v("weights", c.weights, "folder with multilingual-e5-small and efficientnet-lite0");
      v("grid", c.grid, "patches on a side", rc3::config::within(1, 7));
      v("text_layers", c.text_layers, "layers of the text encoder that learn", rc3::config::at_least(0));
      v("relevance", c.relevance, "of weakly aligned texts that have no score", rc3::config::within(0, 1));
      v("margin", c.margin, "cosine that the ceiling allows above relevance", rc3::config::within(0, 1));
    }
  };

  static auto make(const Config& c) {
    const auto text = rc3::text::Bert::from_pretrained(c.weights / "multilingual-e5-small");
    text->freeze_lower(text->options().layers - c.text_layers);
    const auto d = text->width();
    const auto network = Backbone::from_pretrained(c.weights / "efficientnet-lite0", {.frozen_blocks = 16});
    const auto model =
        rc3::make_model(rc3::visual::Patch(network, {.width = d, .grid = c.grid, .max_patches = c.grid * c.grid}), text,
                        rc3::fusion::SingleStream({.width = d, .layers = 1, .heads = 6}));
    return rc3::pretrain(model,
                         RXvtcl({}, rc3::regularizer::Ceiling(c.margin), rc3::relevance::ByAlignment(c.relevance)),
                         rc3::objective::Itc());
  }
  static rc3::text::Tokenizer tokenizer(const Config& c) {
    return rc3::text::Tokenizer::from_pretrained(c.weights / "multilingual-e5-small",
                                                 {.prefix = "query: ", .max_length = 64});
  }
  static rc3::data::PrepareOptions prepare(const Config&) { return {.augment = rc3::preprocess::AugmentOptions{}}; }
};
