#include "rc3/data/format/wit.hpp"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "data/small_files.hpp"
#include "rc3/io/json.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(wit)

using namespace rc3;
using namespace rc3::data;
using test::patient;
using test::throws_with;

namespace {

const std::string tower = "https://upload.example.org/a/a1/Tower.jpg";
const std::string map_url = "http://upload.example.org/b/b2/Map.png";

std::filesystem::path published() { return test::source("tests/data/files/wit/wit_v1.part.tsv"); }

/// A file with few columns in another order, and a row a line.
struct File : test::TempDir {
  explicit File(const std::string& rows,
                const std::string& header =
                    "image_url\tmime_type\tcaption_reference_description\tlanguage\tcaption_alt_text_description") {
    io::write_file(path() / "a.tsv", header + "\n" + rows);
  }
  Wit open(DataErrors& errors, FindImage find = {}, WitOptions options = {}) const {
    return Wit({path() / "a.tsv"}, std::move(find), errors, std::move(options));
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(rows_of_one_image_are_one_sample) {
  DataErrors errors;
  const Wit data({published()}, {}, errors);
  BOOST_TEST(errors.report() == "");
  BOOST_TEST(data.size() == 2);
  BOOST_TEST(data.other_types() == 1);
  BOOST_TEST((data.languages() == LanguageCounts{{"de", 1}, {"en", 1}, {"sr-Latn", 1}}));
  const Sample first = data.read(0);
  BOOST_TEST(first.id == tower);
  BOOST_TEST((first.texts == std::vector<Text>{{"en", "The \"old\" tower", 0}, {"sr-Latn", "Stari toranj", 1}}));
  BOOST_TEST(std::holds_alternative<std::monostate>(first.image));
  check_sample(first, "first");
  BOOST_TEST((data.read(1).texts == std::vector<Text>{{"de", "Karte der Gegend", 0}}));  // the second preference
  throws_with([&] { data.read(2); }, "WIT: has 2 samples, no sample 2");

  const Wit two({published(), published()}, {}, errors);
  BOOST_TEST(two.size() == 2);
  BOOST_TEST(two.read(0).texts.size() == 4u);
  BOOST_TEST(two.read(0).texts[2].text == "The \"old\" tower");
}

BOOST_AUTO_TEST_CASE(the_caption_columns_are_chosen) {
  DataErrors errors = patient();
  const Wit alt({published()}, {}, errors, {.captions = {"caption_alt_text_description", "page_title"}});
  BOOST_TEST((alt.read(0).texts == std::vector<Text>{{"en", "X", 0}, {"sr-Latn", "toranj", 1}}));
  const Wit reference({published()}, {}, errors, {.captions = {"caption_reference_description"}});
  BOOST_TEST(reference.size() == 1);
  BOOST_TEST(errors.count("missing text") == 1);
  throws_with([&] { Wit({published()}, {}, errors, {.captions = {"caption"}}); }, "wit_v1.part.tsv:1",
              "has no column caption;", "page_url");
  throws_with([&] { Wit({published()}, {}, errors, {.captions = {}}); }, "no caption column");
}

BOOST_AUTO_TEST_CASE(a_blank_caption_is_no_caption) {
  DataErrors errors;
  const Wit data({test::source("tests/data/files/cases/wit_nbsp.tsv")}, {}, errors);
  BOOST_TEST((data.read(0).texts == std::vector<Text>{{"fr", "Un chat", 0}}));  // not U+00A0 of the first preference
}

BOOST_AUTO_TEST_CASE(images_are_found_by_a_list) {
  DataErrors errors = patient();
  const test::TempDir folder;
  io::write_file(folder / "list.tsv", "\xEF\xBB\xBF" + tower + "\t1.jpg\r\n\n" + "http://unknown\tx.jpg\n");
  const Wit data({published()}, listed_images(folder / "list.tsv", "down"), errors);
  BOOST_TEST(data.size() == 1);
  BOOST_TEST(std::get<std::filesystem::path>(data.read(0).image) == "down/1.jpg");
  BOOST_TEST(errors.count("missing image") == 1);
  BOOST_TEST(errors.report().find("tsv:3: there is no image for " + map_url) != std::string::npos);

  for (const auto& [content, reason] : {std::pair<std::string, std::string>{"a\n", "bad.tsv:1: a name, a tab"},
                                        {"a\t1\na\t2\n", "bad.tsv:2: \"a\" was there before"},
                                        {"a\t../1\n", "bad.tsv:1: the image \"../1\" must be"},
                                        {"a\t/1\n", "must be a file's name below"},
                                        {"a\t\n", "must be a file's name below"},
                                        {"\t1\n", "a name, a tab"}}) {
    io::write_file(folder / "bad.tsv", content);
    throws_with([&] { listed_images(folder / "bad.tsv", "down"); }, reason);
  }
}

BOOST_AUTO_TEST_CASE(damaged_rows_are_left_out_and_counted) {
  const std::string good = "u1\timage/png\tA\ten\t\n";
  const File file(good + "u2\timage/png\tA\t \t\n" +                              // no language
                  "u3\timage/png\t \ten\t\n" +                                    // no text
                  "\timage/png\tA\ten\t\n" +                                      // no URL
                  "u4\timage/png\tA\ten\n" +                                      // too few fields
                  "u5\timage/png\tA\ten\t\t\n" +                                  // too many
                  "u6\timage/png\tA\xff\ten\t\n" +                                // no UTF-8
                  "u7\t\tA\ten\t\nu8\timage/gif\tA\ten\t\n\n\r\n" +               // no type, another type, empty lines
                  "u9\timage/png\t" + std::string(1'100'000, 'x') + "\ten\t\n" +  // too long
                  "u1\timage/webp\tB\tde\t\r\n" + "u10\timage/png\t\"A\ten\t\n" +
                  "u11\timage/jpeg\tC\ten\t");  // a quote that is never closed
  DataErrors errors = patient();
  const Wit data = file.open(errors);
  BOOST_TEST(data.size() == 2);
  BOOST_TEST((data.read(0).texts == std::vector<Text>{{"en", "A", 0}, {"de", "B", 1}}));
  BOOST_TEST(data.read(1).id == "u11");  // what the open quote swallowed is read by itself
  BOOST_TEST(errors.count("missing language") == 1);
  BOOST_TEST(errors.count("missing text") == 1);
  BOOST_TEST(errors.count("malformed record") == 6);
  BOOST_TEST(data.other_types() == 2);
  BOOST_TEST(errors.samples() == 13);
  DataErrors strict({.fraction = 0, .minimum = 0});
  throws_with([&] { file.open(strict); }, "too many errors", "a.tsv:3: language is empty");
}

BOOST_AUTO_TEST_CASE(a_row_has_bounds) {
  const auto rows_of = [](const std::string& caption) {
    DataErrors errors = patient();
    const Wit data = File("u1\timage/png\tA\ten\t\nu2\timage/png\t\"A" + caption + "\"\ten\t\n").open(errors);
    return data.size();
  };
  BOOST_TEST(rows_of(std::string(999, '\n')) == 2);
  BOOST_TEST(rows_of(std::string(1000, '\n')) == 1);
  const std::string line(400'000, 'x');
  BOOST_TEST(rows_of(line + "\n" + line) == 2);
  BOOST_TEST(rows_of(line + "\n" + line + "\n" + line + "\n" + line) == 1);
}

BOOST_AUTO_TEST_CASE(open_quotes_cost_a_bounded_time) {
  std::string rows;
  for (int i = 0; i < 3000; ++i) rows += "u\timage/png\t\"A\ten\t" + std::string(i % 2, '"') + "\n";
  DataErrors errors({.fraction = 1, .minimum = 10000});
  throws_with([&] { File(rows).open(errors); }, "has no valid row");
}

BOOST_AUTO_TEST_CASE(urls_with_one_hash_are_told_apart) {
  // Found by others: the two have one FNV-1a hash of 64 bits.
  BOOST_REQUIRE(text_id("8yn0iYCKYHlIj4-BwPqk") == text_id("GReLUrM4wMqfg9yzV3KQ"));
  const File file(
      "8yn0iYCKYHlIj4-BwPqk\timage/png\tA\ten\t\nGReLUrM4wMqfg9yzV3KQ\timage/png\tB\ten\t\nu\timage/png\tC\ten\t\n");
  DataErrors errors;
  const Wit data = file.open(errors);
  throws_with([&] { data.read(0); }, "a.tsv:3", "8yn0iYCKYHlIj4-BwPqk", "GReLUrM4wMqfg9yzV3KQ");
  BOOST_TEST(data.read(1).id == "u");
}

BOOST_AUTO_TEST_CASE(a_file_changed_since_it_was_opened) {
  const File file("u1\timage/png\tA\ten\t\nu2\timage/png\tA\ten\t\n");
  DataErrors errors;
  const Wit data = file.open(errors);
  std::string content = io::read_file(file / "a.tsv", 1 << 20);
  const auto overwrite = [&](std::string_view what, std::string_view with) {
    std::string changed = content;
    std::ofstream(file / "a.tsv", std::ios::in) << changed.replace(changed.find(what), what.size(), with);
  };
  overwrite("u1", "u3");
  throws_with([&] { data.read(0); }, "a.tsv:2: was changed");
  overwrite("\tA\ten", "\t \ten");
  throws_with([&] { data.read(0); }, "a.tsv:2", "caption column");
  BOOST_TEST(data.read(1).id == "u2");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_used_at_all) {
  DataErrors errors = patient();
  throws_with([&] { Wit({}, {}, errors); }, "no file was given");
  throws_with([&] { Wit({"/nowhere.tsv"}, {}, errors); }, "/nowhere.tsv", "No such file");
  throws_with([&] { File("").open(errors); }, "a.tsv: has no valid row");
  throws_with([&] { File("", "\x1F\x8B\x08").open(errors); }, "a.tsv: is gzip-compressed", "gunzip -k");
  throws_with([&] { File("", "language\tmime_type").open(errors); }, "a.tsv:1: has no column image_url");
  throws_with([&] { File("", "language\tlanguage\tmime_type").open(errors); }, "the column language is there twice");
  const test::TempDir folder;
  io::write_file(folder / "empty.tsv", "");
  throws_with([&] { Wit({folder / "empty.tsv"}, {}, errors); }, "empty.tsv: is empty");
}

BOOST_AUTO_TEST_CASE(python_writes_rows_that_read_the_same) {
  const std::string python = test::environment("RC3_TEST_PYTHON");
  if (python.empty()) return;
  const test::TempDir folder;
  io::write_file(folder / "peer.py", R"(
import csv, json, random, sys
random.seed(3)
cols = "caption_reference_description original_width image_url mime_type language".split()
rows = [["".join(random.choices('ab"\t\n ž', k=20)) + "x", "3", "http://e.org/%d" % random.randrange(300), "image/jpeg",
         random.choice(["en", "de"])] for _ in range(1000)]
with open(sys.argv[1], "w", newline="", encoding="utf-8") as out:
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    writer.writerow(cols)
    writer.writerows(rows)
images = {}
for row in rows: images.setdefault(row[2], []).append([row[4], row[0]])
json.dump(list(images.items()), open(sys.argv[2], "w"))
)");
  const std::string command = join(python, ' ', folder / "peer.py", ' ', folder / "a", ' ', folder / "b");
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  const auto expected = io::read_json(folder / "b");
  DataErrors errors;
  const Wit data({folder / "a"}, {}, errors, {.captions = {"caption_reference_description"}});
  test::at_least("images as Python groups them", data.size(), static_cast<std::int64_t>(expected.size()));
  std::size_t differ = 0;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const Sample sample = data.read(i);
    auto texts = nlohmann::json::array();
    for (const Text& text : sample.texts) texts.push_back({text.language, text.text});
    differ += expected.at(static_cast<std::size_t>(i)) != nlohmann::json{sample.id, texts};
  }
  test::at_most("images that differ from Python's", differ, 0u);
}

BOOST_AUTO_TEST_SUITE_END()
