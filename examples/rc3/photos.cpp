// The part of the tool that runs a model.
#include "photos.hpp"

#include <rc3/io/image/available_decoders.hpp>
#include <rc3/model/default_model.hpp>
#include <rc3/model/dual_encoder.hpp>
#include <rc3/pipeline/any_model.hpp>
#include <rc3/pipeline/image_index.hpp>
#include <rc3/train/progress.hpp>
#include <rc3/train/signals.hpp>

#include <ATen/Parallel.h>
#include <unistd.h>

#include <iostream>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include "json_line.hpp"
#ifdef RC3_HAS_HTTPLIB
#include "locate_words.hpp"
#include "serve/server.hpp"
#endif

namespace tool {

namespace {

using Model = rc3::AnyModel;
using Decoders = rc3::io::AvailableDecoders;
using Embedder = rc3::Embedder<Model, Decoders>;
using ImageIndex = rc3::ImageIndex<Model, Decoders>;

/// The demo's model, or a dual encoder: a model directory, or one that transformers wrote.
rc3::Pipeline<Model> load(const std::filesystem::path& directory) {
  return rc3::load_any_model<rc3::DefaultModel, rc3::Clip, rc3::Siglip, rc3::XlmRobertaClip>(directory);
}

rc3::EmbedderOptions embedder_options(const ModelOptions& model) {
  if (model.threads > 0) at::set_num_threads(model.threads);
  rc3::EmbedderOptions options;
  options.decode_threads = at::get_num_threads();
  const std::map<std::string, rc3::train::Precision> names = {{"float32", rc3::train::Precision::float32},
                                                              {"bfloat16", rc3::train::Precision::bfloat16},
                                                              {"automatic", rc3::train::Precision::automatic},
                                                              {"int8", rc3::train::Precision::int8}};
  options.precision = names.at(model.precision);
  return options;
}

/// Progress on standard error, from the first call.
class Shown {
 public:
  explicit Shown(std::string label, std::string unit = "images") : label_(std::move(label)), unit_(std::move(unit)) {}
  void operator()(std::int64_t done, std::int64_t total) {
    if (!progress_) {
      rc3::train::Progress::Options options;
      options.label = label_;
      options.unit = unit_;
      // Its time begins with this object, not with the first batch.
      const auto clock = [start = start_, first = true]() mutable {
        return std::exchange(first, false) ? start : rc3::train::steady_seconds();
      };
      progress_ =
          std::make_shared<rc3::train::Progress>(total, std::cerr, ::isatty(STDERR_FILENO) == 1, options, clock);
    }
    progress_->update(done);
    if (done == total) progress_->finish();
  }

 private:
  double start_ = rc3::train::steady_seconds();
  std::string label_, unit_;
  std::shared_ptr<rc3::train::Progress> progress_;
};

/// The next lines of standard input: at least one, and more only if they are there already.
std::vector<std::string> next_lines() {
  std::vector<std::string> lines;
  std::string line;
  while (lines.size() < 256 && (lines.empty() || std::cin.rdbuf()->in_avail() > 0) && std::getline(std::cin, line))
    lines.push_back(line);
  return lines;
}

int embed_lines(const Embedder& embedder) {
  int result = 0;
  std::int64_t number = 0;
  const auto show = [](const std::string& text, std::span<const float> vector) {
    std::string out = "{\"text\":" + quoted(text) + ",\"vector\":";
    print(out, vector);
    std::cout << out << "}\n";
  };
  for (auto lines = next_lines(); !lines.empty(); lines = next_lines()) {
    try {
      const at::Tensor vectors = embedder.texts(lines);
      for (std::size_t i = 0; i < lines.size(); ++i)
        show(lines[i], rc3::pipeline::row(vectors, static_cast<std::int64_t>(i)));
    } catch (const rc3::Error&) {  // one of them: each by itself
      for (std::size_t i = 0; i < lines.size(); ++i) try {
          const at::Tensor vector = embedder.text(lines[i]).unsqueeze(0);
          show(lines[i], rc3::pipeline::row(vector, 0));
        } catch (const rc3::Error& error) {
          std::cerr << "rc3: line " << number + static_cast<std::int64_t>(i) + 1 << ": " << error.what() << '\n';
          result = 2;
        }
    }
    number += std::ssize(lines);
    std::cout << std::flush;
  }
  return result;
}

void print_hits(const std::vector<rc3::ImageHit>& hits) {
  for (const auto& hit : hits) {
    std::string line = "{\"score\":";
    print(line, hit.score);
    if (!std::isnan(hit.match)) {
      line += ",\"match\":";
      print(line, hit.match);
    }
    std::cout << line << ",\"path\":" << quoted(hit.path) << "}\n";
  }
  std::cout << std::flush;
}

struct Interrupted {};

/// Directory of the model that @p index was made with. @throws rc3::Error if the index names none, or it is gone
std::filesystem::path model_directory(const ModelOptions& model, const std::filesystem::path& index) {
  if (!model.directory.empty()) return model.directory;
  const std::filesystem::path directory = rc3::search::model_directory_of(index);
  rc3::require(!directory.empty(), index.string(), ": names no model directory; give --model");
  rc3::require(std::filesystem::exists(directory), index.string(), ": made with the model directory ",
               directory.string(), ", which is not there; give its place with --model");
  return directory;
}

#ifdef RC3_HAS_HTTPLIB
/// The model as the server calls it.
class ModelEncoder : public serve::Encoder {
 public:
  ModelEncoder(rc3::Pipeline<Model> pipeline, rc3::EmbedderOptions options)
      : embedder_(std::move(pipeline), std::move(options)),
        model_(rc3::pipeline::identity_of(embedder_.pipeline())),
        words_(embedder_.pipeline(), rc3::EmbedderOptions().limits) {}  // of photographs of the index, as rc3 index

