#pragma once
/// Bodies of text::Tokenizer.

#include <algorithm>
#include <system_error>

#include "rc3/text/detail/ties.hpp"
#include "rc3/text/tokenizer.hpp"

namespace rc3::text {

namespace detail {

/// From SentencePiece's number of a piece to XLM-R's. @pre no <s> or </s>, which no text gives
constexpr std::int64_t xlm_r_id(std::int64_t piece) { return piece == 0 ? 3 : piece + 1; }

inline void resize(std::vector<std::int64_t>& ids, std::size_t n) { ids.resize(n); }
inline void resize(Encoding& e, std::size_t n) {
  e.ids.resize(n);
  e.characters.resize(n);
  e.bytes.resize(n);
  e.source.resize(n);
}

/// Puts the tokens of one text or two between special tokens.
inline std::vector<std::int64_t> between(const std::vector<std::int64_t>& a,
                                         const std::vector<std::int64_t>* b = nullptr) {
  std::vector<std::int64_t> all{Tokenizer::bos};
  all.reserve(a.size() + 4 + (b ? b->size() : 0));
  const auto add = [&](const auto& ids) {
    all.insert(all.end(), ids.begin(), ids.end());
    all.push_back(Tokenizer::eos);
  };
  add(a);
  if (b) {
    all.push_back(Tokenizer::eos);
    add(*b);
  }
  return all;
}

inline Encoding between(const Encoding& a, const Encoding* b = nullptr) {
  Encoding all;
  const auto special = [&](std::int64_t id) {
    all.ids.push_back(id);
    all.characters.push_back({});
    all.bytes.push_back({});
    all.source.push_back(Encoding::special);
  };
  const auto add = [&](const Encoding& e) {
    all.ids.insert(all.ids.end(), e.ids.begin(), e.ids.end());
    all.characters.insert(all.characters.end(), e.characters.begin(), e.characters.end());
    all.bytes.insert(all.bytes.end(), e.bytes.begin(), e.bytes.end());
    all.source.insert(all.source.end(), e.source.begin(), e.source.end());
    special(Tokenizer::eos);
  };
  special(Tokenizer::bos);
  add(a);
  if (b) {
    special(Tokenizer::eos);
    add(*b);
  }
  return all;
}

inline std::size_t tokens(const std::vector<std::int64_t>& ids) { return ids.size(); }
inline std::size_t tokens(const Encoding& encoding) { return encoding.size(); }

}  // namespace detail

inline Tokenizer Tokenizer::from_pretrained(std::filesystem::path directory, TokenizerOptions options) {
  if (std::filesystem::is_directory(directory)) directory /= "sentencepiece.bpe.model";
  std::error_code failed;
  const auto bytes = std::filesystem::file_size(directory, failed);
  require(!failed, directory.string(), ": cannot be read (", failed.message(),
          "); a Hugging Face directory of XLM-R or multilingual-e5 holds it");
  require(bytes <= max_model_bytes, directory.string(), ": ", bytes, " bytes, more than the ", max_model_bytes,
          " that a SentencePiece model may have");
  auto processor = std::make_shared<sentencepiece::SentencePieceProcessor>();
  const auto status = processor->Load(directory.string());
  require(status.ok(), directory.string(), ": not a SentencePiece model (", status.ToString(), ")");
  return Tokenizer(std::move(processor), std::move(options));
}

inline Tokenizer::Tokenizer(std::shared_ptr<const sentencepiece::SentencePieceProcessor> processor,
                            TokenizerOptions options)
    : processor_(std::move(processor)), options_(std::move(options)) {
  require(options_.max_length >= 3, "text::Tokenizer: max_length must be at least 3, is ", options_.max_length);
  require_utf8(options_.prefix, "text::Tokenizer: the prefix");
}

inline std::string Tokenizer::prepare(std::string_view text) const {
  require(text.size() <= max_text_bytes, "text::Tokenizer: a text of ", text.size(), " bytes; at most ", max_text_bytes,
          " are read, cut it first");
  require_utf8(text, "text::Tokenizer: the text");
  require(!detail::only_blanks(text), "text::Tokenizer: an empty text; drop the sample, or give it a caption");
  return options_.prefix + std::string(text);
}

inline std::vector<std::int64_t> Tokenizer::ids_of(std::string_view text) const {
  std::vector<int> pieces;
  const auto status = processor_->Encode(prepare(text), &pieces);
  require(status.ok(), "text::Tokenizer: ", status.ToString());
  const auto name = [&](int piece) { return piece == 0 ? std::string_view() : processor_->IdToPiece(piece); };
  detail::for_each_tie(
      pieces.size(), [&](std::size_t i) { return name(pieces[i]); },
      [&](std::size_t begin, std::size_t end) {
        std::stable_sort(pieces.data() + begin, pieces.data() + end,
                         [&](int a, int b) { return name(a).size() < name(b).size(); });
      });
  std::vector<std::int64_t> ids(pieces.size());
  std::transform(pieces.begin(), pieces.end(), ids.begin(), detail::xlm_r_id);
  return ids;
}

inline Encoding Tokenizer::align(std::string_view text, int source) const {
  const std::string whole = prepare(text);
  sentencepiece::ImmutableSentencePieceText pieces;
  const auto status = processor_->Encode(whole, pieces.mutable_proto());
  require(status.ok(), "text::Tokenizer: ", status.ToString());
  struct Token {
    std::int64_t id;
    std::string name;
    Span span;
  };
  std::vector<Token> tokens;
  for (const auto& piece : pieces.pieces()) tokens.push_back({piece.id(), piece.piece(), {piece.begin(), piece.end()}});
  detail::for_each_tie(
      tokens.size(), [&](std::size_t i) { return tokens[i].id == 0 ? std::string_view() : tokens[i].name; },
      [&](std::size_t begin, std::size_t end) {
        const Span all{tokens[begin].span.begin, tokens[end - 1].span.end};
        const std::span run(tokens.data() + begin, end - begin);
        std::stable_sort(run.begin(), run.end(),
                         [](const Token& a, const Token& b) { return a.name.size() < b.name.size(); });
        std::vector<std::string_view> names;
        for (const Token& token : run) names.push_back(token.name);
        const auto spans = detail::divide(whole, all, names);
        for (std::size_t i = 0; i < run.size(); ++i) run[i].span = spans[i];
      });
  const detail::CharacterOffsets characters(text);
  const std::size_t before = options_.prefix.size();
  const auto in_text = [before](std::size_t at) { return std::max(at, before) - before; };
  Encoding result;
  for (const Token& token : tokens) {
    const Span span = detail::without_blanks(whole, token.span, token.name == "▁");
    const Span bytes{in_text(span.begin), in_text(span.end)};
    result.ids.push_back(detail::xlm_r_id(token.id));
    result.bytes.push_back(bytes);
    result.characters.push_back(characters(bytes));
    // A piece that begins in the prefix and ends in the text is the text's.
    result.source.push_back(before > 0 && span.end <= before ? Encoding::special : source);
  }
  return result;
}

inline std::vector<std::int64_t> Tokenizer::encode(std::string_view text) const {
  auto ids = ids_of(text);
  ids.resize(std::min(ids.size(), static_cast<std::size_t>(options_.max_length) - 2));
  return detail::between(ids);
}

inline Encoding Tokenizer::encode_with_offsets(std::string_view text) const {
  auto encoding = align(text, 0);
  detail::resize(encoding, std::min(encoding.size(), static_cast<std::size_t>(options_.max_length) - 2));
  return detail::between(encoding);
}

template <class Part, class Encode>
std::pair<Part, Part> Tokenizer::cut_pair(const Encode& encode) const {
  require(options_.max_length >= 6,
          "text::Tokenizer: a pair needs max_length >= 6, four special tokens and a token a text; is ",
          options_.max_length);
  const auto part = [&](int which) {
    try {
      return encode(which);
    } catch (const Error& error) {
      fail("the ", which == 0 ? "first" : "second", " text of a pair: ", error.what());
    }
  };
  std::pair<Part, Part> pair{part(0), part(1)};
  const auto [a, b] = truncate(detail::tokens(pair.first), detail::tokens(pair.second),
                               static_cast<std::size_t>(options_.max_length) - 4, options_.truncation);
  detail::resize(pair.first, a);
  detail::resize(pair.second, b);
  return pair;
}

inline std::vector<std::int64_t> Tokenizer::encode(std::string_view first, std::string_view second) const {
  const auto [a, b] =
      cut_pair<std::vector<std::int64_t>>([&](int which) { return ids_of(which == 0 ? first : second); });
  return detail::between(a, &b);
}

inline Encoding Tokenizer::encode_with_offsets(std::string_view first, std::string_view second) const {
  const auto [a, b] = cut_pair<Encoding>([&](int which) { return align(which == 0 ? first : second, which); });
  return detail::between(a, &b);
}

inline std::string Tokenizer::piece(std::int64_t id) const {
  require(id >= 0 && id < vocabulary(), "text::Tokenizer: id ", id, " is not in the vocabulary, 0 to ",
          vocabulary() - 1);
  if (id == mask()) return "<mask>";
  constexpr const char* special[]{"<s>", "<pad>", "</s>", "<unk>"};
  return id <= unk ? special[id] : processor_->IdToPiece(static_cast<int>(id - 1));
}

inline std::int64_t Tokenizer::id(std::string_view piece) const {
  if (piece == "<s>") return bos;
  if (piece == "<pad>") return pad;
  if (piece == "</s>") return eos;
  if (piece == "<mask>") return mask();
  return detail::xlm_r_id(processor_->PieceToId(piece));
}

inline std::string Tokenizer::decode(std::span<const std::int64_t> ids) const {
  std::vector<int> pieces;
  pieces.reserve(ids.size());
  for (const std::int64_t id : ids) {
    require(id >= 0 && id < vocabulary(), "text::Tokenizer: decode: id ", id, " is not in the vocabulary, 0 to ",
            vocabulary() - 1);
    if (id == bos || id == pad || id == eos || id == mask()) continue;
    pieces.push_back(id == unk ? 0 : static_cast<int>(id - 1));
  }
  std::string text;
  const auto status = processor_->Decode(pieces, &text);
  require(status.ok(), "text::Tokenizer: decode: ", status.ToString());
  return text;
}

}  // namespace rc3::text
