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
  std::vector<std::string> names = task_names;  ///< of task_names; files: one of them
  std::string source = "en";                    ///< language of tuning
  std::vector<std::string> written;             ///< target languages of translation
  std::filesystem::path translations;           ///< of test texts

  std::string provider;                ///< name of a registered provider; empty: files
  std::filesystem::path provided;      ///< folder of the provider's data
  std::vector<std::string> languages;  ///< of a provider, beside the source; empty: its default
  std::int64_t scenes = 0, test_scenes = 0, test_captions = 0;  ///< of a provider, >= 0; 0: its default

  std::filesystem::path train, validation;  ///< files in the source language; Multi30K: the folder
  std::vector<std::string> test;            ///< LANGUAGE=FILE each
  std::string format = "auto";              ///< of captions; auto: manifest or shards
  std::vector<std::string> splits = {"train", "val", "test_2016_flickr"};  ///< of Multi30K: train, validation, test
  std::filesystem::path images, answers;          ///< folder of images; JSON list of the classes of questions
  std::vector<std::filesystem::path> image_list;  ///< train, validation and each test file, or one for all
  std::string extension = ".jpg";                 ///< of image files of entailment, questions and reasoning
  std::vector<std::filesystem::path> regions;     ///< as image_list, files of VOLTA
  std::int64_t boxes = 0;                         ///< N in 0 .. 6: the whole image and N x N cells as regions; 0: none
};

template <class V>
void visit_fields(TaskData& o, V&& v) {
  v("names", o.names, "tasks: entailment, questions, reasoning, retrieval, translation; with files, one of them");
  v("source", o.source, "language of fine-tuning, and of the texts to translate");
  v("written", o.written, "target languages of translation; none given: those of test, or the provider's default");
  v("translations", o.translations,
    "translate-test: file with a line for each test text: original, tab, translation in the source language");
  v("provider", o.provider, "source of examples in place of files, if the program has one");
  v("provided", o.provided, "folder of the provider's data");
  v("languages", o.languages, "languages of a provider's tables, beside the source; none given: its default");
  v("scenes", o.scenes, "scenes of a provider for fine-tuning; 0: its default", config::at_least(0));
  v("test_scenes", o.test_scenes, "scenes of a provider to classify; 0: its default", config::at_least(0));
  v("test_captions", o.test_captions, "scenes of a provider for retrieval and translation; 0: its default",
    config::at_least(0));
  v("train", o.train, "training file in the source language (Multi30K: the folder): XVNLI, GQA, NLVR2 or captions");
  v("validation", o.validation, "validation file of the same format, which selects the checkpoint");
  v("test", o.test,
    "test files, LANGUAGE=FILE,...: XVNLI, xGQA, MaRVL or captions; for translation the target language");
  v("format", o.format,
    "format of captions: auto (manifest or shards), xflickrco, iglue-wit, multi30k-1, multi30k-2 or another");
  v("splits", o.splits, "splits of Multi30K for train, validation and test");
  v("images", o.images, "folder with the images");
  v("image_list", o.image_list,
    "image lists of Multi30K and WIT for train, validation and each test file, or one for all");
  v("extension", o.extension, "file extension of images, for entailment, questions and reasoning");
  v("regions", o.regions, "VOLTA feature files of train, validation and each test file, or one for all");
  v("boxes", o.boxes, "grid regions for images without regions: the whole image and N x N cells; 0: none",
    config::within(0, 6));
  v("answers", o.answers, "classes of questions, a JSON list (VOLTA's trainval_label2ans.json)");
}

/// Options of tuning and evaluation.
struct Tuning {
  std::int64_t steps = 250, batch = 32;   ///< optimizer steps, > 0; examples of a step, >= 2
  double learning_rate = 6e-4;            ///< highest, > 0
  std::int64_t translation_steps = 1500;  ///< above 0; more, since the decoder is new
  double translation_rate = 1e-3;         ///< highest, > 0
  /// Layers that align images with all languages stay as they are; no effect on retrieval.
  std::vector<std::string> freeze = {"model.image_hidden.*", "model.image_head.*", "model.text_head.*"};
  train::Precision precision = train::Precision::automatic;  ///< of tuning and evaluation
  std::int64_t seeds = 1;                                    ///< number of tunings of each task, > 0
  std::uint64_t first_seed = 1;                              ///< the others follow
  bool embeddings = true;                                    ///< as task::ClassifierOptions::embeddings
  bool controls = true;                                      ///< whether ablations are evaluated, see task::Ablation
  std::int64_t rerank = 10;                                  ///< best images or texts of each query, >= 0; 0: no ITM
  std::int64_t shots = 0;                                    ///< examples of each target language, >= 0; 0: zero-shot
};

template <class V>
void visit_fields(Tuning& o, V&& v) {
  v("steps", o.steps, "steps of fine-tuning", config::above(0));
  v("batch", o.batch, "examples of a step", config::at_least(2));
  v("learning_rate", o.learning_rate, "highest learning rate", config::above(0));
  v("translation_steps", o.translation_steps, "steps of translation, whose decoder is new", config::above(0));
  v("translation_rate", o.translation_rate, "highest learning rate of translation", config::above(0));
  v("freeze", o.freeze, "frozen parameters (not for retrieval); default: those that align images with all languages");
  v("precision", o.precision, "of fine-tuning and evaluation; automatic: bfloat16 if it is measured to be faster");
  v("seeds", o.seeds, "number of fine-tunings of each task", config::above(0));
  v("first_seed", o.first_seed, "first seed; the others follow");
  v("embeddings", o.embeddings, "whether heads read the product of both embeddings beside z");
  v("controls", o.controls,
    "whether to evaluate with one kind of feature alone, and with shuffled and blank images, too");
  v("rerank", o.rerank, "best images or texts of each query that ITM re-ranks; 0: none", config::at_least(0));
  v("shots", o.shots, "few-shot examples of each target language, after fine-tuning; 0: none", config::at_least(0));
}

/// Options of the program that fine-tunes and evaluates on downstream tasks.
/// @tparam Variant  the experiment's configuration
template <class Variant>
struct TaskSettings {
  TaskData task = {};                   ///< tasks and their files
  Tuning tune = {};                     ///< of the heads
  Variant variant = {};                 ///< the model
  std::filesystem::path init = {};      ///< pre-trained model; empty: untrained
  std::filesystem::path out = "tasks";  ///< folder of tables and predictions
  std::int64_t threads = 0;             ///< of computation; 0: LibTorch's default
  std::string device = "auto";          ///< cpu, cuda, cuda:N, or auto: a GPU if there is one
};

template <class Variant, class V>
void visit_fields(TaskSettings<Variant>& s, V&& v) {
  v("task", s.task, "task and its data");
  v("tune", s.tune, "fine-tuning of heads");
  v("variant", s.variant, "the model");
  v("init", s.init,
    "pre-trained model: its directory, its model.safetensors, or that of a checkpoint; empty: untrained");
  v("out", s.out, "folder for tables and predictions");
  v("threads", s.threads, "compute threads; 0: LibTorch's default", config::at_least(0));
  v("device", s.device, "cpu, cuda, cuda:N, or auto: a GPU if there is one");
}

}  // namespace rc3::experiment
