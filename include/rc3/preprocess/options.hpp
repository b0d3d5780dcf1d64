#pragma once
/// Preprocessing of a pretrained model: preprocessor_config.json, as transformers writes it.

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "rc3/config/value.hpp"
#include "rc3/core/error.hpp"
#include "rc3/io/hf/image_processor.hpp"
#include "rc3/io/image/flatten.hpp"
#include "rc3/io/image/resize.hpp"
#include "rc3/io/json.hpp"

namespace rc3::preprocess {

/// A size in pixels: both sides, or the shorter one.
struct PreprocessSize {
  int height = 0;         ///< pixels; 0: unset
  int width = 0;          ///< pixels; 0: unset
  int shortest_edge = 0;  ///< if set, height and width are unset; the other side keeps the aspect ratio, rounded down
};

/// Steps in the order of their application. Unset members are skipped steps.
struct PreprocessOptions {
  io::Rgb background = io::white;                       ///< under transparent parts, as in transformers
  std::optional<PreprocessSize> resize = std::nullopt;  ///< to these sides, before the crop
  io::Resample resample = io::Resample::bicubic;        ///< filter of the resize
  /// With both sides of a resize, and no crop: the image keeps its aspect ratio, and the rest is background. Boxes and
  /// objects keep their form, and nothing is cut off.
  bool pad = false;
  std::optional<PreprocessSize> crop =
      std::nullopt;                        ///< central crop of height x width; pixels beyond the image are black
  double rescale = 1.0 / 255;              ///< factor of pixels 0..255, > 0; 1: no rescaling
  std::array<double, 3> mean = {0, 0, 0};  ///< of rescaled red, green, blue
  std::array<double, 3> std = {1, 1, 1};   ///< above 0

  /// Reads the image processor of @p folder, see io::ImageProcessor, of ViT, CLIP and SigLIP.
  /// @throws rc3::Error naming file and key if a required key is missing or has another form, the processor is of
  ///         another type, or a step is not supported
  static PreprocessOptions from_pretrained(const std::filesystem::path& folder);
};

template <class V>
void visit_fields(PreprocessOptions& o, V&& v) {
  v("background", o.background, "R, G, B under transparent parts");
  v("resize", o.resize, "both sides, or the shorter one, pixels; null: none");
  v("resample", o.resample, "filter of the resize");
  v("pad", o.pad, "keep the aspect ratio; the rest of both sides is background");
  v("crop", o.crop, "central crop, pixels; null: none");
  v("rescale", o.rescale, "factor of pixels 0..255", config::above(0));
  v("mean", o.mean, "of rescaled red, green, blue");
  v("std", o.std, "of rescaled red, green, blue", config::above(0));
}

namespace detail {

/// The three processors differ in the meaning of a bare number as size, and in whether they crop.
enum class Processor { vit, clip, siglip };

inline Processor processor_type(const nlohmann::json& json, const std::filesystem::path& folder,
                                const std::string& file) {
  std::string type = io::get_or<std::string>(json, "image_processor_type", file, "");
  if (type.empty()) type = io::get_or<std::string>(json, "feature_extractor_type", file, "");
  if (type.empty() && std::filesystem::exists(folder / "config.json")) {  // as AutoImageProcessor does
    const auto path = (folder / "config.json").string();
    type = io::get_or<std::string>(io::read_json(path), "model_type", path, "");
  }
  require(!type.empty(), file,
          ": the key \"image_processor_type\" is missing, and no config.json beside it has a "
          "\"model_type\"; ViTImageProcessor, CLIPImageProcessor and SiglipImageProcessor are read");
  for (const std::string_view form :
       {"ImageProcessor", "ImageProcessorFast", "ImageProcessorPil", "FeatureExtractor"}) {
    if (type == join("ViT", form)) return Processor::vit;
    if (type == join("CLIP", form)) return Processor::clip;
    if (type == join("Siglip", form)) return Processor::siglip;
  }
  if (type == "vit") return Processor::vit;
  if (type == "clip" || type == "clip_vision_model") return Processor::clip;
  if (type == "siglip" || type == "siglip_vision_model") return Processor::siglip;
  fail(file, ": the image processor is \"", type,
       "\"; only ViTImageProcessor, CLIPImageProcessor and SiglipImageProcessor are read: set PreprocessOptions by "
       "hand");
}

/// @p key as a bare number, {"height", "width"} or {"shortest_edge"}. @param square  whether a bare number is both
/// sides
inline PreprocessSize size_of(const nlohmann::json& json, const std::string& key, const std::string& file,
                              bool square) {
  const auto side = [&](const nlohmann::json& value, const std::string& name) {
    const int pixels = io::as<int>(value, name, file);
    require(pixels >= 1 && pixels <= 16384, file, ": \"", name, "\" must be 1 to 16384 pixels, is ", pixels);
    return pixels;
  };
  require(json.contains(key), file, ": the key \"", key, "\" is missing");
  const auto& value = json.at(key);
  if (value.is_number()) {
    const int pixels = side(value, key);
    return square ? PreprocessSize{pixels, pixels, 0} : PreprocessSize{0, 0, pixels};
  }
  if (value.is_object() && value.size() == 2 && value.contains("height") && value.contains("width"))
    return {side(value.at("height"), key + ".height"), side(value.at("width"), key + ".width"), 0};
  if (value.is_object() && value.size() == 1 && value.contains("shortest_edge"))
    return {0, 0, side(value.at("shortest_edge"), key + ".shortest_edge")};
  fail(file, ": \"", key, "\" must be a number, {\"height\", \"width\"} or {\"shortest_edge\"}, is ",
       value.dump(-1, ' ', true));
}

}  // namespace detail

inline PreprocessOptions PreprocessOptions::from_pretrained(const std::filesystem::path& folder) {
  using detail::Processor;
  const auto found = io::ImageProcessor::find(folder);
  require(found.has_value(), (folder / "preprocessor_config.json").string(), ": does not exist, nor is there a ",
          "processor_config.json with an image_processor");
  const auto& json = found->keys();
  const auto file = found->where();
  const Processor type = detail::processor_type(json, folder, file);

  PreprocessOptions options;
  if (io::get<bool>(json, "do_resize", file)) {
    const bool square = io::get_or(json, "default_to_square", file, type != Processor::clip);
    options.resize = detail::size_of(json, "size", file, square);
    const int resample = io::get<int>(json, "resample", file);
    require(resample == 2 || resample == 3, file, ": \"resample\" is ", resample,
            "; 2 (bilinear) and 3 (bicubic) are read");
    options.resample = static_cast<io::Resample>(resample);
  }
  // Only CLIP's processor crops by default.
  if (type == Processor::clip ? io::get<bool>(json, "do_center_crop", file)
                              : io::get_or(json, "do_center_crop", file, false)) {
    options.crop = detail::size_of(json, "crop_size", file, true);
    require(options.crop->shortest_edge == 0, file, ": \"crop_size\" must have a \"height\" and a \"width\"");
  }
  const auto pixels = io::pixel_values(*found);
  options.rescale = pixels.rescale;
  options.mean = pixels.mean;
  options.std = pixels.deviation;
  for (const char* step : {"do_pad", "do_flip_channel_order", "do_grayscale"})
    require(!io::get_or(json, step, file, false), file, ": \"", step, "\" is not known here");
  return options;
}

}  // namespace rc3::preprocess

