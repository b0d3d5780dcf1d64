#include "rc3/data/format/iglue/iglue.hpp"

#include <functional>

#include "data/small_files.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(iglue_files)

using namespace rc3;
using namespace rc3::data;
using namespace rc3::data::iglue;
using test::iglue_file;
using test::patient;
using test::throws_with;

namespace {

/// What each reader makes of @p content: how many records, and the problems.
using Reader = std::function<std::size_t(const std::filesystem::path&, DataErrors&)>;

struct Format {
  std::string name;
  std::string file;  // of three good lines at least
  Reader read;
  std::string field;   // must be there
  std::string unique;  // its id, empty: none
};

const std::vector<Format> formats = {
    {"xFlickr&CO", "xflickrco-de.jsonl", [](auto& path, auto& p) { return read_xflickrco(path, p).size(); }, "img_path",
     "1009.jpg"},
    {"XVNLI", "xvnli-fr.jsonl", [](auto& path, auto& p) { return read_xvnli(path, p).size(); }, "sentence2",
     "248.jpg#1r1n"},
    {"MaRVL", "marvl-id.jsonl", [](auto& path, auto& p) { return read_marvl(path, p).size(); }, "label", "id-1"},
    {"WIT", "wit-en.jsonl", [](auto& path, auto& p) { return read_wit(path, p).size(); }, "image_url", ""},
    {"Captions", "xflickrco-de.jsonl",
     [](auto& path, auto& p) {
       return static_cast<std::size_t>(xflickrco({{"de", path}}, {}, p).size());
     },
     "sentences", "1009.jpg"},
};

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

}  // namespace

BOOST_AUTO_TEST_CASE(xflickrco_records) {
  DataErrors errors;
  const auto records = read_xflickrco(iglue_file("xflickrco-de.jsonl"), errors);
  BOOST_TEST(records.size() == 3u);
  BOOST_TEST((records[1].sentences == std::vector<std::string>{"Drei Frauen rudern.", "Ein Boot auf dem See."}));
  BOOST_TEST(records[1].img_path == "1009.jpg");
  BOOST_TEST(records[0].id == "1007");
  BOOST_TEST(records[2].id == "391895");  // a number in COCO's part
  BOOST_TEST(errors.samples() == 3);
  BOOST_TEST(errors.count() == 0);
}

BOOST_AUTO_TEST_CASE(xflickrco_joined_by_image) {
  DataErrors errors;
  const Captions data =
      xflickrco({{"de", iglue_file("xflickrco-de.jsonl")}, {"ja", iglue_file("xflickrco-ja.jsonl")}}, "images", errors);
  BOOST_TEST(data.size() == 4);
  BOOST_TEST((data.languages() == LanguageCounts{{"de", 4}, {"ja", 3}}));
  const Sample boat = data.read(1);
  BOOST_TEST(boat.id == "1009.jpg");
  BOOST_TEST(std::get<std::filesystem::path>(boat.image) == "images/1009.jpg");
  BOOST_TEST((boat.texts == std::vector<Text>{{"de", "Drei Frauen rudern.", 0},
                                              {"de", "Ein Boot auf dem See.", 1},
                                              {"ja", "湖でボートを漕ぐ人たち。", 2}}));
  BOOST_TEST(data.read(0).texts.size() == 1u);
  BOOST_TEST(data.read(3).texts[0].language == "ja");
  for (std::int64_t i = 0; i < 4; ++i) check_sample(data.read(i), join(i));
  throws_with([&] { data.read(4); }, "xFlickr&CO: has 4 samples, no sample 4");
  throws_with([&] { xflickrco({}, "", errors); }, "no file was given");
}

