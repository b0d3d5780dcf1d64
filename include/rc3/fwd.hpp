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

struct Images;
struct Texts;
struct Tokens;
struct Fused;
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

namespace metric {
namespace tokenize {
class None;
class V13a;
class Intl;
class Zh;
class Characters;
class Tokenizer;
}  // namespace tokenize

namespace smoothing {
struct None;
struct Floor;
struct AddK;
struct Exp;
}  // namespace smoothing

class References;
struct BleuOptions;
struct Bleu;
struct ChrfOptions;
struct Chrf;
template <class Label>
struct MajorityBaseline;
}  // namespace metric

namespace preprocess {
struct Regions;
struct PreprocessOptions;
class Preprocess;
class Augment;
}  // namespace preprocess

namespace search {
enum class Storage;
struct IndexOptions;
struct Hit;
class Exact;
class Hnsw;
template <class Search>
class BasicIndex;
using Index = BasicIndex<Exact>;
using HnswIndex = BasicIndex<Hnsw>;
struct FileState;
struct FolderChanges;
}  // namespace search

namespace text {
struct Span;
struct Encoding;
class Tokenizer;
class Bert;
class XlmRoberta;
class MlmHead;
class XlmRobertaForMaskedLm;
class TransformerEncoder;
class ClipText;
class ClipXlmRoberta;
class SiglipText;
class ClipTokenizer;
class SiglipTokenizer;
}  // namespace text

namespace visual {
namespace backbone {
class EfficientNetLite0;
class EfficientNetLite1;
class EfficientNetLite2;
template <class... Backbones>
class Concat;
class LinearPatches;
class Vit;
class ClipVision;
class SiglipVision;
}  // namespace backbone

class Roi;
template <class Backbone>
class RoiFromBackbone;
template <class Backbone>
class RoiFromCrops;
template <class Backbone>
class Patch;
template <class RoiPolicy, class PatchPolicy>
class Both;
}  // namespace visual

namespace fusion {
class SingleStream;
template <class Inner>
class LateInteractionFusion;
struct DecoderOptions;
class Decoder;
struct GenerateOptions;
struct Hypothesis;
}  // namespace fusion

namespace relevance {
template <class Text>
class Encoder;
class Provided;
class Constant;
template <class Inner = Constant>
class ByAlignment;
}  // namespace relevance

namespace regularizer {
struct Pairs;
class WeightSchedule;
class None;
class Ceiling;
class HuberToTarget;
class Weighted;
class SoftTarget;
template <class... Parts>
class Sum;
}  // namespace regularizer

namespace objective {
namespace negatives {
struct ExtraNegatives;
class InBatch;
class SameImage;
template <class Model, class Inner = InBatch>
class Queue;
}  // namespace negatives

template <class Model>
class ForwardCache;
template <class Regularizer = regularizer::Ceiling, class Relevance = relevance::ByAlignment<>,
          class Negatives = negatives::InBatch>
class RXvtcl;
class Xtcl;
class Itc;
class SigmoidItc;
class Itm;
class Mlm;
class Mclm;
struct RegionFeatures;
struct RegionClasses;
template <class Target = RegionFeatures>
class Mrm;
}  // namespace objective

template <class Visual, class Text, class Fusion = fusion::SingleStream>
class Model;

/// Regions and patches of one backbone, multilingual-e5-small, late interaction before the fusion encoder.
template <class Backbone>
using DefaultModelOf = Model<visual::Both<visual::RoiFromCrops<Backbone>, visual::Patch<Backbone>>, text::Bert,
                             fusion::LateInteractionFusion<fusion::SingleStream>>;
/// The demo's model.
using DefaultModel = DefaultModelOf<visual::backbone::EfficientNetLite0>;
template <class Visual, class Text>
class DualEncoder;
using Clip = DualEncoder<visual::backbone::ClipVision, text::ClipText>;
using Siglip = DualEncoder<visual::backbone::SiglipVision, text::SiglipText>;
/// open_clip's xlm-roberta-base-ViT-B-32 and xlm-roberta-large-ViT-H-14.
using XlmRobertaClip = DualEncoder<visual::backbone::ClipVision, text::ClipXlmRoberta>;

template <class Model, class... Objectives>
class Pretrainer;

struct PretrainedWeights;
struct ModelCard;
template <class M>
struct Pipeline;
class AnyTokenizer;
class AnyModel;
struct EmbedderOptions;
template <class M, class Decoders = io::DefaultDecoders>
class Embedder;
struct ImageIndexOptions;
template <class M, class Decoders = io::DefaultDecoders, class Search = search::Exact>
class ImageIndex;

namespace task {
struct ExampleBatch;
struct Answers;
template <class Decoders = io::DefaultDecoders>
class PrepareExample;
class Vocabulary;
class CachedExamples;
template <class Model>
class Classifier;
template <class Model>
class Translator;
template <class Model>
class Matcher;
struct Score;
class Results;
}  // namespace task

}  // namespace rc3
