#pragma once
/// Model card of a run.

#include <algorithm>
#include <string>
#include <vector>

#include "rc3/pipeline/model_card.hpp"
#include "rc3/report/table.hpp"

namespace rc3::experiment {

/// Card of experiment @p E: its own (`E::card()`, optional), with the languages of the data and the figures of the run.
/// @param run      name of the run, for a card without a title
/// @param sources  opened data sets by key
template <class E, class Sources>
ModelCard card_of(const std::string& run, const Sources& sources, const std::vector<report::Table>& figures) {
  ModelCard card;
  constexpr bool has_card = requires { E::card(); };
  if constexpr (has_card) card = E::card();
  if (card.title.empty()) card.title = "Model of " + run;
  for (const auto& [key, source] : sources) {
    if (!has_card) card.data.push_back(source.name());
    for (const auto& [language, count] : source.languages())
      if (std::find(card.languages.begin(), card.languages.end(), language) == card.languages.end())
        card.languages.push_back(language);
  }
  std::sort(card.languages.begin(), card.languages.end());
  card.figures.insert(card.figures.end(), figures.begin(), figures.end());
  return card;
}

}  // namespace rc3::experiment
