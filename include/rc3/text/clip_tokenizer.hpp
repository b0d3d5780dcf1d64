#pragma once
/// Tokenizer of CLIP: byte-level byte-pair encoding. LibTorch-free.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/config/fields.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/json.hpp"
#include "rc3/text/concept.hpp"
#include "rc3/text/detail/byte_pairs.hpp"
#include "rc3/text/detail/nfc.hpp"
#include "rc3/text/detail/require_text.hpp"
#include "rc3/text/detail/tokenizer_config.hpp"
#include "rc3/text/detail/unicode.hpp"

namespace rc3::text {

/// Length of the texts of a ClipTokenizer.
struct ClipTokenizerOptions {
  /// Tokens, including start and end, >= 3; longer texts are truncated. 0: model_max_length of tokenizer_config.json,
  /// 77 without it.
  std::int64_t max_length = 0;
};

template <class V>
void visit_fields(ClipTokenizerOptions& o, V&& v) {
  v("max_length", o.max_length, "tokens, including start and end; longer texts are truncated", config::at_least(3));
}

/// Ids of `<|startoftext|> text <|endoftext|>`, as transformers' CLIPTokenizer: normal form C, lower case, words,
/// numbers and symbols, then merges of their bytes. Thread-safe.
///
/// Text is data: "<|endoftext|>" in it becomes ordinary tokens, as with `split_special_tokens` in transformers.
class ClipTokenizer {
 public:
  static constexpr std::size_t max_text_bytes = 1u << 20;  ///< limit of a text

  /// Reads tokenizer.json in @p directory, or vocab.json and merges.txt if there is none. Padding is the pad_token of
  /// tokenizer_config.json, without this file the end token.
  /// @throws rc3::Error naming the file and what is missing, invalid or of another tokenizer
  static ClipTokenizer from_pretrained(const std::filesystem::path& directory, ClipTokenizerOptions options = {}) {
    return {std::make_shared<const Model>(directory), options};
  }

  /// The same loaded model with another length. @throws rc3::Error for an invalid option
  ClipTokenizer with(ClipTokenizerOptions options) const { return {model_, options}; }

  /// Ids of @p text with start and end token, at most `max_length`.
  /// @throws rc3::Error if the text is empty or blank, not UTF-8 or longer than `max_text_bytes`
  std::vector<std::int64_t> encode(std::string_view text) const {
    detail::require_text("text::ClipTokenizer", text, max_text_bytes);
    std::vector<std::int64_t> ids{model_->start};
    const auto all = detail::lower_each(detail::nfc(decode_utf8(text)));
    for (std::size_t at = 0; at < all.size();) {
      if (detail::is_white(all[at])) {
        ++at;
        continue;
      }
      const std::size_t n = length_of(std::u32string_view(all).substr(at));
      model_->add(std::u32string_view(all).substr(at, n), ids);
      at += n;
    }
    ids.resize(std::min(ids.size(), static_cast<std::size_t>(options_.max_length) - 1));
    ids.push_back(model_->end);
    return ids;
  }

  std::int64_t pad_id() const { return model_->pad; }  ///< of pad_token, else the end token
  /// Number of ids; a model's word embedding may have more rows.
  std::int64_t vocabulary() const { return model_->pairs.size(); }
  const ClipTokenizerOptions& options() const { return options_; }

  /// Content of the files that from_pretrained() reads from a directory, by name.
  const std::map<std::string, std::string>& files() const { return model_->files; }

 private:
  struct Model {
    explicit Model(const std::filesystem::path& directory);
    void add(std::u32string_view word, std::vector<std::int64_t>& ids) const;

    std::map<std::string, std::string> files;
    detail::BytePairs pairs;
    std::int64_t start, end, pad, length = 77;
    std::array<detail::BytePairs::Id, 256> bytes{}, last_bytes{};  ///< of a byte, and of the last byte of a word
  };

  ClipTokenizer(std::shared_ptr<const Model> model, ClipTokenizerOptions options)
      : model_(std::move(model)), options_(options) {
    if (options_.max_length == 0) options_.max_length = model_->length;
    require(options_.max_length >= 3, "text::ClipTokenizer: max_length must be at least 3, is ", options_.max_length);
  }

  /// Characters of the first piece: 's|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+
  static std::size_t length_of(std::u32string_view text) {
    for (const std::u32string_view ending : {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"})
      if (text.starts_with(ending)) return ending.size();
    if (detail::is_number(text[0])) return 1;
    const bool letters = detail::is_letter(text[0]);
    const auto same = [&](char32_t c) {
      return letters ? detail::is_letter(c) : !detail::is_white(c) && !detail::is_letter(c) && !detail::is_number(c);
    };
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), same) - text.begin());
  }

  std::shared_ptr<const Model> model_;
  ClipTokenizerOptions options_;
};

