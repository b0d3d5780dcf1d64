#pragma once
/// The small files of these tests, and a budget for damaged ones.

#include <filesystem>
#include <string_view>

#include "rc3/data/errors/data_errors.hpp"
#include "support/support.hpp"

namespace rc3::test {

inline std::filesystem::path iglue_file(std::string_view name) { return source("tests/data/files/iglue") / name; }

/// A budget for tests of damage.
inline data::DataErrors patient() { return data::DataErrors({.fraction = 1, .minimum = 100}); }

}  // namespace rc3::test
