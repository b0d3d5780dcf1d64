#include "rc3/experiment/tasks/files.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

using namespace rc3;
using namespace rc3::experiment;
using test::throws_with;

namespace {

/// Manifests of two images: one with English and German, one with English alone.
struct Folder : test::TempDir {
  Folder() {
    io::write_file(*this / "a.jsonl",
                   R"({"image": "1.png", "texts": {"en": "A frog", "de": "Ein Frosch"}, "alignment": "strict"})"
                   "\n"
                   R"({"image": "2.png", "texts": {"en": "A tree"}})");
    io::write_file(*this / "translated.tsv", "Ein Frosch\tOne frog\n");
  }
  TaskData data(const std::string& task) const {
    TaskData data;
    data.names = {task};
    data.train = data.validation = *this / "a.jsonl";
    data.test = {"de=" + (*this / "a.jsonl").string()};
    return data;
  }
};

TaskExamples opened(const TaskData& data) {
  data::DataErrors errors;
  return open_task(data, data.names[0], 1, errors);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(task_files)

BOOST_AUTO_TEST_CASE(retrieval_reads_captions) {
  const Folder folder;
  auto data = folder.data("retrieval");
  const auto all = opened(data);
  BOOST_TEST(all.train.size() == 2);
  BOOST_TEST(all.train.read(1).text == "A tree");
  BOOST_REQUIRE(all.test.size() == 1u);
  BOOST_TEST(all.test[0].size() == 1);
  BOOST_TEST(all.test[0].read(0).text == "Ein Frosch");
  BOOST_TEST(all.test[0].read(0).views[0].regions.size() == 0u);

  data.boxes = 2;
  data.translations = folder / "translated.tsv";
  const auto changed = opened(data);
  BOOST_TEST(changed.test[0].read(0).text == "One frog");
  BOOST_TEST(changed.test[0].read(0).views[0].regions.size() == 5u);  // the whole image, and 2 x 2 parts
  BOOST_TEST(changed.train.read(0).text == "A frog");                 // training is not translated
}

BOOST_AUTO_TEST_CASE(translation_reads_strict_groups) {
  const Folder folder;
  const auto all = opened(folder.data("translation"));
  BOOST_TEST(all.train.size() == 1);  // the second image has no translation
  BOOST_TEST(all.train.read(0).text == "A frog");
  BOOST_TEST(all.train.read(0).answer == "Ein Frosch");
  BOOST_TEST((all.written == std::vector<std::string>{"de"}));
  BOOST_TEST((all.writable == std::vector<std::string>{"Ein Frosch"}));
  auto data = folder.data("translation");
  data.source = "de";
  data.test = {"en=" + data.train.string()};
  BOOST_TEST(opened(data).test[0].read(0).answer == "A frog");
}

BOOST_AUTO_TEST_CASE(mistakes_name_the_option) {
  const Folder folder;
  const auto refuses = [&](const std::string& task, const std::function<void(TaskData&)>& change,
                           const auto&... parts) {
    auto data = folder.data(task);
    change(data);
    throws_with([&] { opened(data); }, parts...);
  };
  refuses(
      "retrieval", [](auto& d) { d.train = d.validation = "", d.test = {}; }, "task.train, task.validation",
      "files of retrieval", "task.provider", "none");
  refuses(
      "retrieval", [](auto& d) { d.validation = ""; }, "task.validation: is needed for retrieval");
  refuses(
      "entailment", [](auto&) {}, "task.images: is needed for entailment");
  refuses(
      "questions", [](auto& d) { d.images = "x"; }, "task.answers: is needed for questions");
  refuses(
      "retrieval", [](auto& d) { d.written = {"de"}; }, "task.written: has no effect on retrieval");
  refuses(
      "retrieval", [](auto& d) { d.scenes = 3; }, "task.scenes: has no effect");
  refuses(
      "retrieval",
      [](auto& d) {
        d.splits = {"a", "b", "c"};
      },
      "task.splits", "manifest has no parts");
  refuses(
      "retrieval", [](auto& d) { d.image_list = {"x"}; }, "manifest", "image_list");
  refuses(
      "retrieval",
      [](auto& d) {
        d.regions = {"a", "b"};
      },
      "task.regions", "each of task.test, got 2");
  refuses(
      "retrieval", [](auto& d) { d.test.push_back(d.test[0]); }, "task.test: de is given twice");
  refuses(
      "retrieval", [](auto& d) { d.test = {"x"}; }, "task.test: give LANGUAGE=FILE, is x");
  refuses(
      "entailment", [](auto& d) { d.images = "x", d.format = "wit"; }, "task.format: has no effect on entailment");
  refuses(
      "translation", [](auto& d) { d.translations = "x"; }, "task.translations: has no effect on translation");
  refuses(
      "translation", [](auto& d) { d.written = {"fr"}; }, "de is none of task.written");
  refuses(
      "translation", [](auto& d) { d.source = "de"; }, "de is the source");
  refuses(
      "retrieval", [](auto& d) { d.names = task_names; }, "task.names", "files are of one task");
}

BOOST_AUTO_TEST_CASE(providers_make_examples) {
  register_task_provider({"numbers", [](const TaskData&, const std::string& task, std::uint64_t seed) {
                            const data::Examples one("numbers", {{.id = join(task, seed), .language = "en"}});
                            return TaskExamples{task, data::AnyExamples(one), data::AnyExamples(one), {}};
                          }});
  TaskData data;
  data.names = {"retrieval"};
  data.provider = "numbers";
  BOOST_TEST(opened(data).train.read(0).id == "retrieval1");
  throws_with([] { register_task_provider({"numbers"}); }, "provider numbers already");
  auto wrong = data;
  wrong.provider = "number";
  throws_with([&] { opened(wrong); }, "no provider number;", "numbers");
  wrong = data;
  wrong.images = "x";
  throws_with([&] { opened(wrong); }, "task.images: has no effect beside task.provider");
  wrong = data;
  wrong.boxes = 2;
  throws_with([&] { opened(wrong); }, "task.boxes");
}

BOOST_AUTO_TEST_SUITE_END()
