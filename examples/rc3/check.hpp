#pragma once
/// `rc3 check DATA`: reads a data set from end to end and says what it holds. A model directory is read by rc3 inspect.

#include <rc3/data/check/summary.hpp>
#include <rc3/data/open.hpp>
#include <rc3/io/image/available_decoders.hpp>
#include <rc3/report/text_table.hpp>
#include <rc3/train/progress.hpp>

#include <filesystem>
#include <iostream>
#include <string>

namespace tool {

/// 1234567 as "1,234,567".
inline std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > (n < 0 ? 1 : 0); i -= 3)
    digits.insert(static_cast<std::size_t>(i), ",");
  return digits;
}

/// "from 12 to 640, median 224".
inline std::string range(rc3::data::Distribution& d) {
  return "from " + grouped(d.quantile(0)) + " to " + grouped(d.quantile(1)) + ", median " + grouped(d.quantile(0.5));
}

/// Whether @p data is the directory of a model. @throws rc3::Error if it has the format "model", but is more than one
inline bool is_model(const rc3::data::OpenOptions& data) {
  if (data.format == "model")
    rc3::require(data.paths.size() == 1, "the format model reads one directory, ", data.paths.size(),
                 " are given: ", data.paths.front().string(), ", ", data.paths.back().string());
  return data.format == "model" ||
         (data.format == "auto" && data.paths.size() == 1 && std::filesystem::exists(data.paths[0] / "config.json"));
}

/// Prints what @p source holds. @return whether nothing is wrong with it
template <rc3::data::Dataset Source>
bool check(const Source& source, rc3::data::DataErrors& errors, int workers) {
  rc3::data::Summary found;
  if (source.size() > 0) {
    rc3::train::Progress::Options options;
    options.label = "read";
    options.unit = "samples";
    rc3::train::Progress progress(source.size(), std::cerr, false, options);
    found = rc3::data::summarise<rc3::io::AvailableDecoders>(source, errors, workers,
                                                             [&](std::int64_t done) { progress.update(done); });
    progress.finish();
  }
  const auto line = [](const std::string& what, const std::string& text) {
    std::cout << rc3::report::pad(what, 12) << text << '\n';
  };
  line("data set", std::string(source.name()));
  line("samples", grouped(found.samples) + " of " + grouped(source.size()) + " can be read");
  line("images", found.with_image == 0 ? "none"
                                       : grouped(found.with_image) + ": width " + range(found.width) + "; height " +
                                             range(found.height) + " pixels");
  line("regions",
       found.with_regions == 0 ? "none" : "in " + grouped(found.with_regions) + " samples: " + range(found.regions));
  if (found.features.count() > 0)
    line("features", "of " + grouped(found.features.count()) + " samples: numbers a region " + range(found.features));
  if (!found.languages.empty()) {
    line("alignment", grouped(found.with_strict_pair) + " samples with a strict pair, " +
                          grouped(found.with_weak_pair) + " with a weak pair");
    line("relevance",
         found.with_relevance == 0 ? "not given" : "given in " + grouped(found.with_relevance) + " samples");
    rc3::report::TextTable table({"language", "texts", "shortest", "median", "95 %", "longest"});
    table.rule();
    for (auto& [language, lengths] : found.languages)
      table.row({language, grouped(lengths.count()), grouped(lengths.quantile(0)), grouped(lengths.quantile(0.5)),
                 grouped(lengths.quantile(0.95)), grouped(lengths.quantile(1))});
    std::cout << "\nlengths of texts in characters\n" << table.text() << '\n';
  }
  std::cout << errors.left_aside();
  if (errors.count() == 0)
    line("errors", "none");
  else
    std::cout << "errors (" << grouped(errors.count()) << ")\n" << errors.report();
  return errors.count() == 0;
}

}  // namespace tool
