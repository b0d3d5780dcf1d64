#include "rc3/text/detail/pieces.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>

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
