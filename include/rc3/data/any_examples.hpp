#pragma once
/// Type-erased set of examples of a downstream task. LibTorch-free.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "rc3/data/concept.hpp"

namespace rc3::data {

/// Examples of any type, transformed by @p change; copies share them.
class AnyExamples {
 public:
  /// @param change  applied to each example that is read, by several threads at a time; empty: no change
  template <ExampleSet Set>
  explicit AnyExamples(Set set, std::function<void(Example&)> change = {}) {
    const auto held = std::make_shared<const Set>(std::move(set));
    name_ = std::string(held->name());
    size_ = held->size();
    languages_ = held->languages();
    read_ = [held, change = std::move(change)](std::int64_t i) {
      auto example = held->read(i);
      if (change) change(example);
      return example;
    };
  }
  const std::string& name() const { return name_; }
  std::int64_t size() const { return size_; }
  /// @throws rc3::Error as the examples inside, and what the change throws
  Example read(std::int64_t i) const { return read_(i); }
  const LanguageCounts& languages() const { return languages_; }

 private:
  std::string name_;
  std::int64_t size_ = 0;
  LanguageCounts languages_;
  std::function<Example(std::int64_t)> read_;
};
static_assert(ExampleSet<AnyExamples>);

}  // namespace rc3::data
