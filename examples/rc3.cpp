// The command line tool: `rc3 embed`, `rc3 index`, `rc3 search` and `rc3 serve` search photographs; `rc3 inspect` says
// what a pretrained directory holds; `rc3 check`, `rc3 pack` and `rc3 relevance` read data sets; `rc3 completion` and
// `rc3 man` describe the tool itself.
#include <torch/version.h>
#include <rc3/core/reuse_memory.hpp>
#include <rc3/data/open.hpp>
#include <rc3/version.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <iostream>

#include "emoji/format.hpp"  // rc3 opens emoji scenes too
#include "rc3/check.hpp"
#include "rc3/inspect.hpp"
#include "rc3/photos.hpp"
#include "rc3/relevance.hpp"
#include "rc3/shell/completion.hpp"
#include "rc3/shell/man_page.hpp"
#ifdef RC3_HAS_ARCHIVE
#include <rc3/data/format/pack.hpp>
#endif

namespace {

/// What the tool was built with.
std::string version() {
  std::string text = "rc3 " + std::string(rc3::version) + ", LibTorch " TORCH_VERSION;
#ifdef RC3_HAS_TURBOJPEG
  text += ", libjpeg-turbo";
#endif
#ifdef RC3_HAS_WEBP
  text += ", libwebp";
#endif
#ifdef RC3_HAS_ARCHIVE
  text += ", libarchive";
#endif
#ifdef RC3_HAS_EIGEN
  text += ", Eigen";
#endif
#ifdef RC3_HAS_HTTPLIB
  text += ", cpp-httplib";
#endif
  return text;
}

constexpr const char* ends =
    "0: success. 1: an error, with a message. 2: something is missing, damaged or left out, and named. 130: "
    "interrupted; "
    "what was done is kept. Others: wrong options.";

/// @param more  formats beside those of data sets
void add_data_options(CLI::App& command, rc3::data::OpenOptions& options, rc3::data::ErrorBudget& budget,
                      const std::vector<std::string>& more = {}) {
  auto formats = rc3::data::format_names();
  formats.insert(formats.end(), more.begin(), more.end());
  command
      .add_option("DATA", options.paths, "a manifest (.jsonl), shards (.tar or their folder), or what --format says")
      ->required();
  command.add_option("--format", options.format, "format of DATA")
      ->check(CLI::IsMember(formats))
      ->capture_default_str();
  command.add_option("--images", options.images, "folder with the images");
  command.add_option("--image-list", options.image_list, "a line an image: its name or URL, a tab, the file's name");
  command
      .add_option("--languages", options.languages, "languages, for xflickrco one a file, for shards that of <key>.txt")
      ->delimiter(',');
  command.add_option("--split", options.split, "part of Multi30K or of the emoji; train where it is left out");
  command.add_option("--size", options.size, "emoji scenes to draw; 1000 where it is left out")
      ->check(CLI::PositiveNumber);
  command.add_option("--image-members", options.image_members, "shards: endings of the images, such as input.jpg")
      ->delimiter(',');
  command.add_option("--text-members", options.text_members, "shards: endings of the texts, such as outputs.txt")
      ->delimiter(',');
  command.add_option("--caption-key", options.caption_key, "shards: key of the caption in <key>.json");
  command.add_flag("--keys-per-shard", options.keys_per_shard, "shards: keys start again in each");
  command.add_option("--errors", budget.fraction, "share of the samples that may be damaged")->capture_default_str();
}

#ifdef RC3_HAS_EIGEN
/// The commands that search photographs.
class Photos {
 public:
  explicit Photos(CLI::App& app) {
    embed_ = app.add_subcommand("embed", "Print the vector of each image, or of each line of standard input, as JSON.");
    embed_->add_option("IMAGE", inputs_, "image files and folders; none: texts from standard input, one a line");
    index_ = app.add_subcommand("index", "Make an index of photographs, or update it: reads only what changed.");
    index_->add_option("FOLDER", making_.folders, "folders with photographs")->required();
    index_->add_option("--out", making_.out, "file of the index")->required();
    index_->add_option("--storage", making_.storage, "of the vectors of a new index")
        ->check(CLI::IsMember({"float32", "bfloat16", "int8"}))
        ->capture_default_str();
    index_->add_flag("--hidden", making_.hidden, "also hidden files and folders");
    search_ = app.add_subcommand("search", "Search photographs by a text, in any language of the model, or an image.");
    search_->add_option("INDEX", finding_.index, "file that rc3 index wrote")->required();
    search_->add_option("TEXT", finding_.text, "what to search");
    search_->add_option("--image", finding_.image, "image file: search similar ones");
    search_->add_option("--top", finding_.top, "images to print")->check(CLI::PositiveNumber)->capture_default_str();
    search_->add_option("--rerank", finding_.rerank, "hits that image-text matching orders again")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    serve_ = app.add_subcommand("serve", "Serve a page that searches photographs, and a JSON API.");
    serve_->add_option("INDEX", serving_.index, "file that rc3 index wrote")->required();
    serve_->add_option("--port", serving_.port, "port; 0: any free one")
        ->check(CLI::Range(0, 65535))
        ->capture_default_str();
    serve_->add_option("--host", serving_.host, "address to listen on; 0.0.0.0: all, for everyone in the network")
        ->capture_default_str();
    serve_->add_option("--name", serving_.names, "host name of this machine, for browsers of others");
    serve_->add_option("--captions", serving_.captions, "file of texts, one a line: the best are shown for an image");
    serve_->add_option("--max-body", serving_.max_body, "MiB of an image that is sent, at most")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    for (auto* command : {embed_, index_, search_, serve_}) {
      command
          ->add_option("--model", model_.directory,
                       "directory of rc3::save, of CLIP or SigLIP as transformers writes them, or of open_clip")
          ->required(command == embed_);
      command->add_option("--precision", model_.precision, "of the model; int8: of its texts")
          ->check(CLI::IsMember({"float32", "bfloat16", "automatic", "int8"}))
          ->capture_default_str();
      command->add_option("--threads", model_.threads, "threads; by default one a processor")
          ->check(CLI::PositiveNumber);
    }
  }

