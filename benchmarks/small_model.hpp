#pragma once
// The model of given sizes whose cost benchmarks/scaling.py and growth.py measure: R-XVtCL and ITC over random batches.

#include <rc3/rc3.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace bench::small {

using Clock = std::chrono::steady_clock;
inline double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

inline double median(std::vector<double> all) {
  if (all.empty()) return 0;
  std::sort(all.begin(), all.end());
  return (all[all.size() / 2] + all[(all.size() - 1) / 2]) / 2;
}

/// What is trained, and how often. An image has a text in each of its languages, two of them in a sample.
struct Facts {
  std::map<std::string, std::int64_t> values = {
      {"vocabulary", 4000}, {"width", 64},    {"layers", 2},  {"heads", 4},     {"feed_forward", 0}, {"fusion", 2},
      {"regions", 9},       {"features", 64}, {"tokens", 16}, {"batch", 4},     {"steps", 5},        {"warm_up", 2},
      {"threads", 1},       {"alone", 0},     {"probes", 0},  {"languages", 2}, {"chunk", 16}};
  std::string hostname = "";   ///< address that this rank is reached at
  std::string interface = "";  ///< whose sent bytes are read, for example eth0

  explicit Facts(const std::vector<std::string>& arguments) {
    for (const std::string& argument : arguments) {
      const auto equals = argument.find('=');
      const auto name = argument.substr(0, equals), value = argument.substr(equals == argument.npos ? 0 : equals + 1);
      if (name == "hostname" || name == "interface") {
        (name == "hostname" ? hostname : interface) = value;
        continue;
      }
      const auto found = values.find(name);
      rc3::require(found != values.end(), "rc3_bench: no argument is called ", name);
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), found->second);
      rc3::require(error == std::errc() && found->second >= 0, "rc3_bench: ", name, " must be a number >= 0");
    }
    rc3::require(values["languages"] >= 2 && values["languages"] % 2 == 0,
                 "rc3_bench: languages must be even and at least 2, a sample has two texts");
    if (values["feed_forward"] == 0) values["feed_forward"] = 4 * values["width"];
  }
  std::int64_t operator[](const char* name) const { return values.at(name); }
};

using Model = rc3::Model<rc3::visual::Roi, rc3::text::Bert>;
using Contrast =
    rc3::objective::RXvtcl<rc3::regularizer::Ceiling, rc3::relevance::Constant, rc3::objective::negatives::InBatch>;
using Trained = rc3::Pretrainer<Model, Contrast, rc3::objective::Itc>;

inline rc3::text::BertOptions bert(const Facts& f) {
  return {.vocabulary = f["vocabulary"],
          .width = f["width"],
          .layers = f["layers"],
          .heads = f["heads"],
          .feed_forward = f["feed_forward"],
          .positions = f["tokens"]};
}

inline std::shared_ptr<Contrast> in_batch() {
  return std::make_shared<Contrast>(rc3::objective::RXvtclOptions{.hidden_images = 0}, rc3::regularizer::Ceiling(0.1),
                                    rc3::relevance::Constant(0.3));
}

inline std::shared_ptr<Trained> trained(const Facts& f) {
  at::manual_seed(1);
  const auto width = f["width"];
  const auto model = std::make_shared<Model>(
      std::make_shared<rc3::visual::Roi>(
          rc3::visual::RegionEmbeddingOptions{.features = f["features"], .width = width}),
      std::make_shared<rc3::text::Bert>(bert(f)),
      std::make_shared<rc3::fusion::SingleStream>(rc3::fusion::SingleStreamOptions{
          .width = width, .layers = f["fusion"], .heads = f["heads"], .feed_forward = 2 * width}),
      rc3::ModelOptions{.embedding = width});
  return std::make_shared<Trained>(model, std::array<double, 2>{1.0, 1.0}, in_batch(),
                                   std::make_shared<rc3::objective::Itc>());
}

/// A text of each of @p rows samples, without padding.
inline rc3::Texts random_texts(const Facts& f, std::int64_t rows) {
  return {
      at::randint(4, f["vocabulary"], {rows, f["tokens"]}, at::kLong), at::ones({rows, f["tokens"]}, at::kBool), {}};
}

/// @p f["batch"] images; an image of more than two languages is several samples.
inline rc3::Batch batch(const Facts& f, std::int64_t rank) {
  at::manual_seed(100 + static_cast<std::uint64_t>(rank));
  const auto images = f["batch"], pairs = f["languages"] / 2, n = images * pairs;
  rc3::Batch b;
  b.images.regions = at::randn({n, f["regions"], f["features"]});
  b.images.boxes = at::tensor({0.f, 0.f, 8.f, 8.f}).expand({n, f["regions"], 4}).contiguous();
  b.images.sizes = at::full({n, 2}, 8.f);
  for (rc3::Texts* t : {&b.a, &b.b}) *t = random_texts(f, n);
  b.image_ids = (at::arange(images) + rank * images).repeat_interleave(pairs);
  return b;
}

inline rc3::train::Options options(const Facts& f) {
  return {.schedule = {.total = f["steps"] + f["warm_up"]}, .precision = rc3::train::Precision::float32};
}

inline nlohmann::ordered_json described(const Facts& f, std::int64_t ranks, const std::vector<double>& seconds) {
  nlohmann::ordered_json out = {{"ranks", ranks}};
  for (const auto& [name, value] : f.values) out[name] = value;
  std::int64_t parameters = 0;
  for (const auto& p : trained(f)->parameters()) parameters += p.numel();
  out["parameters"] = parameters;
  out["word_embedding"] = f["vocabulary"] * f["width"];
  out["seconds_per_step"] = median(seconds);
  return out;
}

}  // namespace bench::small
