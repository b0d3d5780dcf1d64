#include "rc3/data/format/region_file.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <limits>

#include "data/samples.hpp"
#include "rc3/io/file.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(region_file)

using namespace rc3;
using namespace rc3::data;
using test::throws_with;

namespace {

/// A safetensors file of float32 tensors, each with its shape and one number for all its elements.
std::string file_of(const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& tensors, float value = 1) {
  nlohmann::json header = nlohmann::json::object();
  std::string data;
  for (const auto& [name, shape] : tensors) {
    const std::size_t begin = data.size();
    std::int64_t count = 1;
    for (const auto side : shape) count *= side;
    for (std::int64_t i = 0; i < count; ++i) data.append(reinterpret_cast<const char*>(&value), 4);
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string json = header.dump();
  const std::uint64_t length = json.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + json + data;
}

template <class... Parts>
void refused(const std::string& bytes, const Parts&... parts) {
  throws_with([&] { read_regions(bytes, "r.safetensors"); }, "r.safetensors", parts...);
}

Regions some() {
  Random random(1);
  return test::random_regions(random, 3, 5, 2);
}

}  // namespace

BOOST_AUTO_TEST_CASE(random_regions_come_back_equal) {
  Random random(2);
  for (int i = 0; i < 300; ++i) {
    const Regions regions =
        test::random_regions(random, random.below(5), random.below(4) * 3, random.below(2) * random.below(9));
    test::check_equal(read_regions(write_regions(regions), "x"), regions);
  }
  test::check_equal(read_regions(write_regions({}), "x"), {});
}

BOOST_AUTO_TEST_CASE(what_the_record_knows_must_agree) {
  const Regions regions = some();
  const std::string whole = write_regions(regions);
  test::check_equal(read_regions(whole, "x", regions), regions);
  Regions record = regions;
  record.boxes[1][0] += 0.5f;
  throws_with([&] { read_regions(whole, "x", record); }, "x: its boxes are others");
  record = regions;
  record.boxes.pop_back();
  throws_with([&] { read_regions(whole, "x", record); }, "x: its boxes are others");
  record = regions;
  record.height += 1;
  throws_with([&] { read_regions(whole, "x", record); }, "x: is for an image of");

  // Features alone: boxes and size are the record's.
  record = {.width = 8, .height = 4, .boxes = {{0, 0, 1, 1}, {1, 1, 2, 2}}, .features = {}, .classes = {}};
  const Regions together = read_regions(file_of({{"features", {2, 3}}}), "x", record);
  BOOST_TEST((together.boxes == record.boxes));
  BOOST_TEST(together.width == 8);
  BOOST_TEST((together.features == std::vector<float>(6, 1.0f)));
  // Six numbers for two boxes, but of three regions.
  throws_with([&] { read_regions(file_of({{"features", {3, 2}}}), "x", record); }, "x: has 3 regions, but 2 boxes");
  refused(file_of({{"features", {3, 2}}}), "has 3 regions, but 0 boxes are known", "add \"boxes\"");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named) {
  refused("", "truncated");
  const std::string whole = write_regions(some());
  for (std::size_t n = 0; n < whole.size(); n += 5) refused(whole.substr(0, n));
  refused(whole + "x", "1 bytes after the last tensor");
  refused(file_of({{"Features", {1, 2}}}), "the tensor \"Features\" is unknown", "features, boxes");
  std::string half = file_of({{"features", {1, 2}}});
  half.replace(half.find("F32"), 3, "I32");
  refused(half, "\"features\" must be float32", "is I32 [1, 2]");
  refused(file_of({{"features", {2}}}), "\"features\" must be float32 [R, numbers", "is F32 [2]");
  refused(file_of({{"features", {1, 1, 2}}}), "is F32 [1, 1, 2]");
  refused(file_of({{"boxes", {2, 5}}}), "\"boxes\" must be float32 [R, 4], is F32 [2, 5]");
  refused(file_of({{"size", {3}}}), "\"size\" must be float32 [2]");
  refused(file_of({{"features", {0, 4}}}), "0 regions");
  refused(file_of({{"features", {4, 0}}}), "0 numbers a region");
  refused(file_of({{"features", {1001, 1}}}), "1001 regions");
  refused(file_of({{"features", {1, 65537}}}), "65537 numbers a region");
  refused(file_of({{"boxes", {2, 4}}, {"features", {3, 1}}}), "\"features\" has 3 regions, another tensor 2");
  refused(file_of({{"boxes", {2, 4}}}), "the image's size");
  refused(file_of({{"boxes", {2, 4}}, {"size", {2}}}), "box 0 (1, 1, 1, 1)");
  Regions bad = some();
  bad.classes[3] = std::numeric_limits<float>::quiet_NaN();
  throws_with([&] { write_regions(bad); }, "classes hold a number that is not finite");
  const Regions record{.width = 8, .height = 4, .boxes = {{0, 0, 1, 1}}, .features = {}, .classes = {}};
  const std::string infinite = file_of({{"features", {1, 2}}}, std::numeric_limits<float>::infinity());
  throws_with([&] { read_regions(infinite, "x", record); }, "x: features hold a number that is not finite");
}

BOOST_AUTO_TEST_CASE(flipped_bytes_are_refused_or_read) {
  const std::string whole = write_regions(some());
  Random random(4);
  for (int i = 0; i < 20'000; ++i) {
    std::string flipped = whole;
    flipped[random.below(whole.size())] ^= static_cast<char>(1 << random.below(8));
    try {
      check_regions(read_regions(flipped, "x"), "x");
    } catch (const Error& error) {
      BOOST_REQUIRE(std::string_view(error.what()).starts_with("x: "));
    }
  }
}

BOOST_AUTO_TEST_CASE(safetensors_of_python_reads_and_writes_them) {
  const std::string python = test::environment("RC3_TEST_PYTHON");
  if (python.empty()) return;
  const test::TempDir folder;
  io::write_file(folder / "peer.py", R"(
import sys, numpy as np
from safetensors.numpy import load_file, save_file
a = load_file(sys.argv[1])
assert {k: (v.shape, v.dtype.str) for k, v in a.items()} == {
    "boxes": ((3, 4), "<f4"), "features": ((3, 5), "<f4"), "classes": ((3, 2), "<f4"), "size": ((2,), "<f4")}, a
a["features"] = a["features"] * np.float32(2)
save_file(a, sys.argv[2])
)");
  Regions regions = some();
  io::write_file(folder / "in", write_regions(regions));
  const std::string command = join(python, ' ', folder / "peer.py", ' ', folder / "in", ' ', folder / "out");
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  for (float& value : regions.features) value *= 2;
  test::check_equal(read_regions(io::read_file(folder / "out", 1 << 20), "out"), regions);
}

BOOST_AUTO_TEST_SUITE_END()