  std::string model() const override { return model_; }
  std::vector<float> text(const std::string& text) const override { return numbers(embedder_.text(text)); }
  std::vector<std::vector<float>> texts(std::span<const std::string> texts) const override {
    std::vector<std::vector<float>> all;
    for (const at::Tensor& vector : embedder_.texts(texts).unbind()) all.push_back(numbers(vector));
    return all;
  }
  std::vector<float> image(const std::string& bytes) const override {
    const rc3::preprocess::EncodedImage file{bytes, "the image"};
    const auto embedded = embedder_.encoded(std::span(&file, 1));
    if (!embedded.failures.empty()) rc3::fail(embedded.failures[0].reason);
    return numbers(embedded.vectors.squeeze(0));
  }
  bool can_match() const override { return embedder_.pipeline().model->matches(); }
  std::vector<float> match(const std::string& text, std::span<const std::filesystem::path> files) const override {
    return embedder_.match(text, files);
  }
  bool can_locate() const override { return words_.available(); }
  serve::WordMap locate(const std::string& text, const std::filesystem::path& file) const override {
    return words_(text, file);
  }

 private:
  static std::vector<float> numbers(const at::Tensor& vector) {
    return {vector.data_ptr<float>(), vector.data_ptr<float>() + vector.numel()};
  }

