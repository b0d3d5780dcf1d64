#pragma once
/// What a pre-trained model finds in each language among images that were held out, before any fine-tuning.

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "rc3/core/nn/device.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/loader/loader.hpp"
#include "rc3/data/text/text_id.hpp"
#include "rc3/preprocess/collate_images.hpp"
#include "rc3/preprocess/prepare_image.hpp"
#include "rc3/task/retrieval.hpp"
#include "rc3/text/tokenize.hpp"
#include "rc3/train/report.hpp"

namespace rc3::experiment {

/// Of one language.
struct LanguageRecall {
  std::string language;
  std::int64_t images = 0;  ///< that are searched among: those with a text in this language
  task::Recall to_image;    ///< each text looks for its image
  task::Recall to_text;     ///< each image for its text
};

struct RecallOptions {
  std::int64_t images = 1000;  ///< that are looked at, at most, > 0
  std::int64_t batch = 32;     ///< images, or texts, that are encoded at a time, > 0
  int workers = 2;             ///< threads that read ahead, >= 0
};

namespace detail {

/// Every so manieth sample of a data set.
template <data::Dataset Source>
struct Spread {
  const Source& source;
  std::int64_t count;
  auto name() const { return source.name(); }
  std::int64_t size() const { return count; }
  data::Sample read(std::int64_t i) const { return source.read(i * source.size() / count); }
};

struct HeldOutText {
  std::string language;
  std::int64_t id = 0;
  std::vector<std::int64_t> ids;
};
struct HeldOut : preprocess::PreparedImage {
  std::vector<HeldOutText> texts;  ///< the first of each language
};

template <class Decoders, class Encode>
struct PrepareHeldOut {
  const Encode& encode;
  preprocess::PrepareImage<Decoders> image;

