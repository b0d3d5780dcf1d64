#pragma once
/// `rc3 relevance DATA --out OUT`: how much the texts of each image share, as a text encoder sees it, and what that
/// says of the data: which strict pairs look like no translations, and which weak ones do.

#include <rc3/data/concept.hpp>
#include <rc3/rc3.hpp>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"
#include "text_ids.hpp"

namespace tool {

struct RelevanceOptions {
  std::filesystem::path encoder;      ///< a Hugging Face directory of BERT or XLM-R with its tokenizer
  std::string prefix = "query: ";     ///< put before every text, as multilingual-e5 wants it
  std::int64_t batch = 128;           ///< texts encoded at a time, > 0
  std::int64_t random_pairs = 20000;  ///< of texts of two images, > 0
  std::size_t examples = 5;           ///< suspicious pairs that are printed
  std::optional<double> low, high;  ///< cosines that count as 0 and 1; by default the means of random and strict pairs
};

/// Unit vectors of every text, in one matrix.
class TextVectors {
 public:
  /// @param ids  token ids of each text, not empty
  TextVectors(const std::vector<std::vector<std::int64_t>>& ids, const RelevanceOptions& options) {
    encode(ids, options);
  }

  std::size_t size() const { return static_cast<std::size_t>(vectors_.size(0)); }
  double cosine(std::size_t a, std::size_t b) const {
    const auto d = static_cast<std::size_t>(vectors_.size(1));
    const float* all = vectors_.data_ptr<float>();
    return std::inner_product(all + a * d, all + (a + 1) * d, all + b * d, 0.0);
  }

 private:
  void encode(const std::vector<std::vector<std::int64_t>>& ids, const RelevanceOptions& options) {
    const rc3::io::Config config(options.encoder);
    if (config.model_type({"bert", "xlm-roberta"}) == "bert")
      encode_with(*rc3::text::Bert::from_pretrained(options.encoder), ids, options.batch);
    else
      encode_with(*rc3::text::XlmRoberta::from_pretrained(options.encoder), ids, options.batch);
  }

  template <class Encoder>
  void encode_with(Encoder& encoder, const std::vector<std::vector<std::int64_t>>& ids, std::int64_t batch) {
    const c10::InferenceMode inference;
    encoder.eval();
    std::vector<std::size_t> order(ids.size());  // texts of like length together: no padding
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return ids[a].size() < ids[b].size(); });
    vectors_ = at::empty({static_cast<std::int64_t>(ids.size()), encoder.width()});
    rc3::train::Progress::Options options;
    options.label = "encode";
    options.unit = "texts";
    rc3::train::Progress progress(static_cast<std::int64_t>(ids.size()), std::cerr, false, options);
    for (std::size_t begin = 0; begin < order.size(); begin += static_cast<std::size_t>(batch)) {
      const std::size_t end = std::min(order.size(), begin + static_cast<std::size_t>(batch));
      std::vector<std::vector<std::int64_t>> some;
      std::vector<std::int64_t> rows;
      for (std::size_t k = begin; k < end; ++k) {
        some.push_back(ids[order[k]]);
        rows.push_back(static_cast<std::int64_t>(order[k]));
      }
      const auto pooled = encoder.pool(encoder.encode(rc3::text::pad_batch(some)));
      vectors_.index_copy_(0, at::tensor(rows, at::kLong), rc3::nn::l2_normalize(pooled));
      progress.update(static_cast<std::int64_t>(end));
    }
    progress.finish();
  }

  at::Tensor vectors_;
};

/// Two texts, and what their cosine is.
struct Judged {
  std::string id, a, b;
  double relevance = 0;
};

/// Cosines of one kind of pairs in one pair of languages.
using Cosines = std::vector<double>;

inline double quantile(Cosines values, double q) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

inline double mean(const std::map<std::pair<std::string, std::string>, Cosines>& by_languages) {
  double sum = 0, count = 0;
  for (const auto& [languages, values] : by_languages)
    for (const double v : values) sum += v, count += 1;
  return count == 0 ? 0 : sum / count;
}

/// The samples of a data set that are readable as a whole, with the relevance of their texts.
template <rc3::data::Dataset Source>
struct WithRelevance {
  const Source& source;
  const TextIds& texts;
  std::vector<std::vector<rc3::data::TextRelevance>> relevance;  ///< of each sample of `texts`

  const auto& name() const { return source.name(); }
  std::int64_t size() const { return static_cast<std::int64_t>(texts.samples()); }
  const rc3::data::LanguageCounts& languages() const { return texts.languages(); }
  rc3::data::Sample read(std::int64_t i) const {
    auto sample = texts.read(source, static_cast<std::size_t>(i));
    sample.relevance = relevance[static_cast<std::size_t>(i)];
    return sample;
  }
};

