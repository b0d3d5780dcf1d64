#pragma once
/// A model, a decoder and their inputs, for snippets about encoders. Declared only: snippets are not linked.

#include <rc3/rc3.hpp>

namespace preamble::model {
extern rc3::Model<rc3::visual::Roi, rc3::text::Bert> model;
extern std::shared_ptr<rc3::fusion::Decoder> decoder;
extern const rc3::Images images;
extern const rc3::Texts texts;
extern const at::Tensor masked;
extern const std::filesystem::path directory, output;
extern const std::int64_t language;
}  // namespace preamble::model
