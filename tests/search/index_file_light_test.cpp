// Save and load; hostile files are refused by name, field and fix.
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "rc3/core/random.hpp"
#include "rc3/search/search.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(search_index_file)

using rc3::Random;
using rc3::search::Hit;
using rc3::search::Index;
using rc3::search::Storage;
using rc3::test::TempDir;
using rc3::test::throws_with;

constexpr Storage all_storages[] = {Storage::float32, Storage::bfloat16, Storage::int8};
constexpr std::size_t d = 10;

std::vector<float> vector_of(std::uint64_t seed) {
  Random random(seed);
  std::vector<float> x(d);
  for (float& v : x) v = static_cast<float>(static_cast<double>(random() >> 11) * 0x1p-52 - 1);
  return x;
}

Index index_of(std::size_t n, Storage storage, std::uint64_t seed = 0) {
  Index index(d, {.storage = storage, .model = "rc3-small \"é\""});
  for (std::size_t i = 0; i < n; ++i) index.add("photo " + std::to_string(i) + ".jpg", vector_of(seed + i));
  return index;
}

bool same(const std::vector<Hit>& a, const std::vector<Hit>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Hit& x, const Hit& y) {
    return x.name == y.name && std::memcmp(&x.score, &y.score, sizeof x.score) == 0;
  });
}

std::string content_of(const std::filesystem::path& path) { return rc3::io::read_file(path, 1 << 30); }

BOOST_AUTO_TEST_CASE(a_loaded_index_is_the_same) {
  const TempDir folder;
  for (const Storage storage : all_storages)
    for (const std::size_t n : {0, 1, 7, 1000}) {
      const Index index = index_of(n, storage);
      index.save(folder / "photos.index");
      const Index loaded = Index::load(folder / "photos.index", "rc3-small \"é\"", 2);
      BOOST_TEST(loaded.size() == index.size());
      BOOST_TEST(loaded.dimension() == 10);
      BOOST_TEST((loaded.storage() == storage));
      BOOST_TEST(loaded.model() == index.model());
      for (std::uint64_t q = 0; q < 5; ++q)
        BOOST_TEST(same(loaded.search(vector_of(500 + q), 20), index.search(vector_of(500 + q), 20)));
      loaded.save(folder / "again.index");
      BOOST_TEST((content_of(folder / "again.index") == content_of(folder / "photos.index")));
    }
}

