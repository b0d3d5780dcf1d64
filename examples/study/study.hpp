#pragma once
/// The study: every arm with every seed on the road of the library, one line of results for each.

#include <rc3/experiment/pretraining.hpp>
#include <rc3/experiment/tasks/files.hpp>
#include <rc3/io/file.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "arms.hpp"
#include "code_switched.hpp"
#include "measures.hpp"
#include "results.hpp"
#include "variant.hpp"

namespace study {

struct Options {
  rc3::data::OpenOptions train, held_out;  ///< to learn from, and to measure on
  rc3::experiment::TaskData entailment;    ///< its `train` and first `test`, or a provider; no names: not measured
  rc3::experiment::TaskData translation;   ///< its `train` and all `test`, or a provider; no names: cannot be measured
  std::string set = "photos";              ///< what the data are, for the results
  std::string part = "validation";         ///< what is measured on, for the results
  std::vector<std::string> languages;      ///< that are measured; empty: all of the held-out data
  std::vector<std::string> arms;           ///< names
  std::vector<std::uint64_t> seeds = {1, 2, 3};
  std::filesystem::path out = "out/study", results, features, weights;
  std::int64_t align_steps = 700, align_batch = 512, fuse_steps = 200, fuse_batch = 32, entailment_steps = 200;
  std::int64_t translation_steps = 0;  ///< above 0: translation is measured, and nothing else
  std::int64_t rerank = 10, mechanism = 400, layers = 2;
  std::int64_t rerank_texts = 0;  ///< 0: the arm's own number
  double align_rate = 1e-3, fuse_rate = 1e-3;
  std::string commit = "unknown";
  std::string device = "auto";
  bool save = false;  ///< keep the weights of every arm
};

class Study {
 public:
  explicit Study(Options options)
      : o_(std::move(options)), device_(rc3::train::use_device(o_.device)), results_(o_.results) {
    rc3::io::make_folder(o_.out);
  }

  void run() {
    for (const auto seed : o_.seeds)
      for (const auto& name : o_.arms) {
        const auto& a = arm(name);
        rc3::require(a.fuse || o_.translation_steps == 0, "--translation-steps: \"", name,
                     "\" trains the heads alone, which cannot translate");
        const auto key = key_of(a, seed);
        if (results_.has(key)) {
          std::cout << "seed " << seed << ", " << name << ": is there already" << std::endl;
          continue;
        }
        std::cout << "seed " << seed << ", " << name << std::flush;
        const auto begin = std::chrono::steady_clock::now();
        auto line = run(a, seed, key);
        line["seconds"]["total"] = since(begin);
        results_.add(line);
        std::cout << ": " << static_cast<int>(since(begin)) << " s" << std::endl;
      }
  }

 private:
  static double since(std::chrono::steady_clock::time_point begin) {
    return std::round(10 * std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()) / 10;
  }

  /// Everything that tells runs apart: with the same key, a run is not repeated.
  Json key_of(const Arm& a, std::uint64_t seed) const {
    Json key{{"arm", a.name}, {"seed", seed}, {"set", o_.set}, {"part", o_.part}};
    key["align"] = {{"texts", a.texts()},
                    {"strict_share", a.texts() == "strict" ? 1.0 : 0.5},
                    {"steps", o_.align_steps},
                    {"batch", o_.align_batch},
                    {"learning_rate", o_.align_rate}};
    if (a.inner_stages) key["align"]["inner_stages"] = true;
    if (!a.fuse) return key;
    const auto fields = rc3::config::to_json(settings<Variant>(a, seed).variant);
    const Json later{
        {"hidden_images", 0}, {"seen", "patches"}, {"cells", 0}, {"inner_stages", false}};  // newer than results
    Json variant = Json::object();
    for (const auto& [name, value] : fields.items())
      if (name != "weights" && !(later.contains(name) && later[name] == value)) variant[name] = value;
    key["fuse"] = {{"strict_share", a.strict_share}, {"objectives", a.objectives},    {"steps", o_.fuse_steps},
                   {"batch", o_.fuse_batch},         {"learning_rate", o_.fuse_rate}, {"variant", variant}};
    if (!a.languages.empty()) key["fuse"]["languages"] = a.languages;
    if (a.switched) key["fuse"]["code_switched"] = true;
    if (o_.translation_steps > 0) {
      key["translation_steps"] = o_.translation_steps;
      return key;
    }
    key["entailment_steps"] = o_.entailment_steps;
    key["rerank"] = {o_.rerank, rerank_texts(a)};
    return key;
  }

