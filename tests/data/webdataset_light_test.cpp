#ifdef RC3_TEST_ARCHIVE
#include "rc3/data/format/webdataset.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>

#include "rc3/data/format/pack.hpp"
#include "rc3/data/loader/loader.hpp"
#include "rc3/io/tar.hpp"
#include "rc3/preprocess/decode.hpp"
#include "samples.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(webdataset)

using namespace rc3;
using namespace rc3::data;
using test::at_most;
using test::throws_with;

namespace {

std::string png(int k) {
  io::Image image{3, 2, {}};
  for (int i = 0; i < 6; ++i)
    for (const int byte : {k, i, 7, 255}) image.rgba.push_back(static_cast<std::uint8_t>(byte));
  return io::encode_png(image);
}
std::string record(int k) {
  return join(R"({"texts": {"de": "Bild )", k, R"(", "en": "image )", k, R"("}, "alignment": "strict"})");
}

using Members = std::vector<std::pair<std::string, std::string>>;

void write(const std::filesystem::path& path, const Members& members) {
  io::tar::Writer tar(path);
  for (const auto& [name, bytes] : members) tar.add(name, bytes);
  tar.commit();
}

/// @p n samples "<prefix>k" of an image and a record.
Members samples(int n, const std::string& prefix = "s") {
  Members all;
  for (int k = 0; k < n; ++k) {
    all.emplace_back(join(prefix, k, ".png"), png(k));
    all.emplace_back(join(prefix, k, ".json"), record(k));
  }
  return all;
}

DataErrors patient() { return DataErrors({.fraction = 1, .minimum = 1'000'000}); }

/// Whether sample @p i is the k-th of samples(), to the byte.
bool is_sample(const WebDataset& data, std::int64_t i, int k) {
  const Sample s = data.read(i);
  return std::get<EncodedImage>(s.image).bytes == png(k) && s.texts.size() == 2 && s.texts[1].text == join("image ", k);
}

std::string run_python(const std::string& code, const std::filesystem::path& folder) {
  io::write_file(folder / "script.py", code);
  const std::string command =
      "cd '" + folder.string() + "' && '" + test::environment("RC3_TEST_PYTHON") + "' script.py > out.txt";
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  return io::read_file(folder / "out.txt", 1 << 20);
}

}  // namespace

BOOST_AUTO_TEST_CASE(members_become_samples) {
  const test::TempDir folder;
  Regions regions{.width = 3, .height = 2, .boxes = {{0, 0, 1, 1}}, .features = {1, 2}, .classes = {}};
  write(folder / "a.tar", {{"d/x.png", png(1)},
                           {"d/x.json", record(1)},
                           {"d/x.sw.txt", "picha"},
                           {"d/x.safetensors", write_regions(regions)},
                           {"d/x.cls", "3"},
                           {"y.v2.jpeg", "no image, but nobody looks yet"},
                           {"z.png", png(2)},
                           {"z.txt", "text"},
                           {"z.de.txt", "Text"}});
  DataErrors errors = patient();
  const WebDataset data({folder / "a.tar"}, errors, {.language = "en"});
  BOOST_TEST(data.size() == 2);
  BOOST_TEST(errors.count() == 1);  // y: "v2.jpeg" is no image's extension
  BOOST_TEST(errors.count("missing member") == 1);
  BOOST_TEST(data.ignored().list() == "1 .cls, 1 .v2.jpeg");
  BOOST_TEST(errors.passed_over().at(".cls").count == 1);
  BOOST_TEST(errors.passed_over().at(".cls").examples.at(0).ends_with("a.tar: d/x.cls"));
  BOOST_TEST((data.languages() == LanguageCounts{{"de", 2}, {"en", 2}, {"sw", 1}}));
  const Sample x = data.read(0), z = data.read(1);
  BOOST_TEST(x.id == "d/x");
  BOOST_TEST((x.texts == std::vector<Text>{{"de", "Bild 1", 0}, {"en", "image 1", 0}, {"sw", "picha", 1}}));
  test::check_equal(x.regions, regions);
  BOOST_TEST(decode_image(x.image, "x").width == 3);
  BOOST_TEST((z.texts == std::vector<Text>{{"en", "text", 0}, {"de", "Text", 1}}));
  data.will_read(0, 2);
  throws_with([&] { data.read(2); }, "a.tar: sample 2 of 2");
}

