#pragma once
/// Examples of downstream tasks from published files. LibTorch-free.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/any_examples.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/caption_examples.hpp"
#include "rc3/data/format/iglue/iglue.hpp"
#include "rc3/data/format/translations.hpp"
#include "rc3/data/format/volta.hpp"
#include "rc3/data/format/with_regions.hpp"
#include "rc3/data/open.hpp"
#include "rc3/experiment/tasks/change_examples.hpp"
#include "rc3/experiment/tasks/settings.hpp"
#include "rc3/experiment/tasks/task_examples.hpp"

namespace rc3::experiment {

/// Files of one task: XVNLI; GQA and xGQA; NLVR2 and MaRVL; captions of any data format for retrieval; strictly aligned
/// texts of any data format for translation.
class TaskFiles {
 public:
  /// @throws rc3::Error naming the option that is missing, invalid, or without effect on the task
  TaskFiles(const TaskData& options, data::DataErrors& errors) : o_(options), errors_(errors), task_(check_task()) {
    check_options();
    for (const std::string& named : o_.test) {
      const auto equals = named.find('=');
      require(equals != std::string::npos && equals > 0, "task.test: give LANGUAGE=FILE, is ", named);
      test_.push_back({named.substr(0, equals), named.substr(equals + 1)});
      for (std::size_t k = 0; k + 1 < test_.size(); ++k)
        require(test_[k].first != test_.back().first, "task.test: ", test_.back().first, " is given twice");
    }
  }

  /// @throws rc3::Error naming the file that cannot be opened
  TaskExamples open() const {
    if (task_ == "retrieval") return captions();
    if (task_ == "translation") return translations();
    return classified();
  }

 private:
  /// Index of a file: task.train, task.validation, or the first of task.test.
  static constexpr std::size_t train = 0, validation = 1, first_test = 2;

  std::string check_task() const {
    require(o_.names.size() == 1,
            "task.names: files are of one task, give one of entailment, questions, reasoning, "
            "retrieval, translation");
    return o_.names[0];
  }

  void check_options() const {
    const auto needs = [&](const char* option, bool given) {
      require(given, option, ": is needed for ", task_, " from files");
    };
    needs("task.train", !o_.train.empty());
    needs("task.validation", !o_.validation.empty());
    needs("task.test", !o_.test.empty());
    needs("task.images", !o_.images.empty() || !classifies());
    needs("task.answers", !o_.answers.empty() || task_ != "questions");
    const TaskData none;
    const auto only = [&](const char* option, bool given, bool used) {
      require(!given || used, option, ": has no effect on ", task_, " from files; leave it out");
    };
    only("task.provided", !o_.provided.empty(), false);
    only("task.languages", !o_.languages.empty(), false);
    only("task.scenes", o_.scenes != 0, false);
    only("task.test_scenes", o_.test_scenes != 0, false);
    only("task.test_captions", o_.test_captions != 0, false);
    only("task.written", !o_.written.empty(), task_ == "translation");
    only("task.translations", !o_.translations.empty(), task_ != "translation");
    only("task.format", o_.format != none.format, !classifies());
    only("task.splits", o_.splits != none.splits, !classifies());
    only("task.image_list", !o_.image_list.empty(), !classifies());
    only("task.extension", o_.extension != none.extension, classifies());
    only("task.answers", !o_.answers.empty(), task_ == "questions");
    require(o_.splits.size() == 3, "task.splits: give three, of train, validation and test, got ", o_.splits.size());
    check_count("task.regions", o_.regions.size());
    check_count("task.image_list", o_.image_list.size());
  }

  void check_count(const char* option, std::size_t count) const {
    require(count <= 1 || count == first_test + o_.test.size(), option,
            ": give one file for all, or one for task.train, task.validation and each of task.test, got ", count);
  }

  bool classifies() const { return task_ != "retrieval" && task_ != "translation"; }

  static const std::filesystem::path& file_of(const std::vector<std::filesystem::path>& all, std::size_t which) {
    return all[std::min(which, all.size() - 1)];
  }

  /// @p examples with the regions and translated texts of the options.
  template <class Set>
  data::AnyExamples finish(Set examples, std::size_t which) const {
    const auto change = [translate = which >= first_test ? translated(o_.translations) : nullptr,
                         parts = o_.boxes](data::Example& example) {
      if (translate) translate(example);
      for (data::View& view : example.views)
        if (parts > 0 && view.regions.size() == 0) view.regions = grid_regions(parts);
    };
    if (o_.regions.empty()) return data::AnyExamples(std::move(examples), change);
    const auto regions = std::make_shared<const data::VoltaRegions>(file_of(o_.regions, which), errors_);
    return data::AnyExamples(data::WithRegions(std::move(examples), regions), change);
  }

  /// Test examples of every language, each from its file.
  template <class Open>
  std::vector<data::AnyExamples> open_tests(const Open& open) const {
    std::vector<data::AnyExamples> all;
    for (std::size_t k = 0; k < test_.size(); ++k) all.push_back(open(test_[k].second, test_[k].first, first_test + k));
    return all;
  }

