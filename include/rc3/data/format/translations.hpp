#pragma once
/// The strictly aligned texts of a data set as examples of translation. LibTorch-free.

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/sample.hpp"

namespace rc3::data {

/// An example a sample and target language: example i is sample i / targets into language i % targets. Its text is the
/// sample's first in the source language that has a translation, its answer that translation; `group` is the sample.
///
///     const auto data = Multi30k::task1("task1/raw", "train", {"en", "de", "fr"}, problems, images);
///     const Translations examples(data, "en", {"de", "fr"});
template <Dataset D>
class Translations {
 public:
  /// @param source   language of the texts
  /// @param targets  languages of the answers, one at least, without @p source
  /// @throws rc3::Error naming the language that the data set has no text in, or that is given twice
  Translations(D data, std::string source, std::vector<std::string> targets)
      : data_(std::move(data)), source_(std::move(source)), targets_(std::move(targets)) {
    require(!targets_.empty(), data_.name(), ": translations: targets is empty");
    std::vector<std::string> all = targets_;
    all.push_back(source_);
    std::sort(all.begin(), all.end());
    const LanguageCounts& known = data_.languages();
    for (std::size_t k = 0; k < all.size(); ++k) {
      require(known.contains(all[k]), data_.name(), ": translations: there is no text in \"", all[k], '"');
      require(k == 0 || all[k] != all[k - 1], data_.name(), ": translations: \"", all[k], "\" is given twice");
    }
    languages_[source_] = size();
  }

  decltype(auto) name() const { return data_.name(); }
  std::int64_t size() const { return data_.size() * static_cast<std::int64_t>(targets_.size()); }
  const LanguageCounts& languages() const { return languages_; }
  const std::vector<std::string>& targets() const { return targets_; }

  /// @throws rc3::Error as the data set does, and where a sample has no translation into the language
  Example read(std::int64_t i) const {
    require(0 <= i && i < size(), data_.name(), ": translation ", i, " of ", size());
    const auto count = static_cast<std::int64_t>(targets_.size());
    Sample sample = data_.read(i / count);
    Example example;
    example.answer_language = targets_[static_cast<std::size_t>(i % count)];
    example.id = join(sample.id, '-', example.answer_language);
    example.views = {{std::move(sample.image), std::move(sample.regions), sample.id}};
    example.language = source_;
    example.group = i / count;
    for (const Text& text : sample.texts)
      for (const Text& other : sample.texts)
        if (text.language == source_ && other.language == example.answer_language && text.group == other.group) {
          example.text = text.text;
          example.answer = other.text;
          return example;
        }
    fail(data_.name(), ": sample \"", sample.id, "\" has no text in \"", source_, "\" with a translation into \"",
         example.answer_language, '"');
  }

 private:
  D data_;
  std::string source_;
  std::vector<std::string> targets_;
  LanguageCounts languages_;
};

}  // namespace rc3::data