BOOST_AUTO_TEST_CASE(a_shard_opens_no_other_file) {
  const test::TempDir folder;
  write(folder / "a.tar", {{"x.png", png(1)}, {"x.json", R"({"texts": {"en": "a"}, "image": "/etc/passwd"})"}});
  write(folder / "b.tar", {{"x.png", png(1)}, {"x.json", R"({"texts": {"en": "a"}, "features": "/etc/passwd"})"}});
  for (const char* name : {"a.tar", "b.tar"}) {
    DataErrors errors = patient();
    throws_with([&] { WebDataset({folder / name}, errors); }, "has no sample", "names a file");
    BOOST_TEST((errors.report().find("names a file") != std::string::npos));
  }
}

std::filesystem::path given(const char* name) { return test::source("tests/data/files/cases") / name; }

std::vector<std::string> texts_of(const WebDataset& data) {
  std::vector<std::string> all;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const Sample sample = data.read(i);
    all.push_back(join(sample.id, ' ', sample.texts.at(0).language, ' ', sample.texts.at(0).text));
    BOOST_TEST(sample.texts.size() == 1u);
    BOOST_TEST(decode_image(sample.image, sample.id).width == 48);
  }
  return all;
}

// Shards as img2dataset, a camera, macOS and vendors write them; the right values are what Python's webdataset reads.
BOOST_AUTO_TEST_CASE(shards_of_other_programs_are_read) {
  using Words = std::vector<std::string>;
  DataErrors errors({.fraction = 0, .minimum = 0});
  const WebDataset crawled({given("img2dataset.tar")}, errors, {.language = "en"});
  BOOST_TEST((texts_of(crawled) == Words{"000000000 en A red boat on a lake.", "000000001 en Une vache dans un pré",
                                         "000000002 en 犬が走っている"}));
  BOOST_TEST(crawled.ignored().list() == "3 .json that is no record");
  const WebDataset by_key({given("img2dataset.tar")}, errors, {.caption_key = "caption"});
  BOOST_TEST((texts_of(by_key) == Words{"000000000 und A red boat on a lake.", "000000001 und Une vache dans un pré",
                                        "000000002 und 犬が走っている"}));
  BOOST_TEST(by_key.ignored().list() == "3 .txt");

  const WebDataset upper({given("upper.tar")}, errors);
  BOOST_TEST((texts_of(upper) == Words{"IMG_0000 und one dog", "IMG_0001 und two dogs", "IMG_0002 und three dogs"}),
             texts_of(upper).at(0));
  DataErrors mac_errors({.fraction = 0, .minimum = 0});
  BOOST_TEST(texts_of(WebDataset({given("mac.tar")}, mac_errors)).size() == 3u);
  const auto aside = mac_errors.passed_over();
  BOOST_TEST_REQUIRE(aside.size() == 1u);
  BOOST_TEST(aside.begin()->first == "hidden or without an ending");
  BOOST_TEST(aside.begin()->second.count == 7);
  BOOST_TEST(aside.begin()->second.examples.at(0).ends_with("mac.tar: ./.DS_Store"));

  const WebDataset named({given("input_outputs.tar")}, errors,
                         {.language = "en", .image_members = {"input.jpg"}, .text_members = {"Outputs.TXT"}});
  BOOST_TEST(texts_of(named).size() == 3u);
  BOOST_TEST(named.read(0).texts[0].language == "en");
  DataErrors all = patient();
  throws_with([&] { WebDataset({given("input_outputs.tar")}, all); }, "has no sample",
              "its members are 3 input.jpg, 3 outputs.txt", "image_members",
              "0 images; passed over: input.jpg, outputs");
  throws_with([&] { WebDataset({given("empty.tar")}, all); }, "empty.tar: has no sample", "empty shard");
}

BOOST_AUTO_TEST_CASE(an_empty_shard_among_others_is_an_error_of_its_own) {
  DataErrors errors = patient();
  BOOST_TEST(WebDataset({given("empty.tar"), given("upper.tar")}, errors).size() == 3);
  BOOST_TEST(errors.count("empty shard") == 1);
  BOOST_TEST(errors.count() == 1);
}

