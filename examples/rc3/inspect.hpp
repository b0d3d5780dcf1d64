#pragma once
/// `rc3 inspect DIR`: what a pretrained directory or a model directory holds, and what this library takes from it.

#include <rc3/rc3.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tool {

/// A directory's model, read by the class that takes its "model_type".
struct Loaded {
  std::string type;  ///< of this library
  std::int64_t parameters = 0;
  rc3::io::LoadReport report;
};

template <class Module, class... Arguments>
Loaded load_as(const std::string& type, const std::filesystem::path& folder, Arguments... arguments) {
  Loaded loaded{type, 0, {}};
  const auto module = Module::from_pretrained(folder, arguments..., &loaded.report);
  loaded.parameters = rc3::nn::count_parameters(*module).total;
  return loaded;
}

/// Both towers of a dual encoder. A tensor is unused if neither tower takes it.
template <class Visual, class Text>
Loaded load_dual(const std::filesystem::path& folder) {
  using Dual = rc3::DualEncoder<Visual, Text>;
  auto visual = load_as<Visual>("", folder), text = load_as<Text>("", folder);
  Loaded both{Dual::name(), rc3::nn::count_parameters(*Dual::from_pretrained(folder)).total, {}};
  const auto append = [](std::vector<std::string>& to, const std::vector<std::string>& names, const char* prefix) {
    for (const auto& name : names) to.push_back(prefix + name);
  };
  append(both.report.loaded, visual.report.loaded, "visual.");
  append(both.report.loaded, text.report.loaded, "text.");
  append(both.report.missing, visual.report.missing, "visual.");
  append(both.report.missing, text.report.missing, "text.");
  std::set<std::string> by_text(text.report.unused.begin(), text.report.unused.end()), ignored_by_text;
  for (const auto& name : text.report.ignored) {
    by_text.insert(name);
    ignored_by_text.insert(name);
  }
  std::set<std::string> ignored(visual.report.ignored.begin(), visual.report.ignored.end());
  std::vector<std::string> left = visual.report.unused;
  append(left, visual.report.ignored, "");
  std::sort(left.begin(), left.end());
  for (const auto& name : left) {
    if (name == "logit_scale" || name == "logit_bias")
      both.report.loaded.push_back(name);
    else if (by_text.contains(name))
      (ignored.contains(name) && ignored_by_text.contains(name) ? both.report.ignored : both.report.unused)
          .push_back(name);
  }
  return both;
}

inline Loaded load(const std::filesystem::path& folder, const rc3::io::Config& config) {
  namespace backbone = rc3::visual::backbone;
  const auto type =
      config.model_type({"bert", "xlm-roberta", "vit", "clip", "clip_vision_model", "siglip", "siglip_vision_model",
                         "efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"});
  const auto head = rc3::io::get_or<std::vector<std::string>>(config.json(), "architectures", config.where(), {});
  if (type == "bert") return load_as<rc3::text::Bert>("text::Bert", folder);
  if (type == "xlm-roberta" && head == std::vector<std::string>{"XLMRobertaForMaskedLM"})
    return load_as<rc3::text::XlmRobertaForMaskedLm>("text::XlmRobertaForMaskedLm", folder);
  if (type == "xlm-roberta") return load_as<rc3::text::XlmRoberta>("text::XlmRoberta", folder);
  if (type == "vit") return load_as<backbone::Vit>("visual::backbone::Vit", folder);
  if (type == "clip") return load_dual<backbone::ClipVision, rc3::text::ClipText>(folder);
  if (type == "siglip") return load_dual<backbone::SiglipVision, rc3::text::SiglipText>(folder);
  if (type.starts_with("clip")) return load_as<backbone::ClipVision>("visual::backbone::ClipVision", folder);
  if (type.starts_with("siglip")) return load_as<backbone::SiglipVision>("visual::backbone::SiglipVision", folder);
  const backbone::EfficientNetLiteOptions options;
  if (type.ends_with('1'))
    return load_as<backbone::EfficientNetLite1>("visual::backbone::EfficientNetLite1", folder, options);
  if (type.ends_with('2'))
    return load_as<backbone::EfficientNetLite2>("visual::backbone::EfficientNetLite2", folder, options);
  return load_as<backbone::EfficientNetLite0>("visual::backbone::EfficientNetLite0", folder, options);
}

