// BLEU, chrF and chrF++ against sacreBLEU, on what sacrebleu_peer.py made of CLDR's texts.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <iomanip>
#include <map>
#include <set>

#include "metric/peer.hpp"
#include "rc3/io/json.hpp"
#include "rc3/metric/metric.hpp"

BOOST_AUTO_TEST_SUITE(metric_sacrebleu)

using namespace rc3::metric;
using namespace rc3::test;
using nlohmann::json;

namespace {

struct Corpus {
  std::string name;
  std::vector<std::string> hypotheses;
  std::vector<std::vector<std::string>> references;
};

const json& truth() {
  static const json all = peer().empty() ? json() : rc3::io::read_json(peer() / "truth.json");
  return all;
}

std::vector<Corpus> corpora() {
  std::vector<Corpus> out;
  for (const json& c : truth()["corpora"]) out.push_back({c["name"], c["hypotheses"], c["references"]});
  return out;
}

std::size_t pairs(const std::vector<Corpus>& corpora) {
  std::size_t sum = 0;
  for (const Corpus& corpus : corpora) sum += corpus.hypotheses.size();
  return sum;
}

Smoothing smoothing_of(const json& row) {
  const std::string name = row["smooth_method"];
  const json& value = row["smooth_value"];
  if (name == "floor") return value.is_null() ? smoothing::Floor() : smoothing::Floor{value};
  if (name == "add-k") return value.is_null() ? smoothing::AddK() : smoothing::AddK{value};
  if (name == "none") return smoothing::None();
  return smoothing::Exp();
}

/// The largest difference of many, and the row that it is of.
struct Largest {
  double difference = 0;
  std::string where = "none";
  void add(double a, double b, const std::string& row) {
    const double d = std::abs(a - b);
    if (!(d <= difference)) difference = std::isnan(d) ? INFINITY : d, where = row;
  }
  /// "... difference 0.00 (largest 1.4e-14, limit 1e-9)"
  void report(const std::string& what) const {
    std::cout << what << " ... difference " << std::fixed << std::setprecision(2) << difference << std::defaultfloat
              << " (largest " << difference << ", <= 1e-9) " << (difference <= 1e-9 ? "pass" : "fail") << '\n';
    BOOST_TEST(difference <= 1e-9, what << " differs by " << difference << " in " << where);
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(bleu_of_corpora) {
  if (truth().is_null()) return;
  const auto all = corpora();
  at_least("sentence pairs", pairs(all), 300u);
  Largest scores, parts;
  std::set<std::string> signatures;
  std::size_t counts = 0, names = 0, between = 0;
  for (const json& row : truth()["bleu"]) {
    const Corpus& corpus = all.at(row["corpus"]);
    const Bleu ours = bleu(corpus.hypotheses, corpus.references,
                           {.tokenizer = tokenize::by_name(row["tokenize"].get<std::string>()),
                            .smoothing = smoothing_of(row),
                            .lowercase = row["lowercase"],
                            .effective_order = row["effective_order"]});
    const std::string where = rc3::join(corpus.name, ", ", row["signature"]);
    const auto score = row["score"].get<double>();
    scores.add(ours.score, score, where);
    parts.add(ours.brevity_penalty, row["bp"], where);
    for (std::size_t n = 0; n < Bleu::orders; ++n) parts.add(ours.precisions[n], row["precisions"][n], where);
    names += ours.signature != row["signature"];
    counts += json{ours.hypothesis_length, ours.reference_length} != row["lengths"];
    if (row["smooth_method"] != "add-k")  // which sacreBLEU adds to its counts
      counts += json(ours.matches) != row["counts"] || json(ours.totals) != row["totals"];
    between += score > 1 && score < 99;
    signatures.insert(ours.signature);
  }
  const auto rows = truth()["bleu"].size();
  scores.report(rc3::join("BLEU against sacreBLEU ", truth()["version"].get<std::string>(), ": ", pairs(all),
                          " pairs, ", rows, " scores of ", signatures.size(), " signatures"));
  parts.report("BLEU's precisions and brevity penalty");
  at_most("scores with other counts or lengths", counts, 0u);
  at_most("scores with another signature", names, 0u);
  at_least("share of scores between 1 and 99", static_cast<double>(between) / static_cast<double>(rows), 0.5);
}

BOOST_AUTO_TEST_CASE(chrf_of_corpora) {
  if (truth().is_null()) return;
  const auto all = corpora();
  std::map<int, Largest> by_words;
  std::size_t names = 0;
  for (const json& row : truth()["chrf"]) {
    const Corpus& corpus = all.at(row["corpus"]);
    const Chrf ours = chrf(corpus.hypotheses, corpus.references,
                           {.char_order = row["char_order"],
                            .word_order = row["word_order"],
                            .beta = row["beta"],
                            .lowercase = row["lowercase"]});
    by_words[row["word_order"]].add(ours.score, row["score"], rc3::join(corpus.name, ", ", row["signature"]));
    names += ours.signature != row["signature"];
  }
  for (const auto& [words, largest] : by_words)
    largest.report(rc3::join("chrF", std::string(static_cast<std::size_t>(words), '+'), " against sacreBLEU"));
  BOOST_TEST(by_words.size() == 4u);
  at_most("scores with another signature", names, 0u);
}

BOOST_AUTO_TEST_CASE(single_sentences) {
  if (truth().is_null()) return;
  const auto all = corpora();
  Largest bleus, chrfs;
  std::size_t other = 0;
  for (const json& row : truth()["sentences"]) {
    const Corpus& corpus = all.at(row["corpus"]);
    const auto at = row["sentence"].get<std::size_t>();
    const std::vector<std::string> hypothesis{corpus.hypotheses[at]};
    const std::vector<std::vector<std::string>> references{corpus.references[at]};
    const std::string where = rc3::join(corpus.name, ", sentence ", at, ": ", hypothesis[0]);
    for (const auto& [name, score] : row["bleu"].items()) {
      const auto tokenizer = tokenize::by_name(name);
      bleus.add(bleu(hypothesis, references, {.tokenizer = tokenizer, .effective_order = true}).score, score,
                rc3::join(name, ": ", where));
      const auto text = unicode::decode(hypothesis[0], "");
      const auto line = tokenizer(unicode::trim_end(text));
      std::vector<std::u32string> expected;
      for (const std::string token : row["tokens"][name]) expected.push_back(unicode::decode(token, ""));
      const auto tokens = unicode::split(line);
      const bool same = std::equal(tokens.begin(), tokens.end(), expected.begin(), expected.end());
      BOOST_CHECK_MESSAGE(same, name << " makes other tokens of " << where);
      other += !same;
    }
    chrfs.add(chrf(hypothesis, references).score, row["chrf"][0], where);
    chrfs.add(chrf(hypothesis, references, {.word_order = 2}).score, row["chrf"][1], where);
  }
  bleus.report(rc3::join("BLEU of ", truth()["sentences"].size(), " single sentences, 5 tokenizers"));
  chrfs.report("chrF and chrF++ of single sentences");
  at_most("sentences with other tokens", other, 0u);
}

BOOST_AUTO_TEST_SUITE_END()