BOOST_AUTO_TEST_CASE(members_have_roles_by_their_endings) {
  const test::TempDir folder;
  write(folder / "a.tar", {{"README", "no ending"},
                           {"Thumbs.db", "of Windows"},
                           {"x.left.png", png(1)},
                           {"x.right.png", png(2)},
                           {"x.PT-br.txt", "um"},
                           {"x.caption.txt", "no language"},
                           {"x.emb.npy", "numbers"},
                           {"Y.RIGHT.PNG", png(3)},
                           {"Y.DE.TXT", "zwei"}});
  DataErrors errors = patient();
  const WebDataset data({folder / "a.tar"}, errors, {.image_members = {"right.png"}});
  BOOST_TEST(errors.report() == "");
  BOOST_TEST_REQUIRE(data.size() == 2);
  BOOST_TEST(std::get<EncodedImage>(data.read(0).image).bytes == png(2));
  BOOST_TEST((data.read(0).texts == std::vector<Text>{{"PT-br", "um", 0}}));
  BOOST_TEST((data.read(1).texts == std::vector<Text>{{"de", "zwei", 0}}));
  BOOST_TEST(data.ignored().list() == "2 hidden or without an ending, 1 .caption.txt, 1 .emb.npy, 1 .left.png");
}

BOOST_AUTO_TEST_CASE(a_json_is_a_record_or_not) {
  const test::TempDir folder;
  const auto one = [&](const std::string& json, const std::string& txt, WebDatasetOptions options = {}) {
    Members members{{"x.png", png(1)}, {"x.json", json}};
    if (!txt.empty()) members.emplace_back("x.txt", txt);
    write(folder / "a.tar", members);
    DataErrors errors = patient();
    std::string out;
    for (const Text& text : WebDataset({folder / "a.tar"}, errors, std::move(options)).read(0).texts)
      out += text.language + "=" + text.text + ";";
    return out;
  };
  BOOST_TEST(one(R"({"texts": {"en": "a"}})", "b") == "en=a;und=b;");
  BOOST_TEST(one(R"({"width": 3, "height": 2, "boxes": [[0, 0, 1, 1]]})", "b") == "und=b;");
  BOOST_TEST(one(R"([1])", "b") == "und=b;");
  BOOST_TEST(one(R"({"similarity": NaN, "note": "a \"NaN\" -Infinity", "p": -Infinity})", "b") == "und=b;");
  BOOST_TEST(one(R"({"caption": ["a", "b"]})", "", {.language = "en", .caption_key = "caption"}) == "en=a;en=b;");
  const auto refused = [&](const std::string& json, const std::string& txt, const char* why, const char* key = "") {
    WebDatasetOptions options;
    options.caption_key = key;
    throws_with([&] { one(json, txt, options); }, "a.tar: has no sample", why);
  };
  refused(R"({"texts": {"en": "a"}, "alignement": "weak"})", "b", "\"alignement\" is unknown");  // a slip in a record
  refused(R"({"texts": {"en": "a"}, "relevance": NaN})", "", "not JSON");
  refused("{", "b", "not JSON");
  refused(R"({"caption": "a", "url": "u"})", "",
          "its .json is no record; name the caption's key (caption_key), one of caption, url");
  refused(R"({"caption": null})", "b", "\"caption\" must be a string or an array of strings, is null", "caption");
  refused(R"({"alt": "a"})", "b", "no caption at \"caption\"; its keys are alt", "caption");
  refused(R"({"caption": "\u200b"})", "b", "it has invisible characters only", "caption");
}

BOOST_AUTO_TEST_CASE(keys_may_start_again_in_each_shard) {
  const test::TempDir folder;
  write(folder / "a.tar", samples(2));
  write(folder / "b.tar", samples(2));
  DataErrors errors = patient();
  BOOST_TEST(WebDataset(shards_of(folder.path()), errors).size() == 2);
  BOOST_TEST(errors.count("duplicate id") == 2);
  BOOST_TEST((errors.report().find("keys_per_shard") != std::string::npos));
  DataErrors none({.fraction = 0, .minimum = 0});
  const WebDataset data(shards_of(folder.path()), none, {.keys_per_shard = true});
  BOOST_TEST_REQUIRE(data.size() == 4);
  BOOST_TEST(data.read(0).id == "a/s0");
  BOOST_TEST(data.read(3).id == "b/s1");
}

