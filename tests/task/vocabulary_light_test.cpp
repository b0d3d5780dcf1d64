#include "rc3/task/vocabulary.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

using namespace rc3;
using test::cached;
using test::have;
using test::throws_with;

BOOST_AUTO_TEST_SUITE(task_vocabulary)

BOOST_AUTO_TEST_CASE(texts_come_back) {
  if (!have("weights/multilingual-e5-small")) return;
  const auto tokenizer =
      text::Tokenizer::from_pretrained(cached("weights/multilingual-e5-small"), {.prefix = "query: "});
  const std::vector<std::string> texts = {"ein Frosch und ein Apfel", "カエルとりんご", "žába a jablko"};
  const task::Vocabulary words(tokenizer, {"de", "ja", "cs"}, texts);
  const std::vector<std::string> languages = {"de", "ja", "cs"};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto ids = words.encode(texts[i], languages[i]);
    BOOST_TEST(ids.front() == 2 + static_cast<std::int64_t>(i));
    BOOST_TEST(ids.back() == task::Vocabulary::end);
    BOOST_TEST(std::count(ids.begin(), ids.end(), task::Vocabulary::unknown) == 0);
    BOOST_TEST(words.decode(ids) == texts[i]);
    for (const auto id : ids) BOOST_TEST(id < words.size());
  }
  // The prefix is no word, and words do not depend on the order of the texts.
  BOOST_TEST(words.size() < 5 + 20);
  const std::vector<std::string> turned(texts.rbegin(), texts.rend());
  BOOST_TEST((task::Vocabulary(tokenizer, languages, turned).pieces() == words.pieces()));
  const auto strange = words.encode("ein Zeppelin", "de");
  BOOST_TEST(std::count(strange.begin(), strange.end(), task::Vocabulary::unknown) > 0);
  BOOST_TEST(words.decode(strange) != "ein Zeppelin");

  throws_with([&] { words.encode("x", "fr"); }, "nothing is written in \"fr\", only in de, ja, cs");
  throws_with([&] { words.decode(std::vector<std::int64_t>{words.size()}); }, "none of the");
  throws_with([&] { task::Vocabulary(tokenizer, {"de", "de"}, texts); }, "de is listed twice");
  throws_with([&] { task::Vocabulary(tokenizer, {}, texts); }, "no language");
}

BOOST_AUTO_TEST_CASE(long_texts_are_cut) {
  if (!have("weights/multilingual-e5-small")) return;
  const auto tokenizer = text::Tokenizer::from_pretrained(cached("weights/multilingual-e5-small"));
  const std::vector<std::string> texts = {"one two three four five six seven eight nine ten"};
  const task::Vocabulary words(tokenizer, {"en"}, texts, 6);
  BOOST_TEST(words.encode(texts[0], "en").size() == 6u);
}

BOOST_AUTO_TEST_SUITE_END()