  std::int64_t rerank_texts(const Arm& a) const { return o_.rerank_texts > 0 ? o_.rerank_texts : a.rerank_texts; }

  template <class E>
  rc3::experiment::Settings<E> settings(const Arm& a, std::uint64_t seed) const {
    rc3::experiment::Settings<E> s;
    s.data = o_.train;
    s.features = o_.features;
    s.seed = seed;
    s.spread_seed();
    s.device = o_.device;
    auto& v = s.variant;
    v.weights = o_.weights;
    v.layers = o_.layers;
    v.regularizer = a.regularizer;
    v.c0 = a.c0;
    v.lambda = a.lambda;
    v.relevance = a.relevance;
    v.shuffled = a.shuffled;
    v.negatives = a.negatives;
    v.hidden_images = a.hidden_images;
    v.side = a.side;
    v.seen = a.seen;
    v.cells = a.cells;
    v.inner_stages = a.inner_stages;
    auto& [align, fuse] = s.stages;
    align.pairing.strict_share = a.texts() == "strict" ? 1 : 0.5;
    align.loader.batch = o_.align_batch;
    align.train.optimizer.learning_rate = o_.align_rate;
    align.train.schedule = {std::min<std::int64_t>(50, o_.align_steps / 4), o_.align_steps, 0.0};
    fuse.pairing.strict_share = a.strict_share;
    fuse.pairing.languages = a.languages;
    fuse.objectives = {0, 0};
    fuse.objectives.insert(fuse.objectives.end(), a.objectives.begin(), a.objectives.end());
    fuse.loader.batch = o_.fuse_batch;
    fuse.train.optimizer.learning_rate = o_.fuse_rate;
    fuse.train.schedule = {std::min<std::int64_t>(30, o_.fuse_steps / 4), o_.fuse_steps, 0.0};
    return s;
  }

  /// Trains the stages with steps; the log goes to a file.
  template <class E>
  std::shared_ptr<typename E::Trained> train(const rc3::experiment::Settings<E>& s, const std::string& name) const {
    std::ofstream log(o_.out / (name + ".log"));
    at::manual_seed(s.seed);
    auto sources = rc3::config::default_provenance(s);
    for (auto& [option, where] : sources) where = "the study";
    rc3::experiment::Pretraining<E> pretraining(s, std::move(sources), device_, std::make_shared<rc3::Single>(), log);
    rc3::require(pretraining.run() != rc3::train::StopReason::stopped, name, ": stopped by a signal");
    return pretraining.trained();
  }

  /// The weights after the first stage, trained at first use. Arms with the same texts and seed share them.
  std::filesystem::path aligned(const Arm& a, std::uint64_t seed, double& seconds) const {
    const auto name = rc3::join("align-", a.texts(), a.inner_stages ? "-inner-stages-" : "-", o_.align_steps, 'x',
                                o_.align_batch, "-seed", seed);
    const auto path = o_.out / (name + ".safetensors");
    if (std::filesystem::exists(path)) return path;
    Arm heads;  // 4 x 4 patches, all languages
    heads.strict_share = a.texts() == "strict" ? 1 : 0.5;
    heads.inner_stages = a.inner_stages;
    auto s = settings<Variant>(heads, seed);
    s.stages[1].train.schedule.total = 0;
    const auto begin = std::chrono::steady_clock::now();
    const auto trained = train(s, name);
    seconds = since(begin);
    rc3::train::save_checkpoint(path, *trained, Variant::Trained::name());
    return path;
  }

  /// Weights that the second stage begins with: a new file, with those of the first stage for all tensors that both
  /// models have.
  template <class E>
  std::filesystem::path with_new_parts(const rc3::experiment::Settings<E>& s, const std::filesystem::path& aligned,
                                       const std::string& name) const {
    at::manual_seed(s.seed);
    const auto model = E::make_model(s.variant);
    const auto values = rc3::train::read_state(aligned, Variant::Trained::name());
    c10::NoGradGuard no_grad;
    for (auto& [tensor, value] : rc3::nn::named_state(*model)) {
      const auto found = values.find("model." + tensor);
      if (found != values.end() && found->second.sizes() == value.sizes()) at::Tensor(value).copy_(found->second);
    }
    const auto path = o_.out / (name + "-start.safetensors");
    rc3::train::save_checkpoint(path, *model, E::Model::name());
    return path;
  }

