#pragma once
/// The study: every arm with every seed on the road of the library, one line of results for each.

#include <rc3/experiment/pretraining.hpp>
#include <rc3/experiment/tasks/files.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arms.hpp"
#include "measures.hpp"
#include "results.hpp"
#include "variant.hpp"

namespace study {

struct Options {
  rc3::data::OpenOptions train, held_out;  ///< to learn from, and to measure on
  rc3::experiment::TaskData entailment;    ///< its `train` and first `test`, or a provider; no names: not measured
  std::string set = "photos";              ///< what the data are, for the results
  std::string part = "validation";         ///< what is measured on, for the results
  std::vector<std::string> languages;      ///< that are measured; empty: all of the held-out data
  std::vector<std::string> arms;           ///< names
  std::vector<std::uint64_t> seeds = {1, 2, 3};
  std::filesystem::path out = "out/study", results, features, weights;
  std::int64_t align_steps = 1000, align_batch = 512, fuse_steps = 300, fuse_batch = 48, entailment_steps = 300;
  std::int64_t rerank = 10, rerank_texts = 300, mechanism = 400, size = 0, layers = 2;
  double align_rate = 1e-3, fuse_rate = 1e-3;
  std::string commit = "unknown";
  std::string device = "auto";
  bool save = false;  ///< keep the weights of every arm
};

class Study {
 public:
  using Settings = rc3::experiment::Settings<Variant>;
  using Pretraining = rc3::experiment::Pretraining<Variant>;

  explicit Study(Options options)
      : o_(std::move(options)), device_(rc3::train::use_device(o_.device)), results_(o_.results) {
    std::filesystem::create_directories(o_.out);
  }

  void run() {
    for (const auto seed : o_.seeds)
      for (const auto& name : o_.arms) {
        const auto& a = arm(name);
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
                    {"strict_share", a.strict_share == 1 ? 1.0 : 0.5},
                    {"steps", o_.align_steps},
                    {"batch", o_.align_batch},
                    {"learning_rate", o_.align_rate}};
    if (!a.fuse) return key;
    const auto fields = rc3::config::to_json(settings(a, seed).variant);
    Json variant = Json::object();
    for (const auto& [name, value] : fields.items())
      if (name != "weights" && (name != "hidden_images" || value != 0)) variant[name] = value;  // results before it
    key["fuse"] = {{"strict_share", a.strict_share}, {"objectives", a.objectives},    {"steps", o_.fuse_steps},
                   {"batch", o_.fuse_batch},         {"learning_rate", o_.fuse_rate}, {"variant", variant}};
    key["entailment_steps"] = o_.entailment_steps;
    key["rerank"] = {o_.rerank, o_.rerank_texts};
    return key;
  }

  Settings settings(const Arm& a, std::uint64_t seed) const {
    Settings s;
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
    auto& [align, fuse] = s.stages;
    align.pairing.strict_share = a.strict_share == 1 ? 1 : 0.5;
    align.loader.batch = o_.align_batch;
    align.train.optimizer.learning_rate = o_.align_rate;
    align.train.schedule = {std::min<std::int64_t>(50, o_.align_steps / 4), o_.align_steps, 0.0};
    fuse.pairing.strict_share = a.strict_share;
    fuse.objectives = {0, 0, a.objectives[0], a.objectives[1]};
    fuse.loader.batch = o_.fuse_batch;
    fuse.train.optimizer.learning_rate = o_.fuse_rate;
    fuse.train.schedule = {std::min<std::int64_t>(30, o_.fuse_steps / 4), o_.fuse_steps, 0.0};
    return s;
  }

  /// Trains the stages with steps; the log goes to a file.
  std::shared_ptr<Variant::Trained> train(const Settings& s, const std::string& name) const {
    std::ofstream log(o_.out / (name + ".log"));
    at::manual_seed(s.seed);
    auto sources = rc3::config::default_provenance(s);
    for (auto& [option, where] : sources) where = "the study";
    Pretraining pretraining(s, std::move(sources), device_, std::make_shared<rc3::Single>(), log);
    rc3::require(pretraining.run() != rc3::train::StopReason::stopped, name, ": stopped by a signal");
    return pretraining.trained();
  }

  /// The weights after the first stage, trained at first use. Arms with the same texts and seed share them.
  std::filesystem::path aligned(const Arm& a, std::uint64_t seed, double& seconds) const {
    const auto name = rc3::join("align-", a.texts(), '-', o_.align_steps, 'x', o_.align_batch, "-seed", seed);
    const auto path = o_.out / (name + ".safetensors");
    if (std::filesystem::exists(path)) return path;
    auto s = settings(a, seed);
    s.stages[1].train.schedule.total = 0;
    const auto begin = std::chrono::steady_clock::now();
    const auto trained = train(s, name);
    seconds = since(begin);
    rc3::train::save_checkpoint(path, *trained, Variant::Trained::name());
    return path;
  }

