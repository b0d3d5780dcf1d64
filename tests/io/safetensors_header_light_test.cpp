// Hostile headers: each is refused by name and reason, and for no more memory than the file itself has.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "rc3/core/random.hpp"
#include "rc3/io/safetensors/header.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(io_safetensors_header)

namespace st = rc3::io::safetensors;
using namespace std::string_literals;

std::string length_of(std::uint64_t n) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<char>(n >> (8 * i));
  return bytes;
}

std::string file_of(const std::string& json, std::size_t data) {
  return length_of(json.size()) + json + std::string(data, '\1');
}

/// One tensor t, with its three fields as they are given.
std::string one(const std::string& fields) { return "{\"t\":{" + fields + "}}"; }

const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";

st::Header read_bytes(const rc3::test::TempDir& folder, const std::string& bytes) {
  const auto path = folder / "file.safetensors";
  std::ofstream(path, std::ios::binary) << bytes;
  return st::read_header(path);
}

struct Hostile {
  std::string name;
  std::string bytes;
  std::string reason;
};

std::vector<Hostile> hostile_files() {
  const auto entry = [](const std::string& name, const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
  };
  const auto pair = [&](const std::string& a, const std::string& b) {
    return "{" + entry("a", "U8", "[4]", a) + "," + entry("b", "U8", "[4]", b) + "}";
  };
  const std::string deep(1'000'000, '[');
  return {
      {"empty file", "", "truncated"},
      {"7 bytes", "1234567", "truncated"},
      {"N = 0", length_of(0), "begin with '{'"},
      {"N = 0, with data", length_of(0) + "{}", "begin with '{'"},
      {"N = 2^63", length_of(1ull << 63) + "{}", "more than the allowed"},
      {"N = 2^64 - 1", length_of(~0ull) + "{}", "more than the allowed"},
      {"N = 2^64 - 8", length_of(~0ull - 7) + "{}", "more than the allowed"},
      {"N = 100,000,001", length_of(100'000'001) + "{}", "more than the allowed"},
      {"N beyond the file", length_of(100'000'000) + "{}", "truncated"},
      {"N one beyond the file", length_of(3) + "{}", "truncated"},
      {"leading space", file_of(" {}", 0), "begin with '{'"},
      {"byte order mark", file_of("\xEF\xBB\xBF{}", 0), "begin with '{'"},
      {"an array", file_of("[]", 0), "begin with '{'"},
      {"cut-off JSON", file_of("{\"t\":", 0), "not JSON"},
      {"text after the object", file_of("{} {}", 0), "not JSON"},
      {"NUL after the object", file_of("{}\0\xFF"s, 0), "not UTF-8"},
      {"NUL and text after the object", file_of("{}\0x"s, 0), "NUL"},
      {"non-UTF-8 key", file_of("{\"\xFF\":{" + good + "}}", 8), "not UTF-8 at byte 2"},
      {"lone surrogate", file_of("{\"\\uD800\":{" + good + "}}", 8), "not JSON"},
      {"depth 1e6 of arrays", file_of("{\"t\":" + deep, 0), "unexpected an array"},
      {"depth 1e6 in a shape", file_of(one("\"dtype\":\"U8\",\"shape\":" + deep), 0), "unexpected an array"},
      {"nested object", file_of(one(R"("dtype":{"x":1})"), 0), "unexpected an object"},
      {"duplicate tensor", file_of("{\"t\":{" + good + "},\"t\":{" + good + "}}", 8), "\"t\" given twice"},
      {"duplicate by escape", file_of("{\"t\":{" + good + "},\"\\u0074\":{" + good + "}}", 8), "\"t\" given twice"},
      {"duplicate field", file_of(one(good + R"(,"dtype":"F32")"), 8), "\"dtype\" given twice"},
      {"duplicate metadata", file_of(R"({"__metadata__":{"a":"1","a":"2"}})", 0), "\"a\" given twice"},
      {"two metadata", file_of(R"({"__metadata__":{},"__metadata__":{}})", 0), "given twice"},
      {"number in metadata", file_of(R"({"__metadata__":{"a":1}})", 0), "__metadata__"},
      {"object in metadata", file_of(R"({"__metadata__":{"a":{}}})", 0), "unexpected an object"},
      {"null in metadata", file_of(R"({"__metadata__":{"a":null}})", 0), "unexpected null"},
      {"metadata is a string", file_of(R"({"__metadata__":"a"})", 0), "unexpected"},
      {"tensor is a number", file_of(R"({"t":1})", 0), "unexpected 1"},
      {"unknown dtype", file_of(one(R"("dtype":"F31","shape":[2],"data_offsets":[0,8])"), 8), "F31"},
      {"dtype is a number", file_of(one(R"("dtype":32,"shape":[2],"data_offsets":[0,8])"), 8), "unexpected 32"},
      {"unknown field", file_of(one(good + R"(,"device":"cpu")"), 8), "\"device\""},
      {"no dtype", file_of(one(R"("shape":[2],"data_offsets":[0,8])"), 8), "no \"dtype\""},
      {"no shape", file_of(one(R"("dtype":"F32","data_offsets":[0,8])"), 8), "no \"shape\""},
      {"no offsets", file_of(one(R"("dtype":"F32","shape":[2])"), 8), "no \"data_offsets\""},
      {"negative size", file_of(one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), 8), "unexpected -2"},
      {"fractional size", file_of(one(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), 8), "unexpected 2.0"},
      {"size true", file_of(one(R"("dtype":"F32","shape":[true],"data_offsets":[0,8])"), 8), "unexpected true"},
      {"negative offset", file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[-0,8])"), 8), "unexpected"},
      {"offset 1e3", file_of(one(R"("dtype":"U8","shape":[1000],"data_offsets":[0,1e3])"), 1000), "unexpected 1e3"},
      {"one offset", file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[0])"), 8), "fewer than two"},
      {"three offsets", file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,8])"), 8), "more than two"},
      {"offsets reversed", file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), 8), "ends before"},
      {"shape does not fit", file_of(one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), 8), "12 bytes"},
      {"size 2^63", file_of(one(R"("dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,8])"), 8), "overflows"},
      {"size 1e30", file_of(one(R"("dtype":"U8","shape":[1000000000000000000000000000000],"data_offsets":[0,8])"), 8),
       "unexpected"},
      {"shape overflow to 0", file_of(one(R"("dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0])"), 0),
       "overflows"},
      {"shape overflow to 8", file_of(one(R"("dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,8])"), 8),
       "overflows"},
      {"overflow beside a 0", file_of(one(R"("dtype":"U8","shape":[4294967296,0,4294967296],"data_offsets":[0,0])"), 0),
       "overflows"},
      {"65 dimensions",
       file_of(one("\"dtype\":\"U8\",\"shape\":[1" +
                   [] {
                     std::string ones;
                     for (int i = 0; i < 64; ++i) ones += ",1";
                     return ones;
                   }() +
                   "],\"data_offsets\":[0,1]"),
               1),
       "64 dimensions"},
      {"overlap", file_of(pair("[0,4]", "[3,7]"), 7), "overlaps"},
      {"same place twice", file_of(pair("[0,4]", "[0,4]"), 4), "overlaps"},
      {"hole", file_of(pair("[0,4]", "[5,9]"), 9), "hole of 1"},
      {"hole at the start", file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[1,9])"), 9), "hole of 1"},
      {"tail", file_of(one(good), 9), "1 bytes after"},
      {"tail of an empty file", file_of("{}", 1), "1 bytes after"},
      {"truncated data", file_of(one(good), 7), "truncated"},
      {"no data", file_of(one(good), 0), "truncated"},
      {"offset near 2^64",
       file_of(one(R"("dtype":"U8","shape":[1],"data_offsets":[18446744073709551614,18446744073709551615])"), 1),
       "hole"},
  };
}

