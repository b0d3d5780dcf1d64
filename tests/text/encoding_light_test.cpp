// Offsets, pairs and the way back from ids, on the real model.
#include "rc3/text/encoding.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>

#include "rc3/text/tokenizer.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(text_encoding)

using namespace rc3::test;
using rc3::text::Encoding;
using rc3::text::Span;
using rc3::text::Tokenizer;
using rc3::text::TokenizerOptions;
using rc3::text::Truncation;
using Ids = std::vector<std::int64_t>;

std::optional<Tokenizer> tokenizer(TokenizerOptions options) {
  if (!have("weights/multilingual-e5-small/sentencepiece.bpe.model")) return {};
  return Tokenizer::from_pretrained(cached("weights/multilingual-e5-small"), std::move(options));
}

const std::optional<Tokenizer>& tokenizer() {
  static const auto plain = tokenizer({});
  return plain;
}

/// What each token covers, "|" between them.
std::string covered(const Encoding& e, std::string_view text) {
  std::string all;
  for (const Span& s : e.bytes) all += std::string(text.substr(s.begin, s.end - s.begin)) + '|';
  return all;
}

std::string characters(const Encoding& e) {
  std::string all;
  for (const Span& s : e.characters) all += rc3::join(s.begin, '-', s.end, ' ');
  return all;
}

bool shaped(const Encoding& e) {
  return e.size() == e.bytes.size() && e.size() == e.characters.size() && e.size() == e.source.size();
}

BOOST_AUTO_TEST_CASE(tokens_know_their_characters) {
  const auto& t = tokenizer();
  if (!t) return;
  const auto check = [&](const std::string& text, const std::string& bytes, const std::string& expected) {
    const auto e = t->encode_with_offsets(text);
    BOOST_TEST(shaped(e));
    BOOST_TEST(e.ids == t->encode(text), boost::test_tools::per_element());
    BOOST_TEST(covered(e, text) == bytes);
    BOOST_TEST(characters(e) == expected);
    BOOST_TEST(e.source.front() == Encoding::special);
    BOOST_TEST(e.source.back() == Encoding::special);
    for (std::size_t i = 1; i + 1 < e.size(); ++i) BOOST_TEST(e.source[i] == 0);
  };
  check("hello world", "|hell|o|world||", "0-0 0-4 4-5 6-11 0-0 ");
  check("  hello  world ", "|hell|o|world||", "0-0 2-6 6-7 9-14 0-0 ");
  check("a\nb", "|a|b||", "0-0 0-1 2-3 0-0 ");
  check("ﬁrst １２３", "|ﬁrst|１２３||", "0-0 0-4 5-8 0-0 ");         // normalised: the spans are those of the original
  check("日本語", "||日本語||", "0-0 0-0 0-3 0-0 ");                  // "▁" alone covers nothing
  check("ﷺ", "|ﷺ|ﷺ|ﷺ|ﷺ||", "0-0 0-1 0-1 0-1 0-1 0-0 ");               // one character, four pieces
  check("a \uFDFA", "|a|ﷺ|ﷺ|ﷺ|ﷺ||", "0-0 0-1 2-3 2-3 2-3 2-3 0-0 ");  // behind a blank too
  check("MMM", "|M|MM||", "0-0 0-1 1-3 0-0 ");                        // a tie: the shorter first
  check("e\u0301te", "|e\u0301|te||", "0-0 0-2 2-4 0-0 ");
  check("a\u200Db", "|a|b||", "0-0 0-1 2-3 0-0 ");
  check("a\x01 b", "|a|b||", "0-0 0-1 3-4 0-0 ");
  check("👍🏽 ok", "||👍|🏽|ok||", "0-0 0-0 0-1 1-2 3-5 0-0 ");
}

