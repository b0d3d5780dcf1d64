#include "rc3/data/format/record.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>

#include "data/samples.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/check/validate.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(record)

using namespace rc3;
using namespace rc3::data;
using test::throws_with;
using namespace std::string_literals;

namespace {

Record read(std::string_view text, const std::filesystem::path& folder = {}) {
  return read_record(io::parse_json(text, "m.jsonl:3"), "m.jsonl:3", folder);
}

template <class... Parts>
void refused(std::string_view text, const Parts&... parts) {
  throws_with([&] { read(text); }, "m.jsonl:3", parts...);
}

const std::string two = R"("texts": {"de": ["Ein Frosch", "Noch einer"], "en": "A frog"})";

}  // namespace

BOOST_AUTO_TEST_CASE(every_key_is_taken) {
  const Record record = read(
      R"({"id": "7", "image": "p/a.jpg", "texts": {"en": "A frog", "de": ["Ein Frosch", "Noch einer"]},
          "alignment": "strict", "relevance": 0.25, "width": 640, "height": 480.5,
          "boxes": [[0, 0, 640, 480.5], [1.5, 2, 3, 4]], "features": "f/a.safetensors", "_mine": {}, "x-y": null})",
      "/data");
  const Sample& s = record.sample;
  BOOST_TEST(s.id == "7");
  BOOST_TEST(std::get<std::filesystem::path>(s.image) == "/data/p/a.jpg");
  BOOST_TEST((s.texts == std::vector<Text>{{"de", "Ein Frosch", 0}, {"de", "Noch einer", 1}, {"en", "A frog", 0}}));
  BOOST_TEST((s.relevance == std::vector<TextRelevance>{{0, 1, 0.25f}, {1, 2, 0.25f}}));  // 0 and 2 are translations
  BOOST_TEST(s.regions.width == 640);
  BOOST_TEST(s.regions.height == 480.5);
  BOOST_TEST((s.regions.boxes == std::vector<Box>{{0, 0, 640, 480.5}, {1.5, 2, 3, 4}}));
  BOOST_TEST(record.features == "/data/f/a.safetensors");
  BOOST_TEST(read(R"({"image": "p/a.jpg"})", "/data").sample.id == "p/a.jpg");
  BOOST_TEST(std::get<std::filesystem::path>(read(R"({"image": "/b.jpg"})", "/data").sample.image) == "/b.jpg");
  BOOST_TEST(read("{}").sample.id == "");  // a shard has its own keys
}

BOOST_AUTO_TEST_CASE(older_files_say_picture) {
  BOOST_TEST(std::get<std::filesystem::path>(read(R"({"picture": "a.jpg"})", "/data").sample.image) == "/data/a.jpg");
  refused(R"({"picture": "a.jpg", "image": "b.jpg"})", "\"image\"", "\"picture\"");
}

BOOST_AUTO_TEST_CASE(alignment_has_three_forms) {
  const auto groups = [](const std::string& alignment) {
    std::vector<std::int64_t> all;
    for (const Text& text : read("{" + two + R"(, "alignment": )" + alignment + "}").sample.texts)
      all.push_back(text.group);
    return all;
  };
  BOOST_TEST((groups(R"("strict")") == std::vector<std::int64_t>{0, 1, 0}));
  BOOST_TEST((groups(R"("weak")") == std::vector<std::int64_t>{0, 1, 2}));
  BOOST_TEST((groups(R"({"en": [7], "de": [5, 7]})") == std::vector<std::int64_t>{5, 7, 7}));
  refused("{" + two + "}", "need \"alignment\"", "strict", "weak");
  refused("{" + two + R"(, "alignment": "loose"})", "alignment", "\"loose\"");
  refused("{" + two + R"(, "alignment": {"de": [0, 1]}})", "alignment", "\"en\" is missing");
  refused("{" + two + R"(, "alignment": {"de": [0], "en": [0]}})", "1 numbers for the 2 texts in \"de\"");
  refused("{" + two + R"(, "alignment": {"de": [0, 1], "en": [0], "fr": [0]}})", "no text in \"fr\"");
  refused("{" + two + R"(, "alignment": {"de": [0, 0.5], "en": [0]}})", "\"de\" must be an integer");
  BOOST_TEST(read(R"({"texts": {"en": "A frog"}})").sample.texts[0].group == 0);  // one text needs no word on it
}

