#pragma once
/// Names of a module's tensors in a pretrained directory: one table for both directions.

#include <torch/nn/module.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/nn/state.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/hf/load.hpp"
#include "rc3/io/safetensors.hpp"

namespace rc3::io {

/// Tensor names of a family of models, as transformers writes them.
struct Layout {
  /// Prefix pairs, rc3's and the file's; `#` is a number. The first rule that matches a name here gives the file's
  /// name; the rest of the name stays. For example {"layers.#.query.", "encoder.layer.#.attention.self.query."}.
  struct Rule {
    std::string ours;  ///< beginning of a name here
    std::string file;  ///< what stands there in the file
  };
  std::vector<Rule> rules;  ///< the first that matches counts
  /// Prefixes that a file may have before its names, for example {"roberta.", "bert."}; not written.
  std::vector<std::string> prefixes = {};
  /// Names of the file, without prefix, that are not part of the module: regular expressions for the whole name.
  std::vector<std::string> ignore = {};
  /// Today's name for a name of an older file; unset: there are no old names.
  std::function<std::string(std::string)> modern = {};

  /// The file's name for @p name. @throws rc3::Error if no rule matches
  std::string file_name(std::string_view name) const {
    for (const Rule& rule : rules)
      if (const auto found = apply(rule, name)) return *found;
    fail("io::Layout: no rule for the tensor \"", name, '"');
  }

 private:
  static std::optional<std::string> apply(const Rule& rule, std::string_view name) {
    std::vector<std::string_view> numbers;
    std::size_t at = 0;
    for (const char c : rule.ours) {
      if (c == '#') {
        const auto end = std::min(name.find_first_not_of("0123456789", at), name.size());
        if (end == at) return std::nullopt;
        numbers.push_back(name.substr(at, end - at));
        at = end;
      } else if (at < name.size() && name[at] == c) {
        ++at;
      } else {
        return std::nullopt;
      }
    }
    std::string result;
    std::size_t used = 0;
    for (const char c : rule.file) {
      if (c == '#')
        result += numbers.at(used++);
      else
        result += c;
    }
    return result + std::string(name.substr(at));
  }
};

/// Copies tensors under the file's names into @p module.
/// @param report  if given, receives the name of every tensor, and a missing or unused one is not an error
/// @throws rc3::Error as load_weights does
inline void load_pretrained(torch::nn::Module& module, const TensorSource& source, const Layout& layout,
                            LoadReport* report = nullptr) {
  std::map<std::string, std::string> ours;
  for (const auto& [name, tensor] : nn::named_state(module)) ours.emplace(layout.file_name(name), name);
  const auto rename = [&](const std::string& name) {
    const auto known = ours.find(layout.modern ? layout.modern(name) : name);
    return known == ours.end() ? std::string() : known->second;
  };
  auto found = load_weights(module, source,
                            {.strip_prefixes = layout.prefixes,
                             .ignore = layout.ignore,
                             .rename = rename,
                             .optional = {},
                             .strict = report == nullptr});
  if (report != nullptr) *report = std::move(found);
}

/// The same for the weights of a pretrained directory or a .safetensors file.
inline void load_pretrained(torch::nn::Module& module, const std::filesystem::path& path, const Layout& layout,
                            LoadReport* report = nullptr) {
  load_pretrained(module, source_of(path), layout, report);
}

/// Writes @p module as a pretrained directory for transformers: model.safetensors and config.json, each complete or not
/// at all. Other files in the folder (a tokenizer's) are kept.
/// @param config  content of config.json, including "model_type" and "architectures"
/// @throws rc3::Error for a tensor without a rule, two of one name, or if writing fails
inline void save_pretrained(const torch::nn::Module& module, const std::filesystem::path& folder, const Layout& layout,
                            const nlohmann::json& config) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, tensor] : nn::named_state(module)) {
    const auto [other, fresh] = tensors.emplace(layout.file_name(name), tensor.detach().to(at::kCPU).contiguous());
    require(fresh, "io::save_pretrained: two tensors would be called \"", other->first, '"');
  }
  make_folder(folder);
  safetensors::save(folder / "model.safetensors", tensors, {{"format", "pt"}});
  write_file(folder / "config.json", config.dump(2) + "\n");
}

}  // namespace rc3::io
