#pragma once
/// The study's variant, and its arms: rows that differ by run-time options only.

#include <rc3/data/loader/prepare.hpp>
#include <rc3/experiment/settings.hpp>
#include <rc3/rc3.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "averaged.hpp"
#include "choices.hpp"
#include "narrow.hpp"
#include "with_whole.hpp"

namespace study {

/// Frozen EfficientNet-Lite0 and frozen multilingual-e5-small, heads of one space, and a narrow fusion encoder.
struct Variant {
  using Backbone = Averaged<rc3::visual::backbone::EfficientNetLite0>;
  using Patch = rc3::visual::Patch<Backbone>;
  using Visual = WithWhole<Patch>;
  using Text = rc3::text::Bert;
  using Fusion = rc3::fusion::LateInteractionFusion<Narrow<rc3::fusion::SingleStream>>;
  using Model = rc3::Model<Visual, Text, Fusion>;
  using RXvtcl = rc3::objective::RXvtcl<Regularizer, Relevance<Text>, Negatives>;
  using Trained = rc3::Pretrainer<Model, rc3::objective::Itc, rc3::objective::Xtcl, RXvtcl, rc3::objective::Itm>;

  /// Cells on a side of the map that the heads of the first stage were trained on.
  static constexpr std::int64_t aligned_side = 4;

  /// First the heads of the shared space; then the fusion encoder, with the heads frozen.
  static constexpr std::array stages = {"align", "fuse"};

  struct Config {
    std::filesystem::path weights = "weights";
    std::int64_t side = 4;
    std::int64_t width = 192, layers = 2;
    Omega regularizer = Omega::none;
    double c0 = 0.2, lambda = 5;
    Rho relevance = Rho::encoder;
    double constant = 0.3;
    bool shuffled = false;
    Candidates negatives = Candidates::in_batch;
    double hidden_images = 0;
    Seen seen = Seen::patches;
    std::int64_t cells = 0;
    bool inner_stages = false;

    /// Whether the model is that of the first stage: 4 x 4 patches, which are the map.
    bool patches_only() const { return seen == Seen::patches && cells == 0; }

    template <class V>
    friend void visit_fields(Config& c, V&& v) {
      v("weights", c.weights, "folder with multilingual-e5-small and efficientnet-lite0");
      v("side", c.side, "patches on a side", rc3::config::within(1, 7));
      v("width", c.width, "of the fusion encoder", rc3::config::above(0));
      v("layers", c.layers, "of the fusion encoder", rc3::config::above(0));
      v("regularizer", c.regularizer, "of R-XVtCL");
      v("c0", c.c0, "cosine that ceiling and huber allow at relevance 0", rc3::config::within(-1, 1));
      v("lambda", c.lambda, "weight of the regularizer", rc3::config::at_least(0));
      v("relevance", c.relevance, "of weak pairs");
      v("constant", c.constant, "the constant relevance", rc3::config::within(0, 1));
      v("shuffled", c.shuffled, "control: relevance of another pair of the batch");
      v("negatives", c.negatives, "of R-XVtCL");
      v("hidden_images", c.hidden_images, "fraction of R-XVtCL's pairs with one image hidden",
        rc3::config::within(0, 1));
      v("seen", c.seen, "tokens beside that of the whole image");
      v("cells", c.cells, "patches on a side, averaged from the map; the summary is of 4 x 4 cells; 0: the map's",
        rc3::config::within(0, 7));
      v("inner_stages", c.inner_stages, "whether images have earlier layers of their network too");
    }
  };