BOOST_AUTO_TEST_CASE(relevance_is_given_by_pair) {
  const std::string weak = "{" + two + R"(, "alignment": "weak", "relevance": )";
  BOOST_TEST((read(weak + "1}").sample.relevance == std::vector<TextRelevance>{{0, 1, 1}, {0, 2, 1}, {1, 2, 1}}));
  BOOST_TEST((read(weak + R"({"en de#1": 0.5, "de#0 en#0": 0.25}})").sample.relevance ==
              std::vector<TextRelevance>{{0, 2, 0.25f}, {1, 2, 0.5f}}));
  refused(weak + R"({"de en": 1, "en de": 1}})", "\"de en\" is given twice");
  refused(weak + R"({"de en": 1, "de#0 en": 1}})", "\"de en\" is given twice");
  refused(weak + R"({"de fr": 1}})", "no text \"fr\"");
  refused(weak + R"({"de#2 en": 1}})", "no text \"de#2\", but 2");
  refused(weak + R"({"de#-1 en": 1}})", "\"de#-1\"");
  refused(weak + R"({"de# en": 1}})", "\"de#\"");
  refused(weak + R"({"de#99999999999999999999 en": 1}})", "is no text");
  refused(weak + R"({"de#1x en": 1}})", "is no text");
  refused(weak + R"({"de": 1}})", "\"de\" is no pair");
  refused(weak + R"({"de  en": 1}})", "relevance");
  refused(weak + R"({"de en en": 1}})", "relevance");
  refused(weak + R"({"de de#0": 1}})", "names one text twice");
  refused(weak + R"({"de en": "1"}})", "must be a number");
  refused(weak + "true}", "\"relevance\" must be");
  throws_with([&] { check_sample(read(R"({"id": "a", )" + weak.substr(1) + "2}").sample, "x"); }, "in [0, 1], is 2");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named) {
  refused("[]", "a JSON object");
  refused(R"({"text": {"en": "A frog"}})", "the key \"text\" is unknown", "image, texts,");
  refused(R"({"X-a": 1})", "\"X-a\"");
  refused(R"({"id": 7})", "\"id\" must be a string");
  refused(R"({"image": ""})", "\"image\" is no path");
  refused(R"({"image": "a\u0000.jpg"})", "\"image\" is no path");
  refused(R"({"features": ["a"]})", "\"features\" must be a string");
  refused(R"({"texts": "A frog"})", "\"texts\" must be an object");
  refused(R"({"texts": {"en": 7}})", "texts: \"en\" must be a string or an array of strings, is 7");
  refused(R"({"texts": {"en": null}})", "must be a string or an array of strings, is null");
  refused(R"({"texts": {"en": ["a", null]}})", "\"en\" must be a string, is null");
  refused(R"({"texts": {"en": [7]}})", "\"en\" must be a string");
  refused(R"({"texts": {"en": []}})", "\"en\" has no text");
  refused(R"({"texts": {"": "x"}})", "\"\" is no language");
  refused(R"({"texts": {"de en": "x"}})", "\"de en\" is no language");
  refused(R"({"texts": {"de#1": "x"}})", "\"de#1\" is no language");
  refused(R"({"width": 640})", "\"height\" is missing");
  refused(R"({"width": 640, "height": 0})", "must be > 0");
  refused(R"({"width": 640, "height": 4.6e51})", "\"height\" must be a number in range");
  refused(R"({"boxes": [[0, 0, 1, 1]]})", "\"boxes\" need \"width\"");
  refused(R"({"width": 6, "height": 4, "boxes": [[0, 0, 1, 1], [0, 0, 1]]})", "box 1 has 3 numbers");
  refused(R"({"width": 6, "height": 4, "boxes": [0, 0, 1, 1]})", "\"boxes\" must be an array");
  refused(R"({"width": 6, "height": 4, "boxes": [[0, 0, 1, null]]})", "\"boxes\" must be a number");
}

BOOST_AUTO_TEST_CASE(the_number_of_pairs_is_bounded) {
  std::string many = R"({"alignment": "weak", "relevance": 1, "texts": {"en": ["a")";
  for (int i = 0; i < 100'000; ++i) many += R"(,"a")";
  const test::PeakMemory memory;
  refused(many + "]}}", "more than 1000 texts");
  test::at_most("memory for 100,001 texts with relevance, KB", memory.rise(), 64 * 1024);
}

BOOST_AUTO_TEST_CASE(random_samples_come_back_equal) {
  Random random(3);
  int groups = 0;
  for (int i = 0; i < 2000; ++i) {
    const Sample sample = test::random_sample(random, i);
    const auto json = to_json(sample, "/data");
    groups += json.contains("alignment") && json["alignment"].is_object() ? 1 : 0;
    const Record back = read_record(io::parse_json(json.dump(), "x"), "x", "/data");
    BOOST_TEST(back.features.empty());
    BOOST_TEST_CONTEXT(json.dump()) test::check_equal(back.sample, sample);
  }
  BOOST_TEST((200 < groups && groups < 1800));  // both short and long forms were seen
}

BOOST_AUTO_TEST_CASE(texts_are_sorted_and_relevance_follows_them) {
  Sample s;
  s.id = "a";
  s.texts = {{"en", "A frog", 0}, {"de", "Ein Blatt", 1}, {"en", "A pond", 2}, {"cs", "žába", 0}};
  s.relevance = {{0, 1, 0.25f}, {1, 2, 0.5f}, {2, 3, 0.75f}};
  const Sample back = read_record(to_json(s), "x").sample;
  BOOST_TEST((back.texts ==
              std::vector<Text>{{"cs", "žába", 0}, {"de", "Ein Blatt", 1}, {"en", "A frog", 0}, {"en", "A pond", 2}}));
  BOOST_TEST((back.relevance == std::vector<TextRelevance>{{0, 3, 0.75f}, {1, 2, 0.25f}, {1, 3, 0.5f}}));
}

BOOST_AUTO_TEST_CASE(the_simplest_form_is_written) {
  Sample s;
  s.id = "a";
  s.texts = {{"en", "A frog", 1}, {"de", "Ein Frosch", 0}};
  s.relevance = {{0, 1, 0.7f}};
  BOOST_TEST(to_json(s).dump() ==
             R"({"alignment":"weak","id":"a","relevance":0.7,"texts":{"de":"Ein Frosch","en":"A frog"}})");
  s.texts[0].group = 0;
  BOOST_TEST(to_json(s)["alignment"] == "strict");
  BOOST_TEST(to_json(s)["relevance"] == (nlohmann::json{{"de en", 0.7}}));  // a number would not mean this pair
  s.relevance.clear();
  s.texts = {{"en", "A frog", 0}};
  BOOST_TEST(to_json(s).dump() == R"({"id":"a","texts":{"en":"A frog"}})");
  s.image = std::filesystem::path("/data/p/a.jpg");
  BOOST_TEST(to_json(s, "/data")["image"] == "p/a.jpg");
  BOOST_TEST(to_json(s, "/data/q")["image"] == "/data/p/a.jpg");
  BOOST_TEST(to_json(s, "/data", "/data/f/a.safetensors")["features"] == "f/a.safetensors");
}

BOOST_AUTO_TEST_CASE(what_a_record_cannot_say_is_refused) {
  Sample s;
  s.id = "a";
  s.image = EncodedImage{"bytes", "x"};
  throws_with([&] { to_json(s); }, "a: ", "in memory");
  s.image = {};
  s.texts = {{"de en", "x", 0}};
  throws_with([&] { to_json(s); }, "\"de en\" is no language");
  s.texts.clear();
  s.regions = {.width = 4, .height = 4, .boxes = {{0, 0, 1, 1}}, .features = {1}, .classes = {}};
  throws_with([&] { to_json(s); }, "write_regions");
  BOOST_TEST(to_json(s, {}, "f").dump() == R"({"features":"f","id":"a"})");
}

BOOST_AUTO_TEST_CASE(python_reads_and_writes_the_same) {
  const std::string python = test::environment("RC3_TEST_PYTHON");
  if (python.empty()) return;
  const test::TempDir folder;
  io::write_file(folder / "peer.py", R"(
import json, sys
with open(sys.argv[1], encoding="utf-8") as f: records = [json.loads(line) for line in f]
r = records[0]
assert r["texts"] == {"de": ["Ein \"Frosch\"\n", "žába"], "ja": "カエル🐸"}, r
assert r["alignment"] == {"de": [4, 2], "ja": [4]} and r["relevance"] == {"de de#1": 0.7}, r
assert r["boxes"] == [[0.1, 0, 3.5, 4]] and r["image"] == "a b.jpg", r
r["texts"]["de"][1] += "!"
r["id"] = "ž"
json.dump(r, open(sys.argv[2], "w"))  # escapes what is not ASCII
)");
  Sample sample;
  sample.id = "a";
  sample.image = std::filesystem::path("a b.jpg");
  sample.texts = {{"de", "Ein \"Frosch\"\n", 4}, {"de", "žába", 2}, {"ja", "カエル🐸", 4}};
  sample.relevance = {{0, 1, 0.7f}};
  sample.regions = {.width = 8, .height = 4, .boxes = {{0.1f, 0, 3.5f, 4}}, .features = {}, .classes = {}};
  io::write_file(folder / "in", to_json(sample).dump() + "\n");
  const std::string command = join(python, ' ', folder / "peer.py", ' ', folder / "in", ' ', folder / "out");
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  sample.id = "ž";
  sample.texts[1].text += "!";
  test::check_equal(read(io::read_file(folder / "out", 1 << 20)).sample, sample);
}

BOOST_AUTO_TEST_SUITE_END()
