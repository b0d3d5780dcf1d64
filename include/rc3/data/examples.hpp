#pragma once
/// List of examples in memory; their images stay in their files. LibTorch-free.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/concept.hpp"

namespace rc3::data {

/// Examples from an annotation file or a program.
class Examples {
 public:
  /// @param name      in errors and tables
  /// @param examples  at least one
  Examples(std::string name, std::vector<Example> examples) : name_(std::move(name)), all_(std::move(examples)) {
    require(!all_.empty(), name_, ": has no example");
    for (const Example& e : all_) ++languages_[e.language];
  }

  const std::string& name() const { return name_; }
  std::int64_t size() const { return static_cast<std::int64_t>(all_.size()); }
  const LanguageCounts& languages() const { return languages_; }

  /// @throws rc3::Error for an index outside 0 .. size() - 1
  Example read(std::int64_t i) const {
    require(i >= 0 && i < size(), name_, ": example ", i, " of ", size());
    return all_[static_cast<std::size_t>(i)];
  }

 private:
  std::string name_;
  std::vector<Example> all_;
  LanguageCounts languages_;
};

static_assert(ExampleSet<Examples>);

}  // namespace rc3::data