  Embedder embedder_;
  std::string model_;
  LocateWords<Model, Decoders> words_;
};
#endif

}  // namespace

int embed(const ModelOptions& model, const std::vector<std::filesystem::path>& inputs) {
  const Embedder embedder(load(model.directory), embedder_options(model));
  std::ios::sync_with_stdio(false);
  if (inputs.empty()) return embed_lines(embedder);
  std::vector<std::filesystem::path> paths;
  int result = 0;
  for (const auto& input : inputs) {
    if (!std::filesystem::is_directory(input)) {
      paths.push_back(input);
      continue;
    }
    const auto found = rc3::search::folder_changes<Decoders>(input, {});
    for (const auto& image : found.added) paths.emplace_back(image.path);
    for (const auto& skipped : found.skipped) std::cerr << skipped.path << ": " << skipped.reason << '\n';
  }
  const auto failures = embedder.for_each(
      std::ssize(paths), [&](std::int64_t i) -> rc3::preprocess::ImageSource { return paths[std::size_t(i)]; },
      [&](const std::vector<std::int64_t>& indices, const at::Tensor& vectors) {
        for (std::size_t k = 0; k < indices.size(); ++k) {
          std::string line = "{\"path\":" + quoted(paths[std::size_t(indices[k])].string()) + ",\"vector\":";
          print(line, rc3::pipeline::row(vectors, static_cast<std::int64_t>(k)));
          std::cout << line << "}\n";
        }
        std::cout << std::flush;
      },
      Shown("embed"));
  for (const auto& failure : failures) std::cerr << "rc3: " << failure.reason << '\n';
  return failures.empty() ? result : 2;
}

int index(const ModelOptions& model, const IndexOptions& options) {
  rc3::ImageIndexOptions settings;
  settings.embedder = embedder_options(model);
  settings.folder.hidden = options.hidden;
  const bool exists = std::filesystem::exists(options.out);
  auto directory = model.directory;
  if (directory.empty() && exists) directory = rc3::search::model_directory_of(options.out);
  rc3::require(!directory.empty(), "give --model, a model directory");
  directory = std::filesystem::absolute(directory).lexically_normal();
  settings.model_directory = directory.string();
  for (const auto& row : rc3::search::storages)
    if (row.name == options.storage) settings.storage = row.storage;
  auto pipeline = load(directory);
  auto photos =
      exists ? ImageIndex::load(options.out, std::move(pipeline), settings) : ImageIndex(std::move(pipeline), settings);
  if (!exists) photos.save(options.out);  // now, not after hours: the folder may not be writable
  const rc3::train::Signals signals;
  double saved = rc3::train::steady_seconds();
  try {
    for (const auto& folder : options.folders) {
      Shown shown("index " + folder.string());
      // Absolute paths: a search prints paths that open from any folder.
      const auto report = photos.update(std::filesystem::absolute(folder), [&](std::int64_t done, std::int64_t total) {
        shown(done, total);
        if (signals.stop_wanted()) throw Interrupted{};
        if (rc3::train::steady_seconds() - saved < 60) return;
        photos.save(options.out);
        saved = rc3::train::steady_seconds();
      });
      photos.save(options.out);
      for (const auto& skipped : report.skipped)
        std::cout << "{\"skipped\":" << quoted(skipped.path) << ",\"reason\":" << quoted(skipped.reason) << "}\n";
      std::cout << std::flush;
      std::cerr << folder.string() << ": " << report.added << " added, " << report.changed << " changed, "
                << report.unchanged << " unchanged, " << report.removed << " removed, " << report.skipped.size()
                << " skipped\n";
    }
  } catch (const Interrupted&) {
    photos.save(options.out);
    std::cerr << "\nrc3: interrupted; " << photos.size() << " images are indexed, and the same command continues\n";
    return 130;
  }
  std::cerr << options.out.string() << ": " << photos.size() << " images\n";
  return 0;
}

int search(const ModelOptions& model, const SearchOptions& options) {
  rc3::require(options.text.empty() != options.image.empty(),
               "rc3 search: give a text or --image, one of them: rc3 search photos.index \"a dog in the snow\"");
  const auto directory = model_directory(model, options.index);
  rc3::ImageIndexOptions settings;
  settings.embedder = embedder_options(model);
  settings.threads = at::get_num_threads();
  const auto photos = ImageIndex::load(options.index, load(directory), settings);
  if (!options.image.empty()) {
    rc3::require(options.rerank == 0, "rc3 search: --rerank compares a text with images; leave it out with --image");
    print_hits(photos.search_image(options.image, options.top));
    return 0;
  }
  const auto& host = *photos.embedder().pipeline().model;
  rc3::require(options.rerank == 0 || host.matches(), "rc3 search: --rerank needs image-text matching, which ",
               host.variant(), " has not; leave it out");
  auto hits = photos.search(options.text, std::max(options.top, options.rerank));
  if (options.rerank > 0) hits = photos.rerank(options.text, std::move(hits), options.rerank);
  if (std::ssize(hits) > options.top) hits.erase(hits.begin() + options.top, hits.end());
  print_hits(hits);
  return 0;
}

int serve_photos(const ModelOptions& model, const ServeOptions& options) {
#ifdef RC3_HAS_HTTPLIB
  const auto directory = model_directory(model, options.index);
  auto embedding = embedder_options(model);
  embedding.limits.max_bytes = options.max_body << 20;
  embedding.limits.max_pixels = 64 << 20;  // strangers' images: half of what rc3 index reads
  serve::ServerOptions settings;
  settings.host = options.host;
  settings.port = options.port;
  settings.names = options.names;
  settings.max_body = options.max_body << 20;
  settings.threads = at::get_num_threads();
  const auto encoder = std::make_shared<ModelEncoder>(load(directory), embedding);
  if (!options.captions.empty())
    settings.captions = std::make_shared<serve::Captions>(options.captions, *encoder, settings.threads,
                                                          Shown("captions " + options.captions.string(), "texts"));
  const rc3::train::Signals signals;
  const serve::Server server(encoder, options.index, settings);
  std::cerr << server.photos().now()->size() << " photographs at " << server.url() << "; Ctrl-C ends it\n";
  while (!signals.stop_wanted()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  std::cerr << "rc3: ends after the requests that are being answered\n";
  return 0;
#else
  static_cast<void>(model);
  rc3::fail("rc3 serve ", options.index.string(),
            ": this program was built without cpp-httplib; install it (Debian: apt-get install libcpp-httplib-dev) and "
            "build rc3 again");
#endif
}

}  // namespace tool