inline void line(const std::string& what, const std::string& text) {
  std::printf("%-14s %s\n", what.c_str(), text.c_str());
}

/// "197: a, b, c, ..."
inline std::string listed(const std::vector<std::string>& names, std::size_t most) {
  std::string text = std::to_string(names.size());
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i == 0 ? ": " : ", ") + names[i];
  return text + (names.size() > most && most > 0 ? ", ..." : "");
}

inline std::string millions(std::int64_t n) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f M", static_cast<double>(n) / 1e6);
  return text;
}

/// @param path  a directory or a file
inline void show_weights(const std::filesystem::path& path) {
  const rc3::io::Weights weights(path, rc3::io::safetensors::Access::mapped);
  std::map<std::string, std::int64_t> numbers;  // by type
  std::set<std::filesystem::path> files;
  std::uint64_t bytes = 0;
  for (const auto& [name, reader] : weights.readers()) {
    const auto& entry = *reader->find(name);
    std::int64_t count = 1;
    for (const auto size : entry.shape) count *= size;
    numbers[std::string(rc3::io::safetensors::dtype_name(entry.dtype))] += count;
    bytes += entry.end - entry.begin;
  }
  std::string types;
  std::int64_t all = 0;
  for (const auto& [type, count] : numbers) {
    types += (types.empty() ? "" : ", ") + millions(count) + " in " + type;
    all += count;
  }
  char size[32];
  std::snprintf(size, sizeof size, "%.1f MB", static_cast<double>(bytes) / 1e6);
  line("weights", std::to_string(weights.readers().size()) + " tensors, " + size);
  line("parameters", millions(all) + " in the files: " + types);
}

/// Tokenizer of a dual encoder's text tower.
template <class Tokenizer>
void show_dual_tokenizer(const char* name, const std::filesystem::path& folder, const std::string& sample) {
  const auto tokenizer = Tokenizer::from_pretrained(folder);
  line("tokenizer", name);
  std::string ids;
  for (const auto id : tokenizer.encode(sample)) ids += (ids.empty() ? "" : " ") + std::to_string(id);
  line("  example", ids);
}

inline void show_tokenizer(const std::filesystem::path& folder, const std::string& type, const std::string& sample) {
  if (type == "clip") return show_dual_tokenizer<rc3::text::ClipTokenizer>("text::ClipTokenizer", folder, sample);
  if (type == "siglip") return show_dual_tokenizer<rc3::text::SiglipTokenizer>("text::SiglipTokenizer", folder, sample);
  if (!std::filesystem::exists(folder / "sentencepiece.bpe.model") &&
      !std::filesystem::exists(folder / "tokenizer.json")) {
    line("tokenizer", "none: neither sentencepiece.bpe.model nor tokenizer.json");
    return;
  }
  std::optional<rc3::text::Tokenizer> read;
  try {
    read = rc3::text::Tokenizer::from_pretrained(folder);
  } catch (const rc3::Error& error) {  // of another family
    line("tokenizer", error.what());
    return;
  }
  const auto& tokenizer = *read;
  const auto file = rc3::text::Tokenizer::file_in(folder).filename().string();
  line("tokenizer", rc3::join(file, ": SentencePiece with the ids of XLM-R, ", tokenizer.vocabulary(),
                              " ids: <s> 0, <pad> 1, </s> 2, <unk> 3, <mask> ", tokenizer.mask()));
  std::string pieces;
  for (const auto id : tokenizer.encode(sample))
    pieces += (pieces.empty() ? "" : " ") + tokenizer.piece(id) + "/" + std::to_string(id);
  line("  example", pieces);
}