BOOST_AUTO_TEST_CASE(T20_damaged_shards) {
  const test::TempDir folder;
  const int n = 40;
  write(folder / "a.tar", samples(n));
  const std::string whole = io::read_file(folder / "a.tar", 1 << 24);
  const io::InputFile file(folder / "a.tar");
  const auto members = io::tar::read_table(file).members;
  BOOST_REQUIRE(members.size() == 2u * n);
  const std::uint64_t data_end = members.back().offset + (members.back().size + 511) / 512 * 512;

  std::int64_t wrong = 0, cuts = 0;
  for (int c = 0; c < 100; ++c) {  // truncated at 100 offsets
    const auto at =
        static_cast<std::size_t>(data_end * static_cast<std::uint64_t>(c) / 100 + static_cast<std::uint64_t>(c) * 3);
    io::write_file(folder / "cut.tar", whole.substr(0, at));
    std::int64_t intact = 0;
    for (int k = 0; k < n; ++k)
      intact +=
          members[2 * static_cast<std::size_t>(k) + 1].offset + members[2 * static_cast<std::size_t>(k) + 1].size <= at;
    DataErrors errors = patient();
    try {
      const WebDataset data({folder / "cut.tar"}, errors);
      ++cuts;
      wrong += data.size() != intact;
      for (std::int64_t i = 0; i < data.size(); ++i) wrong += !is_sample(data, i, static_cast<int>(i));
      wrong += errors.count("damaged shard") != 1;
    } catch (const Error& error) {  // not even a header: no tar file; or no whole sample
      const std::string why = error.what();
      if (intact == 0 && why.find("cut.tar: has no sample") != std::string::npos) {
        ++cuts;
        wrong += errors.count("damaged shard") != 1;
        continue;
      }
      wrong += at >= 512 || std::string(error.what()).find("cut.tar: no tar file") == std::string::npos;
    }
  }
  BOOST_TEST(cuts >= 99);
  at_most("T20 shards cut at 100 offsets: samples lost, invented or other, or damage not told", wrong, 0);

  // A flipped bit in a header ends the shard there; one in an image costs that sample alone, when it is decoded.
  wrong = 0;
  for (const int k : {0, 1, 17, 39}) {
    std::string flipped = whole;
    flipped[members[2 * static_cast<std::size_t>(k)].offset - 512 + 3] ^= 4;
    io::write_file(folder / "flip.tar", flipped);
    DataErrors errors = patient();
    const auto read = [&] { return WebDataset({folder / "flip.tar"}, errors); };
    if (k == 0) {
      throws_with([&] { read(); }, "no tar file");
      continue;
    }
    const auto data = read();
    wrong += data.size() != k || errors.count("damaged shard") != 1 || errors.count() != 1;
  }
  for (const int k : {0, 5, 39}) {
    std::string flipped = whole;
    flipped[members[2 * static_cast<std::size_t>(k)].offset + 1] ^= 4;  // of PNG's signature
    io::write_file(folder / "flip.tar", flipped);
    DataErrors errors = patient();
    const WebDataset data({folder / "flip.tar"}, errors);
    wrong += data.size() != n || errors.count() != 0;
    const auto look = [](const Sample& s, std::uint64_t, std::int64_t) { return decode_image(s.image, s.id).rgba[0]; };
    Loader loader(data, look, [](std::vector<std::uint8_t> all) { return all; }, errors, {.epochs = 1});
    std::int64_t given = 0;
    while (const auto loaded = loader.next()) given += static_cast<std::int64_t>(loaded->batch.size());
    wrong += given != n - 1 || errors.count("damaged sample") != 1;
  }
  at_most("T20 flipped bits: other counts than one", wrong, 0);

  auto mixed = samples(6);
  std::swap(mixed[1], mixed[2]);   // s0.png s1.png s0.json s1.json: each key comes twice
  mixed.erase(mixed.begin() + 9);  // s4 has no record
  mixed.erase(mixed.begin() + 9);  // s5 has no image
  write(folder / "mixed.tar", mixed);
  DataErrors errors = patient();
  const WebDataset data({folder / "mixed.tar"}, errors);
  BOOST_TEST(data.size() == 2);  // s2, s3
  BOOST_TEST(is_sample(data, 0, 2));
  BOOST_TEST(is_sample(data, 1, 3));
  BOOST_TEST(errors.count("missing member") == 4);  // s0 and s1 without text, s4, s5
  BOOST_TEST(errors.count("duplicate id") == 2);    // the records of s0 and s1
  at_most("T20 interleaved keys and missing members: skipped, from 6", std::abs(errors.count() - 6), 0);

  DataErrors strict({.fraction = 0, .minimum = 5});
  throws_with([&] { WebDataset({folder / "mixed.tar"}, strict); }, "too many errors: 6", "mixed.tar: s5",
              "missing member: ");
}

