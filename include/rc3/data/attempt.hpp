#pragma once
/// How every source looks at a record when it is opened. LibTorch-free.

#include <optional>
#include <string>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/data/problems.hpp"

namespace rc3::data {

/// Counts one record, and a problem where @p look throws rc3::Error.
/// @param look  called with the kind of the problem, which it changes as it goes on: "malformed record" at first
/// @return whether the record is good
/// @throws rc3::Error as Problems::add does
template <class Look>
bool attempt(Problems& problems, Look look) {
  std::string kind = "malformed record";
  std::optional<std::string> problem;
  try {
    look(kind);
  } catch (const Error& error) {
    problem = error.what();
  }
  problems.looked_at();
  if (problem) problems.add(kind, *std::move(problem));
  return !problem;
}

}  // namespace rc3::data
