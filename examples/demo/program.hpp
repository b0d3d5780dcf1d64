#pragma once
/// Main program of the demo: the road of every experiment, and what it found as tables and an image sheet.

#include <rc3/experiment/program.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "../support/sheet.hpp"
#include "emoji/format.hpp"

namespace demo {

/// Groups of languages by what training read of them.
struct Group {
  std::string name;
  std::vector<std::string> languages;
};

inline std::vector<Group> groups(const emoji::Split& split) {
  const auto& l = split.languages;
  return {{"read as translations", l.strict}, {"read as well", l.weak}, {"never read", l.unseen}};
}

/// Recall of each group, trained and untrained, and what guessing gives.
inline rc3::report::Table by_group(const std::vector<rc3::task::LanguageRecall>& trained,
                                   const std::vector<rc3::task::LanguageRecall>& untrained,
                                   const std::vector<Group>& groups) {
  rc3::report::Table table{"Recall in percent, mean over languages, among " + std::to_string(trained.at(0).images) +
                               " images of glyphs that training never saw",
                           {"text to image R@1", "R@5", "R@10", "image to text R@1", "R@5", "R@10"},
                           {}};
  for (const auto& [name, languages] : groups) {
    const auto title = name + " (" + std::to_string(languages.size()) + ")";
    table.rows.push_back(rc3::task::recall_row(rc3::task::mean_recall(trained, languages, "trained"), title));
    if (!untrained.empty())
      table.rows.push_back(rc3::task::recall_row(rc3::task::mean_recall(untrained, languages, "untrained"), title));
  }
  const auto chance = rc3::task::chance(trained[0].images);
  table.rows.push_back(rc3::task::recall_row({"chance", 0, 0, chance, chance}, "guessing"));
  return table;
}

/// The English name of a language that training never read; its code where the table has none.
inline std::string language_name(const std::string& code) {
  static const std::map<std::string, std::string> names = {{"sw", "Swahili"}, {"ta", "Tamil"},   {"th", "Thai"},
                                                           {"hi", "Hindi"},   {"ar", "Arabic"},  {"el", "Greek"},
                                                           {"he", "Hebrew"},  {"fa", "Persian"}, {"vi", "Vietnamese"},
                                                           {"ko", "Korean"},  {"ru", "Russian"}, {"fi", "Finnish"}};
  const auto found = names.find(code);
  return found == names.end() ? code : found->second;
}

/// Queries in six languages that training never read, drawn at random, and the five images that each finds.
template <class Evaluation>
void write_sheet(const Evaluation& evaluation, const rc3::features::CachedSamples& samples, const emoji::Glyphs& glyphs,
                 const std::vector<std::string>& languages, const std::filesystem::path& path) {
  std::vector<support::SheetRow> rows;
  rc3::Random random(1, 7);
  for (const auto& language : languages) {
    const auto texts = samples.texts_in(language);
    const auto query = static_cast<std::size_t>(random.below(texts.size()));
    const auto& sample = samples.sample(texts[query].sample);
    if (rows.size() == 6 || !support::fonts_cover(sample.texts[texts[query].text].text)) continue;
    const auto [score, index] = evaluation.scores(language)[static_cast<std::int64_t>(query)].topk(5);
    const auto english =
        std::find_if(sample.texts.begin(), sample.texts.end(), [](const auto& text) { return text.language == "en"; });
    support::SheetRow row{
        language, sample.texts[texts[query].text].text, english == sample.texts.end() ? "" : english->text, {}};
    for (std::int64_t k = 0; k < 5; ++k) {
      const auto found = index[k].template item<std::int64_t>();
      const auto drawing =
          emoji::draw_single(glyphs, *glyphs.find(samples.sample(found).id), emoji::Style::canonical(), rc3::Random(0));
      row.images.push_back(
          {drawing.width, drawing.height, drawing.rgb, score[k].template item<double>(), found == texts[query].sample});
    }
    rows.push_back(std::move(row));
  }
  support::SheetOptions options;
  options.subtitle = rc3::join("Queries drawn at random; the five best of ", samples.size(),
                               " images of glyphs never trained on; green: the right one");
  support::write_sheet(path, "Searching in languages that training never read", rows, options);
}

/// The model directory under the name `model`: a link to `last`, so that its weights are on the disk once.
inline void link_model(const std::filesystem::path& folder) {
  const auto link = folder / "model";
  if (std::filesystem::is_symlink(link)) std::filesystem::remove(link);
  rc3::require(!std::filesystem::exists(link), link.string(), ": exists and is no link; move it away");
  std::filesystem::create_directory_symlink("last", link);
}

/// What the demo prints behind the tables of every experiment.
struct Report {
  std::filesystem::path tool = {};  ///< the program rc3, which searches photographs with the default model

  template <class Pretraining>
  void operator()(Pretraining& pretraining) const {
    auto* samples = pretraining.held_out();
    if (samples == nullptr || pretraining.recall().empty()) return;
    const auto& settings = pretraining.settings();
    const auto glyphs = emoji::Glyphs::load(settings.validation.paths.at(0));
    const auto split = emoji::Split::load(settings.validation.paths[0], glyphs);
    std::cout << '\n'
              << rc3::report::text_of(by_group(pretraining.recall(), pretraining.untrained_recall(), groups(split)));
    const auto& folder = settings.checkpoint.folder;
    pretraining.model().eval();
    const rc3::task::RetrievalEvaluation evaluation(pretraining.model(), *samples);
    write_sheet(evaluation, *samples, glyphs, split.languages.unseen, folder / "sheet.png");
    link_model(folder);
    std::cout << "\nimage sheet " << (folder / "sheet.png").string() << "   model " << (folder / "model").string()
              << "   reports " << folder.string() << "/*/report.html\n";
    if (std::is_same_v<std::decay_t<decltype(pretraining.model())>, rc3::DefaultModel> && std::filesystem::exists(tool))
      std::cout << "\nsearch your own photographs, in any language:\n  " << tool.string() << " index FOLDER --model "
                << (folder / "model").string() << " --out photos.index\n  " << tool.string()
                << " search photos.index \"ein Hund im Schnee\"\n  " << tool.string() << " serve photos.index\n";
  }
};

template <class Experiment>
int main(int argc, char** argv) {
  return rc3::experiment::main<Experiment>(argc, argv, Report{std::filesystem::path(argv[0]).replace_filename("rc3")});
}

}  // namespace demo