BOOST_AUTO_TEST_CASE(keys_are_unique_over_all_shards) {
  const test::TempDir folder;
  write(folder / "b.tar", samples(3, "b"));
  write(folder / "a.tar", samples(2, "a"));
  write(folder / "c.tar", samples(2, "a"));
  io::write_file(folder / "readme.md", "");
  DataErrors errors = patient();
  const WebDataset data(shards_of(folder.path()), errors);
  BOOST_TEST(data.size() == 5);
  BOOST_TEST((data.shards() == std::vector<std::int64_t>{0, 2, 5}));
  BOOST_TEST(errors.count("duplicate id") == 2);
  BOOST_TEST(is_sample(data, 2, 0));
  throws_with([&] { shards_of(folder / "none"); }, "cannot be read");
  const test::TempDir empty;
  throws_with([&] { shards_of(empty.path()); }, "has no *.tar");
  throws_with([&] { WebDataset({}, errors); }, "no shards");
}

BOOST_AUTO_TEST_CASE(a_sample_that_was_incomplete_may_come_again_whole) {
  const test::TempDir folder;
  write(folder / "a.tar", {{"s0.png", png(0)}, {"s1.png", png(1)}, {"s1.json", record(1)}});  // s0 has no text
  write(folder / "b.tar", samples(2));
  DataErrors errors = patient();
  const WebDataset data(shards_of(folder.path()), errors);
  BOOST_TEST(data.size() == 2);
  BOOST_TEST(is_sample(data, 0, 1));
  BOOST_TEST(is_sample(data, 1, 0));
  BOOST_TEST(errors.count("missing member") == 1);
  BOOST_TEST(errors.count("duplicate id") == 1);  // s1
}

BOOST_AUTO_TEST_CASE(a_name_that_is_no_utf_8_is_refused_and_the_others_stay) {
  const test::TempDir folder;
  auto all = samples(2);
  all.insert(all.begin() + 2, {"\xED\xA0\x80.png", png(7)});  // half of a UTF-16 pair
  // Our writer refuses such a name, so it is put in afterwards: the same length.
  all[2].first = "???.png";
  write(folder / "a.tar", all);
  std::string bytes = io::read_file(folder / "a.tar", 1 << 20);
  const auto at = bytes.find("???.png");
  BOOST_TEST_REQUIRE(at % 512 == 0);
  bytes.replace(at, 3, "\xED\xA0\x80");
  unsigned sum = 0;  // of the header, its own field counted as blanks
  for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(bytes[at + i]);
  char octal[8];
  std::snprintf(octal, sizeof octal, "%06o", sum);
  bytes.replace(at + 148, 7, octal, 7);
  io::write_file(folder / "a.tar", bytes);
  DataErrors errors = patient();
  const WebDataset data({folder / "a.tar"}, errors);
  BOOST_TEST(data.size() == 2);
  BOOST_TEST(errors.count("refused member") == 1);
  BOOST_TEST((errors.report().find("its name is not UTF-8") != std::string::npos), errors.report());
}

BOOST_AUTO_TEST_CASE(the_table_is_what_python_wrote) {
  if (test::environment("RC3_TEST_PYTHON").empty()) return;
  const test::TempDir folder;
  run_python(R"(
import io, tarfile
for form, name in ((tarfile.USTAR_FORMAT, "ustar"), (tarfile.PAX_FORMAT, "pax"), (tarfile.GNU_FORMAT, "gnu")):
    with tarfile.open(name + ".tar", "w", format=form) as tar:
        def add(name, data):
            info = tarfile.TarInfo(name); info.size = len(data); tar.addfile(info, io.BytesIO(data))
        add("a.jpg", b"x" * 100000)
        add("Frösche/青蛙.txt", "蛙".encode())
        folder = tarfile.TarInfo("folder"); folder.type = tarfile.DIRTYPE; tar.addfile(folder)
        add("empty.txt", b"")
        add("d" * 90 + "/" + "e" * 90, b"long")
        if form != tarfile.USTAR_FORMAT:
            add("longer/" * 50 + "n.txt", b"longer")
            link = tarfile.TarInfo("link"); link.type = tarfile.SYMTYPE; link.linkname = "a.jpg"; tar.addfile(link)
        add("last.txt", b"last")
)",
             folder.path());
  for (const std::string form : {"ustar", "pax", "gnu"}) {
    const io::InputFile file(folder / (form + ".tar"));
    const auto table = io::tar::read_table(file);
    BOOST_TEST(!table.damage.has_value());
    std::map<std::string, std::string> read;
    for (const auto& m : table.members) {
      std::string bytes(m.size, '\0');
      file.read(bytes.data(), bytes.size(), m.offset);
      read[m.name] = bytes;
    }
    std::map<std::string, std::string> expected{{"a.jpg", std::string(100000, 'x')},
                                                {"Frösche/青蛙.txt", "蛙"},
                                                {"empty.txt", ""},
                                                {std::string(90, 'd') + "/" + std::string(90, 'e'), "long"},
                                                {"last.txt", "last"}};
    if (form != "ustar") {
      std::string name;
      for (int i = 0; i < 50; ++i) name += "longer/";
      expected[name + "n.txt"] = "longer";
    }
    BOOST_TEST((read == expected), form);
    BOOST_TEST(table.refused.size() == (form == "ustar" ? 0u : 1u));
  }
}

