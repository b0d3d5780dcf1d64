#pragma once
/// Token ids of the texts of a data set. LibTorch-free.

#include <rc3/core/error.hpp>
#include <rc3/data/concept.hpp>
#include <rc3/data/errors/data_errors.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tool {

/// Token ids of every text of the samples that are readable as a whole. A sample that cannot be read, or of which one
/// text cannot be encoded, is left out with all of its texts and counted as "damaged sample".
class TextIds {
 public:
  /// @param encode  called with a text, returns its ids
  /// @throws rc3::Error over the budget of @p errors
  template <rc3::data::Dataset Source, class Encode>
  TextIds(const Source& source, const Encode& encode, rc3::data::DataErrors& errors) {
    for (std::int64_t i = 0; i < source.size(); ++i) {
      errors.add_samples();
      std::vector<std::vector<std::int64_t>> ids;
      rc3::data::Sample sample;
      try {
        sample = source.read(i);
        for (const auto& text : sample.texts) try {
            ids.push_back(encode(text.text));
          } catch (const rc3::Error& error) {
            rc3::fail(source.name(), ": ", sample.id, ": ", text.language, ": ", error.what());
          }
      } catch (const rc3::Error& error) {
        errors.add("damaged sample", error.what());
        continue;
      }
      samples_.push_back(i);
      first_.push_back(ids_.size());
      for (auto& one : ids) ids_.push_back(std::move(one));
      for (const auto& text : sample.texts) {
        languages_.push_back(text.language);
        ++counts_[text.language];
      }
    }
    first_.push_back(ids_.size());
  }

  /// Number of samples that are not left out.
  std::size_t samples() const { return samples_.size(); }
  /// Number of sample @p k in its data set.
  std::int64_t sample(std::size_t k) const { return samples_[k]; }
  /// The texts of sample @p k are first(k) .. first(k + 1) - 1.
  std::size_t first(std::size_t k) const { return first_[k]; }
  const std::vector<std::vector<std::int64_t>>& ids() const { return ids_; }
  const std::string& language(std::size_t text) const { return languages_[text]; }
  const rc3::data::LanguageCounts& languages() const { return counts_; }

  /// Sample @p k of @p source. @throws rc3::Error if it has another number of texts than before
  template <rc3::data::Dataset Source>
  rc3::data::Sample read(const Source& source, std::size_t k) const {
    auto sample = source.read(samples_[k]);
    rc3::require(sample.texts.size() == first_[k + 1] - first_[k], source.name(), ": ", sample.id,
                 ": was changed since it was read first");
    return sample;
  }

 private:
  std::vector<std::int64_t> samples_;
  std::vector<std::size_t> first_;
  std::vector<std::vector<std::int64_t>> ids_;
  std::vector<std::string> languages_;
  rc3::data::LanguageCounts counts_;
};

}  // namespace tool