  Json run(const Arm& a, std::uint64_t seed, const Json& key) {
    Json line{{"run", key}};
    double align_seconds = 0;
    const auto init = aligned(a, seed, align_seconds);
    if (align_seconds > 0) line["seconds"]["align"] = align_seconds;
    auto s = settings(a, seed);
    std::shared_ptr<Variant::Trained> trained;
    auto begin = std::chrono::steady_clock::now();
    if (a.fuse) {
      s.init = init;
      s.stages[0].train.schedule.total = 0;
      std::string name = rc3::join(a.name, "-seed", seed);
      std::replace(name.begin(), name.end(), ' ', '-');
      const auto before = std::clock();
      trained = train(s, name);
      line["seconds"]["fuse"] = since(begin);
      line["seconds"]["fuse_processor"] =
          std::round(10.0 * static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC) / 10;
      if (o_.save) rc3::train::save_checkpoint(o_.out / (name + ".safetensors"), *trained, Variant::Trained::name());
    } else {
      trained = Variant::make(s.variant);
      rc3::train::load_checkpoint(init, *trained, Variant::Trained::name());
      trained->to(device_);
    }
    begin = std::chrono::steady_clock::now();
    measure(a, seed, *trained, s, line);
    line["seconds"]["measures"] = since(begin);
    line["configuration"] = rc3::config::to_json(s);
    line["commit"] = o_.commit;
    line["machine"] = Json::object();
    for (const auto& [name, value] : rc3::train::report::environment()) line["machine"][name] = value;
    line["machine"]["device"] = device_.str();
    line["machine"]["threads"] = at::get_num_threads();
    return line;
  }

  void measure(const Arm& a, std::uint64_t seed, Variant::Trained& trained, const Settings& s, Json& line) {
    auto& model = *trained.model();
    trained.eval();
    const rc3::train::Autocast autocast(rc3::train::Precision::automatic, device_);
    auto& samples = held_out(model, s);
    if (!a.fuse) {
      line["retrieval"] = retrieval(model, samples, languages(samples));
      return;
    }
    if (o_.rerank > 0) line["rerank"] = reranking(model, samples, languages(samples), o_.rerank_texts, o_.rerank);
    trained.for_each_objective([&](auto& objective) {
      if constexpr (requires { objective.relevance().encoder(); })
        line["mechanism"] = mechanism(model, objective.relevance().encoder(), samples, o_.mechanism);
    });
    if (o_.entailment.names.empty()) return;
    using rc3::task::Ablation;
    // The fusion encoder changes while a head is tuned: the second head begins with the same weights.
    const auto state = rc3::train::copy_of(rc3::nn::named_state(model));
    open_entailment(model, s);
    const EntailmentOptions options{.steps = o_.entailment_steps, .seed = seed};
    line["entailment"] = entailment(trained.model(), {&*examples_[0], &*examples_[1]}, options,
                                    {Ablation::none, Ablation::shuffled, Ablation::blank});
    if (a.hypothesis) {
      rc3::train::copy_state(rc3::nn::named_state(model), state);
      line["hypothesis"] = entailment(trained.model(), {&*examples_[2], &*examples_[3]}, options, {Ablation::none});
    }
  }

  std::vector<std::string> languages(const CachedSamples& samples) const {
    if (!o_.languages.empty()) return o_.languages;
    std::vector<std::string> all;
    for (const auto& [language, count] : samples.languages()) all.push_back(language);
    return all;
  }

  /// Held-out samples: read once, since the frozen layers of all arms are equal.
  CachedSamples& held_out(Variant::Model& model, const Settings& s) {
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

  /// Training examples and those to measure on; then both with one grey image.
  void open_entailment(Variant::Model& model, const Settings& s) {
    if (!examples_.empty()) return;
    const auto given = rc3::experiment::open_task(o_.entailment, "entailment", 1, errors_);
    const rc3::task::PrepareExample<rc3::io::AvailableDecoders> prepare(Variant::tokenizer(s.variant),
                                                                        {.classes = given.classes});
    const auto grey = [](rc3::data::Example& e) {
      for (auto& view : e.views) view.image = grey_image();
    };
    const auto add = [&](const rc3::data::AnyExamples& set) {
      examples_.push_back(std::make_unique<rc3::task::CachedExamples>(
          model, set, prepare, errors_, std::function<void(std::int64_t, std::int64_t)>{}, o_.features));
    };
    add(given.train);
    add(given.test.at(0));
    add(rc3::data::AnyExamples(given.train, grey));
    add(rc3::data::AnyExamples(given.test.at(0), grey));
  }

  static rc3::data::ImageSource grey_image() {
    rc3::io::Image image;
    image.width = image.height = 8;
    image.rgba.assign(4 * 8 * 8, 128);
    for (std::size_t i = 3; i < image.rgba.size(); i += 4) image.rgba[i] = 255;
    return image;
  }

  Options o_;
  at::Device device_;
  Results results_;
  rc3::data::DataErrors errors_;
  std::unique_ptr<CachedSamples> held_out_;
  std::vector<std::unique_ptr<rc3::task::CachedExamples>> examples_;
};

}  // namespace study
