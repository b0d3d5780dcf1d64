#include "rc3/text/encode_all.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/text/tokenizer.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(text_encode_all)

using namespace rc3::test;
using rc3::text::encode_all;
using rc3::text::Tokenizer;

BOOST_AUTO_TEST_CASE(any_number_of_threads_gives_the_same) {
  if (!have("weights/multilingual-e5-small/sentencepiece.bpe.model")) return;
  const auto tokenizer = Tokenizer::from_pretrained(cached("weights/multilingual-e5-small"));
  std::vector<std::string> texts;
  for (int i = 0; i < 203; ++i)
    texts.push_back(rc3::join("text number ", i, ", ", std::string(static_cast<std::size_t>(i), 'a')));
  std::vector<std::vector<std::int64_t>> expected;
  for (const auto& text : texts) expected.push_back(tokenizer.encode(text));
  for (const std::size_t threads : {1, 2, 3, 8, 1000}) BOOST_TEST((encode_all(tokenizer, texts, threads) == expected));
  BOOST_TEST(encode_all(tokenizer, {}, 4).empty());
  throws_with([&] { encode_all(tokenizer, texts, 0); }, "threads", "0");

  texts[150] = " ";
  texts[60] = "\xFF";
  texts[61] = "";
  for (const std::size_t threads : {1, 2, 3, 8, 1000})
    throws_with([&] { encode_all(tokenizer, texts, threads); }, "text 60 of 203", "not UTF-8");
}

BOOST_AUTO_TEST_SUITE_END()
