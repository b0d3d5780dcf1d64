#pragma once
/// A data set, or set of examples, together with what it refers to.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "emoji/names.hpp"

namespace emoji {

/// Keeps @p Data, which @p Set refers to, as long as the set.
template <class Set, class Data>
class Owned {
 public:
  Owned(std::shared_ptr<const Data> data, Set set) : data_(std::move(data)), set_(std::move(set)) {}
  std::string name() const { return std::string(set_.name()); }
  std::int64_t size() const { return set_.size(); }
  auto read(std::int64_t i) const { return set_.read(i); }
  const LanguageCounts& languages() const { return set_.languages(); }

 private:
  std::shared_ptr<const Data> data_;
  Set set_;
};

}  // namespace emoji