namespace rc3::config {

template <>
struct Form<io::Resample> {
  static nlohmann::ordered_json to_json(io::Resample filter) {
    return filter == io::Resample::bilinear ? "bilinear" : "bicubic";
  }
  template <class Wrong>
  static io::Resample from_json(const nlohmann::ordered_json& json, const Wrong& wrong) {
    if (json != "bilinear" && json != "bicubic") wrong("one of \"bilinear\" \"bicubic\"");
    return json == "bilinear" ? io::Resample::bilinear : io::Resample::bicubic;
  }
  static nlohmann::ordered_json from_text(std::string_view text) { return std::string(text); }
};

/// {"height", "width"}, {"shortest_edge"}, or null, as in preprocessor_config.json.
template <>
struct Form<std::optional<preprocess::PreprocessSize>> {
  static nlohmann::ordered_json to_json(const std::optional<preprocess::PreprocessSize>& size) {
    if (!size) return nullptr;
    if (size->shortest_edge > 0) return {{"shortest_edge", size->shortest_edge}};
    return {{"height", size->height}, {"width", size->width}};
  }
  template <class Wrong>
  static std::optional<preprocess::PreprocessSize> from_json(const nlohmann::ordered_json& json, const Wrong& wrong) {
    if (json.is_null()) return std::nullopt;
    const auto side = [&](const char* key) {
      const auto found = json.find(key);
      if (found == json.end() || !found->is_number_integer() || *found < 1 || *found > 16384)
        wrong("null, {\"height\", \"width\"} or {\"shortest_edge\"} of 1 to 16384 pixels");
      return found->template get<int>();
    };
    if (json.is_object() && json.size() == 1) return preprocess::PreprocessSize{0, 0, side("shortest_edge")};
    if (!json.is_object() || json.size() != 2) wrong("null, {\"height\", \"width\"} or {\"shortest_edge\"}");
    return preprocess::PreprocessSize{side("height"), side("width"), 0};
  }
  static nlohmann::ordered_json from_text(std::string_view text) {
    auto json = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
    return json.is_discarded() ? nlohmann::ordered_json(std::string(text)) : json;
  }
};

}  // namespace rc3::config
