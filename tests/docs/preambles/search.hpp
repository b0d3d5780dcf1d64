#pragma once
/// A model, images and an index, for snippets about search. Declared only: snippets are not linked.

#include <rc3/io/image/available_decoders.hpp>
#include <rc3/rc3.hpp>

#include <iostream>
#include <vector>

namespace rc3 {
/// The demo's model. An alias may be repeated: rc3/model/default_model.hpp may declare the same.
using DefaultModel = Model<visual::Both<visual::RoiFromCrops<visual::backbone::EfficientNetLite0>,
                                        visual::Patch<visual::backbone::EfficientNetLite0>>,
                           text::Bert, fusion::LateInteractionFusion<fusion::SingleStream>>;
}  // namespace rc3

namespace preamble::search {
using namespace rc3;
extern const Pipeline<DefaultModel> model;
extern const std::vector<std::string> captions;
extern const std::vector<std::filesystem::path> paths;
extern ImageIndex<DefaultModel> index;
}  // namespace preamble::search