BOOST_AUTO_TEST_CASE(xvnli_records) {
  DataErrors errors;
  std::int64_t undecided = -1;
  const auto records = read_xvnli(iglue_file("xvnli-fr.jsonl"), errors, &undecided);
  BOOST_TEST(records.size() == 3u);
  BOOST_TEST(undecided == 1);
  BOOST_TEST(errors.count() == 0);
  BOOST_TEST((records[0].label == Entailment::neutral));
  BOOST_TEST((records[1].label == Entailment::contradiction));
  BOOST_TEST((records[2].label == Entailment::entailment));
  BOOST_TEST(records[1].sentence1 == "Un homme lit sur un banc.");
  BOOST_TEST(records[1].sentence2 == "Un homme nage.");
  BOOST_TEST(records[1].caption_id == "248.jpg#1");
  BOOST_TEST(records[1].pair_id == "248.jpg#1r1c");
  BOOST_TEST(records[1].image_id == "248");  // with and without .jpg
}

BOOST_AUTO_TEST_CASE(marvl_records) {
  DataErrors errors;
  const auto records = read_marvl(iglue_file("marvl-id.jsonl"), errors);
  BOOST_TEST(records.size() == 2u);
  BOOST_TEST(records[0].label);
  BOOST_TEST(!records[1].label);
  BOOST_TEST(records[1].id == "id-1");
  BOOST_TEST(records[1].concept_name == "39-Panci");
  BOOST_TEST(records[1].language == "id");
  BOOST_TEST(records[1].caption == "Hanya satu panci di atas kompor");
  BOOST_TEST(records[1].left_img == "39-Panci/39-3.jpg");
  BOOST_TEST(records[1].right_img == "39-Panci/39-4.jpg");
  BOOST_TEST(records[1].chapter == "Basic actions and technology");
}

BOOST_AUTO_TEST_CASE(wit_records_and_joined_by_image) {
  DataErrors errors = patient();
  const auto records = read_wit(iglue_file("wit-en.jsonl"), errors);
  BOOST_TEST(records.size() == 3u);
  BOOST_TEST(records[2].image_idx == 20);
  BOOST_TEST(read_wit(iglue_file("wit-bg.jsonl"), errors)[0].image_idx == -1);
  BOOST_TEST(errors.count() == 0);

  const std::vector both = {iglue_file("wit-en.jsonl"), iglue_file("wit-bg.jsonl")};
  const Captions data = wit(both, {}, errors);
  BOOST_TEST(data.size() == 2);
  BOOST_TEST((data.languages() == LanguageCounts{{"bg", 1}, {"en", 3}}));
  const Sample map = data.read(1);
  BOOST_TEST(map.id == "wit-test_4");
  BOOST_TEST((map.texts == std::vector<Text>{{"en", "Location of the county", 0},
                                             {"en", "Map of the state", 1},
                                             {"bg", "Карта на щата", 2}}));
  BOOST_TEST(std::holds_alternative<std::monostate>(map.image));

  const auto only_tower = [](const std::string& url) -> std::optional<std::filesystem::path> {
    if (url == "https://upload.example.org/3/33/Tower.jpg") return "tower.jpg";
    return std::nullopt;
  };
  const Captions found = wit(both, only_tower, errors);
  BOOST_TEST(found.size() == 1);
  BOOST_TEST(std::get<std::filesystem::path>(found.read(0).image) == "tower.jpg");
  BOOST_TEST(errors.count("missing image") == 3);
  BOOST_TEST((found.languages() == LanguageCounts{{"en", 1}}));
}

BOOST_AUTO_TEST_CASE(xgqa_records) {
  DataErrors errors;
  const auto records = read_xgqa(iglue_file("xgqa-de.json"), errors);
  BOOST_TEST(records.size() == 2u);
  BOOST_TEST(records[0].id == "202158849");
  BOOST_TEST(records[0].question == "Welche Farbe hat die \"Bank\" {links}, sagen wir [vorn]?");
  BOOST_TEST(records[0].answer == "brown");
  BOOST_TEST(records[0].image_id == "n406334");
  BOOST_TEST(records[0].structure == "query");
  BOOST_TEST(records[1].question == "Ist der 5\" große Käfig } neben der Bank\\?");
  BOOST_TEST(errors.samples() == 2);
}

