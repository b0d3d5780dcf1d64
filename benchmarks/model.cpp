// Pre-training step and retrieval evaluation of one model: multilingual-e5-small, detector regions and patches of
// EfficientNet-Lite0, six layers of fusion. benchmarks/peers/model.py is the same in Python, and measures both.
//   rc3_bench model step|evaluation <folder of weights> <file of the input> <fusion layers> <top>
// Each line that it reads is a step, or an evaluation, in the precision that is measured to be faster.
//   rc3_bench model save <folder of weights> <folder>    writes the default model with new heads, for `rc3 index`

#include <ATen/ops/arange.h>

#include <map>
#include <memory>
#include <string>

#include "programs.hpp"
#include "rc3/core/reuse_memory.hpp"
#include "rc3/fusion/single_stream.hpp"
#include "rc3/io/safetensors.hpp"
#include "rc3/model/default_model.hpp"
#include "rc3/model/model.hpp"
#include "rc3/model/pretrainer.hpp"
#include "rc3/objective/objective.hpp"
#include "rc3/pipeline/save.hpp"
#include "rc3/regularizer/regularizer.hpp"
#include "rc3/relevance/by_alignment.hpp"
#include "rc3/task/retrieval.hpp"
#include "rc3/task/search.hpp"
#include "rc3/text/text.hpp"
#include "rc3/train/trainer.hpp"
#include "rc3/visual/visual.hpp"
#include "worker.hpp"

