#pragma once
/// Strictly aligned texts of a data set as examples of translation. LibTorch-free.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/errors/attempt.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/sample.hpp"

namespace rc3::data {

/// One example per sample and target language, with targets alternating fastest. Its text is the sample's first text in
/// the source language with a translation. Its answer is that translation; `group` is the sample.
///
///     const auto data = Multi30k::task1("task1/raw", "train", {"en", "de", "fr"}, errors, images);
///     const Translations examples(data, "en", {"de", "fr"});
template <Dataset D>
class Translations {
 public:
  /// @param source   language of the texts
  /// @param targets  languages of the answers, at least one, without @p source
  /// @throws rc3::Error naming the language that is repeated or without a text in the data set
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
    for (std::int64_t i = 0; i < data_.size(); ++i)
      for (std::size_t target = 0; target < targets_.size(); ++target) items_.push_back({i, target});
    languages_[source_] = size();
  }

  /// As above, but only for samples with a translation into a target, found by a full pass over the samples.
  /// @param errors  counts damaged samples, which are dropped
  /// @throws rc3::Error also for a target without a translation
  Translations(D data, std::string source, std::vector<std::string> targets, DataErrors& errors)
      : Translations(std::move(data), std::move(source), std::move(targets)) {
    items_.clear();
    std::vector<std::int64_t> counts(targets_.size(), 0);
    for (std::int64_t i = 0; i < data_.size(); ++i)
      attempt(errors, [&](std::string& kind) {
        kind = "damaged sample";
        const Sample sample = data_.read(i);
        for (std::size_t target = 0; target < targets_.size(); ++target) {
          if (!find(sample, targets_[target])) continue;
          items_.push_back({i, target});
          ++counts[target];
        }
      });
    for (std::size_t target = 0; target < targets_.size(); ++target)
      require(counts[target] > 0, data_.name(), ": translations: no text in \"", source_,
              "\" has a strictly aligned one in \"", targets_[target], '"');
    languages_[source_] = size();
  }

  decltype(auto) name() const { return data_.name(); }
  std::int64_t size() const { return std::ssize(items_); }
  const LanguageCounts& languages() const { return languages_; }
  const std::vector<std::string>& targets() const { return targets_; }

  /// @throws rc3::Error as the data set, and for a sample without a translation into the language
  Example read(std::int64_t i) const {
    require(0 <= i && i < size(), data_.name(), ": translation ", i, " of ", size());
    const Item& item = items_[static_cast<std::size_t>(i)];
    Sample sample = data_.read(item.sample);
    Example example;
    example.answer_language = targets_[item.target];
    example.id = join(sample.id, '-', example.answer_language);
    example.views = {{std::move(sample.image), std::move(sample.regions), sample.id}};
    example.language = source_;
    example.group = item.sample;
    if (const auto pair = find(sample, example.answer_language)) {
      example.text = pair->first;
      example.answer = pair->second;
      return example;
    }
    fail(data_.name(), ": sample \"", sample.id, "\" has no text in \"", source_, "\" with a translation into \"",
         example.answer_language, '"');
  }

 private:
  struct Item {
    std::int64_t sample = 0;
    std::size_t target = 0;  ///< index into targets_
  };

  /// The first text in the source language with a translation into @p target, and that translation.
  std::optional<std::pair<std::string, std::string>> find(const Sample& sample, const std::string& target) const {
    for (const Text& text : sample.texts)
      for (const Text& other : sample.texts)
        if (text.language == source_ && other.language == target && text.group == other.group)
          return std::pair(text.text, other.text);
    return std::nullopt;
  }

  D data_;
  std::string source_;
  std::vector<std::string> targets_;
  std::vector<Item> items_;
  LanguageCounts languages_;
};

}  // namespace rc3::data
