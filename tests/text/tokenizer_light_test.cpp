#include "rc3/text/tokenizer.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>

#include "rc3/io/file.hpp"
#include "rc3/io/json.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(text_tokenizer)

using namespace rc3::test;
using rc3::text::Tokenizer;
using Ids = std::vector<std::int64_t>;

constexpr auto model = "weights/multilingual-e5-small";

/// To load it takes half a second, so that the one without options is loaded once.
std::optional<Tokenizer> tokenizer(rc3::text::TokenizerOptions options) {
  if (!have(rc3::join(model, "/sentencepiece.bpe.model"))) return {};
  return Tokenizer::from_pretrained(cached(model), std::move(options));
}

const std::optional<Tokenizer>& tokenizer() {
  static const auto plain = tokenizer({});
  return plain;
}

bool blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

BOOST_AUTO_TEST_CASE(ids_are_those_of_python) {
  const auto& t = tokenizer();
  if (!t || !have("baseline/baseline.json")) return;
  const auto baseline = rc3::io::read_json(cached("baseline/baseline.json"), {.max_bytes = 64 << 20});
  std::size_t compared = 0, refused = 0, different = 0;
  for (const auto& item : baseline["tokens"]) {
    const auto text = item["text"].get<std::string>();
    if (blank(text)) {  // Python gives <s></s>; here an empty caption is an error
      throws_with([&] { t->encode(text); }, "text::Tokenizer", "empty text");
      ++refused;
      continue;
    }
    ++compared;
    if (t->encode(text) != item["ids"].get<Ids>()) {
      ++different;
      BOOST_ERROR("other ids for \"" << text << "\"");
    }
  }
  at_least("texts compared with Python", compared, 500u);
  at_most("texts with other ids", different, 0u);
  at_least("blank texts refused", refused, 2u);
}

BOOST_AUTO_TEST_CASE(the_vocabulary_is_that_of_xlm_r) {
  if (const auto& t = tokenizer()) BOOST_TEST(t->vocabulary() == 250002);
}

BOOST_AUTO_TEST_CASE(a_prefix_stands_before_the_text) {
  const auto& plain = tokenizer();
  if (!plain) return;
  const std::string prefix = "질문: ";
  BOOST_TEST(tokenizer({.prefix = prefix})->encode("Frosch") == plain->encode(prefix + "Frosch"));
  throws_with([] { tokenizer({.prefix = "\xFF "}); }, "text::Tokenizer", "prefix", "not UTF-8 at byte 0");
}

BOOST_AUTO_TEST_CASE(long_texts_are_cut_behind_max_length) {
  const auto& plain = tokenizer();
  if (!plain) return;
  const std::string text = "A frog sits on a green leaf in the rain.";
  const auto whole = plain->encode(text);
  for (const std::int64_t most : {3, 8}) {
    const auto cut = tokenizer({.max_length = most})->encode(text);
    Ids expected = whole;
    if (most < static_cast<std::int64_t>(whole.size())) {
      expected.resize(static_cast<std::size_t>(most) - 1);
      expected.push_back(Tokenizer::eos);
    }
    BOOST_TEST(cut == expected, boost::test_tools::per_element());
  }
  throws_with([] { tokenizer({.max_length = 2}); }, "text::Tokenizer", "max_length", "2");
}

BOOST_AUTO_TEST_CASE(texts_that_are_refused) {
  const auto& t = tokenizer();
  if (!t) return;
  throws_with([&] { t->encode(""); }, "text::Tokenizer", "empty text");
  throws_with([&] { t->encode(" \t\r\n"); }, "text::Tokenizer", "empty text");
  throws_with([&] { t->encode("\u3000\u200B\uFEFF"); }, "text::Tokenizer", "empty text");  // blanks to XLM-R too
  throws_with([&] { t->encode("Caf\xE9"); }, "text::Tokenizer", "not UTF-8 at byte 3");
  throws_with([&] { t->encode("\xED\xA0\x80"); }, "text::Tokenizer", "not UTF-8 at byte 0");
  throws_with([&] { t->encode(std::string(Tokenizer::max_text_bytes + 1, 'a')); }, "text::Tokenizer", "1048577 bytes");
  BOOST_TEST(t->encode(std::string(1000, 'a') + '\0' + "b").size() > 2u);  // a zero byte is a character like others
}

BOOST_AUTO_TEST_CASE(model_files_that_are_refused) {
  const TempDir folder;
  throws_with([&] { Tokenizer::from_pretrained(folder.path()); }, "neither sentencepiece.bpe.model",
              "nor tokenizer.json");
  throws_with([&] { Tokenizer::from_pretrained(folder / "none.model"); }, "none.model", "cannot");
  for (const std::string& content : {std::string(), std::string("not a model"), std::string(4096, '\xFF')}) {
    rc3::io::write_file(folder / "sentencepiece.bpe.model", content);
    throws_with([&] { Tokenizer::from_pretrained(folder.path()); }, "sentencepiece.bpe.model",
                "not a SentencePiece model");
  }
  std::filesystem::resize_file(folder / "sentencepiece.bpe.model", Tokenizer::max_model_bytes + 1);  // sparse
  throws_with([&] { Tokenizer::from_pretrained(folder.path()); }, "sentencepiece.bpe.model", "more than");
  if (!have(rc3::join(model, "/sentencepiece.bpe.model"))) return;
  // Half of a real model.
  std::filesystem::copy_file(cached(rc3::join(model, "/sentencepiece.bpe.model")), folder / "half.model");
  std::filesystem::resize_file(folder / "half.model", std::filesystem::file_size(folder / "half.model") / 2);
  throws_with([&] { Tokenizer::from_pretrained(folder / "half.model"); }, "half.model", "not a SentencePiece model");
}

