#include "rc3/text/siglip_tokenizer.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>

#include "rc3/io/file.hpp"
#include "rc3/text/encode_all.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(text_siglip_tokenizer)

using namespace rc3::test;
using nlohmann::json;
using rc3::text::SiglipTokenizer;
using Ids = std::vector<std::int64_t>;

/// A small tokenizer.json of the form that transformers writes of SigLIP 2.
struct Files : TempDir {
  Files() {
    auto vocabulary = json::object();
    const auto add = [&](const std::string& name) { vocabulary[name] = vocabulary.size(); };
    for (const char* name : {"<pad>", "<eos>", "<bos>", "<unk>"}) add(name);
    for (int byte = 0; byte < 256; ++byte) {
      char name[8];
      std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(byte));
      add(name);
    }
    for (const char* name : {"▁", "d", "o", "g", "a", "do", "dog", "▁dog", "aa"}) add(name);
    file = {{"added_tokens",
             {{{"id", 0}, {"content", "<pad>"}, {"special", true}},
              {{"id", 1}, {"content", "<eos>"}, {"special", true}},
              {{"id", 500}, {"content", "\n\n"}, {"special", false}, {"normalized", false}}}},
            {"normalizer", {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}}},
            {"model",
             {{"type", "BPE"},
              {"byte_fallback", true},
              {"vocab", vocabulary},
              {"merges", {"d o", "do g", "▁ dog", "a a"}}}}};
    write();
    rc3::io::write_file(path() / "tokenizer_config.json",
                        R"({"pad_token": "<pad>", "eos_token": {"content": "<eos>"}})");
  }
  void write() const { rc3::io::write_file(path() / "tokenizer.json", file.dump()); }
  std::int64_t id(const char* name) const { return file["model"]["vocab"].at(name).get<std::int64_t>(); }
  json file;
};

BOOST_FIXTURE_TEST_CASE(text_is_merged_and_what_has_no_name_is_bytes, Files) {
  const auto tokenizer = SiglipTokenizer::from_pretrained(path());
  BOOST_TEST((tokenizer.encode("Dog dog") == Ids{id("dog"), id("▁dog"), 1}));
  BOOST_TEST((tokenizer.encode("aé") == Ids{id("a"), id("<0xC3>"), id("<0xA9>"), 1}));
  BOOST_TEST((tokenizer.encode("a\n\na") == Ids{id("a"), 500, id("a"), 1}));
  BOOST_TEST(tokenizer.pad_id() == 0);
  BOOST_TEST(tokenizer.vocabulary() == 501);
  const auto ids = tokenizer.encode("a<eos>a");
  BOOST_TEST(std::count(ids.begin(), ids.end(), 1) == 1);
}

BOOST_FIXTURE_TEST_CASE(long_and_broken_texts, Files) {
  const auto tokenizer = SiglipTokenizer::from_pretrained(path());
  const auto ids = tokenizer.encode(std::string(1 << 20, 'a'));
  BOOST_TEST(ids.size() == 64U);
  BOOST_TEST(ids[62] == id("aa"));
  BOOST_TEST(ids[63] == 1);
  BOOST_TEST(tokenizer.encode(std::string("a\0", 2))[1] == id("<0x00>"));
  throws_with([&] { tokenizer.encode("\xC3"); }, "not UTF-8 at byte 0");
  throws_with([&] { tokenizer.encode(" "); }, "empty text");
  throws_with([&] { (void)tokenizer.with({.max_length = 1}); }, "max_length");
  BOOST_TEST(tokenizer.with({.max_length = 2}).encode("dog dog").size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(files_of_another_tokenizer_are_refused, Files) {
  const auto load = [&] { SiglipTokenizer::from_pretrained(path()); };
  const auto whole = file;
  file["model"]["byte_fallback"] = false;
  write();
  throws_with(load, "byte_fallback");
  file = whole;
  file["normalizer"] = {{"type", "NFKC"}};
  write();
  throws_with(load, "normalizer", "NFKC");
  file = whole;
  file["model"]["vocab"].erase("<0x7F>");
  write();
  throws_with(load, "<0x7F>");
  file = whole;
  file["added_tokens"][2]["lstrip"] = true;
  write();
  throws_with(load, "lstrip");
  file = whole;
  file["added_tokens"].erase(0);
  write();
  throws_with(load, "\"<pad>\"", "no added token");
  std::filesystem::remove(path() / "tokenizer.json");
  throws_with(load, "neither spiece.model");
  rc3::io::write_file(path() / "spiece.model", "no model");
  throws_with(load, "spiece.model", "not a SentencePiece model");
}

BOOST_FIXTURE_TEST_CASE(its_files_make_the_same_tokenizer, Files) {
  const auto tokenizer = SiglipTokenizer::from_pretrained(path(), {.max_length = 9});
  const TempDir copy;
  for (const auto& [name, content] : tokenizer.files()) rc3::io::write_file(copy.path() / name, content);
  const auto again = SiglipTokenizer::from_pretrained(copy.path(), tokenizer.options());
  BOOST_TEST(tokenizer.files().size() == 2U);
  for (const auto text : {"Dog dog", "a\n\na", "dogdogdogdogdogdogdogdogdog"})
    BOOST_TEST((again.encode(text) == tokenizer.encode(text)));
}

BOOST_AUTO_TEST_SUITE_END()