namespace bench::model {
namespace {

using namespace rc3;
using Network = visual::backbone::EfficientNetLite0;
using Vision = visual::Both<visual::Roi, visual::Patch<Network>>;
using Vlm = Model<Vision, text::Bert, fusion::SingleStream>;
using RXvtcl = objective::RXvtcl<regularizer::Ceiling, relevance::ByAlignment<>, objective::negatives::SameImage>;
using Mrm = objective::Mrm<objective::RegionClasses>;
using Trained = Pretrainer<Vlm, objective::Itc, objective::Xtcl, RXvtcl, objective::Itm, objective::Mlm, Mrm>;
using Input = std::map<std::string, at::Tensor>;

std::shared_ptr<Vlm> make_model(const std::filesystem::path& weights, const Input& input, std::int64_t layers) {
  const auto text = text::Bert::from_pretrained(weights / "multilingual-e5-small");
  const auto d = text->width();
  const auto roi = std::make_shared<visual::Roi>(
      visual::RegionEmbeddingOptions{.features = input.at("regions").size(2), .width = d});
  const auto patch = std::make_shared<visual::Patch<Network>>(Network::from_pretrained(weights / "efficientnet-lite0"),
                                                              visual::PatchOptions{.width = d});
  return std::make_shared<Vlm>(
      std::make_shared<Vision>(roi, patch, visual::BothOptions{.drop_regions = 0, .drop_patches = 0}), text,
      std::make_shared<fusion::SingleStream>(
          fusion::SingleStreamOptions{.width = d, .layers = layers, .heads = 6, .feed_forward = 4 * d}));
}

Images images_of(const Input& in) {
  Images images;
  images.pixels = in.at("pixels");
  images.regions = in.at("regions");
  images.boxes = in.at("boxes");
  images.sizes = in.at("sizes");
  if (in.contains("region_classes")) images.region_classes = in.at("region_classes");
  return images;
}

Texts texts_of(const Input& in, const std::string& side) { return {in.at("ids_" + side), in.at("mask_" + side), {}}; }

std::string about(const torch::nn::Module& module, train::Precision precision) {
  std::int64_t learning = 0, all = 0;
  for (const auto& p : module.parameters()) all += p.numel(), learning += p.requires_grad() ? p.numel() : 0;
  return join("{\"parameters\": ", all, ", \"learning\": ", learning, ", \"precision\": \"",
              precision == train::Precision::bfloat16 ? "bfloat16" : "float32", "\"}");
}

void step(const std::shared_ptr<Vlm>& model, const Input& in, train::Precision precision) {
  const auto d = model->width();
  objective::MaskOptions masking;
  masking.vocabulary = model->text_policy()->options().vocabulary;
  const auto trained = std::make_shared<Trained>(
      model, std::array{1.0, 1.0, 1.0, 1.0, 1.0, 1.0}, std::make_shared<objective::Itc>(),
      std::make_shared<objective::Xtcl>(), std::make_shared<RXvtcl>(objective::RXvtclOptions{.hidden_images = 0}),
      std::make_shared<objective::Itm>(),
      std::make_shared<objective::Mlm>(d, masking, model->text_policy()->word_embedding()),
      std::make_shared<Mrm>(d, in.at("region_classes").size(2)));
  train::Options options;
  options.precision = precision;
  options.optimizer.learning_rate = 1e-5;
  options.schedule.total = 1'000'000;
  train::Trainer<Trained> trainer(trained, options);
  Batch batch;
  batch.images = images_of(in);
  batch.a = texts_of(in, "a");
  batch.b = texts_of(in, "b");
  batch.strict = in.at("strict");
  batch.image_ids = at::arange(batch.a.size());
  bench::serve(about(*trained, precision), [&](const std::string&) {
    auto now = batch;
    {
      // Once a step, also for the objective that hides regions: the network is frozen.
      const train::Autocast autocast(precision);
      now.images = visual::cache_frozen_features(*model->visual_policy(), batch.images);
    }
    return trainer.step(now).loss;
  });
}

void evaluation(const std::shared_ptr<Vlm>& model, const Input& in, train::Precision precision, std::int64_t top) {
  model->eval();
  const auto all_images = images_of(in);
  const auto all_texts = texts_of(in, "a");
  const auto rows = [](std::int64_t begin, std::int64_t end) { return at::arange(begin, end); };
  bench::serve(about(*model, precision), [&](const std::string&) {
    const c10::InferenceMode inference;
    const train::Autocast autocast(precision);
    const auto images = task::detail::encode_in_chunks(all_images.size(), [&](std::int64_t begin, std::int64_t end) {
      auto tokens = model->visual(all_images.select(rows(begin, end)));
      auto embeddings = model->image_embedding(tokens);
      return task::Encoded{std::move(tokens), std::move(embeddings)};
    });
    const auto texts = task::detail::encode_in_chunks(all_texts.size(), [&](std::int64_t begin, std::int64_t end) {
      auto part = all_texts.select(rows(begin, end));
      const auto longest = part.mask.sum(1).max().item<std::int64_t>();
      part = {part.ids.narrow(1, 0, longest), part.mask.narrow(1, 0, longest), {}};
      auto tokens = model->text(part);
      auto embeddings = model->text_embedding(tokens);
      return task::Encoded{std::move(tokens), std::move(embeddings)};
    });
    const auto scores = task::rerank(*model, task::compare(texts, images), texts, images, true, top);
    const auto targets = at::arange(all_texts.size()) * all_images.size();
    return task::recall(task::ranks(scores, targets.div(all_texts.size(), "floor"))).at10;
  });
}

void save_default(const std::filesystem::path& weights, const std::filesystem::path& folder) {
  const auto model = default_model(weights);
  model->eval();
  const auto tokenizer =
      text::Tokenizer::from_pretrained(weights / "multilingual-e5-small", {.prefix = "query: ", .max_length = 64});
  save(Pipeline<DefaultModel>{model, tokenizer, {.resize = preprocess::PreprocessSize{224, 224, 0}}}, folder);
}

}  // namespace

}  // namespace bench::model

int bench::run_model(int count, char** arguments) {
  using namespace model;
  return bench::run("rc3_bench model", [&] {
    require(count == 6 || (count == 4 && std::string(arguments[1]) == "save"),
            "usage: rc3_bench model step|evaluation WEIGHTS INPUT LAYERS TOP, or rc3_bench model save WEIGHTS FOLDER");
    reuse_memory();  // as in the tool
    at::manual_seed(1);
    if (count == 4) return save_default(arguments[2], arguments[3]);
    const auto input = io::safetensors::load(arguments[3]);
    const auto precision = train::resolve(train::Precision::automatic);
    const auto model = make_model(arguments[2], input, std::stoll(arguments[4]));
    if (std::string(arguments[1]) == "step")
      step(model, input, precision);
    else
      evaluation(model, input, precision, std::stoll(arguments[5]));
  });
}