  TaskExamples classified() const {
    namespace iglue = data::iglue;
    const auto find = data::images_in(o_.images, o_.extension);
    const auto open = [&](const std::filesystem::path& path, const std::string& language, std::size_t which) {
      if (task_ == "entailment") return finish(iglue::xvnli(path, language, find, errors_), which);
      if (task_ == "questions") return finish(iglue::xgqa(path, language, find, errors_), which);
      if (which < first_test) return finish(iglue::nlvr2(path, language, find, errors_), which);
      return finish(iglue::marvl(path, data::images_in(o_.images, ""), errors_), which);
    };
    std::vector<std::string> classes;
    if (task_ == "entailment") classes = {iglue::entailment_classes().begin(), iglue::entailment_classes().end()};
    if (task_ == "reasoning") classes = {iglue::reasoning_classes().begin(), iglue::reasoning_classes().end()};
    if (task_ == "questions") classes = iglue::read_gqa_answers(o_.answers);
    return {.task = task_,
            .train = open(o_.train, o_.source, train),
            .validation = open(o_.validation, o_.source, validation),
            .test = open_tests(open),
            .classes = std::move(classes),
            .images = task_ == "reasoning" ? 2 : 1};
  }

  /// @param languages  to read, for formats that need them
  /// @throws rc3::Error if its samples have no images, which retrieval and translation need
  data::AnyDataset open_data(const std::filesystem::path& path, std::vector<std::string> languages,
                             std::size_t which) const {
    data::OpenOptions options{.paths = {path}, .format = o_.format, .images = o_.images};
    const data::Format& format = data::format_of(options);
    const auto uses = [&](const char* option) {
      return std::find(format.uses.begin(), format.uses.end(), option) != format.uses.end();
    };
    if (uses("languages")) options.languages = std::move(languages);
    if (uses("split"))
      options.split = o_.splits[std::min(which, first_test)];
    else
      require(o_.splits == TaskData().splits, "task.splits: the format ", format.name, " has no parts; leave it out");
    if (!o_.image_list.empty()) options.image_list = file_of(o_.image_list, which);
    auto data = data::open(options, errors_);
    const data::Sample first = data.read(0);
    require(!std::holds_alternative<std::monostate>(first.image), data.name(), ": sample \"", first.id,
            "\" has no image, and ", task_, " needs them: give task.images",
            uses("image_list") ? " and task.image_list" : "");
    return data;
  }

  TaskExamples captions() const {
    const auto open = [&](const std::filesystem::path& path, const std::string& language, std::size_t which) {
      return finish(data::CaptionExamples(open_data(path, {language}, which), {language}, errors_), which);
    };
    return {.task = task_,
            .train = open(o_.train, o_.source, train),
            .validation = open(o_.validation, o_.source, validation),
            .test = open_tests(open)};
  }

  TaskExamples translations() const {
    std::vector<std::string> written = o_.written;
    for (const auto& [language, file] : test_) {
      require(language != o_.source, "task.test: ", language, " is the source, which is not translated into");
      if (o_.written.empty()) written.push_back(language);
      require(std::find(written.begin(), written.end(), language) != written.end(), "task.test: ", language,
              " is none of task.written");
    }
    const auto open = [&](const std::filesystem::path& path, const std::vector<std::string>& targets,
                          std::size_t which) {
      auto languages = targets;
      languages.insert(languages.begin(), o_.source);
      return data::Translations(open_data(path, languages, which), o_.source, targets, errors_);
    };
    const auto training = open(o_.train, written, train);
    std::vector<std::string> writable;
    for (std::int64_t i = 0; i < training.size(); ++i) writable.push_back(training.read(i).answer);
    return {.task = task_,
            .train = finish(training, train),
            // Members are set in their order. NOLINTNEXTLINE(bugprone-use-after-move)
            .validation = finish(open(o_.validation, written, validation), validation),
            .test = open_tests([&](const auto& path, const std::string& language, std::size_t which) {
              return finish(open(path, {language}, which), which);
            }),
            .written = std::move(written),
            .writable = std::move(writable)};
  }

  const TaskData& o_;
  data::DataErrors& errors_;
  std::string task_;
  std::vector<std::pair<std::string, std::filesystem::path>> test_;  ///< language and file
};

/// The examples of @p task for one seed, from a provider or from files.
/// @throws rc3::Error naming the option that is missing or without effect
inline TaskExamples open_task(const TaskData& options, const std::string& task, std::uint64_t seed,
                              data::DataErrors& errors) {
  if (options.provider.empty()) {
    require(!options.train.empty() || !options.validation.empty() || !options.test.empty(),
            "task.train, task.validation, task.test: give the files of ", task,
            ", or task.provider, which makes examples; this program's providers: ", task_provider_names());
    return TaskFiles(options, errors).open();
  }
  const TaskData none;
  const auto no = [&](const char* option, bool given) {
    require(!given, option, ": has no effect beside task.provider; leave one of the two out");
  };
  no("task.train", !options.train.empty());
  no("task.validation", !options.validation.empty());
  no("task.test", !options.test.empty());
  no("task.format", options.format != none.format);
  no("task.splits", options.splits != none.splits);
  no("task.images", !options.images.empty());
  no("task.image_list", !options.image_list.empty());
  no("task.extension", options.extension != none.extension);
  no("task.regions", !options.regions.empty());
  no("task.boxes", options.boxes != 0);
  no("task.answers", !options.answers.empty());
  return find_task_provider(options.provider).open(options, task, seed);
}

}  // namespace rc3::experiment