BOOST_AUTO_TEST_CASE(hostile_headers_are_refused_by_name) {
  const rc3::test::TempDir folder;
  const auto files = hostile_files();
  long most = 0;
  for (const Hostile& file : files) {
    BOOST_TEST_CONTEXT(file.name) {
      const rc3::test::PeakMemory memory;
      rc3::test::throws_with([&] { read_bytes(folder, file.bytes); }, "file.safetensors", file.reason);
      most = std::max(most, memory.rise() - static_cast<long>(file.bytes.size() / 1024));
    }
  }
  rc3::test::at_least("T2 hostile headers refused", files.size(), 30u);
  rc3::test::at_most("T2 most memory beyond the file, KB", most, 1024);
}

BOOST_AUTO_TEST_CASE(legal_headers) {
  const rc3::test::TempDir folder;
  BOOST_TEST(read_bytes(folder, file_of("{}", 0)).entries.empty());
  BOOST_TEST(read_bytes(folder, file_of("{}      ", 0)).data_offset == 16u);

  const auto header = read_bytes(
      folder,
      file_of(R"({"b":{"data_offsets":[4,4],"shape":[0,3],"dtype":"I64"},"__metadata__":{"format":"pt","é":""},)"
              R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})",
              4));
  BOOST_TEST(header.entries.size() == 2u);
  BOOST_TEST(header.entries[0].name == "a");
  BOOST_TEST(header.entries[0].shape.empty());
  BOOST_TEST((header.entries[1].shape == std::vector<std::int64_t>{0, 3}));
  BOOST_TEST(header.metadata.at("format") == "pt");
  BOOST_TEST(header.metadata.at("é") == "");
}

