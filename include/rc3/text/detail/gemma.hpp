#pragma once
/// Gemma's byte-pair encoding with lower case, for SigLIP 2: tokenizer.json. LibTorch-free.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/io/json.hpp"
#include "rc3/text/detail/byte_pairs.hpp"
#include "rc3/text/detail/tokenizer_config.hpp"
#include "rc3/text/detail/unicode.hpp"

namespace rc3::text::detail {

/// Lower case, blanks as "▁", characters without a name as bytes, then merges over the whole text. Added tokens that
/// are not special ("\n\n", "<h1>") are found in the text before, the longest first.
class Gemma {
 public:
  /// @throws rc3::Error if tokenizer.json is not Gemma's
  explicit Gemma(const std::filesystem::path& directory) : Gemma(directory, read(directory)) {}

  std::vector<std::int64_t> operator()(std::string_view text) const {
    std::vector<std::int64_t> ids;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
      const auto [length, id] = added_at(text.substr(at));
      if (length == 0) {
        ++at;
        continue;
      }
      encode(text.substr(begin, at - begin), ids);
      ids.push_back(id);
      begin = at += length;
    }
    encode(text.substr(begin), ids);
    return ids;
  }

  std::int64_t pad() const { return pad_; }
  std::int64_t end() const { return end_; }
  std::int64_t length() const { return length_; }
  std::int64_t vocabulary() const { return vocabulary_; }

 private:
  static nlohmann::json read(const std::filesystem::path& directory) {
    return io::read_json(directory / "tokenizer.json", {.max_bytes = max_tokenizer_bytes});
  }

  static const nlohmann::json& part(const nlohmann::json& json, const char* key, const std::string& where) {
    require(json.is_object() && json.contains(key), where, ": the key \"", key, "\" is missing");
    return json.at(key);
  }

  Gemma(const std::filesystem::path& directory, const nlohmann::json& json)
      : where_((directory / "tokenizer.json").string()),
        pairs_(part(part(json, "model", where_), "vocab", where_),
               merges_of(part(json.at("model"), "merges", where_), where_), where_),
        vocabulary_(pairs_.size()) {
    const auto& model = json.at("model");
    require(io::get<std::string>(model, "type", where_) == "BPE" && io::get_or(model, "byte_fallback", where_, false) &&
                !io::get_or(model, "ignore_merges", where_, false) &&
                io::get_or<std::string>(model, "end_of_word_suffix", where_, "").empty() &&
                io::get_or<std::string>(model, "continuing_subword_prefix", where_, "").empty(),
            where_, ": the model must be a BPE with byte_fallback, as Gemma's");
    // transformers adds the lower case if the file has none: Google published files without.
    const auto blanks = nlohmann::json::parse(R"({"type": "Replace", "pattern": {"String": " "}, "content": "▁"})");
    const auto lower = nlohmann::json::parse(R"({"type": "Lowercase"})");
    const auto& normalizer = part(json, "normalizer", where_);
    require(
        normalizer == blanks || normalizer == nlohmann::json{{"type", "Sequence"}, {"normalizers", {lower, blanks}}},
        where_, ": the normalizer must be lower case and \" \" to \"▁\", is ", io::short_text(normalizer));
    for (int byte = 0; byte < 256; ++byte) {
      std::array<char, 8> name{};
      std::snprintf(name.data(), name.size(), "<0x%02X>", static_cast<unsigned>(byte));
      bytes_[static_cast<std::size_t>(byte)] = pairs_.id(name.data());
      require(bytes_[static_cast<std::size_t>(byte)] >= 0, where_, ": the vocabulary has no ", name.data(),
              ", the token of a byte");
    }
    const auto config = read_tokenizer_config(directory);
    length_ = config.length(length_);
    const auto pad = config.name("pad_token"), end = config.name("eos_token");
    const auto& added = part(json, "added_tokens", where_);
    require(added.is_array(), where_, ": \"added_tokens\" must be an array");
    for (const auto& token : added) {
      const auto name = io::get<std::string>(token, "content", where_);
      const auto id = io::get<std::int64_t>(token, "id", where_);
      require(id >= 0 && !name.empty(), where_, ": an added token without name or with a negative id");
      vocabulary_ = std::max(vocabulary_, id + 1);
      if (name == pad) pad_ = id;
      if (name == end) end_ = id;
      if (io::get_or(token, "special", where_, false)) continue;
      for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized"})
        require(!io::get_or(token, flag, where_, false), where_, ": added token \"", name, "\": \"", flag,
                "\" is not known here");
      longest_ = std::max(longest_, name.size());
      starts_[static_cast<unsigned char>(name[0])] = true;
      added_.emplace(name, id);
    }
    require(pad_ >= 0 && end_ >= 0, where_, ": \"", pad, "\" or \"", end,
            "\" of tokenizer_config.json is no added token");
  }

  /// Longest added token at the beginning of @p text: its bytes and id; 0 bytes: none.
  std::pair<std::size_t, std::int64_t> added_at(std::string_view text) const {
    if (!starts_[static_cast<unsigned char>(text[0])]) return {0, 0};
    for (std::size_t n = std::min(longest_, text.size()); n > 0; --n)
      if (const auto found = added_.find(text.substr(0, n)); found != added_.end()) return {n, found->second};
    return {0, 0};
  }

  void encode(std::string_view text, std::vector<std::int64_t>& ids) const {
    std::vector<BytePairs::Id> symbols;
    std::string name;
    for (const char32_t c : lower_each(decode_utf8(text))) {
      name.clear();
      append_utf8(name, c == U' ' ? U'▁' : c);
      const auto id = pairs_.id(name);
      if (id >= 0)
        symbols.push_back(id);
      else
        for (const char byte : name) symbols.push_back(bytes_[static_cast<unsigned char>(byte)]);
    }
    pairs_.merge(symbols, ids);
  }

  std::string where_;
  BytePairs pairs_;
  std::int64_t vocabulary_ = 0, pad_ = -1, end_ = -1, length_ = 64;
  std::array<BytePairs::Id, 256> bytes_{};
  std::array<bool, 256> starts_{};
  std::map<std::string, std::int64_t, std::less<>> added_;
  std::size_t longest_ = 0;
};

}  // namespace rc3::text::detail
