#include "rc3/data/format/volta.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdlib>
#include <limits>
#include <thread>

#include "data/samples.hpp"
#include "rc3/data/format/with_regions.hpp"
#include "rc3/io/file.hpp"
#include "support/base64.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(volta_regions)

using namespace rc3;
using namespace rc3::data;
using test::throws_with;

namespace {

template <class T>
std::string coded(const std::vector<T>& values) {
  return test::encode_base64({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

/// A row of two boxes with three features each, field by field.
std::vector<std::string> good() {
  return {"im 1",
          "48",
          "64",
          coded<std::int64_t>({5, 7}),
          coded<float>({0.5f, 0.25f}),
          coded<std::int64_t>({1, 2}),
          coded<float>({0.5f, 1}),
          "2",
          coded<float>({0, 0, 64, 48, 1.5f, 2, 3, 4}),
          coded<float>({1, 2, 3, 4, 5, 6})};
}

std::string line_of(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) line += field + '\t';
  line.pop_back();
  return line;
}

template <class... Parts>
void refused(std::size_t field, const std::string& value, const Parts&... parts) {
  auto fields = good();
  fields[field] = value;
  throws_with([&] { volta::parse_row(line_of(fields), "r.tsv:3"); }, "r.tsv:3: ", parts...);
}

/// Two samples without regions, whose ids are numbers.
struct Numbered {
  LanguageCounts counts{{"en", 2}};
  std::vector<std::int64_t> first{0};
  std::string name() const { return "numbered"; }
  std::int64_t size() const { return 2; }
  Sample read(std::int64_t i) const {
    Sample sample;
    sample.id = std::to_string(i);
    sample.texts = {{"en", "x", 0}};
    sample.regions.width = 9;
    return sample;
  }
  const LanguageCounts& languages() const { return counts; }
};
struct NumberedInShards : Numbered {
  const std::vector<std::int64_t>& shards() const { return first; }
  void will_read(std::int64_t, std::int64_t) const {}
};
static_assert(RegionSource<VoltaRegions>);
static_assert(Dataset<WithRegions<Numbered, VoltaRegions>> && !ShardedDataset<WithRegions<Numbered, VoltaRegions>>);
static_assert(ShardedDataset<WithRegions<NumberedInShards, VoltaRegions>>);

}  // namespace

BOOST_AUTO_TEST_CASE(a_row_is_read) {
  const volta::Row row = volta::parse_row(line_of(good()), "x");
  BOOST_TEST(row.img_id == "im 1");
  test::check_equal(row.regions, {.width = 64,
                                  .height = 48,
                                  .boxes = {{0, 0, 64, 48}, {1.5f, 2, 3, 4}},
                                  .features = {1, 2, 3, 4, 5, 6},
                                  .classes = {}});
}

BOOST_AUTO_TEST_CASE(each_field_is_checked_and_named) {
  auto fields = good();
  fields.pop_back();
  throws_with([&] { volta::parse_row(line_of(fields), "r.tsv:3"); }, "r.tsv:3: 9 fields, 10");
  throws_with([&] { volta::parse_row(line_of(good()) + "\t", "r.tsv:3"); }, "r.tsv:3: 11 fields, 10");
  throws_with([&] { volta::parse_row(std::string(1000, '\t'), "r.tsv:3"); }, "r.tsv:3: 1001 fields");
  throws_with([&] { volta::parse_row("", "r.tsv:3"); }, "r.tsv:3: 1 fields");
  refused(0, "", "img_id: 1 to 256");
  refused(0, std::string(257, 'x'), "img_id: 1 to 256");
  refused(0, "\xff", "img_id: not UTF-8");
  for (const char* bad : {"", "0", "-1", "48.0", " 48", "48x", "0x30", "1000001", "99999999999999999999"}) {
    refused(1, bad, "img_h: an integer of 1 to 1000000");
    refused(2, bad, "img_w: an integer of 1 to 1000000");
    refused(7, bad, "num_boxes: an integer of 1 to 1000");
  }
  refused(7, "1001", "num_boxes: an integer of 1 to 1000");
  refused(3, coded<std::int64_t>({5}), "objects_id: 2 boxes need 16 bytes, are 8");
  refused(4, coded<float>({0.5f, 1, 1}), "objects_conf: 2 boxes need 8 bytes, are 12");
  refused(5, coded<float>({0.5f, 1}), "attrs_id: 2 boxes need 16 bytes, are 8");
  refused(6, "", "attrs_conf: 2 boxes need 8 bytes, are 0");
  refused(8, coded<float>({0, 0, 1, 1}), "boxes: 2 boxes need 32 bytes, are 16");
  refused(9, coded<float>({1, 2, 3}), "features: 2 boxes need 8 bytes, are 12");
  refused(9, "", "features: 0 numbers a box");
  refused(9, coded<float>({1}), "features: 0 numbers a box");
  refused(9, coded(std::vector<float>(2 * 65537, 1.0f)), "features: 65537 numbers a box");
  refused(9, test::encode_base64(std::string(25, '\1')), "features: 2 boxes need 24 bytes, are 25");
  refused(9, "AAA", "features: no base64");
  refused(9, "AA*A" + coded<float>({1, 2, 3, 4, 5, 6}).substr(4), "features: no base64: characters 1 to 4 of 32");
  refused(3, "AA A" + coded<std::int64_t>({5, 7}).substr(4), "objects_id: no base64");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  refused(9, coded<float>({1, 2, 3, 4, nan, 6}), "features: number 1 of box 1 is not finite");
  refused(4, coded<float>({nan, 1}), "objects_conf: number 0 of box 0 is not finite");
  refused(8, coded<float>({0, 0, 1, 1, 0, 0, std::numeric_limits<float>::infinity(), 1}), "boxes: number 2 of box 1");
  refused(8, coded<float>({0, 0, 64, 48, 3, 2, 3, 4}), "boxes: box 1 (3, 2, 3, 4)");
  refused(8, coded<float>({0, 0, 64, 49, 1, 2, 3, 4}), "boxes: box 0 (0, 0, 64, 49)", "64 x 48");
}

BOOST_AUTO_TEST_CASE(rows_are_found_by_id) {
  const test::TempDir folder;
  auto second = good();
  second[0] = "2";
  second[9] = coded<float>({1, 2});
  auto again = good();
  again[1] = "50";
  auto broken = good();
  broken[0] = "broken";
  broken[8] = "AAAA";
  io::write_file(folder / "r.tsv", line_of(good()) + "\n" + line_of(second) + "\r\n\t48\n" + line_of(again) + "\n" +
                                       std::string(300, 'x') + "\tx\nno tab\n" + line_of(broken));
  DataErrors errors;
  const VoltaRegions regions(folder / "r.tsv", errors);
  BOOST_TEST(regions.size() == 3);
  BOOST_TEST(errors.samples() == 7);
  BOOST_TEST(errors.count("duplicate img_id") == 1);
  BOOST_TEST(errors.count("row without img_id") == 3);
  throws_with([&] { fail(errors.report()); }, "r.tsv:4: img_id: \"im 1\" was there before", "r.tsv:3", "r.tsv:5",
              "r.tsv:6");
  BOOST_TEST(regions.find("im 1")->height == 48);
  BOOST_TEST((regions.find("2")->features == std::vector<float>{1, 2}));
  BOOST_TEST(!regions.find("3").has_value());
  BOOST_TEST(!regions.find("").has_value());
  throws_with([&] { regions.find("broken"); }, "r.tsv:7: boxes: 2 boxes need 32 bytes, are 3");
  BOOST_TEST(regions.read(1).id == "2");  // as a data set
  test::check_equal(regions.read(0).regions, *regions.find("im 1"));
  throws_with([&] { regions.read(2); }, "r.tsv:7: boxes: 2 boxes need 32 bytes, are 3");
  throws_with([&] { regions.read(3); }, "r.tsv: has 3 rows, no row 3");
  std::fstream(folder / "r.tsv", std::ios::in | std::ios::out) << "Im";
  throws_with([&] { regions.find("im 1"); }, "r.tsv:1: img_id: \"im 1\" was here");
}

BOOST_AUTO_TEST_CASE(a_saved_index_spares_reading_the_file) {
  const test::TempDir folder;
  auto big = good();
  big[7] = "1";
  big[3] = big[5] = coded<std::int64_t>({1});
  big[4] = big[6] = coded<float>({1});
  big[8] = coded<float>({0, 0, 1, 1});
  big[9] = coded(std::vector<float>(60'000, 1.0f));
  std::string rows;
  for (int i = 0; i < 30; ++i) {
    big[0] = std::to_string(i);
    rows += line_of(big) + "\n";
  }
  io::write_file(folder / "r.tsv", rows);
  DataErrors errors;
  const io::LinesOptions lines{.save_index = true};
  VoltaRegions(folder / "r.tsv", errors, lines);
  const auto read_by_us = [] {
    std::ifstream counters("/proc/self/io");
    std::string name;
    long bytes = 0;
    counters >> name >> bytes;  // rchar: what read calls gave
    return bytes;
  };
  const long before = read_by_us();
  const VoltaRegions again(folder / "r.tsv", errors, lines);
  const long opening = read_by_us() - before;
  test::at_most("bytes read of a file of 9.6 MB when it is opened again", opening, 30 * 512);
  BOOST_TEST(again.size() == 30);
  BOOST_TEST(again.find("29")->features.size() == 60'000u);
}

BOOST_AUTO_TEST_CASE(random_flips_are_refused_or_read) {
  const std::string line = line_of(good());
  Random random(9);
  int read = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string flipped = line;
    for (std::uint64_t k = 0; k <= random.below(2); ++k)
      flipped[random.below(line.size())] ^= static_cast<char>(1 << random.below(8));
    try {
      const auto row = volta::parse_row(flipped, "r.tsv:1");
      check_regions(row.regions, "x");
      BOOST_REQUIRE(row.regions.size() == 2u);
      BOOST_REQUIRE(row.regions.features.size() == 6u);
      ++read;
    } catch (const Error& error) {
      BOOST_REQUIRE(std::string_view(error.what()).starts_with("r.tsv:1: "));
    }
  }
  BOOST_TEST((1000 < read && read < 40'000));
}

BOOST_AUTO_TEST_CASE(what_the_detector_of_python_writes_is_read) {
  const std::string python = test::environment("RC3_TEST_PYTHON");
  if (python.empty()) return;
  const test::TempDir folder;
  // As airsplay/py-bottom-up-attention does it: a csv.DictWriter of base64 of NumPy arrays.
  io::write_file(folder / "peer.py", R"(
import base64, csv, sys
import numpy as np
FIELDS = ["img_id", "img_h", "img_w", "objects_id", "objects_conf", "attrs_id", "attrs_conf", "num_boxes", "boxes", "features"]
b64 = lambda array: base64.b64encode(array.tobytes()).decode()
with open(sys.argv[1], "w") as out:
    writer = csv.DictWriter(out, delimiter="\t", fieldnames=FIELDS)
    for i in range(20):
        n, f = 36, 2048
        boxes = np.stack([np.arange(n), np.arange(n) + i, np.arange(n) + 0.5 + i, np.full(n, 99.25)], 1)
        writer.writerow({"img_id": f"COCO_{i:012}", "img_h": 100, "img_w": 80, "objects_id": b64(np.arange(n)),
            "objects_conf": b64(np.linspace(0, 1, n, dtype=np.float32)), "attrs_id": b64(np.arange(n)),
            "attrs_conf": b64(np.ones(n, np.float32)), "num_boxes": n, "boxes": b64(boxes.astype(np.float32)),
            "features": b64(np.arange(i, i + n * f, dtype=np.float32))})
)");
  const std::string command = join(python, ' ', folder / "peer.py", ' ', folder / "r.tsv");
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  DataErrors errors;
  const VoltaRegions regions(folder / "r.tsv", errors);
  BOOST_TEST(errors.report() == "");
  BOOST_REQUIRE(regions.size() == 20);
  const Regions third = regions.find("COCO_000000000003").value();
  BOOST_TEST(third.width == 80);
  BOOST_TEST(third.height == 100);
  BOOST_REQUIRE(third.size() == 36u);
  BOOST_TEST((third.boxes[5] == Box{5, 8, 8.5f, 99.25f}));
  BOOST_REQUIRE(third.features.size() == 36u * 2048u);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < third.features.size(); ++i) wrong += third.features[i] == float(3 + i) ? 0 : 1;
  test::at_most("features that differ from NumPy's", wrong, 0u);
}

BOOST_AUTO_TEST_CASE(samples_get_their_regions) {
  const test::TempDir folder;
  auto row = good();
  row[0] = "pic 1";
  io::write_file(folder / "r.tsv", line_of(row));
  DataErrors errors;
  const auto regions = std::make_shared<const VoltaRegions>(folder / "r.tsv", errors);
  const auto id = [](const std::string& sample) { return "pic " + sample; };
  const WithRegions all(Numbered(), regions, {.id = id, .required = true});
  BOOST_TEST(all.name() == "numbered");
  BOOST_TEST(all.size() == 2);
  BOOST_TEST(all.languages().at("en") == 2);
  BOOST_TEST(all.read(1).regions.size() == 2u);
  BOOST_TEST(all.read(1).texts.size() == 1u);
  throws_with([&] { all.read(0); }, "numbered: sample \"0\"", "r.tsv has no regions for \"pic 0\"");
  const WithRegions some(Numbered(), regions, {.id = id, .required = false});
  BOOST_TEST(some.read(0).regions.width == 9);  // what it had
  BOOST_TEST(some.read(1).regions.width == 64);
  const WithRegions same(Numbered(), regions);
  throws_with([&] { same.read(1); }, "no regions for \"1\"");
  throws_with([&] { WithRegions(Numbered(), std::shared_ptr<const VoltaRegions>()); }, "WithRegions");
}

BOOST_AUTO_TEST_CASE(threads_find_what_one_finds) {
  const test::TempDir folder;
  std::string rows;
  for (int i = 0; i < 50; ++i) {
    auto row = good();
    row[0] = std::to_string(i);
    row[9] = coded(std::vector<float>(2 * static_cast<std::size_t>(1 + i), static_cast<float>(i)));
    rows += line_of(row) + "\n";
  }
  io::write_file(folder / "r.tsv", rows);
  DataErrors errors;
  const VoltaRegions regions(folder / "r.tsv", errors);
  std::atomic<int> wrong{0};
  std::vector<std::jthread> threads;
  for (std::uint64_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Random random(1, t);
      for (int k = 0; k < 1000; ++k) {
        const auto i = random.below(50);
        const auto found = regions.find(std::to_string(i));
        const std::vector<float> expected(2 * (i + 1), static_cast<float>(i));
        wrong += found && found->features == expected ? 0 : 1;
      }
    });
  threads.clear();
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()
