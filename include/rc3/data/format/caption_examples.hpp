#pragma once
/// Captions of a data set as examples of retrieval. LibTorch-free.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/errors/attempt.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/sample.hpp"

namespace rc3::data {

/// One example per text in the selected languages: its image and the text, without an answer; `group` is the sample.
template <Dataset D>
class CaptionExamples {
 public:
  /// Reads every sample once. @param languages  of the texts that become examples, at least one
  /// @param errors  counts damaged samples, which are dropped
  /// @throws rc3::Error naming a language without a text
  CaptionExamples(D data, const std::vector<std::string>& languages, DataErrors& errors) : data_(std::move(data)) {
    require(!languages.empty(), data_.name(), ": captions: give a language");
    for (const std::string& language : languages) counts_[language] = 0;
    for (std::int64_t i = 0; i < data_.size(); ++i)
      attempt(errors, [&](std::string& kind) {
        kind = "damaged sample";
        const Sample sample = data_.read(i);
        for (std::size_t text = 0; text < sample.texts.size(); ++text) {
          const auto found = counts_.find(sample.texts[text].language);
          if (found == counts_.end()) continue;
          items_.push_back({i, text});
          ++found->second;
        }
      });
    for (const auto& [language, count] : counts_)
      require(count > 0, data_.name(), ": captions: there is no text in \"", language, '"');
  }

  decltype(auto) name() const { return data_.name(); }
  std::int64_t size() const { return std::ssize(items_); }
  const LanguageCounts& languages() const { return counts_; }

  /// @throws rc3::Error as the data set, and if a file has changed since it was opened
  Example read(std::int64_t i) const {
    require(0 <= i && i < size(), data_.name(), ": caption ", i, " of ", size());
    const Item& item = items_[static_cast<std::size_t>(i)];
    Sample sample = data_.read(item.sample);
    require(item.text < sample.texts.size(), data_.name(), ": sample \"", sample.id, "\" was changed: has ",
            sample.texts.size(), " texts");
    const Text& text = sample.texts[item.text];
    Example example;
    example.id = join(sample.id, '#', item.text);
    example.views = {{std::move(sample.image), std::move(sample.regions), sample.id}};
    example.language = text.language;
    example.text = text.text;
    example.group = item.sample;
    return example;
  }

 private:
  struct Item {
    std::int64_t sample = 0;
    std::size_t text = 0;
  };

  D data_;
  std::vector<Item> items_;
  LanguageCounts counts_;
};

}  // namespace rc3::data
