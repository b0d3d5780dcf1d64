#include "rc3/data/format/predictions.hpp"

#include <nlohmann/json.hpp>

#include "rc3/io/file.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(predictions)

using namespace rc3;
using namespace rc3::data;
using test::throws_with;

namespace {

const std::vector<Prediction> two = {{"202158849", "no"}, {"759822302.jpg#2r1c", "a \"Käfig\"\n"}};

}  // namespace

BOOST_AUTO_TEST_CASE(answers_as_gqas_scripts_read_them) {
  const test::TempDir folder;
  const auto path = folder / "test_result.json";
  write_predictions(path, two);
  // What scripts/GQA_score.py does with the file.
  const auto json = nlohmann::json::parse(io::read_file(path, 1 << 20));
  BOOST_TEST(json.is_array());
  BOOST_TEST(json.size() == 2u);
  BOOST_TEST(json[0]["questionId"] == "202158849");
  BOOST_TEST(json[0]["prediction"] == "no");
  BOOST_TEST(json[0].size() == 2u);
  BOOST_TEST(io::read_file(path, 1 << 20) ==
             "[{\"questionId\":\"202158849\",\"prediction\":\"no\"},\n"
             "{\"questionId\":\"759822302.jpg#2r1c\",\"prediction\":\"a \\\"Käfig\\\"\\n\"}]\n");
  BOOST_TEST((read_predictions(path) == two));
  write_predictions(path, {});
  BOOST_TEST(read_predictions(path).empty());

  // As Python's json.dump() writes it, and with GQA's own further key.
  io::write_file(path, R"([{"questionId": "1", "prediction": "K\u00e4fig", "attention": [0.5]}])");
  BOOST_TEST((read_predictions(path) == std::vector<Prediction>{{"1", "Käfig"}}));
}

BOOST_AUTO_TEST_CASE(bad_predictions_are_named_and_leave_no_file) {
  const test::TempDir folder;
  const auto path = folder / "p.json";
  const auto write = [&](std::vector<Prediction> all) { return [&path, all] { write_predictions(path, all); }; };
  throws_with(write({{"1", "a"}, {"1", "b"}}), "p.json: item 1: \"questionId\"", "the id \"1\" was there before");
  throws_with(write({{"1", "a"}, {"", "b"}}), "p.json: item 1: \"questionId\"", "an id is expected");
  throws_with(write({{"1", "a\xff"}}), "p.json: item 0: \"prediction\"", "not UTF-8 at byte 1");
  throws_with(write({{"\xff", "a"}}), "p.json: item 0: \"questionId\"", "not UTF-8");
  throws_with([&] { write_translations(path, std::vector<Prediction>{{"a\nb", "c"}}); }, "p.json: item 0: id");
  throws_with([&] { write_judgements(path, std::vector<Judgement>{{"\xff", true, true}}); }, "item 0: \"sentence\"");
  BOOST_TEST(std::filesystem::is_empty(folder.path()));
  throws_with([&] { write_predictions(folder / "no/p.json", two); }, "no/p.json", "cannot write");

  for (const auto& [content, reason] :
       {std::pair<std::string, std::string>{"{}", "a JSON list of predictions is expected, is object"},
        {"[{\"questionId\": \"1\"}]", "p.json: item 0: the key \"prediction\" is missing"},
        {"[{\"prediction\": \"1\"}]", "p.json: item 0: the key \"questionId\" is missing"},
        {"[{\"questionId\": 1, \"prediction\": \"a\"}]", "p.json: item 0: \"questionId\" must be a string, is 1"},
        {"[{\"questionId\": \"1\", \"prediction\": \"a\"}, {\"questionId\": \"1\", \"prediction\": \"a\"}]",
         "p.json: item 1: \"questionId\": the id \"1\" was there before"},
        {"[{\"questionId\": \"1\", \"prediction\": \"a\"}, []]", "p.json: item 1: an object"},
        {"[{\"questionId\": \"1\", \"prediction\": \"a\"}", "p.json: not JSON"},
        {"", "p.json: not JSON"}}) {
    io::write_file(path, content);
    throws_with([&] { read_predictions(path); }, reason);
  }
  throws_with([&] { read_predictions(folder / "none.json"); }, "none.json", "No such file");
}

BOOST_AUTO_TEST_CASE(judgements_as_volta_writes_them) {
  const test::TempDir folder;
  const auto path = folder / "test_result.json";
  const std::vector<Judgement> all = {{"Kedua gambar", true, false}, {"Kedua gambar", true, true}, {"x", false, true}};
  write_judgements(path, all);
  const auto json = nlohmann::json::parse(io::read_file(path, 1 << 20));
  BOOST_TEST(json.size() == 3u);
  BOOST_TEST(json[0]["sentence"] == "Kedua gambar");
  BOOST_TEST(json[0]["prediction"].is_number_integer());
  BOOST_TEST(json[0]["prediction"] == 1);
  BOOST_TEST(json[0]["label"] == 0);
  BOOST_TEST((read_judgements(path) == all));
  for (const auto& [item, reason] :
       {std::pair("\"prediction\": 2, \"label\": 1", "item 0: \"prediction\" must be 0 or 1, is 2"),
        {"\"prediction\": true, \"label\": 1", "item 0: \"prediction\" must be an integer, is true"},
        {"\"prediction\": 1", "item 0: the key \"label\" is missing"}}) {
    io::write_file(path, join("[{\"sentence\": \"s\", ", item, "}]"));
    throws_with([&] { read_judgements(path); }, "test_result.json", reason);
  }
}

BOOST_AUTO_TEST_CASE(translations_are_a_line_each) {
  const test::TempDir folder;
  const auto path = folder / "test.de";
  const std::vector<Prediction> all = {{"7-de", "Ein Hund."}, {"8-de", ""}, {"9-de", "Zwei\r\nZeilen\xE2\x80\xA8hier"}};
  write_translations(path, all);
  BOOST_TEST(io::read_file(path, 1 << 20) == "Ein Hund.\n\nZwei  Zeilen\xE2\x80\xA8hier\n");
  BOOST_TEST(io::read_file(folder / "test.de.ids", 1 << 20) == "7-de\n8-de\n9-de\n");
  const auto back = read_translations(path);
  BOOST_TEST(back.size() == 3u);
  BOOST_TEST((back[0] == all[0]));
  BOOST_TEST((back[1] == all[1]));
  BOOST_TEST(back[2].answer == "Zwei  Zeilen\xE2\x80\xA8hier");
  write_translations(folder / "none", {});
  BOOST_TEST(read_translations(folder / "none").empty());

  io::write_file(folder / "test.de.ids", "7-de\n8-de\n");
  throws_with([&] { read_translations(path); }, "test.de has 3 lines", "test.de.ids has 2");
  io::write_file(folder / "test.de.ids", "7-de\n8-de\n7-de\n");
  throws_with([&] { read_translations(path); }, "test.de.ids:3", "the id \"7-de\" was there before");
  io::write_file(folder / "test.de.ids", "7-de\n\n9-de\n");
  throws_with([&] { read_translations(path); }, "test.de.ids:2", "an id is expected");
  io::write_file(folder / "test.de.ids", "7-de\n8-de\n9-");
  throws_with([&] { read_translations(path); }, "test.de.ids", "the last line has no end");
  std::filesystem::remove(folder / "test.de.ids");
  throws_with([&] { read_translations(path); }, "test.de.ids", "No such file");
}

BOOST_AUTO_TEST_SUITE_END()
