// The study: which ideas of RC³ help, with seeds, controls and intervals. `./run study --data DIR` runs it on
// photographs in the manifests of tools/prepare/photos.py; `--quick` runs on emoji scenes. Finished runs are skipped.
// See docs/results/study.md.

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <rc3/core/reuse_memory.hpp>

#include <iostream>
#include <string>
#include <vector>

#include "demo/variant.hpp"  // cache_folder()
#include "emoji/format.hpp"
#include "emoji/tasks/provider.hpp"
#include "study/study.hpp"

namespace {

/// Photographs in manifests, and entailment in XVNLI's format.
void use_photos(study::Options& o, const std::filesystem::path& data, bool test) {
  o.part = test ? "test" : "validation";
  const auto manifest = [&](const std::string& part) {
    const auto path = data / (part + ".jsonl");
    rc3::require(std::filesystem::exists(path), path.string(),
                 " is missing: --data is the folder that "
                 "tools/prepare/photos.py writes");
    return rc3::data::OpenOptions{.paths = {path}, .format = "manifest"};
  };
  o.train = manifest("train");
  o.held_out = manifest(o.part);
  o.translation.names = {"translation"};
  o.translation.train = data / "train.jsonl";
  o.translation.validation = data / "validation.jsonl";
  for (const auto* language : {"de", "fr", "cs"})
    o.translation.test.push_back(rc3::join(language, '=', (data / (o.part + ".jsonl")).string()));
  if (!std::filesystem::exists(data / "entailment_train.jsonl")) return;
  o.entailment.names = {"entailment"};
  o.entailment.train = data / "entailment_train.jsonl";
  o.entailment.validation = data / "entailment_validation.jsonl";
  o.entailment.test = {"en=" + (data / ("entailment_" + o.part + ".jsonl")).string()};
  o.entailment.images = data / "images";
}

/// Emoji scenes, few of them: every line of the program in a minute or two.
void use_scenes(study::Options& o) {
  const auto folder = demo::cache_folder() / "data/emoji";
  o.set = "emoji scenes, quick";
  o.train = {.paths = {folder}, .format = "emoji", .languages = {"en", "de", "fr"}, .split = "fit", .size = 48};
  o.held_out = {.paths = {folder}, .format = "emoji", .languages = {"en", "de", "fr"}, .split = "val", .size = 24};
  o.entailment.names = {"entailment"};
  o.entailment.provider = "emoji";
  o.entailment.provided = folder;
  o.entailment.languages = {"de"};
  o.entailment.scenes = 24;
  o.entailment.test_scenes = 12;
  o.translation = o.entailment;
  o.translation.names = {"translation"};
  o.translation.test_scenes = 0;
  o.translation.test_captions = 6;
  o.align_steps = 6;
  o.align_batch = 16;
  o.fuse_steps = 3;
  o.fuse_batch = 8;
  o.entailment_steps = 4;
  o.rerank = 3;
  o.rerank_texts = 10;
  o.mechanism = 12;
  o.layers = 1;
}

}  // namespace

int main(int argc, char** argv) {
  rc3::reuse_memory();
  CLI::App app{"Trains every arm of the study with every seed and measures it; appends a line of JSON for each run"};
  study::Options o;
  std::filesystem::path data;
  std::vector<std::string> arms;
  bool quick = false, test = false, all = false, list = false;
  std::int64_t threads = 0;
  o.weights = demo::cache_folder() / "weights";
  app.add_option("--data", data, "folder of the photographs' manifests (tools/prepare/photos.py)");
  app.add_flag("--quick", quick, "emoji scenes and few steps instead: does it work?");
  app.add_flag("--test", test, "measure on the test set, which is read once, at the end of a study");
  app.add_option("--arm", arms, "an arm to run; may be given several times; default: the main comparison");
  app.add_flag("--all", all, "all arms");
  app.add_flag("--list", list, "print the names of all arms");
  app.add_option("--seeds", o.seeds, "seeds, in this order")->delimiter(',');
  app.add_option("--out", o.out, "folder for weights and logs")->capture_default_str()->take_last();
  app.add_option("--results", o.results, "file of results, a line a run; default: OUT/results.jsonl")->take_last();
  app.add_option("--features", o.features, "folder of frozen features; default: OUT/features");
  app.add_option("--weights", o.weights, "folder with multilingual-e5-small and efficientnet-lite0")
      ->capture_default_str();
  app.add_option("--align-steps", o.align_steps, "steps of the first stage")->capture_default_str();
  app.add_option("--align-batch", o.align_batch, "its batch")->capture_default_str();
  app.add_option("--align-rate", o.align_rate, "its highest learning rate")->capture_default_str();
  app.add_option("--fuse-steps", o.fuse_steps, "steps of the second stage")->capture_default_str();
  app.add_option("--fuse-batch", o.fuse_batch, "its batch")->capture_default_str();
  app.add_option("--fuse-rate", o.fuse_rate, "its highest learning rate")->capture_default_str();
  app.add_option("--entailment-steps", o.entailment_steps, "steps of tuning a head")->capture_default_str();
  app.add_option("--translation-steps", o.translation_steps,
                 "measure translation instead, by a decoder that is tuned for so many steps; 0: do not");
  app.add_option("--rerank", o.rerank, "images that ITM re-ranks for each text; 0: none")->capture_default_str();
  app.add_option("--rerank-texts", o.rerank_texts,
                 "texts of each language that are re-ranked for; 0: the arm's number, 100 or 300")
      ->capture_default_str();
  app.add_option("--commit", o.commit, "commit of the program, for the results");
  app.add_option("--threads", threads, "compute threads; 0: LibTorch's default")->capture_default_str();
  app.add_option("--device", o.device, "cpu, cuda, cuda:N or auto")->capture_default_str();
  app.add_flag("--save", o.save, "keep the weights of every arm");
  try {
    if (quick = std::find(argv, argv + argc, std::string("--quick")) != argv + argc; quick) use_scenes(o);
    CLI11_PARSE(app, argc, argv);
    if (list) {
      for (const auto& a : study::arms()) std::cout << a.name << '\n';
      return 0;
    }
    rc3::require(quick != !data.empty(), "give --data DIR for photographs, or --quick for emoji scenes");
    rc3::require(!(quick && test), "--test: --quick has no test set");
    rc3::require(!all || arms.empty(), "--all: has no effect beside --arm; leave one of the two out");
    rc3::require(!all || o.translation_steps == 0,
                 "--translation-steps: arms that train the heads alone cannot translate; give --arm, not --all");
    if (!quick) use_photos(o, data, test);
    if (o.results.empty()) o.results = o.out / "results.jsonl";
    if (o.features.empty()) o.features = o.out / "features";
    if (threads > 0) at::set_num_threads(static_cast<int>(threads));
    o.arms = arms;
    if (arms.empty() && o.translation_steps > 0)
      o.arms = {"weak, itm alone", "weak, ceiling, hidden images"};
    else if (arms.empty())
      for (const auto& a : study::arms())
        if (all || o.arms.size() < 6) o.arms.push_back(a.name);
    if (quick && arms.empty() && !all && o.translation_steps == 0)
      o.arms = {"heads, strict", "weak, ceiling", "weak, itm alone"};
    study::Study(std::move(o)).run();
    return 0;
  } catch (const rc3::Error& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return 1;
  }
}