BOOST_AUTO_TEST_CASE(damaged_questions_are_left_out) {
  const test::TempDir folder;
  const auto read = [&](const std::string& content, DataErrors& errors) {
    io::write_file(folder / "q.json", content);
    return read_xgqa(folder / "q.json", errors);
  };
  const std::string good = R"({"question": "q?", "imageId": "n1"})";
  DataErrors errors = patient();
  const auto records =
      read("\xEF\xBB\xBF{\r\n\"1\": " + good + ",\r\n\"2\": {\"question\": 7, \"imageId\": \"n1\"}, \"3\": 5," +
               "\"4\": {\"question\": \"q\", \"question\": \"q\", \"imageId\": \"n1\"}, \"5\": {\"imageId\": \"n\"},"
               "\"6\": {\"question\": \"\xff\", \"imageId\": \"n1\"}, \"7\": {\"question\": " +
               std::string(100, '[') + std::string(100, ']') + "}, \"1\": " + good + ", \"8\": {\"question\": \"" +
               std::string(2'000'000, 'x') + "\"}, \"9\": [" + good + "], \"\\u0041\": " + good + "}\r\n",
           errors);
  BOOST_TEST(records.size() == 2u);
  BOOST_TEST(records[1].id == "A");
  BOOST_TEST(records[0].answer == "");
  BOOST_TEST(errors.samples() == 11);
  BOOST_TEST(errors.count("malformed record") == 8);
  BOOST_TEST(errors.count("duplicate id") == 1);
  BOOST_TEST(errors.report().find("q.json: question 2: \"question\" must be a string, is 7") != std::string::npos);

  for (const auto& [content, reason] : {std::pair<std::string, std::string>{"", "'{' expected at byte 0"},
                                        {"[]", "'{' expected at byte 0"},
                                        {"{", "a string expected at byte 1"},
                                        {"{}", "has no valid record"},
                                        {"{\"1\"", "':' expected at byte 4"},
                                        {"{\"1\": " + good, "the end of a value"},
                                        {"{\"1\": " + good + "]", "',' expected"},
                                        {"{\"1\": " + good + "} x", "the end expected"},
                                        {"{\"1\": " + good + ",}", "a string expected"},
                                        {"{\"1\": {\"question", "the end of a string"},
                                        {"{\"1\": {\"question\\", "the end of a string"},
                                        {"{\"1\": [[[", "the end of a value"},
                                        {std::string("{\0}", 3), "a string expected"}})
    throws_with([&, content = content] { read(content, errors); }, "q.json", reason);
}

