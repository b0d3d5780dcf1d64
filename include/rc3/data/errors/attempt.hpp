#pragma once
/// Check of a record when its source is opened. LibTorch-free.

#include <optional>
#include <string>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/data/errors/data_errors.hpp"

namespace rc3::data {

/// Counts one record, and an error if @p look throws rc3::Error.
/// @param look  called with the kind of error, which it updates as it proceeds: "malformed record" at first
/// @return whether the record is valid
/// @throws rc3::Error as DataErrors::add
template <class Ablation>
bool attempt(DataErrors& errors, Ablation look) {
  std::string kind = "malformed record";
  std::optional<std::string> problem;
  try {
    look(kind);
  } catch (const Error& error) {
    problem = error.what();
  }
  errors.add_samples();
  if (problem) errors.add(kind, std::move(*problem));
  return !problem;
}

}  // namespace rc3::data