BOOST_AUTO_TEST_CASE(words_that_repeat_are_cut_in_one_way) {
  using rc3::text::detail::commute;
  BOOST_TEST((commute("M", "MM") && commute("haha", "hahaha") && commute("哈", "哈哈") && commute("a", "a")));
  BOOST_TEST((!commute("M", "N") && !commute("ab", "ba") && !commute("▁M", "MM") && !commute("aba", "ab")));
  const auto& t = tokenizer();
  if (!t) return;
  std::size_t runs = 0;
  for (const std::string before : {"", "a ", "A frog sits in the rain, ", "青蛙 ", "1234 5678 9 "})
    for (const std::string word : {"xM", "xE", "xha", "é哈", "xоо"})
      for (int times = 2; times < 9; ++times) {
        std::string text = before + word;
        for (int i = 1; i < times; ++i) text += word.substr(word[0] == 'x' ? 1 : 2);
        const auto e = t->encode_with_offsets(text);
        BOOST_TEST(e.ids == t->encode(text), boost::test_tools::per_element());
        for (std::size_t i = 1; i + 2 < e.size(); ++i) {
          const auto a = t->piece(e.ids[i]), b = t->piece(e.ids[i + 1]);
          BOOST_TEST(e.bytes[i].end <= e.bytes[i + 1].begin);
          if (a == b || !commute(a, b)) continue;
          ++runs;
          BOOST_TEST(a.size() < b.size(), text);
          BOOST_TEST(text.substr(e.bytes[i].begin, e.bytes[i].end - e.bytes[i].begin) == a);
          BOOST_TEST(text.substr(e.bytes[i + 1].begin, e.bytes[i + 1].end - e.bytes[i + 1].begin) == b);
        }
      }
  BOOST_TEST(runs > 20u);
  // Full-width letters are one character of three bytes each; a run in which the numbers differ covers all of it.
  const auto wide = t->encode_with_offsets("x\uFF2D\uFF2D\uFF2D");
  BOOST_TEST(characters(wide) == characters(t->encode_with_offsets("xMMM")));
}

BOOST_AUTO_TEST_CASE(offsets_leave_the_prefix_out) {
  const auto t = tokenizer({.prefix = "query: "});
  if (!t) return;
  const std::string text = " Grüße an hello";
  const auto e = t->encode_with_offsets(text);
  const auto plain = tokenizer()->encode_with_offsets(text);
  BOOST_TEST(e.ids == t->encode(text), boost::test_tools::per_element());
  const std::size_t more = e.size() - plain.size();
  BOOST_TEST(more == 3u);  // que, ry, :
  for (std::size_t i = 0; i <= more; ++i) {
    BOOST_TEST(e.bytes[i].empty());
    BOOST_TEST(e.source[i] == Encoding::special);
  }
  for (std::size_t i = 1; i < plain.size(); ++i) {
    BOOST_TEST((e.bytes[i + more] == plain.bytes[i]));
    BOOST_TEST((e.characters[i + more] == plain.characters[i]));
    BOOST_TEST(e.source[i + more] == plain.source[i]);
  }
  const auto glued = tokenizer({.prefix = "hel"});
  const auto g = glued->encode_with_offsets("lo");  // one piece across the border: the text's part of it
  BOOST_TEST(characters(g).find("0-") != std::string::npos);
  BOOST_TEST(g.bytes[g.size() - 2].end == 2u);
  BOOST_TEST(g.source[g.size() - 2] == 0);
}

BOOST_AUTO_TEST_CASE(pairs) {
  const auto& t = tokenizer();
  if (!t) return;
  const std::string a = "A frog", b = "Ein Frosch im Regen";
  const Ids x = t->encode(a), y = t->encode(b);
  Ids expected = x;
  expected.push_back(Tokenizer::eos);
  expected.insert(expected.end(), y.begin() + 1, y.end());
  BOOST_TEST(t->encode(a, b) == expected, boost::test_tools::per_element());
  const auto e = t->encode_with_offsets(a, b);
  BOOST_TEST(shaped(e));
  BOOST_TEST(e.ids == expected, boost::test_tools::per_element());
  const auto first = t->encode_with_offsets(a), second = t->encode_with_offsets(b);
  for (std::size_t i = 0; i < e.size(); ++i) {
    const bool in_first = i < first.size();
    if (i == first.size()) {
      BOOST_TEST(e.source[i] == Encoding::special);
      continue;
    }
    const auto& one = in_first ? first : second;
    const std::size_t at = in_first ? i : i - first.size();
    BOOST_TEST((e.bytes[i] == one.bytes[at]));
    BOOST_TEST((e.characters[i] == one.characters[at]));
    BOOST_TEST(e.source[i] == (one.source[at] == Encoding::special ? Encoding::special : in_first ? 0 : 1));
  }
  throws_with([&] { t->encode(a, " "); }, "second text of a pair", "empty text");
  throws_with([&] { t->encode_with_offsets("\xFF", b); }, "first text of a pair", "not UTF-8");
  throws_with([&] { tokenizer({.max_length = 5})->encode(a, b); }, "max_length >= 6", "is 5");
}

