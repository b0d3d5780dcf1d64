#pragma once
/// What a run prints and draws: data, model, loss curve, tables, the image sheet, a JSON of all numbers.

#include <nlohmann/json.hpp>

#include <chrono>
#include <fstream>
#include <iostream>

#include "../support/chart.hpp"
#include "../support/sheet.hpp"
#include "evaluate.hpp"
#include "stages.hpp"

namespace pretrain {

inline const std::string& english(const std::string& language) {
  static const std::map<std::string, std::string> names = {
      {"en", "English"},    {"de", "German"},     {"fr", "French"},    {"cs", "Czech"},   {"ja", "Japanese"},
      {"zh", "Chinese"},    {"id", "Indonesian"}, {"es", "Spanish"},   {"it", "Italian"}, {"pl", "Polish"},
      {"pt", "Portuguese"}, {"nl", "Dutch"},      {"sv", "Swedish"},   {"tr", "Turkish"}, {"uk", "Ukrainian"},
      {"da", "Danish"},     {"ro", "Romanian"},   {"hu", "Hungarian"}, {"sw", "Swahili"}, {"ta", "Tamil"},
      {"th", "Thai"},       {"hi", "Hindi"},      {"ar", "Arabic"},    {"el", "Greek"},   {"he", "Hebrew"},
      {"fa", "Persian"},    {"vi", "Vietnamese"}, {"ko", "Korean"},    {"ru", "Russian"}, {"fi", "Finnish"}};
  const auto found = names.find(language);
  return found == names.end() ? language : found->second;
}

inline std::string listed(const std::vector<std::string>& items) {
  std::string all;
  for (const auto& item : items) all += (all.empty() ? "" : " ") + item;
  return all;
}

inline void show_data(const World& world, std::size_t train_glyphs) {
  const auto names = [&](const std::vector<std::size_t>& side, const std::vector<std::string>& languages) {
    std::size_t n = 0;
    for (const auto& l : languages)
      for (const auto g : side) n += world.glyphs[g].find(l) != nullptr;
    return std::to_string(n);
  };
  const auto& l = world.languages;
  std::cout << "Data: emoji images and their names (Noto Color Emoji, OFL; Unicode CLDR)\n"
            << support::Table({"", "images", "names strict", "names weak", "names unseen"})
                   .row({"train", std::to_string(world.side.size()), names(world.side, l.strict),
                         names(world.side, l.weak), "0"})
                   .row({world.settings.validate ? "validation" : "test", std::to_string(world.held.size()),
                         names(world.held, l.strict), names(world.held, l.weak), names(world.held, l.unseen)})
                   .text()
            << "strict: " << listed(l.strict) << "   weak: " << listed(l.weak)
            << "\nnever seen in training: " << listed(l.unseen) << "\n";
  if (!l.extra.empty()) std::cout << "names in training only (--long): " << listed(l.extra) << "\n";
  std::cout << "No glyph of the " << (world.settings.validate ? "validation" : "test")
            << " side, nor a variant of it, is among the " << train_glyphs << " of training.\n\n";
}

inline void show_model(const Model& model, const Settings& settings) {
  const auto count = rc3::nn::count_parameters(model);
  char text[160];
  std::snprintf(
      text, sizeof text, "%.1f M parameters, %.1f M of them learn; %s; %d threads; seed %llu",
      static_cast<double>(count.total) / 1e6, static_cast<double>(count.trainable) / 1e6,
      rc3::train::bfloat16_is_fast() ? "bfloat16 autocast" : "float32 (bfloat16 is no faster on this machine)",
      settings.threads, static_cast<unsigned long long>(settings.seed));
  std::cout << "Variant: " << Model::name() << "\n         " << text << "\n\n";
}

/// How alike the texts of one image are, as an encoder sees them that learned nothing here: recall@1 of text a among
/// the texts b of 300 images. Translations find each other; captions that were written independently for one
/// photograph do so in 23 to 26 % of the cases (Multi30K, en and de, the same encoder).
inline void show_texts(const std::vector<emoji::Item>& items, rc3::text::Bert& encoder,
                       const rc3::text::Tokenizer& tokenizer) {
  c10::InferenceMode inference;
  constexpr std::size_t most = 300;
  const auto found = [&](bool strict) {
    std::vector<std::string> a, b;
    for (const auto& item : items)
      if (item.strict == strict && a.size() < most) {
        a.push_back(item.text_a);
        b.push_back(item.text_b);
      }
    if (a.empty()) return std::string("none");
    const auto vectors = [&](const std::vector<std::string>& texts) {
      return rc3::nn::l2_normalize(encoder.pool(encoder.encode(rc3::text::tokenize(tokenizer, texts))));
    };
    const auto ranks =
        rc3::task::ranks(vectors(a).matmul(vectors(b).t()), at::arange(static_cast<std::int64_t>(a.size())));
    return percent(rc3::task::recall(ranks).at1) + " % of " + std::to_string(a.size());
  };
  std::cout << "texts of one image find each other under e5, recall@1: strictly aligned " << found(true)
            << ", weakly aligned " << found(false) << "\n";
}

inline void show_curve(const History& history) {
  support::Curve curve{"loss", {}, {}};
  // Means over a fortieth of the run: single steps are noisy.
  const std::size_t window = std::max<std::size_t>(1, history.loss.size() / 40);
  for (std::size_t i = 0; i < history.loss.size(); i += window) {
    const auto end = std::min(history.loss.size(), i + window);
    curve.x.push_back(static_cast<double>(end));
    curve.y.push_back(std::accumulate(history.loss.begin() + static_cast<std::ptrdiff_t>(i),
                                      history.loss.begin() + static_cast<std::ptrdiff_t>(end), 0.0) /
                      static_cast<double>(end - i));
  }
  std::cout << "\nLoss (each stage has its own objectives, so it jumps between them)\n"
            << support::chart(std::span(&curve, 1)) << "\n";
}

inline void show_results(const World& world, const Scores& scores, const Scores& untrained) {
  const auto& l = world.languages;
  const auto n = static_cast<std::int64_t>(world.held.size());
  std::cout << "Recall in percent among " << n << " images of glyphs that training never saw\n";
  auto groups = recall_table("languages");
  const auto c = rc3::task::chance(n);
  for (const auto& [name, group] : {std::pair{"strict (" + std::to_string(l.strict.size()) + ")", &l.strict},
                                    std::pair{"weak (" + std::to_string(l.weak.size()) + ")", &l.weak},
                                    std::pair{"never seen (" + std::to_string(l.unseen.size()) + ")", &l.unseen}}) {
    groups.row(cells(name, mean(scores, *group)));
    groups.row(cells("  untrained", mean(untrained, *group)));
  }
  groups.row(cells("chance", {c, c}));
  std::cout << groups.text() << "\n";
  auto each = recall_table("language");
  for (const auto* group : {&l.strict, &l.weak, &l.unseen}) {
    for (const auto& language : *group) each.row(cells(language + "  " + english(language), scores.at(language)));
    if (group != &l.unseen) each.rule();
  }
  std::cout << each.text() << std::flush;
}

/// What ITM makes of the best images of each query: search by vectors first, then the fusion encoder looks closely.
inline void show_reranked(const World& world, const Evaluation& evaluation, const Scores& scores) {
  const auto& l = world.languages;
  support::Table table(
      {"text>pic R@1", "by vectors", "best " + std::to_string(world.settings.rerank) + " re-ranked by ITM"});
  for (const auto& [name, group] :
       {std::pair{"strict", &l.strict}, std::pair{"weak", &l.weak}, std::pair{"never seen", &l.unseen}}) {
    Scores again;
    for (const auto& language : *group)
      again[language] =
          Evaluation::score(evaluation.reranked(language, world.settings.rerank, world.settings.rerank_weight));
    table.row({name, percent(mean(scores, *group).to_image.at1), percent(mean(again, *group).to_image.at1)});
  }
  std::cout << "\n" << table.text();
}

/// Queries in six languages that training never saw, and the five images that each finds.
inline void show_sheet(const World& world, const Evaluation& evaluation, const std::filesystem::path& path) {
  std::vector<support::SheetRow> rows;
  std::vector<std::string> languages;
  for (const auto& language : world.languages.unseen)
    if (languages.size() < 6 && support::fonts_cover(name_of(world.glyphs, world.held[0], language)))
      languages.push_back(language);
  rc3::Random random(world.settings.seed, 7);
  for (const auto& language : languages) {
    const auto similarity = evaluation.similarity(language);
    const auto row = static_cast<std::int64_t>(
        random.below(world.held.size()));  // drawn, not chosen: what is right as what is wrong
    const auto [score, index] = similarity[row].topk(5);
    support::SheetRow line{english(language),
                           name_of(world.glyphs, world.held[static_cast<std::size_t>(row)], language),
                           name_of(world.glyphs, world.held[static_cast<std::size_t>(row)], "en"),
                           {}};
    for (std::int64_t k = 0; k < 5; ++k) {
      const auto at = index[k].item<std::int64_t>();
      const auto image = emoji::draw_single(world.glyphs, world.held[static_cast<std::size_t>(at)],
                                            emoji::Style::canonical(), rc3::Random(0));
      line.images.push_back({image.width, image.height, image.rgb, score[k].item<double>(), at == row});
    }
    rows.push_back(std::move(line));
  }
  support::SheetOptions options;
  options.subtitle = rc3::join("Queries drawn at random; the five best of ", world.held.size(),
                               " images of glyphs never trained on; green: the right one");
  support::write_sheet(path, "Searching in languages that training never saw", rows, options);
}

/// Every number of the run, for later comparison.
inline void save_results(const World& world, const Scores& scores, const Scores& untrained, const History& history,
                         double seconds, const std::filesystem::path& path) {
  nlohmann::json json;
  json["variant"] = Model::name();
  json["seed"] = world.settings.seed;
  json["seconds"] = seconds;
  json["loss"] = history.loss;
  for (const auto& [name, all] : {std::pair{"trained", &scores}, std::pair{"untrained", &untrained}})
    for (const auto& [language, s] : *all)
      json[name][language] = {s.to_image.at1, s.to_image.at5, s.to_image.at10,
                              s.to_text.at1,  s.to_text.at5,  s.to_text.at10};
  std::ofstream file(path);
  file << json.dump(1) << "\n";
  rc3::require(file.good(), path.string(), ": cannot be written");
}

}  // namespace pretrain