  static std::shared_ptr<Model> make_model(const Config& c) {
    const auto network =
        std::make_shared<Backbone>(rc3::visual::backbone::EfficientNetLite0::from_pretrained(
                                       c.weights / "efficientnet-lite0", {.multi_scale = c.inner_stages}),
                                   c.side);
    const auto text = Text::from_pretrained(c.weights / "multilingual-e5-small");
    text->freeze_lower(text->options().layers);
    const auto d = text->width();
    const auto cells = c.cells > 0 ? c.cells : c.side;
    const auto visual = std::make_shared<Visual>(
        std::make_shared<Patch>(
            network,
            rc3::visual::PatchOptions{.width = d, .grid = cells, .max_patches = cells * cells, .dropout = 0.0}),
        WithWholeOptions{c.seen, c.patches_only() ? 0 : aligned_side});
    const auto inner = std::make_shared<rc3::fusion::SingleStream>(rc3::fusion::SingleStreamOptions{
        .width = c.width, .layers = c.layers, .heads = c.width / 32, .feed_forward = 2 * c.width});
    return rc3::make_model(visual, text, Fusion(std::make_shared<Narrow<rc3::fusion::SingleStream>>(inner, d)));
  }

  static RXvtcl make_r_xvtcl(const Config& c, const std::shared_ptr<Text>& text) {
    return RXvtcl({.lambda = c.lambda, .hidden_images = c.hidden_images}, Regularizer(c.regularizer, c.c0),
                  Relevance<Text>(text, {c.relevance, c.constant, c.shuffled}), Negatives(c.negatives));
  }

  static std::shared_ptr<Trained> make(const Config& c) {
    const auto model = make_model(c);
    return rc3::pretrain(model, rc3::objective::Itc(), rc3::objective::Xtcl(), make_r_xvtcl(c, model->text_policy()),
                         rc3::objective::Itm());
  }

  /// The heads need no tokens. @return whether the features of images change: never
  static bool begin_stage(auto& trained, const Config&, const std::string& stage) {
    trained.model()->visual_policy()->set_tokens(stage != "align");
    return false;
  }

  static rc3::text::Tokenizer tokenizer(const Config& c) {
    return rc3::text::Tokenizer::from_pretrained(c.weights / "multilingual-e5-small",
                                                 {.prefix = "query: ", .max_length = 64});
  }
  static rc3::data::PrepareOptions prepare(const Config&) { return {}; }

  static void configure(auto& s) {
    auto& [align, fuse] = s.stages;
    align.objectives = {1, 1, 0, 0};  // ITC, XTCL, R-XVtCL, ITM
    align.loader.batch = 512;
    align.train.optimizer.learning_rate = 1e-3;
    align.train.schedule = {50, 1000, 0.0};
    fuse.objectives = {0, 0, 1, 1};
    fuse.loader.batch = 48;
    fuse.train.optimizer.learning_rate = 1e-3;
    fuse.train.schedule = {30, 300, 0.0};
    fuse.train.freeze = {"model.image_hidden.*", "model.image_head.*", "model.text_head.*"};
    for (auto& stage : s.stages) {
      stage.train.optimizer.weight_decay = 0.05;
      stage.loader.cache = rc3::experiment::FeatureCaching::on;
    }
    s.log.tensorboard = false;
    s.checkpoint.every = 1'000'000;  // the end of a stage writes one
  }
};

/// The same model with masked language modelling, for arms like UC2 and M3P. Masked texts pass the frozen encoder in
/// every step, and the words are predicted by its embedding, which stays as it is.
struct MaskedVariant : Variant {
  using Trained = rc3::Pretrainer<Model, rc3::objective::Itc, rc3::objective::Xtcl, RXvtcl, rc3::objective::Itm,
                                  rc3::objective::Mlm>;

  static std::shared_ptr<Trained> make(const Config& c) {
    const auto model = make_model(c);
    const auto text = model->text_policy();
    const auto& words = text->word_embedding();
    return rc3::pretrain(model, rc3::objective::Itc(), rc3::objective::Xtcl(), make_r_xvtcl(c, text),
                         rc3::objective::Itm(),
                         rc3::objective::Mlm(text->width(), {.vocabulary = words.size(0)}, words));
  }
};

}  // namespace study