BOOST_AUTO_TEST_CASE(python_reads_what_the_writer_wrote) {
  if (test::environment("RC3_TEST_PYTHON").empty()) return;
  const test::TempDir folder;
  const std::string longest(300, 'n');
  const auto make = [&](const char* name) {
    write(folder / name, {{"a.txt", "one"}, {"é/青.txt", ""}, {longest, std::string(70000, 'y')}});
    return io::read_file(folder / name, 1 << 20);
  };
  BOOST_TEST((make("a.tar") == make("b.tar")));
  const auto seen = run_python(R"(
import tarfile
for m in tarfile.open("a.tar"):
    print(len(m.name), m.size, m.mtime, m.uid, m.uname, len(tarfile.open("a.tar").extractfile(m.name).read()))
)",
                               folder.path());
  BOOST_TEST(seen == "5 3 0 0  3\n7 0 0 0  0\n300 70000 0 0  70000\n");
  throws_with([&] { io::tar::Writer(folder / "none" / "x.tar"); }, "cannot write");
  {
    io::tar::Writer given_up(folder / "given_up.tar");
    given_up.add("a", "b");
    throws_with([&] { given_up.add("", "b"); }, "needs a name");
  }
  BOOST_TEST(!std::filesystem::exists(folder / "given_up.tar"));
}

BOOST_AUTO_TEST_CASE(opening_reads_headers_only) {
  const test::TempDir folder;
  Members large;
  for (int k = 0; k < 60; ++k) large.emplace_back(join(k, ".jpg"), std::string(200000, 'j'));
  write(folder / "a.tar", large);
  const auto read_so_far = [] {
    std::ifstream io("/proc/self/io");
    std::string word;
    long bytes = 0;
    io >> word >> bytes;
    return bytes;
  };
  const io::InputFile file(folder / "a.tar");
  const long before = read_so_far();
  BOOST_TEST(io::tar::read_table(file).members.size() == 60u);
  const double share = static_cast<double>(read_so_far() - before) / static_cast<double>(file.size());
  at_most("share of a shard that opening it reads", share, 0.1);
}

