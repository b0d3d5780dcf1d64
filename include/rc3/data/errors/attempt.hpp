#pragma once
/// How every source looks at a record when it is opened. LibTorch-free.

#include <optional>
#include <string>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/data/errors/data_errors.hpp"

namespace rc3::data {

/// Counts one record, and a problem where @p look throws rc3::Error.
/// @param look  called with the kind of the problem, which it changes as it goes on: "malformed record" at first
/// @return whether the record is good
/// @throws rc3::Error as DataErrors::add does
template <class Ablation>
bool attempt(DataErrors& errors, Ablation look) {
  std::string kind = "malformed record";
  std::optional<std::string> problem;
  try {
    look(kind);
  } catch (const Error& error) {
    problem = error.what();
  }
  errors.looked_at();
  if (problem) errors.add(kind, *std::move(problem));
  return !problem;
}

}  // namespace rc3::data