  Json run(const Arm& a, std::uint64_t seed, const Json& key) {
    Json line{{"run", key}};
    double align_seconds = 0;
    const auto init = aligned(a, seed, align_seconds);
    if (align_seconds > 0) line["seconds"]["align"] = align_seconds;
    if (!a.fuse) {
      const auto s = settings<Variant>(a, seed);
      const auto trained = Variant::make(s.variant);
      rc3::train::load_checkpoint(init, *trained, Variant::Trained::name());
      trained->to(device_);
      measure(a, seed, *trained, s, line);
    } else if (a.objectives.size() == 2) {
      fuse<Variant>(a, seed, init, line);
    } else {
      fuse<MaskedVariant>(a, seed, init, line);
    }
    line["commit"] = o_.commit;
    line["machine"] = Json::object();
    for (const auto& [name, value] : rc3::train::report::environment()) line["machine"][name] = value;
    line["machine"]["device"] = device_.str();
    line["machine"]["threads"] = at::get_num_threads();
    return line;
  }

  /// The second stage, and its measures.
  template <class E>
  void fuse(const Arm& a, std::uint64_t seed, const std::filesystem::path& init, Json& line) {
    auto s = settings<E>(a, seed);
    s.stages[0].train.schedule.total = 0;
    std::string name = rc3::join(a.name, "-seed", seed);
    std::replace(name.begin(), name.end(), ' ', '-');
    if (a.switched) {
      s.dataset = rc3::data::AnyDataset(CodeSwitched(rc3::data::open(o_.train, errors_), a.languages));
      s.data = {};
    }
    const bool same_model = std::is_same_v<E, Variant> && s.variant.patches_only();
    s.init = same_model ? init : with_new_parts(s, init, name);
    const auto begin = std::chrono::steady_clock::now();
    const auto before = std::clock();
    const auto trained = train(s, name);
    line["seconds"]["fuse"] = since(begin);
    line["seconds"]["fuse_processor"] =
        std::round(10.0 * static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC) / 10;
    if (!same_model) std::filesystem::remove(s.init);
    if (o_.save) rc3::train::save_checkpoint(o_.out / (name + ".safetensors"), *trained, E::Trained::name());
    measure(a, seed, *trained, s, line);
  }

  void measure(const Arm& a, std::uint64_t seed, auto& trained, const auto& s, Json& line) {
    const auto begin = std::chrono::steady_clock::now();
    auto& model = *trained.model();
    trained.eval();
    const rc3::train::Autocast autocast(rc3::train::Precision::automatic, device_);
    if (o_.translation_steps > 0)
      measure_translation(a, seed, trained, s, line);
    else if (a.fuse)
      measure_fusion(a, seed, trained, s, line);
    else
      measure_search(model, held_out(model, s), line);
    line["seconds"]["measures"] = since(begin);
    line["configuration"] = rc3::config::to_json(s);
  }

  void measure_search(Variant::Model& model, CachedSamples& samples, Json& line) const {
    line["retrieval"] = retrieval(model, samples, languages(samples));
  }

  void measure_fusion(const Arm& a, std::uint64_t seed, auto& trained, const auto& s, Json& line) {
    auto& model = *trained.model();
    auto& samples = held_out(model, s);
    if (o_.rerank > 0) line["rerank"] = reranking(model, samples, languages(samples), rerank_texts(a), o_.rerank);
    trained.for_each_objective([&](auto& objective) {
      if constexpr (requires { objective.relevance().encoder(); })
        line["mechanism"] = mechanism(model, objective.relevance().encoder(), samples, o_.mechanism);
    });
    if (o_.entailment.names.empty()) return;
    using rc3::task::Ablation;
    line["probe"] = entailment_probe(model, sets(o_.entailment, model, s, false), {Ablation::none, Ablation::shuffled});
    // The fusion encoder changes while a head is tuned: the second head begins with the same weights.
    const auto state = rc3::train::copy_of(rc3::nn::named_state(model));
    const TuningOptions options{.steps = o_.entailment_steps, .seed = seed};
    line["entailment"] = entailment(trained.model(), sets(o_.entailment, model, s, false), options,
                                    {Ablation::none, Ablation::shuffled, Ablation::blank});
    if (a.hypothesis) {
      rc3::train::copy_state(rc3::nn::named_state(model), state);
      line["hypothesis"] = entailment(trained.model(), sets(o_.entailment, model, s, true), options, {Ablation::none});
    }
  }