inline void show_preprocessor(const std::filesystem::path& folder, const rc3::io::Config& config) {
  const auto found = rc3::io::ImageProcessor::find(folder);
  if (!found) {
    line("images", "neither processor_config.json nor preprocessor_config.json");
    return;
  }
  if (config.json().value("model_type", "").starts_with("efficientnet-lite")) {
    const auto side = config.json().value("image_size", 224) / 32 * 32;
    line("images", rc3::join("preprocessor_config.json: ", side, " x ", side, ", (x - 127) / 128"));
    return;
  }
  const auto options = rc3::preprocess::PreprocessOptions::from_pretrained(folder);
  std::string text = "as they are";
  if (options.resize)
    text = options.resize->shortest_edge > 0
               ? rc3::join("shorter side to ", options.resize->shortest_edge)
               : rc3::join("resized to ", options.resize->width, " x ", options.resize->height);
  if (options.crop) text += rc3::join(", centre ", options.crop->width, " x ", options.crop->height);
  const auto three = [](const std::array<double, 3>& v) { return rc3::join(v[0], ' ', v[1], ' ', v[2]); };
  const auto file = found->path.filename().string() + (found->part ? ", image_processor: " : ": ");
  line("images", file + text + ", mean " + three(options.mean) + ", std " + three(options.std));
}

/// A model directory of rc3::save: type, weights, tokenizer, images, card and whether each file is whole.
inline bool inspect_model(const std::filesystem::path& folder) {
  const auto directory = rc3::pipeline::open_directory(folder);
  line("directory", folder.string());
  line("model", directory.variant);
  show_weights(folder / rc3::pipeline::weights_file);
  const auto& tokenizer = directory.at("tokenizer");
  line("tokenizer", tokenizer.value("type", "?") + " " + tokenizer.value("options", nlohmann::ordered_json()).dump());
  line("images", directory.at("images").dump());
  const auto& card = directory.at("card");
  for (const char* key : {"title", "licence"})
    if (const auto text = card.value(key, std::string()); !text.empty()) line(key, text);
  for (const auto& data : card.value("data", nlohmann::ordered_json::array()))
    line("trained on", data.get<std::string>());
  for (const auto& weights : card.value("weights", nlohmann::ordered_json::array()))
    line("contains", weights.value("name", "") + " (" + weights.value("licence", "licence unknown") + ")");
  rc3::io::verify_files(folder, directory.files, rc3::pipeline::config_file);
  line("check sums", rc3::join(directory.files.size(), " files are whole"));
  return true;
}

/// A directory of open_clip. Every tensor must be read, or loading throws.
inline bool inspect_open_clip(const std::filesystem::path& folder) {
  line("directory", folder.string());
  line("architecture", "open_clip");
  show_weights(rc3::io::OpenClip::weights_of(folder));
  const auto model = rc3::XlmRobertaClip::from_pretrained(folder);
  line("loads as", model->name() + ", " + millions(rc3::nn::count_parameters(*model).total) + " parameters");
  return true;
}

/// Prints what @p folder holds. @return whether this library loads it without a missing or unused tensor
/// @throws rc3::Error for a damaged file
inline bool inspect(const std::filesystem::path& folder, bool all_names, const std::string& sample) {
  if (rc3::io::is_open_clip(folder)) return inspect_open_clip(folder);
  const rc3::io::Config config(folder);
  if (config.has("format")) return inspect_model(folder);
  line("directory", folder.string());
  const auto heads = rc3::io::get_or<std::vector<std::string>>(config.json(), "architectures", config.where(), {});
  line("architecture", rc3::io::get<std::string>(config.json(), "model_type", config.where()) +
                           (heads.empty() ? "" : " (" + heads[0] + ")"));
  show_weights(folder);
  const auto loaded = load(folder, config);
  const std::size_t most = all_names ? 1'000'000 : 4;
  line("loads as", loaded.type + ", " + millions(loaded.parameters) + " parameters");
  line("keys used", listed(loaded.report.loaded, all_names ? most : 0));
  line("keys missing", listed(loaded.report.missing, most));
  line("keys unused", listed(loaded.report.unused, most));
  line("keys ignored", listed(loaded.report.ignored, most));
  show_tokenizer(folder, rc3::io::get<std::string>(config.json(), "model_type", config.where()), sample);
  show_preprocessor(folder, config);
  return loaded.report.missing.empty() && loaded.report.unused.empty();
}

}  // namespace tool
