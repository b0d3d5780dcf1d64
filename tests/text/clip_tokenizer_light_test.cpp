#include "rc3/text/clip_tokenizer.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/io/file.hpp"
#include "rc3/text/encode_all.hpp"
#include "support/clip_files.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(text_clip_tokenizer)

using namespace rc3::test;
using rc3::text::ClipTokenizer;
using Ids = std::vector<std::int64_t>;

BOOST_FIXTURE_TEST_CASE(words_are_merged, ClipFiles) {
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

BOOST_FIXTURE_TEST_CASE(a_text_cannot_end_the_sequence, ClipFiles) {
  const auto tokenizer = ClipTokenizer::from_pretrained(path());
  const auto ids = tokenizer.encode("a<|endoftext|>b");
  BOOST_TEST(std::count(ids.begin(), ids.end(), id("<|endoftext|>")) == 1);
  BOOST_TEST(ids.back() == id("<|endoftext|>"));
}

BOOST_FIXTURE_TEST_CASE(long_and_broken_texts, ClipFiles) {
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

BOOST_FIXTURE_TEST_CASE(files_of_another_tokenizer_are_refused, ClipFiles) {
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

BOOST_FIXTURE_TEST_CASE(its_files_make_the_same_tokenizer, ClipFiles) {
  const auto tokenizer = ClipTokenizer::from_pretrained(path(), {.max_length = 9});
  const TempDir copy;
  for (const auto& [name, content] : tokenizer.files()) rc3::io::write_file(copy.path() / name, content);
  const auto again = ClipTokenizer::from_pretrained(copy.path(), tokenizer.options());
  BOOST_TEST(tokenizer.files().size() == 2U);
  for (const auto text : {"a dog", "12 aaaaaaaa", "a b c d e f g h i j k l m"})
    BOOST_TEST((again.encode(text) == tokenizer.encode(text)));
}

BOOST_AUTO_TEST_SUITE_END()
