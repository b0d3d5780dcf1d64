#pragma once
/// Options of a program of downstream tasks. LibTorch-free.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "rc3/config/config.hpp"
#include "rc3/train/fields.hpp"
#include "rc3/train/options.hpp"

namespace rc3::experiment {

/// The tasks by name, in the order of the table.
inline const std::vector<std::string> task_names = {"entailment", "questions", "reasoning", "retrieval", "translation"};

/// Tasks and the source of their examples: the files of one task, or a registered provider (TaskProvider). TaskFiles
/// and the provider define the options that apply; others must be unset.
struct TaskData {
  std::vector<std::string> names = task_names;
  std::string source = "en";           ///< language of tuning
  std::vector<std::string> written;    ///< target languages of translation
  std::filesystem::path translations;  ///< of test texts

  std::string provider;            ///< name of a registered provider; empty: files
  std::filesystem::path provided;  ///< folder of the provider's data
  std::vector<std::string> languages;
  std::int64_t scenes = 0, test_scenes = 0, test_captions = 0;

  std::filesystem::path train, validation;
  std::vector<std::string> test;
  std::string format = "auto";
  std::vector<std::string> splits = {"train", "val", "test_2016_flickr"};
  std::filesystem::path images, answers;
  std::vector<std::filesystem::path> image_list;
  std::string extension = ".jpg";
  std::vector<std::filesystem::path> regions;
  std::int64_t boxes = 0;
};

template <class V>
void visit_fields(TaskData& o, V&& v) {
  v("names", o.names, "which of entailment, questions, reasoning, retrieval, translation; of files one");
  v("source", o.source, "language that heads are tuned on, and that translations are made from");
  v("written", o.written, "languages that translations are made into; none: those of test, or as the provider has it");
  v("translations", o.translations,
    "translate-test: a line a text, the original, a tab, its translation; test texts are replaced by it");
  v("provider", o.provider, "in place of files: what makes the examples, where the program has such a provider");
  v("provided", o.provided, "folder of the provider's data");
  v("languages", o.languages, "of a provider's tables, beside the source; none: as the provider has it");
  v("scenes", o.scenes, "of a provider: scenes to learn from; 0: as it has it", config::at_least(0));
  v("test_scenes", o.test_scenes, "of a provider: scenes to classify; 0: as it has it", config::at_least(0));
  v("test_captions", o.test_captions,
    "of a provider: scenes whose captions are searched for and translated; 0: as it has it", config::at_least(0));
  v("train", o.train, "file in the source language (of Multi30K the folder): XVNLI's, GQA's, NLVR2's, or captions");
  v("validation", o.validation, "the same, to choose the checkpoint on");
  v("test", o.test, "LANGUAGE=FILE,...: XVNLI's, xGQA's, MaRVL's, or captions; of translation the language written");
  v("format", o.format,
    "of captions: auto (a manifest or shards), xflickrco, iglue-wit, multi30k-1, multi30k-2, or another data format");
  v("splits", o.splits, "of Multi30K: those of train, validation and test");
  v("images", o.images, "folder with the images");
  v("image_list", o.image_list,
    "of Multi30K and WIT: the list of the images of train, validation and each test file, or one for all");
  v("extension", o.extension, "of the images' names, of entailment, questions and reasoning");
  v("regions", o.regions, "VOLTA's TSV of the images of train, validation and each test file, or one for all");
  v("boxes", o.boxes, "where images have no regions: the whole image, and so many parts on each side; 0: none",
    config::within(0, 6));
  v("answers", o.answers, "of questions: the classes, a JSON list (VOLTA's trainval_label2ans.json)");
}

/// Options of tuning and evaluation.
struct Tuning {
  std::int64_t steps = 250, batch = 32;
  double learning_rate = 6e-4;
  std::int64_t translation_steps = 1500;
  double translation_rate = 1e-3;
  std::vector<std::string> freeze = {"model.image_hidden.*", "model.image_head.*", "model.text_head.*"};
  train::Precision precision = train::Precision::automatic;
  std::int64_t seeds = 1;
  std::uint64_t first_seed = 1;
  bool embeddings = true;
  bool controls = true;
  std::int64_t rerank = 10;
  std::int64_t shots = 0;
};

template <class V>
void visit_fields(Tuning& o, V&& v) {
  v("steps", o.steps, "of fine-tuning", config::above(0));
  v("batch", o.batch, "examples a step", config::at_least(2));
  v("learning_rate", o.learning_rate, "the highest", config::above(0));
  v("translation_steps", o.translation_steps, "of translation, whose decoder begins from nothing", config::above(0));
  v("translation_rate", o.translation_rate, "its highest learning rate", config::above(0));
  v("freeze", o.freeze, "what does not learn (retrieval leaves none out): what aligns images with all languages");
  v("precision", o.precision, "of tuning and of looking; automatic: bfloat16 where it is measured to be faster");
  v("seeds", o.seeds, "fine-tunings of each task", config::above(0));
  v("first_seed", o.first_seed, "the others follow it");
  v("embeddings", o.embeddings, "heads see the product of the embeddings beside z");
  v("controls", o.controls, "evaluate also with one kind of feature alone, and with shuffled and blank images");
  v("rerank", o.rerank, "found images or texts that ITM orders anew; 0: none", config::at_least(0));
  v("shots", o.shots, "classification continues with as many examples of each target language; 0: none",
    config::at_least(0));
}

/// @tparam Variant  the experiment's configuration
template <class Variant>
struct TaskSettings {
  TaskData task = {};
  Tuning tune = {};
  Variant variant = {};
  std::filesystem::path init = {};
  std::filesystem::path out = "tasks";
  std::int64_t threads = 0;
  std::string device = "auto";
};

template <class Variant, class V>
void visit_fields(TaskSettings<Variant>& s, V&& v) {
  v("task", s.task, "what is asked");
  v("tune", s.tune, "how heads are tuned");
  v("variant", s.variant, "the model");
  v("init", s.init,
    "directory of the pre-trained model, or its model.safetensors, or that of a checkpoint; empty: an untrained one");
  v("out", s.out, "folder for tables and predictions");
  v("threads", s.threads, "compute threads; 0: as LibTorch has it", config::at_least(0));
  v("device", s.device, "cpu, cuda, cuda:N, or auto: a GPU where there is one");
}

}  // namespace rc3::experiment