  void measure_translation(const Arm& a, std::uint64_t seed, auto& trained, const auto& s, Json& line) {
    using rc3::task::Ablation;
    auto& model = *trained.model();
    const auto state = rc3::train::copy_of(rc3::nn::named_state(model));
    const auto seen = sets(o_.translation, model, s, false);
    const TuningOptions options{.steps = o_.translation_steps, .learning_rate = 1e-3, .seed = seed};
    line["translation"] =
        translation(trained.model(), seen, *vocabulary_, options, {Ablation::none, Ablation::shuffled});
    if (a.hypothesis) {
      rc3::train::copy_state(rc3::nn::named_state(model), state);
      const auto grey = sets(o_.translation, model, s, true);
      line["text_alone"] = translation(trained.model(), grey, *vocabulary_, options, {Ablation::none});
    }
  }

  std::vector<std::string> languages(const CachedSamples& samples) const {
    if (!o_.languages.empty()) return o_.languages;
    std::vector<std::string> all;
    for (const auto& [language, count] : samples.languages()) all.push_back(language);
    return all;
  }

  /// Held-out samples: read once for all arms with the same frozen layers and maps.
  CachedSamples& held_out(Variant::Model& model, const auto& s) {
    use_maps(s.variant);
    if (!held_out_) {
      const auto source = rc3::data::open(o_.held_out, errors_);
      held_out_ = std::make_unique<CachedSamples>(
          model, source,
          [tokenizer = Variant::tokenizer(s.variant)](const auto& text) { return tokenizer.encode(text); },
          rc3::preprocess::PrepareImage<rc3::io::AvailableDecoders>(), errors_,
          rc3::features::CachedSamplesOptions{.folder = o_.features});
      held_out_->encode_texts(model);
    }
    return *held_out_;
  }

  /// Examples of @p task, read once for all arms with the same maps. @param grey  with one grey image for all
  TaskSets sets(const rc3::experiment::TaskData& task, Variant::Model& model, const auto& s, bool grey) {
    use_maps(s.variant);
    auto& all = examples_[grey ? 1 : 0];
    if (all.empty()) {
      const auto given = rc3::experiment::open_task(task, task.names.at(0), 1, errors_);
      const auto tokenizer = Variant::tokenizer(s.variant);
      if (!given.written.empty()) vocabulary_ = rc3::experiment::vocabulary_of(tokenizer, given);
      const rc3::task::PrepareExample<rc3::io::AvailableDecoders> prepare(
          tokenizer, {.classes = given.classes, .vocabulary = vocabulary_});
      const auto add = [&](const rc3::data::AnyExamples& set) {
        all.push_back(std::make_unique<rc3::task::CachedExamples>(
            model, grey ? rc3::data::AnyExamples(set, see_grey) : set, prepare, errors_,
            std::function<void(std::int64_t, std::int64_t)>{}, o_.features));
      };
      add(given.train);
      for (const auto& set : given.test) add(set);
    }
    TaskSets out{&*all[0], {}};
    for (std::size_t i = 1; i < all.size(); ++i) out.evaluation.push_back(&*all[i]);
    return out;
  }

  /// Forgets features of other maps.
  void use_maps(const Variant::Config& variant) {
    const std::pair maps(variant.side, variant.inner_stages);
    if (maps_ == maps) return;
    held_out_.reset();
    for (auto& all : examples_) all.clear();
    maps_ = maps;
  }

  static void see_grey(rc3::data::Example& example) {
    rc3::io::Image image;
    image.width = image.height = 8;
    image.rgba.assign(4 * 8 * 8, 128);
    for (std::size_t i = 3; i < image.rgba.size(); i += 4) image.rgba[i] = 255;
    for (auto& view : example.views) view.image = image;
  }

  Options o_;
  at::Device device_;
  Results results_;
  rc3::data::DataErrors errors_;
  std::pair<std::int64_t, bool> maps_{};  // of the samples and examples: side, and whether with inner stages
  std::unique_ptr<CachedSamples> held_out_;
  /// To learn from, then to measure on: with their images, and in grey.
  std::array<std::vector<std::unique_ptr<rc3::task::CachedExamples>>, 2> examples_;
  std::shared_ptr<rc3::task::Vocabulary> vocabulary_;  // of translation
};

}  // namespace study