/// As transformers 5 writes XLM-R's, with a vocabulary of five pieces and no character map.
nlohmann::json unigram_json() {
  return nlohmann::json::parse(R"({
    "added_tokens": [{"id": 0, "content": "<s>"}, {"id": 3, "content": "<unk>"}, {"id": 9, "content": "<mask>"}],
    "normalizer": null,
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"},
      {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true}]},
    "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
      {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}]},
    "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": false, "vocab": [["<s>", 0.0], ["<pad>", 0.0],
      ["</s>", 0.0], ["<unk>", 0.0], ["▁", -3.0], ["a", -4.0], ["b", -4.5], ["▁a", -4.25], ["ab", -7.0],
      ["<mask>", 0.0]]}})");
}

BOOST_AUTO_TEST_CASE(a_unigram_tokenizer_json_is_read) {
  const TempDir folder;
  const auto read = [&](const nlohmann::json& json) {
    rc3::io::write_file(folder / "tokenizer.json", json.dump());
    return Tokenizer::from_pretrained(folder.path());
  };
  const auto t = read(unigram_json());
  BOOST_TEST(t.vocabulary() == 10);
  BOOST_TEST(t.mask() == 9);
  // By hand: ▁a b is -8.75, ▁ ab -10, ▁ a b -11.5. "x" is unknown, and "<mask>" in a text is no token.
  BOOST_TEST(t.encode(" ab  ba ") == (Ids{0, 7, 6, 4, 6, 5, 2}), boost::test_tools::per_element());
  BOOST_TEST(t.encode("x") == (Ids{0, 4, 3, 2}), boost::test_tools::per_element());
  BOOST_TEST(t.encode("<mask>") == (Ids{0, 4, 3, 5, 3, 2}), boost::test_tools::per_element());
  // What is saved with a model is SentencePiece's file, and it gives the same.
  const TempDir other;
  for (const auto& [name, content] : t.files()) rc3::io::write_file(other / name, content);
  BOOST_TEST(Tokenizer::from_pretrained(other.path()).encode("ab ba x") == t.encode("ab ba x"));
  // Older files: RoBERTa's processor, <mask> only among the added tokens, a map in a sequence.
  auto old = unigram_json();
  old["post_processor"] = {{"type", "RobertaProcessing"}};
  old["model"]["vocab"].erase(9);
  old["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "▁"}, {"add_prefix_space", true}};
  old["normalizer"] = {{"type", "Sequence"},
                       {"normalizers", {{{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}}}}};
  BOOST_TEST(read(old).encode("ab  ba") == (Ids{0, 7, 6, 4, 6, 5, 2}), boost::test_tools::per_element());
  BOOST_TEST(read(old).mask() == 9);
}

BOOST_AUTO_TEST_CASE(other_tokenizer_json_files_are_refused) {
  const TempDir folder;
  const auto refused = [&](const char* pointer, const nlohmann::json& value, std::string_view part) {
    auto json = unigram_json();
    json[nlohmann::json::json_pointer(pointer)] = value;
    rc3::io::write_file(folder / "tokenizer.json", json.dump());
    throws_with([&] { Tokenizer::from_pretrained(folder.path()); }, "tokenizer.json", part);
  };
  refused("/model/type", "WordPiece", "a WordPiece model, not a Unigram model with the ids of XLM-R; use a model");
  refused("/model/type", "BPE", "a BPE model, not a Unigram model with the ids of XLM-R; text::ClipTokenizer");
  refused("/model/byte_fallback", true, "byte_fallback is not read");
  refused("/model/vocab/0/0", "<pad>", "vocab[0] is [\"<pad>\",0.0], not \"<s>\"");
  refused("/model/vocab/5/1", "high", "vocab[5] must be a piece and its score");
  refused("/model/vocab/5/0", "ab", "not a SentencePiece model");  // twice
  refused("/model/vocab", nullptr, "\"vocab\" must be an array");
  refused("/added_tokens/2/content", "<new>", "added token \"<new>\" with id 9");
  refused("/added_tokens/2/id", 8, "added token \"<mask>\" with id 8");
  refused("/normalizer", {{"type", "Lowercase"}}, "the normalizer {\"type\":\"Lowercase\"} is not read");
  refused("/normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", "AAA"}}, "no base64");
  refused("/pre_tokenizer", {{"type", "ByteLevel"}}, "the pre-tokenizer {\"type\":\"ByteLevel\"} is not read");
  refused("/pre_tokenizer", nullptr, "the pre-tokenizer must be Metaspace");
  refused("/pre_tokenizer/pretokenizers/1/prepend_scheme", "never", "is not read");
  refused("/post_processor", nullptr, "without a post_processor");
  refused("/post_processor/single/2/SpecialToken/id", "<pad>", "gives \"<s> A <pad> \"");
}

BOOST_AUTO_TEST_SUITE_END()
