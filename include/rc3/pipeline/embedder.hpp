#pragma once
/// Embeddings of texts and images: from strings, image files and pixels to unit vectors.

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/blank.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/core/nn/to_float32.hpp"
#include "rc3/core/random.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/loader/loader.hpp"
#include "rc3/fwd.hpp"
#include "rc3/pipeline/pipeline.hpp"
#include "rc3/pipeline/pooled_tokens.hpp"
#include "rc3/preprocess/collate_images.hpp"
#include "rc3/preprocess/image_source.hpp"
#include "rc3/preprocess/prepare_image.hpp"
#include "rc3/text/tokenize.hpp"
#include "rc3/train/options.hpp"
#include "rc3/train/precision.hpp"

namespace rc3 {

/// Batches, threads and precision of an Embedder.
struct EmbedderOptions {
  std::int64_t text_tokens = 4096;  ///< padded tokens in a batch of texts, > 0; a longer text is a batch by itself
  std::int64_t image_batch = 32;    ///< images in a batch, > 0
  int decode_threads = 2;           ///< threads that read and decode images ahead of the model, >= 0; 0: the caller's
  /// bfloat16 (autocast) is faster on processors with instructions for it, and less exact. `automatic` measures which
  /// is faster, so that results may differ between machines. int8 is for texts: images are computed in float32.
  train::Precision precision = train::Precision::float32;
  /// Of files; wider than those of training data, for photographs. Decoding needs 4 to 28 bytes a pixel and thread.
  io::ImageLimits limits = {.max_bytes = 256 << 20, .max_side = 16384, .max_pixels = 128 << 20};
};

/// Image that could not be read.
struct ImageFailure {
  std::int64_t index = 0;  ///< of the image in the call's list
  std::string reason;      ///< with the file's name
};

/// Embeddings of images that may be damaged.
struct EmbeddedImages {
  at::Tensor vectors;                  ///< float [n, E], unit norm; zero for a failure
  std::vector<ImageFailure> failures;  ///< by index
};

namespace pipeline {

/// Progress of a long computation: (items done, total items).
using Progress = std::function<void(std::int64_t done, std::int64_t total)>;

namespace detail {

/// Indices 0 .. size - 1, which the loader's threads turn into images.
struct Indices {
  std::int64_t count;
  const char* name() const { return "rc3::Embedder"; }
  std::int64_t size() const { return count; }
  std::int64_t read(std::int64_t i) const { return i; }
};

/// Image prepared by a thread, or the reason why not.
struct LoadedImage {
  std::int64_t index = 0;
  preprocess::PreparedImage image;
  std::string failure;
};

struct ImageBatch {
  std::vector<std::int64_t> indices;  ///< of the intact images
  Images images;
  std::vector<ImageFailure> failures;
};

template <class Decoders, class Read>
struct LoadImage {
  const preprocess::PrepareImage<Decoders>& prepare;
  const Read& read;

  LoadedImage operator()(std::int64_t i, std::uint64_t, std::int64_t) const {
    LoadedImage out{i, {}, {}};
    try {
      Random unused(0);
      out.image = prepare(read(i), {}, join("image ", i), unused);
      if (out.image.pixels.empty()) out.failure = join("image ", i, ": there is none");
    } catch (const std::exception& error) {  // std::bad_alloc too: the other images do not depend on this one
      out.failure = error.what();
    }
    return out;
  }
};

struct CollateImages {
  ImageBatch operator()(std::vector<LoadedImage> all) const {
    ImageBatch batch;
    std::vector<const preprocess::PreparedImage*> intact;
    for (LoadedImage& one : all) {
      if (!one.failure.empty()) {
        batch.failures.push_back({one.index, std::move(one.failure)});
      } else {
        batch.indices.push_back(one.index);
        intact.push_back(&one.image);
      }
    }
    batch.images = preprocess::collate_images(intact);
    return batch;
  }
};

/// Whether a model says how well an image and a text match.
template <class M>
concept Matches = requires(M& model, const Tokens& tokens) {
  model.itm_logits(model.fuse(tokens, tokens));
};

}  // namespace detail
}  // namespace pipeline

/// Embeddings of texts and images by a pipeline's model, in eval mode and without gradients.
///
/// Texts of like length share a batch, so that little is padding. Threads read and decode images ahead of the model;
/// at most three batches are in memory. Vectors are on the CPU and of norm 1: a dot product is a cosine.
///
/// Several threads may use one Embedder. A vector depends on its text or image only, up to rounding: with float32,
/// elements differ by less than 1e-5 between batches and numbers of threads, with bfloat16 by less than 0.02.
/// With int8, elements of a text differ by less than 0.002 between batches, and from float32 by less than 0.02.
/// @tparam M         an rc3::Model, or another with visual(), text(), image_embedding() and text_embedding()
/// @tparam Decoders  decoders of image files, for example io::AvailableDecoders
template <class M, class Decoders>
class Embedder {
 public:
  /// Longest text. The tokenizer reads the first few hundred tokens of a text anyway: a longer one is a mistake.
  static constexpr std::size_t max_text_bytes = 1 << 16;

