#include "rc3/text/clip_tokenizer.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/io/file.hpp"
#include "rc3/text/encode_all.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(text_clip_tokenizer)

using namespace rc3::test;
using rc3::text::ClipTokenizer;
using Ids = std::vector<std::int64_t>;

/// Bytes as OpenAI's vocabulary writes them, bytes at a word's end, merges, special tokens: in this order.
struct Files : TempDir {
  Files() {
    std::vector<std::string> names;
    char32_t next = 256;
    for (char32_t byte = 0; byte < 256; ++byte) {
      const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      std::string name;
      rc3::text::detail::append_utf8(name, printable ? byte : next++);
      names.push_back(name);
    }
    for (std::size_t i = 0; i < 256; ++i) names.push_back(names[i] + "</w>");
    for (const std::string text : {"d o", "do g</w>", "a a", "aa aa"}) {
      merges += text + '\n';
      auto name = text;
      name.erase(name.find(' '), 1);
      names.push_back(name);
    }
    names.insert(names.end(), {"<|startoftext|>", "<|endoftext|>"});
    for (std::size_t i = 0; i < names.size(); ++i) vocabulary[names[i]] = i;
    write();
  }
  void write() const {
    rc3::io::write_file(path() / "vocab.json", vocabulary.dump());
    rc3::io::write_file(path() / "merges.txt", "#version: 0.2\n" + merges);
  }
  std::int64_t id(const char* name) const { return vocabulary.at(name).get<std::int64_t>(); }
  nlohmann::json vocabulary = nlohmann::json::object();
  std::string merges;
};

BOOST_FIXTURE_TEST_CASE(words_are_merged, Files) {
  const auto tokenizer = ClipTokenizer::from_pretrained(path());
  const auto start = id("<|startoftext|>"), end = id("<|endoftext|>");
  BOOST_TEST((tokenizer.encode("  DOG\tdog ") == Ids{start, id("dog</w>"), id("dog</w>"), end}));
  BOOST_TEST((tokenizer.encode("a") == Ids{start, id("a</w>"), end}));
  BOOST_TEST((tokenizer.encode("aaaaa") == Ids{start, id("aaaa"), id("a</w>"), end}));
  BOOST_TEST((tokenizer.encode("12") == Ids{start, id("1</w>"), id("2</w>"), end}));
  // The same letter, composed and not.
  BOOST_TEST((tokenizer.encode("e\u0301") == tokenizer.encode("\u00e9")));
  BOOST_TEST(tokenizer.pad_id() == end);
}

BOOST_FIXTURE_TEST_CASE(a_text_cannot_end_the_sequence, Files) {
  const auto tokenizer = ClipTokenizer::from_pretrained(path());
  const auto ids = tokenizer.encode("a<|endoftext|>b");
  BOOST_TEST(std::count(ids.begin(), ids.end(), id("<|endoftext|>")) == 1);
  BOOST_TEST(ids.back() == id("<|endoftext|>"));
}

BOOST_FIXTURE_TEST_CASE(long_and_broken_texts, Files) {
  const auto tokenizer = ClipTokenizer::from_pretrained(path());
  const auto ids = tokenizer.encode(std::string(1 << 20, 'a'));  // one word of a megabyte
  BOOST_TEST(ids.size() == 77U);
  BOOST_TEST(ids[70] == id("aaaa"));
  BOOST_TEST(tokenizer.encode(std::string("a\0b", 3)).size() == 5U);
  throws_with([&] { tokenizer.encode(std::string((1 << 20) + 1, 'a')); }, "1048577 bytes");
  throws_with([&] { tokenizer.encode("ab\xFF"); }, "not UTF-8 at byte 2");
  throws_with([&] { tokenizer.encode(" \n"); }, "empty text");
  throws_with([&] { tokenizer.encode(""); }, "empty text");
  throws_with([&] { (void)tokenizer.with({.max_length = 2}); }, "max_length", "2");
  for (int seed = 0; seed < 2000; ++seed) {  // bytes of any kind: ids or an error
    std::string text;
    for (unsigned i = 0, x = static_cast<unsigned>(seed) * 2654435761u; i < 12; ++i, x = x * 1664525u + 1013904223u)
      text += static_cast<char>(x >> 24);
    try {
      for (const auto i : tokenizer.encode(text)) BOOST_REQUIRE(i >= 0 && i < tokenizer.vocabulary());
    } catch (const rc3::Error&) {
    }
  }
}

BOOST_FIXTURE_TEST_CASE(files_of_another_tokenizer_are_refused, Files) {
  const auto load = [&] { ClipTokenizer::from_pretrained(path()); };
  auto whole = vocabulary;
  vocabulary.erase("q</w>");
  write();
  throws_with(load, "lacks the byte", "\"q\"");
  vocabulary = whole;
  merges += "x y\n";
  write();
  throws_with(load, "vocab.json", "\"x\"", "not in the vocabulary");
  rc3::io::write_file(path() / "merges.txt", "ab\n");
  throws_with(load, "merges.txt", "no pair");
  rc3::io::write_file(path() / "tokenizer.json", R"({"model": {"type": "WordPiece"}})");
  throws_with(load, "tokenizer.json", "suffix </w>");
  std::filesystem::remove(path() / "tokenizer.json");
  std::filesystem::remove(path() / "vocab.json");
  throws_with(load, "neither tokenizer.json nor vocab.json");
}

BOOST_AUTO_TEST_SUITE_END()
