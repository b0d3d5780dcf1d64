#pragma once
/// The demo's variant as an experiment: regions and patches of EfficientNet-Lite0, multilingual-e5-small, R-XVtCL with
/// a ceiling and ITM. `scenes-tasks` fine-tunes what `pretrain` made of it on five downstream tasks.

#include <rc3/data/loader/prepare.hpp>
#include <rc3/rc3.hpp>

#include <filesystem>

#include "../pretrain/backbone/lite0.hpp"
#include "../pretrain/variant.hpp"
#include "emoji/format.hpp"          // so that --data.format emoji is known,
#include "emoji/tasks/provider.hpp"  // and --task.provider emoji

struct Experiment {
  using RXvtcl = rc3::objective::RXvtcl<rc3::regularizer::Ceiling, rc3::relevance::ByAlignment<>,
                                        rc3::objective::negatives::SameImage>;
  using Trained = rc3::Pretrainer<pretrain::Model, RXvtcl, rc3::objective::Itm>;

  struct Config {
    std::filesystem::path weights = "weights";  ///< folder with multilingual-e5-small and efficientnet-lite0
    double margin = 0.2;                        ///< c0 of the ceiling

    template <class V>
    friend void visit_fields(Config& c, V&& v) {
      v("weights", c.weights, "folder with multilingual-e5-small and efficientnet-lite0");
      v("margin", c.margin, "cosine that the ceiling allows above relevance", rc3::train::within(0, 1));
    }
  };

  static std::shared_ptr<Trained> make(const Config& c) {
    return std::make_shared<Trained>(
        pretrain::make_model(c.weights), std::array{1.0, 1.0},
        std::make_shared<RXvtcl>(rc3::objective::RXvtclOptions{}, rc3::regularizer::Ceiling(c.margin)),
        std::make_shared<rc3::objective::Itm>());
  }
  static rc3::text::Tokenizer tokenizer(const Config& c) {
    return rc3::text::Tokenizer::from_pretrained(c.weights / "multilingual-e5-small",
                                                 {.prefix = "query: ", .max_length = 64});
  }
  static rc3::data::PrepareOptions prepare(const Config&) { return {}; }
};