  /// @throws rc3::Error for an invalid option, or if the pipeline has no model or images of several sizes
  explicit Embedder(Pipeline<M> pipeline, EmbedderOptions options = {})
      : pipeline_(checked(std::move(pipeline))),
        options_(std::move(options)),
        prepare_({.image = pipeline_.images, .limits = options_.limits}) {
    require(options_.text_tokens > 0 && options_.image_batch > 0 && options_.decode_threads >= 0,
            "rc3::Embedder: text_tokens and image_batch must be above 0 and decode_threads not below, are ",
            options_.text_tokens, ", ", options_.image_batch, " and ", options_.decode_threads);
    if constexpr (std::is_base_of_v<torch::nn::Module, M>) pipeline_.model->eval();
    device_ = nn::device_of(*pipeline_.model);
    options_.precision = train::resolve(options_.precision, device_);
    if constexpr (requires { pipeline_.model->options().embedding; })
      dimension_ = pipeline_.model->options().embedding;
    else
      dimension_ = texts(std::vector<std::string>{"a"}).size(1);
  }

  /// E, width of the embeddings.
  std::int64_t dimension() const { return dimension_; }
  /// With the precision that is used instead of `automatic`.
  const EmbedderOptions& options() const { return options_; }
  /// Model, tokenizer and image preparation; the model is shared, not copied.
  const Pipeline<M>& pipeline() const { return pipeline_; }

  /// Embedding of one text. @return float [E], unit norm @throws rc3::Error as texts() does
  at::Tensor text(const std::string& text) const { return texts(std::span(&text, 1)).squeeze(0); }

