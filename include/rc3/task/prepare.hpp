#pragma once
/// Preparation of task examples: pixels, boxes, ids and class number. LibTorch-free; runs in the loader's threads.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/example.hpp"
#include "rc3/data/text/text_id.hpp"
#include "rc3/fwd.hpp"
#include "rc3/preprocess/prepare_image.hpp"
#include "rc3/task/vocabulary.hpp"
#include "rc3/text/tokenizer.hpp"

namespace rc3::task {

/// One example, ready to become a row of an ExampleBatch.
struct PreparedExample {
  data::Example example;                          ///< source example, without its views
  std::vector<preprocess::PreparedImage> images;  ///< one, or the left and the right one
  std::vector<std::int64_t> text;                 ///< ids, `<s>` and `</s>` included
  std::int64_t label = -1;                        ///< class; -1: unknown
  std::vector<std::int64_t> target;               ///< words of a Vocabulary: language, text, end
  std::int64_t target_language = -1;              ///< the first of them
};

/// Format of answers; empty for retrieval.
struct Answers {
  std::vector<std::string> classes = {};              ///< for classification, in the order of their numbers
  std::shared_ptr<const Vocabulary> vocabulary = {};  ///< of the decoder, for translation
};

/// A function of (seed, epoch, example). Thread-safe.
/// @tparam Decoders  decoders of image files
template <class Decoders>
class PrepareExample {
 public:
  /// @param tokenizer  of the model, with its prefix
  /// @param answers    classes or a vocabulary; neither for retrieval
  /// @throws rc3::Error if both are given
  PrepareExample(text::Tokenizer tokenizer, Answers answers, preprocess::ImageOptions options = {})
      : tokenizer_(std::move(tokenizer)), answers_(std::move(answers)), image_(std::move(options)) {
    require(answers_.classes.empty() || answers_.vocabulary == nullptr,
            "task::PrepareExample: answers are classes or texts: give classes or a vocabulary, not both");
  }

  /// @throws rc3::Error naming the example: neither one image nor two, an unreadable image, or an answer outside the
  ///         classes
  PreparedExample operator()(const data::Example& example, std::uint64_t seed, std::int64_t epoch) const {
    const auto views = example.views.size();
    require(views == 1 || views == 2, example.id, ": has ", views, " images; a task takes one, or two");
    Random random(seed, static_cast<std::uint64_t>(data::text_id(example.id)), static_cast<std::uint64_t>(epoch));
    PreparedExample out;
    out.example = {.id = example.id,
                   .language = example.language,
                   .text = example.text,
                   .answer = example.answer,
                   .answer_language = example.answer_language,
                   .group = example.group};
    for (const data::View& view : example.views)
      out.images.push_back(image_(view.image, view.regions, example.id, random));
    out.text = tokenizer_.encode(example.text);
    if (answers_.vocabulary) {
      out.target_language = answers_.vocabulary->language(example.answer_language);
      if (!example.answer.empty()) out.target = answers_.vocabulary->encode(example.answer, example.answer_language);
    } else if (!answers_.classes.empty() && !example.answer.empty()) {
      out.label = class_of(example);
    }
    return out;
  }

  const Answers& answers() const { return answers_; }

 private:
  std::int64_t class_of(const data::Example& example) const {
    const auto& all = answers_.classes;
    const auto found = std::find(all.begin(), all.end(), example.answer);
    if (found == all.end()) {
      std::string known;
      for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 5); ++i) known += join(i == 0 ? "" : ", ", all[i]);
      fail(example.id, ": the answer \"", example.answer, "\" is none of the ", all.size(), " classes (", known,
           all.size() > 5 ? ", ...)" : ")");
    }
    return found - all.begin();
  }

  text::Tokenizer tokenizer_;
  Answers answers_;
  preprocess::PrepareImage<Decoders> image_;
};

}  // namespace rc3::task