BOOST_AUTO_TEST_CASE(unusual_names_survive) {
  using namespace std::string_literals;
  const TempDir folder;
  const std::vector<std::string> names{"", "\"\\\n\t", "犬 🐕", "nul\0nul"s, "[]{},", std::string(100'000, 'x')};
  Index index(d);
  for (std::size_t i = 0; i < names.size(); ++i) index.add(names[i], vector_of(i));
  index.save(folder / "i");
  const Index loaded = Index::load(folder / "i");
  for (std::size_t i = 0; i < names.size(); ++i) {
    BOOST_TEST_REQUIRE(loaded.contains(names[i]));
    BOOST_TEST(loaded.search(vector_of(i), 1)[0].name == names[i]);
  }
}

BOOST_AUTO_TEST_CASE(equal_content_gives_equal_bytes) {
  const TempDir folder;
  for (const Storage storage : all_storages) {
    Index a(d, {.storage = storage}), b(d, {.storage = storage});
    for (std::uint64_t i = 0; i < 50; ++i) a.add(std::to_string(i), vector_of(i));
    b.add("other", vector_of(1));
    for (std::uint64_t i = 50; i-- > 0;) b.add(std::to_string(i), vector_of(i));
    b.remove("other");
    a.save(folder / "a");
    b.save(folder / "b");
    BOOST_TEST((content_of(folder / "a") == content_of(folder / "b")));
  }
}

// The mapped vectors are copied by a change; the file does not change before save().
BOOST_AUTO_TEST_CASE(a_loaded_index_can_be_changed) {
  const TempDir folder;
  for (const Storage storage : all_storages) {
    Index expected = index_of(100, storage);
    expected.save(folder / "i");
    const std::string before = content_of(folder / "i");
    const std::vector<std::function<void(Index&)>> changes{
        [](Index& i) { i.add("new", vector_of(900)); }, [](Index& i) { i.remove("photo 4.jpg"); },
        [](Index& i) { i.replace("photo 5.jpg", vector_of(901)); }, [](Index& i) { i.reserve(1000); }};
    for (const auto& change : changes) {
      Index loaded = Index::load(folder / "i"), made = index_of(100, storage);
      change(loaded);
      change(made);
      BOOST_TEST(same(loaded.search(vector_of(900), 200), made.search(vector_of(900), 200)));
      BOOST_TEST((content_of(folder / "i") == before));
    }
    Index loaded = Index::load(folder / "i");
    loaded.remove("photo 4.jpg");
    const Index mapped = Index::load(folder / "i");
    loaded.save(folder / "i");  // replaces the file that `mapped` still reads
    BOOST_TEST(mapped.search(vector_of(4), 1)[0].name == "photo 4.jpg");
    BOOST_TEST(Index::load(folder / "i").size() == 99);
    Index moved = std::move(loaded);
    BOOST_TEST(moved.search(vector_of(6), 1)[0].name == "photo 6.jpg");
  }
}

/// Length, header and tensors of a file, to change one of them.
struct Parts {
  std::map<std::string, std::string> metadata;
  std::vector<rc3::io::safetensors::Entry> entries;
  std::string data;

  explicit Parts(const std::filesystem::path& path) {
    const auto header = rc3::io::safetensors::read_header(path);
    metadata = header.metadata;
    entries = header.entries;
    data = content_of(path).substr(header.data_offset);
  }
  rc3::io::safetensors::Entry& entry(const std::string& name) {
    for (auto& e : entries)
      if (e.name == name) return e;
    rc3::fail("no tensor ", name);
  }
  void set_names(const std::string& json) {
    auto& names = entry("names");
    data.replace(names.begin, names.end - names.begin, json);
    names.end = names.begin + json.size();
    names.shape = {static_cast<std::int64_t>(json.size())};
  }
  void write(const std::filesystem::path& path) const {
    std::ofstream(path, std::ios::binary) << rc3::io::safetensors::header_bytes(entries, metadata, "test") << data;
  }
};

/// Message of the error that loading the file gives after @p change.
template <class Change>
std::string refused(const TempDir& folder, Storage storage, const Change& change, std::string_view model = {}) {
  index_of(3, storage).save(folder / "photos.index");
  Parts parts(folder / "photos.index");
  change(parts);
  parts.write(folder / "photos.index");
  const std::string message = rc3::test::message_of([&] { Index::load(folder / "photos.index", model); });
  BOOST_TEST(message.find("photos.index: ") != std::string::npos, message);
  return message;
}

BOOST_AUTO_TEST_CASE(hostile_files) {
  const TempDir folder;
  const auto expect = [&](Storage storage, std::string_view reason, const auto& change) {
    const std::string message = refused(folder, storage, change);
    BOOST_TEST(message.find(reason) != std::string::npos, "\"" << message << "\" does not contain \"" << reason << '"');
  };
  const auto set = [](std::string key, std::string value) { return [=](Parts& p) { p.metadata[key] = value; }; };
  const auto without = [](std::string key) { return [=](Parts& p) { p.metadata.erase(key); }; };
  const Storage f = Storage::float32, b = Storage::int8;
  expect(f, "metadata \"format\" must be", set("format", "pt"));
  expect(f, "metadata \"format\" must be", without("format"));
  expect(f, "version 3 is newer than 2", set("version", "3"));
  expect(f, "metadata \"version\": must be a whole number >= 1, is \"1x\"", set("version", "1x"));
  expect(f, "metadata \"version\": must be a whole number >= 1, is \"0\"", set("version", "0"));
  expect(f, "metadata \"version\" is missing", without("version"));
  expect(f, "metadata \"model\" is missing", without("model"));
  expect(f, "metadata \"dimension\": must be", set("dimension", "99999999999999999999"));
  expect(f, "metadata \"dimension\": 65537 exceeds", set("dimension", "65537"));
  expect(f, "its shape must be [3, 11]", set("dimension", "11"));
  expect(f, "metadata \"storage\": \"int4\" is none of", set("storage", "int4"));
  expect(f, "tensor \"vectors\": must have type I8, has F32", set("storage", "int8"));
  expect(b, "tensor \"vectors\": must have type F32, has I8", set("storage", "float32"));
  expect(f, "its shape must be [3, 10]", [](Parts& p) { p.entry("vectors").shape = {30}; });
  expect(f, "tensor \"vectors\" is missing", [](Parts& p) { p.entry("vectors").name = "rows"; });
  expect(f, "tensor \"names\" is missing", [](Parts& p) { p.entry("names").name = "paths"; });
  expect(b, "tensor \"scales\" is missing", [](Parts& p) { p.entry("scales").name = "scale"; });
  expect(b, "tensor \"scales\": its shape must be [3]", [](Parts& p) { p.entry("scales").shape = {3, 1}; });
  expect(f, "has 3 tensors", [](Parts& p) {
    p.entries.push_back({"more", rc3::io::safetensors::Dtype::u8, {0}, p.data.size(), p.data.size()});
  });
  for (const float scale :
       {0.0f, -1.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
    expect(b, "tensor \"scales\": scale 1 is", [=](Parts& p) { std::memcpy(p.data.data() + 4, &scale, 4); });
  expect(f, "begins at byte", [](Parts& p) {  // names of one byte more before the vectors
    auto &names = p.entry("names"), &vectors = p.entry("vectors");
    const std::string text = p.data.substr(names.begin) + std::string(4 - (names.end - names.begin) % 4, ' ') + ' ';
    p.data = text + p.data.substr(0, vectors.end);
    vectors.begin = text.size(), vectors.end = p.data.size();
    names.begin = 0, names.end = text.size(), names.shape = {static_cast<std::int64_t>(text.size())};
  });
  const auto files = [&](std::vector<std::int64_t> numbers, std::string_view reason) {
    expect(f, reason, [&](Parts& p) {  // the other tensors follow, 8 bytes a number later
      const std::size_t size = numbers.size() * 8;
      std::string bytes(size, '\0');
      std::memcpy(bytes.data(), numbers.data(), size);
      for (auto& e : p.entries) e.begin += size, e.end += size;
      p.entries.insert(p.entries.begin(),
                       {"files", rc3::io::safetensors::Dtype::i64, {std::ssize(numbers) / 3, 3}, 0, size});
      p.data = bytes + p.data;
    });
  };
  files({1, 2, 3, 4, 5, 6}, "tensor \"files\": its shape must be [3, 3]");
  files({1, 2, 3, -2, 5, 6, 7, 8, 9}, "tensor \"files\": row 1 is -2, 5, 6; a size must be");
  files({1, 2, 3, 4, 5, 6, 7, 8, -1}, "tensor \"files\": row 2 is 7, 8, -1");
  files({1, 2, 0x100000000, 4, 5, 6, 7, 8, 9}, "tensor \"files\": row 0 is 1, 2, 4294967296");
  const auto names = [&](const std::string& json, std::string_view reason) {
    expect(f, reason, [&](Parts& p) { p.set_names(json); });
  };
  names("[\"a\",\"b\"]", "its shape must be [2, 10]");
  names("[\"a\",\"b\",\"a\"]", "\"names\": \"a\" is there twice");
  names("[\"a\",\"b\",3]", "not a JSON array of strings: a number");
  names("[\"a\",\"b\",null]", "not a JSON array of strings: null");
  names("[\"a\",[\"b\"]]", "not a JSON array of strings: an array");
  names("{\"a\":1}", "not a JSON array of strings: an object");
  names("\"a\"", "not a JSON array of strings: a string");
  names("", "not a JSON array of strings");
  names("[\"a\",\"b\",\"c\"", "not a JSON array of strings");
  names("[\"a\",\"b\",\"c\"]]", "not a JSON array of strings");
  names("[\"a\",\"b\",\"\xff\"]", "\"names\": not UTF-8 at byte 10");
  names(std::string("[\"a\",\"b\",\"c\"]\0", 14), "\"names\": a NUL byte");
  const std::string message = refused(
      folder, f, [](Parts&) {}, "rc3-large");
  BOOST_TEST(message.find("made with the model \"rc3-small \"é\"\", not with \"rc3-large\"") != std::string::npos,
             message);
}

BOOST_AUTO_TEST_CASE(every_truncation_is_refused) {
  const TempDir folder;
  for (const Storage storage : all_storages) {
    index_of(2, storage).save(folder / "i");
    const std::string whole = content_of(folder / "i");
    for (std::size_t size = 0; size < whole.size(); ++size) {
      std::ofstream(folder / "short", std::ios::binary) << whole.substr(0, size);
      throws_with([&] { Index::load(folder / "short"); }, "short: truncated");
    }
    std::ofstream(folder / "long", std::ios::binary) << whole << 'x';
    throws_with([&] { Index::load(folder / "long"); }, "long: 1 bytes after the last tensor");
  }
  throws_with([&] { Index::load(folder / "none"); }, "none: cannot open");
  throws_with([&] { Index::load(folder.path()); }, "not a file");
  throws_with([&] { Index::load(folder / "i", "", 0); }, "threads must be >= 1");
}

// The elements are not read before a search.
BOOST_AUTO_TEST_CASE(a_damaged_vector_is_an_error_of_the_search) {
  const TempDir folder;
  index_of(3, Storage::float32).save(folder / "i");
  Parts parts(folder / "i");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(parts.data.data() + sizeof(float) * (d + 2), &nan, sizeof nan);
  parts.write(folder / "i");
  const Index index = Index::load(folder / "i");
  for (const std::int64_t k : {1, 3})
    throws_with([&] { index.search(vector_of(0), k); }, "/i: vector of \"photo 1.jpg\"", "not finite");
}

// A disk that fills up: the old file remains, and no temporary one.
BOOST_AUTO_TEST_CASE(a_failed_save_leaves_the_old_file) {
  const TempDir folder;
  index_of(2, Storage::float32).save(folder / "i");
  const std::string before = content_of(folder / "i");
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{2000, old.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string message = rc3::test::message_of([&] { index_of(100, Storage::float32).save(folder / "i"); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  BOOST_TEST(message.find("/i: cannot write") != std::string::npos, message);
  BOOST_TEST((content_of(folder / "i") == before));
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  throws_with([&] { index_of(1, Storage::int8).save(folder / "none/i"); }, "none/i: cannot write");
}

// Two threads save to one path while it is read: each reader gets one of the two, whole.
BOOST_AUTO_TEST_CASE(two_writers) {
  const TempDir folder;
  const Index a = index_of(40, Storage::float32), b = index_of(60, Storage::int8, 1000);
  a.save(folder / "i");
  std::atomic<bool> done{false};
  std::thread first([&] {
    for (int i = 0; i < 20; ++i) a.save(folder / "i");
  });
  std::thread second([&] {
    for (int i = 0; i < 20; ++i) b.save(folder / "i");
    done = true;
  });
  bool right = true;
  do {
    const Index read = Index::load(folder / "i");
    const Index& expected = read.size() == 40 ? a : b;
    right =
        right && read.size() == expected.size() && same(read.search(vector_of(3), 9), expected.search(vector_of(3), 9));
  } while (!done);
  first.join();
  second.join();
  BOOST_TEST(right);
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