/// Gives @p source a relevance for every pair of texts in two languages that are no translations, and prints the audit.
/// A sample with a text that cannot be read or encoded is left out, counted and named in @p errors.
/// @param write  is given the data set with relevances
/// @throws rc3::Error when there is nothing to set the scale by, or translations are no closer than random pairs
template <rc3::data::Dataset Source, class Write>
void relevance(const Source& source, const RelevanceOptions& options, rc3::data::DataErrors& errors,
               const Write& write) {
  using Languages = std::pair<std::string, std::string>;
  const auto tokenizer = rc3::text::Tokenizer::from_pretrained(options.encoder, {.prefix = options.prefix});
  const TextIds texts(
      source, [&](const std::string& text) { return tokenizer.encode(text); }, errors);
  rc3::require(!texts.ids().empty(), source.name(), ": has no text that can be read\n", errors.report());
  const TextVectors vectors(texts.ids(), options);
  std::map<Languages, Cosines> strict, weak, random;
  const auto languages = [&](std::size_t a, std::size_t b) -> Languages {
    return std::minmax(texts.language(a), texts.language(b));
  };
  const auto each_pair = [&](const rc3::data::Sample& sample, std::size_t first, const auto& visit) {
    for (std::size_t a = 0; a < sample.texts.size(); ++a)
      for (std::size_t b = a + 1; b < sample.texts.size(); ++b) {
        if (sample.texts[a].language == sample.texts[b].language) continue;
        visit(a, b, first + a, first + b, vectors.cosine(first + a, first + b));
      }
  };
  for (std::size_t s = 0; s < texts.samples(); ++s) {
    const auto sample = texts.read(source, s);
    each_pair(sample, texts.first(s), [&](auto a, auto b, auto i, auto j, double cosine) {
      (sample.texts[a].group == sample.texts[b].group ? strict : weak)[languages(i, j)].push_back(cosine);
    });
  }
  rc3::Random draw(1);
  for (std::int64_t k = 0; k < options.random_pairs; ++k) {
    const auto pick = [&] { return static_cast<std::size_t>(draw.below(vectors.size())); };
    const auto i = pick(), j = pick();
    if (texts.language(i) != texts.language(j)) random[languages(i, j)].push_back(vectors.cosine(i, j));
  }
  rc3::require(
      options.high || !strict.empty(), source.name(),
      ": has no strictly aligned texts to set the scale by; give --low and --high, cosines that count as 0 and 1");
  const double low = options.low.value_or(mean(random)), high = options.high.value_or(mean(strict));
  rc3::require(high > low, source.name(), ": translations have mean cosine ", high, ", random pairs ", low,
               "; this encoder cannot tell them apart, or the alignment is wrong");
  const auto rho = [&](double cosine) { return std::clamp((cosine - low) / (high - low), 0.0, 1.0); };

  std::cout << "a cosine of " << low << " counts as 0, " << high << " as 1\n\n";
  const auto number = [](double value) {
    char text[16];
    std::snprintf(text, sizeof text, "%.2f", value);
    return std::string(text);
  };
  rc3::report::TextTable table(
      {"languages", "strict", "5 %", "median", "weak", "5 %", "median", "95 %", "random", "median", "95 %"});
  table.rule();
  std::map<Languages, int> rows;
  for (const auto* kind : {&strict, &weak})
    for (const auto& [l, values] : *kind) rows[l] = 1;
  for (const auto& [l, unused] : rows) {
    const Cosines &s = strict[l], &w = weak[l], &r = random[l];
    const auto at = [&](const Cosines& c, double q) { return c.empty() ? "" : number(rho(quantile(c, q))); };
    table.row({l.first + " " + l.second, grouped(std::ssize(s)), at(s, 0.05), at(s, 0.5), grouped(std::ssize(w)),
               at(w, 0.05), at(w, 0.5), at(w, 0.95), grouped(std::ssize(r)), at(r, 0.5), at(r, 0.95)});
  }
  std::cout << "relevance by pair of languages\n" << table.text() << '\n';

  std::map<Languages, double> unrelated, translated;
  for (const auto& [l, values] : random) unrelated[l] = quantile(values, 0.95);
  for (const auto& [l, values] : strict)
    if (!values.empty()) translated[l] = quantile(values, 0.5);
  std::vector<Judged> no_translations, translations;
  WithRelevance<Source> judged_source{source, texts, {}};
  for (std::size_t s = 0; s < texts.samples(); ++s) {
    auto& relevances = judged_source.relevance.emplace_back();
    const auto sample = texts.read(source, s);
    each_pair(sample, texts.first(s), [&](auto a, auto b, auto i, auto j, double cosine) {
      const auto l = languages(i, j);
      const Judged judged{sample.id, sample.texts[a].text, sample.texts[b].text, rho(cosine)};
      if (sample.texts[a].group == sample.texts[b].group) {
        if (unrelated.contains(l) && cosine < unrelated[l]) no_translations.push_back(judged);
        return;
      }
      if (translated.contains(l) && cosine > translated[l]) translations.push_back(judged);
      relevances.push_back({a, b, static_cast<float>(rho(cosine))});
    });
  }
  write(judged_source);

  const auto show = [&](const std::string& what, std::vector<Judged>& all, bool least_first) {
    std::sort(all.begin(), all.end(), [&](const Judged& x, const Judged& y) {
      return least_first ? x.relevance < y.relevance : x.relevance > y.relevance;
    });
    std::cout << what << ": " << grouped(std::ssize(all)) << '\n';
    for (std::size_t k = 0; k < std::min(all.size(), options.examples); ++k)
      std::cout << "  " << number(all[k].relevance) << "  " << all[k].id << ": \"" << all[k].a << "\" | \"" << all[k].b
                << "\"\n";
  };
  show("strict pairs that look like no translations (below 95 % of random pairs)", no_translations, true);
  show("weak pairs that look like translations (above half of the strict pairs)", translations, false);
}

}  // namespace tool