  HeldOut operator()(const data::Sample& sample, std::uint64_t, std::int64_t) const {
    Random random(1, static_cast<std::uint64_t>(data::text_id(sample.id)));  // without augmentation nothing is drawn
    HeldOut out{image(sample.image, sample.regions, sample.id, random), {}};
    for (const auto& text : sample.texts) {
      const auto same = [&](const HeldOutText& other) { return other.language == text.language; };
      if (std::none_of(out.texts.begin(), out.texts.end(), same))
        out.texts.push_back({text.language, data::text_id(text.text), encode(text.text)});
    }
    return out;
  }
};

struct AsTheyAre {
  std::vector<HeldOut> operator()(std::vector<HeldOut> all) const { return all; }
};

}  // namespace detail

/// Recall@K of the embeddings in each language with two images or more, in alphabetical order. Of each image
/// the first text in a language counts; of equal texts in one language the first, since they have no right answer.
/// @param model     an rc3::Model in eval mode
/// @param source    held-out data; where it holds more than RecallOptions::images, evenly spread ones of them
/// @param encode    the ids of a std::string, called by several threads at a time
/// @param image   how images come to their size, without augmentation
/// @param errors  counts damaged samples, which are left out
/// @tparam Decoders what reads image files
template <class Decoders, class Model, data::Dataset Source, class Encode>
std::vector<LanguageRecall> recall_by_language(Model& model, const Source& source, const Encode& encode,
                                               preprocess::ImageOptions image, data::DataErrors& errors,
                                               const RecallOptions& options = {}) {
  require(options.images > 0 && options.batch > 0, "experiment::recall_by_language: images and batch must be above 0");
  c10::InferenceMode inference;
  struct Language {
    std::vector<std::int64_t> images;
    std::vector<at::Tensor> texts;
    std::unordered_set<std::int64_t> seen = {};
  };
  std::map<std::string, Language> languages;
  const auto device = nn::device_of(model);
  std::vector<at::Tensor> images;
  std::int64_t count = 0;
  data::LoaderOptions loading;
  loading.order.shuffle = false;
  loading.batch.size = options.batch;
  loading.epochs = 1;
  loading.workers = options.workers;
  const detail::Spread<Source> some{source, std::min(source.size(), options.images)};
  image.augment.reset();
  data::Loader loader(
      some, detail::PrepareHeldOut<Decoders, Encode>{encode, preprocess::PrepareImage<Decoders>(std::move(image))},
      detail::AsTheyAre{}, errors, loading);
  while (const auto loaded = loader.next()) {
    images.push_back(model.image_embedding(model.visual(preprocess::collate_images(loaded->batch).to(device))).cpu());
    std::vector<std::vector<std::int64_t>> ids;
    std::vector<Language*> of;
    for (const auto& sample : loaded->batch) {
      for (const auto& text : sample.texts) {
        auto& language = languages[text.language];
        if (!language.seen.insert(text.id).second) continue;
        language.images.push_back(count);
        ids.push_back(text.ids);
        of.push_back(&language);
      }
      ++count;
    }
    for (std::size_t begin = 0; begin < ids.size(); begin += static_cast<std::size_t>(options.batch)) {
      const auto end = std::min(ids.size(), begin + static_cast<std::size_t>(options.batch));
      const auto texts = text::pad_batch(std::span(ids).subspan(begin, end - begin)).to(device);
      const auto vectors = model.text_embedding(model.text(texts)).cpu();
      for (std::size_t i = begin; i < end; ++i)
        of[i]->texts.push_back(vectors.narrow(0, static_cast<std::int64_t>(i - begin), 1));
    }
  }
  std::vector<LanguageRecall> all;
  for (const auto& [name, language] : languages) {
    if (language.images.size() < 2) continue;
    const auto own = at::cat(images).index_select(0, at::tensor(language.images, at::kLong));
    const auto scores = at::cat(language.texts).matmul(own.t());
    const auto diagonal = at::arange(scores.size(0));
    all.push_back({name, scores.size(0), task::recall(task::ranks(scores, diagonal)),
                   task::recall(task::ranks(scores.t().contiguous(), diagonal))});
  }
  return all;
}

/// A row a language and their mean, percent.
inline train::report::Table recall_table(const std::vector<LanguageRecall>& found) {
  auto least = std::numeric_limits<std::int64_t>::max(), most = std::int64_t{0};
  train::report::Table table;
  table.columns = {"text to image R@1", "text to image R@5", "image to text R@1",
                   "image to text R@5", "chance R@1",        "chance R@5"};
  std::vector<double> mean(table.columns.size(), 0);
  for (const auto& l : found) {
    const auto chance = task::chance(l.images);
    std::vector<double> cells{l.to_image.at1, l.to_image.at5, l.to_text.at1, l.to_text.at5, chance.at1, chance.at5};
    for (std::size_t c = 0; c < cells.size(); ++c) {
      cells[c] *= 100;
      mean[c] += cells[c] / static_cast<double>(found.size());
    }
    table.rows.push_back({l.language, std::move(cells)});
    least = std::min(least, l.images);
    most = std::max(most, l.images);
  }
  if (!found.empty()) table.rows.push_back({"mean", std::move(mean)});
  table.title = "Retrieval by language, percent, among ";
  table.title += found.empty() ? "no" : least == most ? join(most) : join(least, " to ", most);
  table.title += " held-out images";
  return table;
}

/// The same for a terminal.
inline std::string text_of(const train::report::Table& table) {
  std::size_t width = 0;
  for (const auto& row : table.rows) width = std::max(width, row.name.size());
  std::string out = table.title + '\n' + std::string(width, ' ');
  for (const auto& column : table.columns) out += "  " + column;
  out += '\n';
  for (const auto& row : table.rows) {
    out += row.name + std::string(width - row.name.size(), ' ');
    for (std::size_t c = 0; c < row.cells.size(); ++c) {
      char number[32];
      std::snprintf(number, sizeof number, "%.*f", table.digits, row.cells[c]);
      const std::string cell = number;
      const auto wide = std::max(table.columns[c].size(), cell.size());
      out += "  " + std::string(wide - cell.size(), ' ') + cell;
    }
    out += '\n';
  }
  return out;
}

}  // namespace rc3::experiment