BOOST_AUTO_TEST_CASE(every_reader_bears_what_strangers_write) {
  const test::TempDir folder;
  for (const Format& format : formats) BOOST_TEST_CONTEXT(format.name) {
      const std::string good = io::read_file(iglue_file(format.file), 1 << 20);
      DataErrors untouched = patient();
      const std::size_t all = format.read(iglue_file(format.file), untouched);
      const auto read = [&](const std::string& content, DataErrors& errors) {
        io::write_file(folder / "a.jsonl", content);
        return format.read(folder / "a.jsonl", errors);
      };
      const auto one_bad = [&](const std::string& line, std::string_view kind, std::string_view reason) {
        DataErrors errors = patient();
        BOOST_TEST(read(good + line + "\n\n" + "\r\n", errors) == all);
        BOOST_TEST(errors.count() == 1);
        BOOST_TEST(errors.count(std::string(kind)) == 1);
        BOOST_TEST((errors.report().find(reason) != std::string::npos), errors.report());
        BOOST_TEST((errors.report().find("a.jsonl:") != std::string::npos), errors.report());
      };
      const std::string first = good.substr(0, good.find('\n'));
      const std::string key = "\"" + format.field + "\"";
      one_bad(replaced(first, key, "\"x\""), "malformed record", "the key " + key + " is missing");
      one_bad(replaced(first, key + ": ", key + ": 1.5, \"x\": "), "malformed record", key + " must be");
      one_bad(replaced(first, key + ": ", key + ": null, \"x\": "), "malformed record", "is null");
      one_bad(replaced(first, ": \"", ": \"\xff"), "malformed record", "not UTF-8");
      one_bad(first.substr(0, first.size() / 2), "malformed record", "not JSON");
      one_bad("[" + first + "]", "malformed record", "a JSON object is expected, is array");
      one_bad(std::string(10'000, '['), "malformed record", "nested deeper");
      one_bad(std::string(1'100'000, 'x'), "malformed record", "more than the allowed 1048576");
      one_bad("{\"a\": 1, \"a\": 2}", "malformed record", "given twice");
      if (!format.unique.empty()) {
        const std::size_t at = good.find(format.unique);
        const std::size_t begin = good.rfind('\n', at) + 1;
        one_bad(good.substr(begin, good.find('\n', at) - begin), "duplicate id", format.unique);
      }

      std::string windows = "\xEF\xBB\xBF";
      for (const char c : good) windows += c == '\n' ? "\r\n" : std::string(1, c);
      DataErrors errors = patient();
      BOOST_TEST(read(windows, errors) == all);
      BOOST_TEST(errors.count() == 0);
      BOOST_TEST(read(good.substr(0, good.size() - 1), errors) == all);  // no end of the last line
      throws_with([&] { read("", errors); }, "a.jsonl", "has no valid record");
      throws_with([&] { read("\x1F\x8B", errors); }, "a.jsonl: is gzip-compressed");
      throws_with([&] { format.read(folder / "none.jsonl", errors); }, "none.jsonl", "No such file");
    }
}

BOOST_AUTO_TEST_CASE(texts_say_something) {
  const test::TempDir folder;
  DataErrors errors = patient();
  io::write_file(folder / "a.jsonl", R"({"sentences": ["a", " "], "id": "1", "img_path": "1.jpg"}
{"sentences": [], "id": "2", "img_path": "2.jpg"}
{"sentences": ["a"], "id": "3", "img_path": "../3.jpg"}
{"sentences": ["a"], "id": "4", "img_path": "4.jpg"})");
  const Captions data = xflickrco({{"en", folder / "a.jsonl"}}, "images", errors);
  BOOST_TEST(data.size() == 1);
  BOOST_TEST(errors.count("malformed record") == 2);
  BOOST_TEST(errors.count("missing image") == 1);
  BOOST_TEST(errors.report().find("\"sentences\": the text is empty") != std::string::npos);

  const std::string xvnli = io::read_file(iglue_file("xvnli-fr.jsonl"), 1 << 20);
  io::write_file(folder / "b.jsonl", replaced(xvnli, "\"neutral\"", "\"maybe\""));
  BOOST_TEST(read_xvnli(folder / "b.jsonl", errors).size() == 2u);
  BOOST_TEST(errors.report().find("must be entailment, neutral, contradiction or -, is maybe") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_file_changed_since_it_was_opened) {
  const test::TempDir folder;
  DataErrors errors;
  const std::string line = R"({"sentences": ["a"], "id": "1", "img_path": "1.jpg"})";
  io::write_file(folder / "a.jsonl", line + "\n");
  const Captions data = xflickrco({{"en", folder / "a.jsonl"}}, "", errors);
  const auto overwrite = [&](const std::string& with) { std::ofstream(folder / "a.jsonl", std::ios::in) << with; };
  overwrite(replaced(line, "1.jpg", "2.jpg"));
  throws_with([&] { data.read(0); }, "a.jsonl:1: was changed", "2.jpg", "1.jpg");
  overwrite(replaced(line, "[\"a\"]", "[\"\t\"]"));
  throws_with([&] { data.read(0); }, "a.jsonl:1", "not JSON");
}

BOOST_AUTO_TEST_SUITE_END()
