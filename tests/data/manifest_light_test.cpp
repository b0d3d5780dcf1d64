#include "rc3/data/format/manifest.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>

#include "data/samples.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(manifest)

using namespace rc3;
using namespace rc3::data;
using test::throws_with;

namespace {

const std::string frog = R"({"image": "a.jpg", "texts": {"de": "Ein Frosch", "en": "A frog"}, "alignment": "strict"})";

/// A manifest with @p lines after a good one.
struct Written {
  explicit Written(const std::string& lines) { io::write_file(folder / "m.jsonl", frog + "\n" + lines); }
  Manifest open(ManifestOptions options = {}) { return Manifest(folder / "m.jsonl", errors, std::move(options)); }
  test::TempDir folder;
  DataErrors errors;
};

/// That @p line after a good one is left out as one of this kind, and named.
template <class... Parts>
void left_out(const std::string& line, const std::string& kind, const Parts&... parts) {
  Written written(line + "\n" + R"({"id": "last"})");
  BOOST_TEST_CONTEXT(line.substr(0, 200)) {
    const Manifest manifest = written.open({.folder = {}, .languages = {}, .lines = {.max_line = 4000}});
    BOOST_TEST(manifest.size() == 2);
    BOOST_TEST(manifest.read(1).id == "last");
    BOOST_TEST(written.errors.count(kind) == 1, written.errors.report());
    BOOST_TEST(written.errors.count() == 1);
    BOOST_TEST(written.errors.samples() == 3);
    throws_with([&] { fail(written.errors.report()); }, "m.jsonl:2", parts...);
  }
}

/// Samples in memory.
struct Listed {
  std::vector<Sample> samples;
  LanguageCounts counts;
  std::string name() const { return "listed"; }
  std::int64_t size() const { return static_cast<std::int64_t>(samples.size()); }
  Sample read(std::int64_t i) const { return samples.at(static_cast<std::size_t>(i)); }
  const LanguageCounts& languages() const { return counts; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(good_records_are_read) {
  Written written(
      "\r\n\n"
      R"({"id": "é", "texts": {"en": "x"}, "width": 4, "height": 3, "boxes": [[0, 0, 4, 3]]})");
  const Manifest manifest = written.open();
  BOOST_TEST(written.errors.report() == "");
  BOOST_TEST(written.errors.samples() == 2);
  BOOST_REQUIRE(manifest.size() == 2);
  BOOST_TEST((manifest.languages() == LanguageCounts{{"de", 1}, {"en", 2}}));
  BOOST_TEST(manifest.name() == (written.folder / "m.jsonl").string());
  const Sample first = manifest.read(0);
  BOOST_TEST(first.id == "a.jpg");
  BOOST_TEST(std::get<std::filesystem::path>(first.image) == written.folder / "a.jpg");
  BOOST_TEST((first.texts == std::vector<Text>{{"de", "Ein Frosch", 0}, {"en", "A frog", 0}}));
  BOOST_TEST(manifest.read(1).id == "é");
  BOOST_TEST(manifest.read(1).regions.size() == 1u);
  throws_with([&] { manifest.read(2); }, "m.jsonl", "no sample 2");
  throws_with([&] { manifest.read(-1); }, "no sample -1");

  const Manifest elsewhere = written.open({.folder = "/images", .languages = {}});
  BOOST_TEST(std::get<std::filesystem::path>(elsewhere.read(0).image) == "/images/a.jpg");
}

BOOST_AUTO_TEST_CASE(bad_records_are_left_out_by_kind) {
  left_out("{\"id\": ", "malformed record", "not JSON");
  left_out("{\"id\": \"\xff\"}", "malformed record", "not UTF-8");
  left_out(R"({"id": "b", "id": "c"})", "malformed record", "\"id\" is given twice");
  left_out(R"({"id": "b", "text": {}})", "malformed record", "\"text\" is unknown");
  left_out(R"({"id": "b"} {})", "malformed record", "not JSON");
  left_out(std::string("{\"id\": \"b\"}\0{}", 13), "malformed record", "NUL");
  left_out("   ", "malformed record", "not JSON");
  left_out(R"({"texts": {"en": "x"}})", "malformed record", "\"id\" or a \"image\"");
  left_out(R"({"id": "", "image": "b.jpg"})", "malformed record", "\"id\" or a \"image\"");
  left_out(R"({"id": "b", "texts": {"de": "x", "en": "y"}, "alignment": "weak", "relevance": 2})", "malformed record",
           "in [0, 1], is 2");
  left_out(R"({"id": "b", "_deep": [[[[[[[[[[[[]]]]]]]]]]]]})", "malformed record", "nested deeper than 8");
  left_out(R"({"id": "b", "_pad": ")" + std::string(5000, 'x') + "\"}", "malformed record",
           "more than the allowed 4000");
  left_out(R"({"id": "a.jpg"})", "duplicate id", "\"a.jpg\" was there before");
  left_out(R"({"id": "b", "texts": {"en": " \t"}})", "empty text", "en: the text is empty");
  left_out(R"({"id": "b", "width": 4, "height": 4, "boxes": [[0, 0, 5, 1]]})", "absurd box", "box 0 (0, 0, 5, 1)");
  left_out(R"({"id": "b", "width": 4, "height": 4, "boxes": [[1e300, 0, 5, 1]]})", "malformed record",
           "\"boxes\" must be a number in range, is 1e+300");
}

BOOST_AUTO_TEST_CASE(texts_of_invisible_characters_are_empty) {
  for (const std::string text :
       {"\\u200b", "\\u00a0", "\\u3000", "\\ufeff", "\\u0000", "\\u0085", "\\u2060 \\t", "\\u00ad"})
    left_out(R"({"id": "b", "texts": {"en": ")" + text + R"("}})", "empty text", "en: the text is empty",
             "invisible characters only");
  DataErrors errors;
  const Manifest given(test::source("tests/data/files/cases/zero_width.jsonl"), errors);
  BOOST_TEST(given.size() == 3);  // without the whole of sample 2, of which one text is U+200B
  throws_with([&] { fail(errors.report()); }, "empty text: 1", "zero_width.jsonl:2: en");
}

BOOST_AUTO_TEST_CASE(boxes_at_the_edge) {
  DataErrors errors({.fraction = 0, .minimum = 0});
  const Manifest rounded(test::source("tests/data/files/cases/box_eps.jsonl"), errors);
  BOOST_TEST(rounded.size() == 2);
  BOOST_TEST((rounded.read(0).regions.boxes.at(0) == Box{359.17f, 10, 640, 400}));  // 640.0001 in the file
  left_out(R"({"id": "b", "width": 640, "height": 480, "boxes": [[1, 1, 2, 2], [-0.25, 0, 640.75, 400]]})",
           "absurd box", "box 1 (-0.25, 0, 640.75, 400) is not inside its image of 640 x 480");
  left_out(R"({"id": "b", "width": 640, "height": 480, "boxes": [[640.00012, 0, 640.2, 400]]})", "absurd box",
           "box 0 (640.0001, 0, 640.2, 400)");
  DataErrors one;
  const Manifest null(test::source("tests/data/files/cases/null_text.jsonl"), one);
  BOOST_TEST(null.size() == 1);
  throws_with([&] { fail(one.report()); }, "null_text.jsonl:1: texts: \"de\" must be a string or an array of strings");
}

BOOST_AUTO_TEST_CASE(languages_can_be_demanded) {
  Written written(R"({"id": "b", "texts": {"de": "x"}})");
  BOOST_TEST(written.open({.folder = {}, .languages = {"de"}}).size() == 2);
  BOOST_TEST(written.errors.count() == 0);
  const Manifest manifest = written.open({.folder = {}, .languages = {"de", "en"}});
  BOOST_TEST(manifest.size() == 1);
  BOOST_TEST(written.errors.count("missing language") == 1);
  BOOST_TEST((manifest.languages() == LanguageCounts{{"de", 1}, {"en", 1}}));  // not those of the record left out
  throws_with([&] { written.open({.folder = {}, .languages = {"fr"}}); }, "has no valid record",
              "has no text in \"fr\"");
}

BOOST_AUTO_TEST_CASE(a_budget_ends_it) {
  Written written("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
  throws_with([&] { written.open(); }, "too many errors: 11 in 12", "m.jsonl:12");
  const test::TempDir folder;
  io::write_file(folder / "m.jsonl", "\n\n");
  throws_with([&] { Manifest(folder / "m.jsonl", written.errors); }, "m.jsonl: has no valid record");
  throws_with([&] { Manifest(folder / "n.jsonl", written.errors); }, "n.jsonl: cannot open");
}

BOOST_AUTO_TEST_CASE(features_come_from_their_file) {
  Written written(R"({"id": "b", "features": "f/b.safetensors", "width": 4, "height": 3, "boxes": [[0, 0, 4, 3]]})");
  const Manifest manifest = written.open();
  BOOST_TEST(written.errors.count() == 0);
  throws_with([&] { manifest.read(1); }, "m.jsonl:2", "\"features\"", "b.safetensors", "cannot open");
  Regions regions{.width = 4, .height = 3, .boxes = {{0, 0, 4, 3}}, .features = {1, 2}, .classes = {}};
  std::filesystem::create_directories(written.folder / "f");
  io::write_file(written.folder / "f/b.safetensors", write_regions(regions));
  test::check_equal(manifest.read(1).regions, regions);
  regions.boxes[0][0] = 1;
  io::write_file(written.folder / "f/b.safetensors", write_regions(regions));
  throws_with([&] { manifest.read(1); }, "m.jsonl:2", "b.safetensors", "its boxes are others");
  const Manifest frugal = written.open({.folder = {}, .languages = {}, .lines = {}, .max_features_bytes = 100});
  throws_with([&] { frugal.read(1); }, "m.jsonl:2", "more than the allowed 100");
}

BOOST_AUTO_TEST_CASE(a_file_that_changes_meanwhile_is_seen) {
  Written written(R"({"id": "b", "texts": {"en": "x"}})"
                  "\n");
  const Manifest manifest = written.open();
  std::fstream(written.folder / "m.jsonl", std::ios::in | std::ios::out).seekp(3) << "#";
  throws_with([&] { manifest.read(0); }, "m.jsonl:1");
  BOOST_TEST(manifest.read(1).id == "b");
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  const test::TempDir folder;
  Random random(6);
  Listed listed;
  for (int i = 0; i < 100; ++i) {
    listed.samples.push_back(test::random_sample(random, i));
    if (i % 10 == 0) listed.samples.back().regions = test::random_regions(random, 2, 7, i % 20 == 0 ? 3 : 0);
  }
  write_manifest(listed, folder / "m.jsonl");
  DataErrors errors;
  const Manifest manifest(folder / "m.jsonl", errors);
  BOOST_TEST(errors.report() == "");
  BOOST_REQUIRE(manifest.size() == 100);
  for (std::int64_t i = 0; i < 100; ++i) test::check_equal(manifest.read(i), listed.read(i));

  listed.samples[50].image = io::Image{1, 1, {0, 0, 0, 255}};
  throws_with([&] { write_manifest(listed, folder / "m.jsonl"); }, "in memory");
  BOOST_TEST(Manifest(folder / "m.jsonl", errors).size() == 100);  // the one before
  listed.samples[50] = listed.samples[51];
  listed.samples[50].texts[0].text = std::string(1 << 20, 'x');
  throws_with([&] { write_manifest(listed, folder / "m.jsonl"); }, listed.samples[51].id, "more than a line");
  listed.samples[50] = {};
  throws_with([&] { write_manifest(listed, folder / "m.jsonl"); }, "listed, sample 50: the id is empty");
}

BOOST_AUTO_TEST_CASE(python_writes_what_is_read) {
  const std::string python = test::environment("RC3_TEST_PYTHON");
  if (python.empty()) return;
  Written written("");
  io::write_file(written.folder / "peer.py", R"(
import json, random, sys
random.seed(1)
with open(sys.argv[1], "a", encoding="utf-8") as out:
    for i in range(500):
        record = {"id": f"ž{i}", "image": f"p {i}.jpg", "alignment": "weak", "relevance": i / 500,
                  "texts": {"en": ["A frog", f"No {i}"], "zh": "青蛙\u2028🐸"}}
        out.write(json.dumps(record, ensure_ascii=i % 2 == 0, indent=None) + random.choice(["\n", "\r\n", "\n\n"]))
)");
  const std::string command = join(python, ' ', written.folder / "peer.py", ' ', written.folder / "m.jsonl");
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  const Manifest manifest = written.open();
  BOOST_TEST(written.errors.report() == "");
  BOOST_REQUIRE(manifest.size() == 501);
  BOOST_TEST((manifest.languages() == LanguageCounts{{"de", 1}, {"en", 1001}, {"zh", 500}}));
  for (std::int64_t i = 0; i < 500; ++i) {
    Sample expected;
    expected.id = join("ž", i);
    expected.image = written.folder / join("p ", i, ".jpg");
    expected.texts = {{"en", "A frog", 0}, {"en", join("No ", i), 1}, {"zh", "青蛙\u2028🐸", 2}};
    const auto value = static_cast<float>(static_cast<double>(i) / 500);
    expected.relevance = {{0, 1, value}, {0, 2, value}, {1, 2, value}};
    test::check_equal(manifest.read(i + 1), expected);
  }
}

BOOST_AUTO_TEST_SUITE_END()
