#pragma once
/// Every public name of rc3, with its default template arguments and ready-made aliases.
/// Includes no LibTorch: a header that only names policies compiles in a tenth of a second.

#include <cstdint>

namespace at {
class Tensor;
}  // namespace at

namespace rc3 {

class Error;
class Random;

struct Pictures;
struct Texts;
struct Tokens;
struct Batch;

namespace io {
struct Image;
struct Stb;
struct TurboJpeg;
struct WebP;
template <class... List>
class Decoders;
/// What io::load_image reads with.
using DefaultDecoders = Decoders<Stb>;
}  // namespace io

namespace text {
class Tokenizer;
class Bert;
class XlmRoberta;
}  // namespace text

namespace visual {
namespace backbone {
class EfficientNetLite0;
class LinearPatches;
}  // namespace backbone

struct PreprocessOptions;
class Preprocess;

class Roi;
template <class Backbone>
class RoiFromBackbone;
template <class Backbone>
class Patch;
template <class RoiPolicy, class PatchPolicy>
class Both;
}  // namespace visual

namespace fusion {
class SingleStream;
}

namespace relevance {
template <class Text>
class Encoder;
class Provided;
class Constant;
}  // namespace relevance

namespace regularizer {
struct Pairs;
class None;
class Ceiling;
}  // namespace regularizer

namespace objective {
namespace negatives {
class InBatch;
class SameImage;
}  // namespace negatives

template <class Model>
class Pass;
template <class Regularizer = regularizer::Ceiling, class Relevance = relevance::Provided,
          class Negatives = negatives::InBatch>
class RXvtcl;
class Xtcl;
class Itc;
class Itm;
}  // namespace objective

template <class Visual, class Text, class Fusion = fusion::SingleStream>
class Model;

template <class Model, class... Objectives>
class Pretrainer;

}  // namespace rc3
