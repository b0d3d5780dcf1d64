#pragma once
/// A model, images and an index, for snippets about search. Declared only: snippets are not linked.

#include <rc3/io/image/available_decoders.hpp>
#include <rc3/rc3.hpp>

#include <iostream>
#include <vector>

namespace preamble::search {
using namespace rc3;
extern const Pipeline<DefaultModel> model;
extern const std::vector<std::string> captions;
extern const std::vector<std::filesystem::path> paths;
extern ImageIndex<DefaultModel> index;
}  // namespace preamble::search
