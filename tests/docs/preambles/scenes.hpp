#pragma once
/// Folder of the prepared data, for snippets about emoji scenes.

#include <filesystem>

#include <rc3/data/errors/data_errors.hpp>

namespace preamble::scenes {
using namespace rc3;

extern const std::filesystem::path cache;
extern data::DataErrors errors;
}  // namespace preamble::scenes
