#pragma once
/// tokenizer_config.json, as transformers writes it. LibTorch-free.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/json.hpp"

namespace rc3::text::detail {

inline constexpr std::uint64_t max_tokenizer_bytes = 64u << 20;  ///< limit of a tokenizer.json; Gemma's has 34 MB

/// Tokenizer settings of a directory.
struct TokenizerConfig {
  std::string where;
  nlohmann::json json;
  bool gives_mask = true;  ///< whether transformers passes an attention mask to the model

  /// Name of a special token: "pad_token" is "<pad>", as a string or as {"content": "<pad>"}.
  std::string name(const std::string& key) const {
    const auto found = json.find(key);
    require(found != json.end() && !found->is_null(), where, ": the key \"", key, "\" is missing");
    return found->is_object() ? io::get<std::string>(*found, "content", where)
                              : io::as<std::string>(*found, key, where);
  }

  /// "model_max_length"; @p otherwise if it is missing or, as transformers writes for "none", beyond a million.
  std::int64_t length(std::int64_t otherwise) const {
    const auto found = json.find("model_max_length");
    if (found == json.end() || !found->is_number()) return otherwise;
    const auto tokens = found->get<double>();
    return tokens >= 3 && tokens <= 1e6 ? static_cast<std::int64_t>(tokens) : otherwise;
  }

  /// Id of that token, by "added_tokens_decoder" here or "added_tokens" of tokenizer.json.
  std::int64_t id(const std::filesystem::path& directory, const std::string& key) const {
    const auto wanted = name(key);
    if (const auto decoder = json.find("added_tokens_decoder"); decoder != json.end() && decoder->is_object())
      for (const auto& [id, token] : decoder->items())
        if (io::get<std::string>(token, "content", where) == wanted) {
          require(!id.empty() && id.size() < 10 && id.find_first_not_of("0123456789") == std::string::npos, where,
                  ": added_tokens_decoder: \"", id, "\" is not an id");
          return std::stoll(id);
        }
    const auto file = directory / "tokenizer.json";
    if (std::filesystem::exists(file)) {
      const auto tokenizer = io::read_json(file, {.max_bytes = max_tokenizer_bytes});
      const auto tokens = tokenizer.find("added_tokens");
      if (tokens != tokenizer.end() && tokens->is_array())
        for (const auto& token : *tokens)
          if (io::get<std::string>(token, "content", file.string()) == wanted)
            return io::get<std::int64_t>(token, "id", file.string());
    }
    fail(where, ": the id of ", key, " \"", wanted,
         "\" is neither in added_tokens_decoder nor in the added_tokens of a tokenizer.json");
  }
};

inline TokenizerConfig read_tokenizer_config(const std::filesystem::path& directory) {
  const auto path = directory / "tokenizer_config.json";
  TokenizerConfig config{path.string(), io::read_json(path), true};
  require(config.json.is_object(), config.where, ": must be an object");
  // Published SigLIP directories list "input_ids" alone. Without the key, transformers' classes give a mask too.
  if (config.json.contains("model_input_names")) {
    const auto names = io::get<std::vector<std::string>>(config.json, "model_input_names", config.where);
    config.gives_mask = std::find(names.begin(), names.end(), "attention_mask") != names.end();
  }
  return config;
}

/// Content of those of the files @p names that exist in @p directory, by name.
inline std::map<std::string, std::string> read_tokenizer_files(const std::filesystem::path& directory,
                                                               std::initializer_list<const char*> names) {
  std::map<std::string, std::string> files;
  for (const char* name : names)
    if (std::filesystem::exists(directory / name)) files[name] = io::read_file(directory / name, max_tokenizer_bytes);
  return files;
}

}  // namespace rc3::text::detail
