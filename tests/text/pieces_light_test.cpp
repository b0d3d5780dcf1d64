#include "rc3/text/detail/pieces.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "rc3/core/random.hpp"
#include "rc3/io/json.hpp"
#include "rc3/text/tokenizer.hpp"
#include "support/support.hpp"

using namespace rc3::test;
using rc3::text::Tokenizer;
using rc3::text::detail::is_unigram;

BOOST_AUTO_TEST_SUITE(text_pieces)

BOOST_AUTO_TEST_CASE(ids_of_each_type_of_model_are_those_of_sentencepiece) {
  const std::string python = environment("RC3_TEST_PYTHON");
  if (python.empty()) {
    std::cout << "skipped: RC3_TEST_PYTHON is not set\n";
    return;
  }
  const TempDir folder;
  BOOST_TEST_REQUIRE(std::system(rc3::join("'", python, "' '", source("tests/text/pieces_peer.py").string(), "' '",
                                           folder.path().string(), "'")
                                     .c_str()) == 0);
  for (const std::string name : {"bpe-plain", "bpe-bytes", "unigram-plain", "unigram-bytes"}) {
    const bool unigram = name.starts_with("unigram");
    BOOST_TEST(is_unigram(rc3::io::read_file(folder / (name + ".model"), 1 << 22)) == unigram);
    const auto tokenizer = Tokenizer::from_pretrained(folder / (name + ".model"), {.max_length = 100'000});
    std::int64_t compared = 0, other = 0;
    for (const auto& row : rc3::io::read_json(folder / (name + ".json"))) {
      const auto text = row.at("text").get<std::string>();
      std::vector<std::int64_t> ids{Tokenizer::bos};
      for (const auto& piece : row.at("pieces")) ids.push_back(rc3::text::detail::xlm_r_id(piece.get<int>()));
      ids.push_back(Tokenizer::eos);
      const auto encoded = tokenizer.encode(text);
      ++compared;
      // Where rounding decides SentencePiece's order of a unigram model's equal scores, the pieces are the same.
      auto sorted = encoded, reference = ids;
      if (unigram) std::sort(sorted.begin(), sorted.end()), std::sort(reference.begin(), reference.end());
      const bool equal = sorted == reference && tokenizer.encode_with_offsets(text).ids == encoded;
      if (!equal && ++other <= 3) BOOST_TEST_MESSAGE(name << ": " << text);
    }
    at_least(name + ": lines compared with SentencePiece", compared, 500);
    at_most(name + ": lines with other ids", other, 0);
  }
}

/// A model of one piece with a character map. @param map  trie and texts, behind the size of the trie
std::string model_with(std::uint32_t trie_bytes, const std::string& map) {
  rc3::text::detail::ProtoWriter all, normalizer;
  for (const auto& [name, kind] : {std::pair{"<unk>", 2}, {"<s>", 3}, {"</s>", 3}, {"a", 1}}) {
    rc3::text::detail::ProtoWriter piece;
    piece.text(1, name);
    piece.real(2, -1);
    piece.number(3, static_cast<std::uint64_t>(kind));
    all.text(1, piece.bytes());
  }
  std::string size(4, '\0');
  std::memcpy(size.data(), &trie_bytes, 4);
  normalizer.text(2, size + map);
  all.text(3, normalizer.bytes());
  return all.bytes();
}

BOOST_AUTO_TEST_CASE(a_character_map_that_leaves_its_memory_is_refused) {
  using namespace std::string_literals;
  const TempDir folder;
  const auto refused = [&](const std::string& model, std::string_view reason) {
    rc3::io::write_file(folder / "x.model", model);
    throws_with([&] { Tokenizer::from_pretrained(folder / "x.model"); }, "x.model: damaged or hostile", reason);
  };
  const auto trie = [](std::uint32_t root, std::uint32_t rest = 1u << 31) {
    std::string units(1024, '\0');
    for (std::size_t i = 0; i < 256; ++i) std::memcpy(units.data() + 4 * i, i == 0 ? &root : &rest, 4);
    return units;
  };
  rc3::io::write_file(folder / "x.model", model_with(1024, trie(0) + "x\0"s));
  BOOST_TEST(Tokenizer::from_pretrained(folder / "x.model").encode("a").size() > 2u);  // a trie without a key
  refused(model_with(1024, trie(0x7FFFFC00) + "x\0"s), "leaves it");
  refused(model_with(1024, trie(0, 'q' | 0x7FFFFC00) + "x\0"s), "leaves it");  // behind the key "q"
  refused(model_with(1024, trie(0, 'q' | 0x100) + "\0"s), "outside its texts");
  refused(model_with(1024, trie(0) + "x"), "have no end");
  refused(model_with(512, trie(0) + "x\0"s), "no valid size");
  refused(model_with(1022, trie(0) + "x\0"s), "no valid size");
  refused(model_with(1024, trie(0) + std::string(rc3::text::detail::max_charsmap_bytes, '\0')), "more than 4 MiB");
}

BOOST_AUTO_TEST_CASE(a_flipped_character_map_is_refused_or_read) {
  const std::string python = environment("RC3_TEST_PYTHON");
  if (python.empty()) return;  // said above
  const TempDir folder;
  BOOST_TEST_REQUIRE(std::system(rc3::join("'", python, "' '", source("tests/text/pieces_peer.py").string(), "' '",
                                           folder.path().string(), "'")
                                     .c_str()) == 0);
  const auto good = rc3::io::read_file(folder / "unigram-plain.model", 1 << 22);
  std::string_view map;
  for (rc3::text::detail::ProtoFields all(good); all.next();)
    if (all.field == 3)
      for (rc3::text::detail::ProtoFields spec(all.bytes); spec.next();)
        if (spec.field == 2) map = spec.bytes;
  BOOST_TEST_REQUIRE(map.size() > 100'000u);
  const auto begin = static_cast<std::size_t>(map.data() - good.data());
  rc3::Random random(5);
  int accepted = 0;
  constexpr int n = 300;
  for (int i = 0; i < n; ++i) {
    auto flipped = good;
    for (int k = 0; k < 2; ++k) {
      char& byte = flipped[begin + 4 + random.below(map.size() - 4)];
      byte = static_cast<char>(byte ^ 1 << random.below(8));
    }
    rc3::io::write_file(folder / "x.model", flipped);
    try {
      const auto tokenizer = Tokenizer::from_pretrained(folder / "x.model");
      ++accepted;
      for (const char* text : {"Ein Frosch ① ½ ｶｴﾙ", "e\u0301 \u1100\u1161 ﷺ ﬁ", "\x01\x7f frog 赤い葉"})
        tokenizer.encode(text);
    } catch (const rc3::Error&) {
    }
  }
  at_least("character maps of two flipped bits refused, of 300", n - accepted, 100);
}

BOOST_AUTO_TEST_CASE(the_type_is_read_from_the_trainer_s_settings_and_damage_is_no_loop) {
  using namespace std::string_literals;
  BOOST_TEST(is_unigram(""));  // UNIGRAM is the default
  BOOST_TEST(is_unigram("\x12\x02\x18\x01"s));
  BOOST_TEST(!is_unigram("\x12\x02\x18\x02"s));                    // BPE
  BOOST_TEST(!is_unigram("\x0a\x01z\x12\x05\x0a\x01y\x18\x02"s));  // behind pieces and other settings
  for (const auto& damaged :
       {"\xff"s, "\x12\x7f\x18\x02"s, "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, "\x13"s, "\x12"s})
    BOOST_TEST(is_unigram(damaged));
}

BOOST_AUTO_TEST_SUITE_END()
