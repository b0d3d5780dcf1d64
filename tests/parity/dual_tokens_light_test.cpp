// Tokenizers of CLIP, SigLIP and SigLIP 2 against what make_dual.py wrote.
#include <boost/test/unit_test.hpp>

#include "rc3/io/json.hpp"
#include "rc3/text/clip_tokenizer.hpp"
#include "rc3/text/encode_all.hpp"
#include "rc3/text/siglip_tokenizer.hpp"
#include "support/parity.hpp"

BOOST_AUTO_TEST_SUITE(parity_dual_tokens)

using namespace rc3::test;
using Ids = std::vector<std::int64_t>;

template <class Tokenizer>
void compare(const Tokenizer& tokenizer, const std::string& key, const std::string& what, const std::string& with) {
  const auto lines = rc3::io::read_json(truth("dual") / "tokenizers/lines.json", {.max_bytes = 64 << 20});
  for (const bool hard : {false, true}) {
    std::size_t compared = 0, other = 0, refused = 0;
    for (const auto& row : lines) {
      if (row["hard"].get<bool>() != hard) continue;
      const auto text = row["text"].get<std::string>();
      const auto expected = row[key].get<Ids>();
      Ids ids;
      try {
        ids = tokenizer.encode(text);
      } catch (const rc3::Error&) {  // blank texts, which are an error here
        ++refused;
        continue;
      }
      ++compared;
      if (ids != expected && other++ < 5) BOOST_TEST_MESSAGE(what << ": " << row["text"].dump(-1, ' ', true));
    }
    at_least(what + ": lines", compared, hard ? 300U : 1500U);
    at_most(what + ": refused lines", refused, hard ? 25U : 0U);
    parity("tokenizers", rc3::join(what, ", ", compared, hard ? " lines of mixes" : " lines of 53 languages"), with,
           "lines with other ids", static_cast<double>(other), 0);
  }
}

BOOST_AUTO_TEST_CASE(clip) {
  if (truth("dual").empty()) return;
  const auto folder = truth("dual") / "tokenizers";
  using rc3::text::ClipTokenizer;
  compare(ClipTokenizer::from_pretrained(folder / "clip", {.max_length = 1 << 20}), "clip", "CLIP, tokenizer.json",
          "transformers CLIPTokenizer");
  compare(ClipTokenizer::from_pretrained(folder / "clip-files", {.max_length = 1 << 20}), "clip",
          "CLIP, vocab.json and merges.txt", "transformers CLIPTokenizer");
}

BOOST_AUTO_TEST_CASE(siglip) {
  if (truth("dual").empty()) return;
  const auto folder = truth("dual") / "tokenizers";
  using rc3::text::SiglipTokenizer;
  compare(SiglipTokenizer::from_pretrained(folder / "siglip", {.max_length = 1 << 20}), "siglip", "SigLIP",
          "transformers SiglipTokenizer");
  compare(SiglipTokenizer::from_pretrained(folder / "siglip2", {.max_length = 1 << 20}), "siglip2", "SigLIP 2",
          "transformers Siglip2Tokenizer");
}

BOOST_AUTO_TEST_SUITE_END()