  /// Embedding of each text. A text that is longer than the tokenizer's maximum is truncated by it.
  /// @param progress  called in this thread after every batch
  /// @return float [n, E], unit norm
  /// @throws rc3::Error for a text that is blank, not UTF-8 or longer than max_text_bytes, with its index; if the model
  ///         is in training mode
  at::Tensor texts(std::span<const std::string> texts, const pipeline::Progress& progress = {}) const {
    check_mode();
    const auto n = std::ssize(texts);
    std::vector<std::vector<std::int64_t>> ids;
    for (std::size_t i = 0; i < texts.size(); ++i) ids.push_back(ids_of(texts[i], i, texts.size()));
    std::vector<std::size_t> order(ids.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return ids[a].size() < ids[b].size(); });
    at::Tensor vectors;
    if (n == 0) return at::zeros({0, dimension_});
    for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
      // Ascending lengths: the last text of a batch is the longest.
      while (end < order.size() &&
             (end == begin ||
              static_cast<std::int64_t>((end + 1 - begin) * ids[order[end]].size()) <= options_.text_tokens))
        ++end;
      const std::span rows(order.data() + begin, end - begin);
      std::vector<std::vector<std::int64_t>> batch;
      for (const auto row : rows) batch.push_back(std::move(ids[row]));
      const at::Tensor part = encode(text::pad_batch(batch, 1, pipeline_.tokenizer.pad_id()));
      if (!vectors.defined()) vectors = at::empty({n, part.size(1)});
      store(vectors, part, rows);
      if (progress) progress(static_cast<std::int64_t>(end), n);
    }
    return vectors;
  }

  /// Embedding of each image. Transparent parts are on the background of the preparation.
  /// @return float [n, E], unit norm @throws rc3::Error for an empty image, with its index
  at::Tensor images(std::span<const io::Image> images, const pipeline::Progress& progress = {}) const {
    return all_of(embed(
        std::ssize(images), [&](auto i) { return item(images, i); }, progress));
  }

  /// Embedding of the image file @p path. @return float [E], unit norm @throws rc3::Error if it cannot be read
  at::Tensor file(const std::filesystem::path& path) const { return all_of(files(std::span(&path, 1))).squeeze(0); }

  /// Embedding of each image file. Files that cannot be read or decoded are listed, and the others embedded.
  [[nodiscard]] EmbeddedImages files(std::span<const std::filesystem::path> paths,
                                     const pipeline::Progress& progress = {}) const {
    return embed(
        std::ssize(paths), [&](auto i) { return item(paths, i); }, progress);
  }

  /// Embedding of the bytes of each image file. Those that cannot be decoded are listed, and the others embedded.
  [[nodiscard]] EmbeddedImages encoded(std::span<const preprocess::EncodedImage> files,
                                       const pipeline::Progress& progress = {}) const {
    return embed(
        std::ssize(files), [&](auto i) { return item(files, i); }, progress);
  }

  /// Embeddings batch by batch, for more images than memory holds.
  /// @param read  called as read(i), by several threads at once; returns an image or its file. An exception makes the
  ///              image a failure
  /// @param take  called as take(indices, vectors) in this thread, in ascending order: std::vector<std::int64_t>,
  ///              float [b, E]
  /// @return failures, by index
  template <class Read, class Take>
  std::vector<ImageFailure> for_each(std::int64_t n, const Read& read, const Take& take,
                                     const pipeline::Progress& progress = {}) const {
    return load(
        n, read,
        [&](const std::vector<std::int64_t>& indices, const Images& images) {
          take(indices,
               infer([&] { return model().image_embedding(pipeline::tokens_to_pool(model(), images)); }, of_images()));
        },
        progress);
  }

  /// Probability that a text describes each image file, by image-text matching (ITM): reads and fuses every image.
  /// @return probabilities in [0, 1]; NaN for a file that cannot be read
  std::vector<float> match(const std::string& text,
                           std::span<const std::filesystem::path> paths) const requires pipeline::detail::Matches<M> {
    check_mode();
    const std::vector<std::vector<std::int64_t>> ids{ids_of(text, 0, 1)};
    const Texts texts = text::pad_batch(ids, 1, pipeline_.tokenizer.pad_id()).to(device_);
    std::vector<float> all(paths.size(), std::numeric_limits<float>::quiet_NaN());
    load(
        std::ssize(paths), [&](auto i) { return item(paths, i); },
        [&](const std::vector<std::int64_t>& indices, const Images& images) {
          const at::Tensor found = infer(
              [&] {
                const Tokens visual = model().visual(images);
                const auto repeated = at::zeros({images.size()}, at::TensorOptions(device_).dtype(at::kLong));
                return model().itm_logits(model().fuse(visual, model().text(texts).select(repeated))).sigmoid();
              },
              of_images());
          for (std::size_t k = 0; k < indices.size(); ++k)
            all[static_cast<std::size_t>(indices[k])] = found.data_ptr<float>()[k];
        },
        {});
    return all;
  }

 private:
  static Pipeline<M> checked(Pipeline<M> pipeline) {
    require(pipeline.model != nullptr, "rc3::Embedder: the pipeline has no model; rc3::load reads one");
    return pipeline;
  }

  M& model() const { return *pipeline_.model; }

  template <class T>
  static preprocess::ImageSource item(std::span<const T> all, std::int64_t i) {
    return all[static_cast<std::size_t>(i)];
  }

  static at::Tensor all_of(EmbeddedImages embedded) {
    if (!embedded.failures.empty()) fail("rc3::Embedder: ", embedded.failures[0].reason);
    return std::move(embedded.vectors);
  }

  /// Dropout in training mode would draw another vector at each call.
  void check_mode() const {
    if constexpr (std::is_base_of_v<torch::nn::Module, M>)
      for (const auto& part : model().modules(/*include_self=*/true))
        require(!part->is_training(),
                "rc3::Embedder: the model, or a part of it, was set to training mode: embeddings would be random; call "
                "model->eval()");
  }

  std::vector<std::int64_t> ids_of(const std::string& text, std::size_t i, std::size_t n) const {
    const auto where = [&] {
      return n == 1 ? std::string("rc3::Embedder: the text") : join("rc3::Embedder: text ", i);
    };
    if (text.size() > max_text_bytes)
      fail(where(), " has ", text.size(), " bytes, more than the allowed ", max_text_bytes,
           "; embed its sentences or passages one by one");
    if (const auto bad = find_invalid_utf8(text); bad != std::string::npos)
      fail(where(), " is not UTF-8 at byte ", bad, "; convert it to UTF-8");
    if (is_blank(text)) fail(where(), " is empty or blank: there is nothing to embed");
    return pipeline_.tokenizer.encode(text);
  }

  at::Tensor encode(const Texts& texts) const {
    return infer([&] { return model().text_embedding(pipeline::tokens_to_pool(model(), texts.to(device_))); },
                 options_.precision);
  }

  /// Precision of passes that read images.
  train::Precision of_images() const {
    return options_.precision == train::Precision::int8 ? train::Precision::float32 : options_.precision;
  }

  /// Result of @p compute without gradients, in @p precision, as float on the CPU.
  template <class Compute>
  at::Tensor infer(const Compute& compute, train::Precision precision) const {
    const c10::InferenceMode inference;
    const train::Autocast autocast(precision, device_);
    return nn::to_float32(compute()).cpu().contiguous();
  }

  template <class Rows>
  static void store(const at::Tensor& vectors, const at::Tensor& part, const Rows& rows) {
    const auto e = static_cast<std::size_t>(part.size(1));
    for (std::size_t k = 0; k < rows.size(); ++k)
      std::copy_n(part.data_ptr<float>() + k * e, e, vectors.data_ptr<float>() + static_cast<std::size_t>(rows[k]) * e);
  }

  template <class Read>
  EmbeddedImages embed(std::int64_t n, const Read& read, const pipeline::Progress& progress) const {
    EmbeddedImages out{at::zeros({n, dimension_}), {}};
    out.failures = for_each(
        n, read, [&](const auto& indices, const at::Tensor& part) { store(out.vectors, part, indices); }, progress);
    return out;
  }

  /// Calls use(indices, images on the model's device) for every batch of images. @return failures, by index
  template <class Read, class Use>
  std::vector<ImageFailure> load(std::int64_t n, const Read& read, const Use& use,
                                 const pipeline::Progress& progress) const {
    check_mode();
    std::vector<ImageFailure> failures;
    if (n == 0) return failures;
    data::DataErrors none;  // failures are results, not errors
    data::LoaderOptions loading;
    loading.order.shuffle = false;
    loading.batch.size = options_.image_batch;
    loading.epochs = 1;
    loading.workers = options_.decode_threads;
    loading.prefetch = 2;
    const pipeline::detail::Indices indices{n};
    data::Loader loader(indices, pipeline::detail::LoadImage<Decoders, Read>{prepare_, read},
                        pipeline::detail::CollateImages{}, none, loading);
    while (auto loaded = loader.next()) {
      auto& batch = loaded->batch;
      if (!batch.indices.empty()) use(batch.indices, batch.images.to(device_));
      std::move(batch.failures.begin(), batch.failures.end(), std::back_inserter(failures));
      if (progress) progress(loaded->samples.back() + 1, n);
    }
    return failures;
  }

  Pipeline<M> pipeline_;
  EmbedderOptions options_;
  preprocess::PrepareImage<Decoders> prepare_;
  at::Device device_ = at::kCPU;
  std::int64_t dimension_ = 0;
};

}  // namespace rc3