BOOST_AUTO_TEST_CASE(what_is_no_plain_tar_file) {
  const test::TempDir folder;
  DataErrors errors = patient();
  const auto refused = [&](const std::string& bytes, const char* why) {
    io::write_file(folder / "x.tar", bytes);
    throws_with([&] { WebDataset({folder / "x.tar"}, errors); }, "x.tar: ", why);
  };
  refused("\x1f\x8b\x08 compressed", "must be unpacked first");
  refused(std::string(600, 'x'), "no tar file");
  refused("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "no tar file, but Git LFS pointer");
  refused("<html>", "no tar file, but HTML");
  throws_with([&] { WebDataset({folder / "none.tar"}, errors); }, "none.tar: cannot open");
  write(folder / "a.tar", {{"x.png", std::string(2000, 'p')}, {"x.txt", "t"}});
  throws_with([&] { WebDataset({folder / "a.tar"}, errors, {.max_member = 1000}); }, "has no sample", "allowed 1000");
  BOOST_TEST(errors.count("large member") == 1);
}

BOOST_AUTO_TEST_CASE(shards_in_one_file_are_told) {
  const test::TempDir folder;
  write(folder / "a.tar", samples(2, "a"));
  write(folder / "b.tar", samples(2, "b"));
  io::write_file(folder / "ab.tar",
                 io::read_file(folder / "a.tar", 1 << 20) + io::read_file(folder / "b.tar", 1 << 20));
  DataErrors errors = patient();
  BOOST_TEST(WebDataset({folder / "ab.tar"}, errors).size() == 2);
  BOOST_TEST(errors.count("damaged shard") == 1);
  BOOST_TEST((errors.report().find("after the end mark, at byte") != std::string::npos), errors.report());
}

BOOST_AUTO_TEST_CASE(a_sparse_member_costs_its_own_sample) {
  const test::TempDir folder;
  const std::string hole = "hole" + std::string(1 << 20, '\0') + "end";
  io::write_file(folder / "0.png", hole);
  io::write_file(folder / "1.png", png(1));
  for (const char* name : {"0.txt", "1.txt"}) io::write_file(folder / name, "a text");
  for (const char* format : {"gnu", "pax"}) {
    const std::string command =
        join("cd '", folder.path().string(), "' && cp --sparse=always 0.png h.png && mv h.png 0.png",
             " && tar --sparse --format=", format, " -cf ", format, ".tar 0.png 0.txt 1.png 1.txt",
             " && tar --sparse --format=", format, " -cf last.tar 1.png 1.txt 0.txt 0.png");
    BOOST_REQUIRE(std::system(command.c_str()) == 0);
    for (const auto& path : {folder / (std::string(format) + ".tar"), folder / "last.tar"}) {
      DataErrors errors = patient();
      const WebDataset data({path}, errors);
      BOOST_TEST(data.size() == 1);
      BOOST_TEST(errors.count("damaged shard") == 0);
      BOOST_TEST(errors.count("refused member") == 1);
      BOOST_TEST((errors.report().find("0.png: a sparse file") != std::string::npos), errors.report());
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_packed_is_what_was_there) {
  const test::TempDir folder;
  struct Album {
    std::vector<Sample> all;
    LanguageCounts counts;
    const char* name() const { return "album"; }
    std::int64_t size() const { return std::ssize(all); }
    Sample read(std::int64_t i) const {
      require(i != 3, "album: sample 3 is damaged");
      return all[static_cast<std::size_t>(i)];
    }
    const LanguageCounts& languages() const { return counts; }
  } album;
  Random random(5);
  io::write_file(folder / "file.png", png(9));
  for (int k = 0; k < 12; ++k) {
    Sample s = test::random_sample(random, k);
    if (s.texts.empty()) s.texts = {{"en", "text", 0}};
    if (k % 3 == 0) s.image = folder / "file.png";
    if (k % 3 == 1) s.image = EncodedImage{png(k), "memory"};
    if (k % 3 == 2) s.image = io::Image{2, 1, {1, 2, 3, 255, 4, 5, 6, 255}};
    s.regions = test::random_regions(random, 3, static_cast<std::size_t>(k % 2 * 4), 0);
    album.all.push_back(s);
  }
  album.all[7].image = std::monostate{};
  DataErrors errors = patient();
  const auto packed = pack(album, folder / "out", errors, {.prefix = "train", .samples = 4});
  BOOST_TEST(packed.samples == 10);
  BOOST_TEST(packed.shards.size() == 3u);
  BOOST_TEST(packed.shards[2].filename() == "train-000002.tar");
  BOOST_TEST(errors.count("damaged sample") == 2);
  DataErrors none({.fraction = 0, .minimum = 0});
  const WebDataset data(shards_of(folder / "out"), none);
  BOOST_TEST(data.size() == 10);
  std::int64_t i = 0;
  for (int k = 0; k < 12; ++k) {
    if (k == 3 || k == 7) continue;
    Sample seen = data.read(i++), wanted = album.all[static_cast<std::size_t>(k)];
    const auto pixels = decode_image(seen.image, "seen"), expected = decode_image(wanted.image, "wanted");
    BOOST_TEST((pixels.rgba == expected.rgba));
    seen.image = wanted.image = std::monostate{};
    test::check_equal(seen, wanted);
  }
  throws_with([&] { pack(album, folder / "out", errors, {.prefix = "train"}); }, "exists already");
  DataErrors again = patient();
  pack(album, folder / "twice", again, {.prefix = "train", .samples = 4});
  for (const auto& shard : packed.shards)
    BOOST_TEST((io::read_file(shard, 1 << 24) == io::read_file(folder / "twice" / shard.filename().string(), 1 << 24)));
}

BOOST_AUTO_TEST_SUITE_END()
#endif