BOOST_AUTO_TEST_CASE(random_flips_are_refused_or_read) {
  std::string json = "{\"__metadata__\":{\"format\":\"pt\"}";
  for (int i = 0; i < 8; ++i)
    json += rc3::join(",\"layer.", i, ".weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[", 24 * i, ",",
                      24 * (i + 1), "]}");
  json += "}";
  rc3::Random random(11);
  int accepted = 0;
  constexpr int n = 100000;
  for (int i = 0; i < n; ++i) {
    std::string flipped = json;
    for (std::uint64_t k = 0; k <= random.below(3); ++k) {
      char& byte = flipped[random.below(json.size())];
      byte = static_cast<char>(byte ^ 1 << random.below(8));
    }
    try {
      const auto header = st::parse_header(flipped, 24 * 8, "flipped");
      std::uint64_t end = 0;
      for (const auto& entry : header.entries) {
        BOOST_REQUIRE(entry.begin == end);
        end = entry.end;
      }
      BOOST_REQUIRE(end == 24u * 8u);
      ++accepted;  // a flip within a name
    } catch (const rc3::Error&) {
    }
  }
  rc3::test::at_least("T3 flipped headers refused, of 100000", n - accepted, 50000);
}

BOOST_AUTO_TEST_CASE(what_it_is_instead) {
  using namespace std::string_literals;
  const auto named = [](const std::string& bytes, const char* what) {
    rc3::test::throws_with([&] { st::read_header(bytes, "model.safetensors"); }, "model.safetensors: ", what);
  };
  named("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1115567652\n",
        "no safetensors file but a Git LFS pointer");
  named("<!doctype html><html>Access denied, you must log in</html>", "no safetensors file but a web page");
  named("\n <?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "a web page");
  named("PK\3\4\0\0\10\10"s + std::string(200, '\1'), "a zip archive, which torch.save writes (a pickle)");
  named("\x80\2\x8A\nl\xFC\x9C\x46\xF9 j\xA8P\x19.\x80\2M\xE9\3."s, "a Python pickle");
  named("GGUF\3\0\0\0"s + std::string(50, '\0'), "a GGUF file");
  named("\x89HDF\r\n\x1A\n"s, "an HDF5 file");
  named("\x1F\x8B\x08\0\0\0\0\0\0"s, "but gzip");
  named("Entry not found", "a text: \"Entry not found\"");
  named("", "truncated: 0 bytes");
  rc3::test::throws_with([] { st::read_header(std::string_view(), "x"); }, "x: ", "truncated: 0 bytes");  // no memory
  named("\1\0\0\0\0\0\0\0["s, "does not begin with '{'");             // a header's length, but no header
  named("\xFF\0\0\0\0\0\0\0{"s, "truncated: a header of 255 bytes");  // a safetensors file that was cut
}

BOOST_AUTO_TEST_CASE(missing_and_odd_files) {
  const rc3::test::TempDir folder;
  rc3::test::throws_with([&] { st::read_header(folder / "none.safetensors"); }, "none.safetensors", "No such file");
  rc3::test::throws_with([&] { st::read_header(folder.path()); }, folder.path().string(), "not a file");
}

BOOST_AUTO_TEST_SUITE_END()