BOOST_AUTO_TEST_CASE(long_pairs_are_cut) {
  if (!tokenizer()) return;
  const std::string a = "A frog sits on a green leaf in the rain.",
                    b = "Ein Frosch sitzt im Regen auf einem grünen Blatt.";
  const Ids x = tokenizer()->encode(a), y = tokenizer()->encode(b);
  const auto pair = [&](std::size_t n, std::size_t m) {
    Ids ids(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(n) + 1);
    ids.insert(ids.end(), {Tokenizer::eos, Tokenizer::eos});
    ids.insert(ids.end(), y.begin() + 1, y.begin() + static_cast<std::ptrdiff_t>(m) + 1);
    ids.push_back(Tokenizer::eos);
    return ids;
  };
  const std::size_t n = x.size() - 2, m = y.size() - 2;
  for (const std::int64_t most : {6, 9, 16}) {
    const auto t = tokenizer({.max_length = most});
    const auto room = static_cast<std::size_t>(most) - 4;
    const auto [k, l] = rc3::text::truncate(n, m, room, Truncation::longest_first);
    BOOST_TEST(k + l == room);
    BOOST_TEST(t->encode(a, b) == pair(k, l), boost::test_tools::per_element());
    const auto e = t->encode_with_offsets(a, b);
    BOOST_TEST(shaped(e));
    BOOST_TEST(e.ids == pair(k, l), boost::test_tools::per_element());
    const auto alone = t->encode_with_offsets(a);
    BOOST_TEST(shaped(alone));
    BOOST_TEST(alone.ids == t->encode(a), boost::test_tools::per_element());
  }
  const auto most = static_cast<std::int64_t>(m) + 4 + 2;
  const auto t = tokenizer({.max_length = most, .truncation = Truncation::only_first});
  BOOST_TEST(t->encode(a, b) == pair(2, m), boost::test_tools::per_element());
  throws_with([&] { tokenizer({.max_length = 10, .truncation = Truncation::only_second})->encode(a, b); },
              "text::truncate", "first text has");
}

BOOST_AUTO_TEST_CASE(a_text_cannot_name_a_special_token) {
  const auto& t = tokenizer();
  if (!t) return;
  for (const std::string name : {"<s>", "</s>", "<pad>", "<mask>", "<unk>"})
    for (const std::string& text : {name, "x" + name + "y", "x " + name + " y"}) {
      const auto ids = t->encode(text);
      for (std::size_t i = 1; i + 1 < ids.size(); ++i)
        BOOST_TEST((ids[i] > Tokenizer::unk && ids[i] != t->mask()), text);
      BOOST_TEST(t->decode(ids) == text);
    }
}

BOOST_AUTO_TEST_CASE(ids_and_pieces) {
  const auto& t = tokenizer();
  if (!t) return;
  BOOST_TEST(t->mask() == 250001);
  const std::pair<std::int64_t, std::string> known[]{
      {0, "<s>"}, {1, "<pad>"}, {2, "</s>"}, {3, "<unk>"}, {250001, "<mask>"}};
  for (const auto& [id, piece] : known) {
    BOOST_TEST(t->piece(id) == piece);
    BOOST_TEST(t->id(piece) == id);
  }
  for (std::int64_t id = 0; id < t->vocabulary(); ++id)
    if (t->id(t->piece(id)) != id) BOOST_ERROR("piece " << id << " is " << t->piece(id) << ", whose id is another");
  BOOST_TEST(t->id("no such piece at all") == Tokenizer::unk);
  for (const std::int64_t id : {-1, 250002}) {
    throws_with([&] { t->piece(id); }, "text::Tokenizer", rc3::join("id ", id), "250001");
    throws_with([&] { t->decode(Ids{0, id}); }, "decode", rc3::join("id ", id), "250001");
  }
}

BOOST_AUTO_TEST_CASE(decode_is_the_way_back) {
  const auto& t = tokenizer();
  if (!t) return;
  for (const std::string text :
       {"A frog sits on a leaf.", "Ein Frosch, grün.", "青蛙坐在叶子上", "تجلس الضفدع", "질문: 개구리"}) {
    BOOST_TEST(t->decode(t->encode(text)) == text);
  }
  BOOST_TEST(t->decode(Ids{0, 1, 2, 250001, 1}) == "");
  BOOST_TEST(t->decode(Ids{}) == "");
  BOOST_TEST(t->decode(Ids{0, 3, 2}) == " ⁇ ");
  BOOST_TEST(t->decode(t->encode("A frog", "Ein Frosch")) == "A frog Ein Frosch");
}

BOOST_AUTO_TEST_SUITE_END()