  bool wanted() const { return *embed_ || *index_ || *search_ || *serve_; }
  int run() const {
    if (*embed_) return tool::embed(model_, inputs_);
    if (*serve_) return tool::serve_photos(model_, serving_);
    return *index_ ? tool::index(model_, making_) : tool::search(model_, finding_);
  }

 private:
  CLI::App *embed_, *index_, *search_, *serve_;
  tool::ModelOptions model_;
  std::vector<std::filesystem::path> inputs_;
  tool::IndexOptions making_;
  tool::SearchOptions finding_;
  tool::ServeOptions serving_;
};
#endif

int run(int argc, char** argv) {
  rc3::reuse_memory();
  CLI::App app{"tools for multilingual vision-language models", "rc3"};
  app.set_version_flag("--version", version(), "Print the version and exit");
  app.require_subcommand(1);

#ifdef RC3_HAS_EIGEN
  Photos photos(app);
#endif
  std::filesystem::path folder;
  std::string sample = "Ein Frosch sitzt auf einem Blatt. 青蛙坐在叶子上。";
  bool all_names = false;
  auto* inspect = app.add_subcommand(
      "inspect", "Say what a pretrained or model directory holds: architecture, parameters, keys, tokenizer, images.");
  inspect->add_option("DIR", folder, "directory with config.json and model.safetensors (or shards)")->required();
  inspect->add_flag("--keys", all_names, "list every key");
  inspect->add_option("--text", sample, "text that the tokenizer is shown on")->capture_default_str();

  rc3::data::OpenOptions data;
  rc3::data::ErrorBudget budget;
  int workers = 2;
  auto* check = app.add_subcommand(
      "check", "Read a data set or a model directory from end to end: languages, alignment, sizes, errors.");
  add_data_options(*check, data, budget, {"model"});
  check->add_option("--workers", workers, "threads")->capture_default_str();

  tool::RelevanceOptions relevance;
  std::filesystem::path out;
  auto* judge = app.add_subcommand(
      "relevance", "Write a data set with the relevance of each image's texts, and say what looks mislabelled.");
  add_data_options(*judge, data, budget);
  judge->add_option("--out", out, "manifest (.jsonl) or folder for shards")->required();
  judge->add_option("--encoder", relevance.encoder, "directory of a BERT or XLM-R, for example multilingual-e5-small")
      ->required();
  judge->add_option("--prefix", relevance.prefix, "put before every text")->capture_default_str();
  judge->add_option("--low", relevance.low, "cosine that counts as 0; by default the mean of random pairs");
  judge->add_option("--high", relevance.high, "cosine that counts as 1; by default the mean of strict pairs");
  judge->add_option("--examples", relevance.examples, "suspicious pairs to print")->capture_default_str();

  auto* pack = app.add_subcommand("pack", "Write a data set as WebDataset shards, or as a manifest.");
  add_data_options(*pack, data, budget);
  pack->add_option("--out", out, "folder for the shards, or manifest (.jsonl)")->required();
#ifdef RC3_HAS_ARCHIVE
  rc3::data::PackOptions packing;
  for (auto* command : {pack, judge}) {
    command->add_option("--shard-prefix", packing.prefix, "name of the shards")->capture_default_str();
    command->add_option("--samples", packing.samples, "samples in a shard, at most")->capture_default_str();
  }
#endif
  std::string shell;
  auto* completion = app.add_subcommand("completion", "Print the script with which a shell completes commands.");
  completion->add_option("SHELL", shell, "shell")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  auto* manual = app.add_subcommand("man", "Print the manual page, for man -l -.");
  CLI11_PARSE(app, argc, argv);

  try {
    if (*completion || *manual) {
      namespace describe = tool::shell;
      const auto all = describe::commands_of(app);
      std::cout << (*manual           ? describe::man_page(all, std::string(rc3::version), ends)
                    : shell == "bash" ? describe::bash(all)
                    : shell == "zsh"  ? describe::zsh(all)
                                      : describe::fish(all));
      return 0;
    }
#ifdef RC3_HAS_EIGEN
    if (photos.wanted()) return photos.run();
#endif
    if (*inspect) return tool::inspect(folder, all_names, sample) ? 0 : 2;
    if (*check && tool::is_model(data)) return tool::inspect(data.paths[0], all_names, sample) ? 0 : 2;
    rc3::data::DataErrors errors(budget);
    if (out.extension() == ".jsonl")
      for (auto* command : {pack, judge})
        for (const char* option : {"--shard-prefix", "--samples"})
          rc3::require(!*command || !command->get_option_no_throw(option) || command->count(option) == 0, option,
                       " is for shards, and ", out.string(), " is a manifest: leave it out");
    const auto source = rc3::data::open(data, errors);
    if (*check) return tool::check(source, errors, workers) ? 0 : 2;
    const auto write = [&](const auto& to_write) {
      if (out.extension() == ".jsonl") {
        rc3::data::write_manifest(to_write, out);
        std::cout << "\n" << out.string() << " is written\n";
        return;
      }
#ifdef RC3_HAS_ARCHIVE
      const auto packed = rc3::data::pack(to_write, out, errors, packing);
      std::cout << packed.samples << " samples in " << packed.shards.size() << " shards in " << out.string() << '\n';
#else
      rc3::fail("shards need libarchive, which this program was built without (Debian: libarchive-dev)");
#endif
    };
    if (*judge) tool::relevance(source, relevance, errors, write);
    if (*pack) write(source);
    std::cout << errors.left_aside() << errors.report();
    return errors.count() == 0 ? 0 : 2;
  } catch (const std::exception& error) {  // of the system and of libraries too: no abort
    std::cerr << "rc3: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int status = run(argc, argv);
  if (std::cout.flush() && std::ferror(stdout) == 0) return status;
  std::cerr << "rc3: standard output cannot be written, so that results are missing; is the disk full?\n";
  return 1;
}