namespace detail {

/// Vocabulary and merges of @p directory, after a check that the file is a CLIP tokenizer.
inline BytePairs read_clip_pairs(const std::filesystem::path& directory) {
  const auto file = directory / "tokenizer.json";
  const auto where = file.string();
  if (!std::filesystem::exists(file)) {
    const auto vocabulary = directory / "vocab.json", list = directory / "merges.txt";
    require(std::filesystem::exists(vocabulary) && std::filesystem::exists(list), directory.string(),
            ": has neither tokenizer.json nor vocab.json and merges.txt");
    const auto text = io::read_file(list, max_tokenizer_bytes);
    auto lines = nlohmann::json::array();
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find('\n', at), text.size());
      auto line = std::string_view(text).substr(at, end - at);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.empty() && !line.starts_with("#version")) {
        require_utf8(line, list.string());
        lines.push_back(std::string(line));
      }
      at = end + 1;
    }
    return {io::read_json(vocabulary), merges_of(lines, list.string()), vocabulary.string()};
  }
  const auto json = io::read_json(file, {.max_bytes = max_tokenizer_bytes});
  const auto part = [&](const nlohmann::json& from, const char* key) -> const nlohmann::json& {
    require(from.is_object() && from.contains(key), where, ": the key \"", key, "\" is missing");
    return from.at(key);
  };
  const auto& model = part(json, "model");
  require(io::get<std::string>(model, "type", where) == "BPE" &&
              io::get<std::string>(model, "end_of_word_suffix", where) == "</w>" &&
              io::get_or<std::string>(model, "continuing_subword_prefix", where, "").empty() &&
              !io::get_or(model, "byte_fallback", where, false) && !io::get_or(model, "ignore_merges", where, false),
          where, ": the model must be a BPE with the suffix </w>, as CLIP's");
  const auto normalizer = nlohmann::json::parse(R"({"type": "Sequence", "normalizers": [{"type": "NFC"},
    {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "}, {"type": "Lowercase"}]})");
  require(part(json, "normalizer") == normalizer, where,
          ": the normalizer is not CLIP's: ", io::short_text(json.at("normalizer")));
  const auto& steps = part(part(json, "pre_tokenizer"), "pretokenizers");
  const std::string words = R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";
  const std::string names = R"(<\|startoftext\|>|<\|endoftext\|>|)";
  const auto known = [&](const nlohmann::json& split) {
    const auto pattern = split.is_object() ? split.value("/pattern/Regex"_json_pointer, std::string()) : std::string();
    return (pattern == words || pattern == names + words) && split.value("behavior", "") == "Removed" &&
           split.value("invert", false);
  };
  require(steps.is_array() && steps.size() == 2 && known(steps[0]) && steps[1].value("type", "") == "ByteLevel" &&
              !steps[1].value("add_prefix_space", true),
          where, ": the pre-tokenizer is not CLIP's");
  return {part(model, "vocab"), merges_of(part(model, "merges"), where), where};
}

}  // namespace detail

inline ClipTokenizer::Model::Model(const std::filesystem::path& directory)
    : files(std::filesystem::exists(directory / "tokenizer.json")
                ? detail::read_tokenizer_files(directory, {"tokenizer.json", "tokenizer_config.json"})
                : detail::read_tokenizer_files(directory, {"vocab.json", "merges.txt", "tokenizer_config.json"})),
      pairs(detail::read_clip_pairs(directory)),
      start(pairs.id("<|startoftext|>")),
      end(pairs.id("<|endoftext|>")),
      pad(end) {
  require(start >= 0 && end >= 0, directory.string(), ": the vocabulary has no <|startoftext|> or no <|endoftext|>");
  if (std::filesystem::exists(directory / "tokenizer_config.json")) {
    const auto config = detail::read_tokenizer_config(directory);
    const auto name = config.name("pad_token");
    length = config.length(length);
    pad = pairs.id(name);
    require(pad >= 0, config.where, ": pad_token \"", name, "\" is not in the vocabulary");
  }
  // Bytes are written as printable characters; the others as the characters from 256 on. Source: Radford et al. 2019.
  char32_t next = 256;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    std::string name;
    detail::append_utf8(name, printable ? byte : next++);
    bytes[byte] = pairs.id(name);
    last_bytes[byte] = pairs.id(name + "</w>");
    require(bytes[byte] >= 0 && last_bytes[byte] >= 0, directory.string(), ": the vocabulary lacks the byte ",
            static_cast<int>(byte), ", \"", name, "\", alone or with </w>");
  }
}

inline void ClipTokenizer::Model::add(std::u32string_view word, std::vector<std::int64_t>& ids) const {
  std::string text;
  for (const char32_t c : word) detail::append_utf8(text, c);
  std::vector<detail::BytePairs::Id> symbols;
  symbols.reserve(text.size());
  for (const char c : text) symbols.push_back(bytes[static_cast<unsigned char>(c)]);
  symbols.back() = last_bytes[static_cast<unsigned char>(text.back())];
  pairs.merge(symbols, ids);
}

static_assert(TokenizerPolicy<ClipTokenizer>);

}  // namespace rc3::text
