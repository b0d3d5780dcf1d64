#include "rc3/io/lines.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "rc3/core/random.hpp"
#include "support/support.hpp"

using namespace rc3;
using namespace std::string_literals;
using io::Lines;
using test::throws_with;

namespace {

std::vector<std::string> all(const Lines& lines) {
  std::vector<std::string> out;
  for (std::int64_t i = 0; i < lines.size(); ++i) out.push_back(lines.read(i));
  return out;
}

std::vector<std::string> lines_of(const std::string& content) {
  const test::TempDir folder;
  io::write_file(folder / "a", content);
  return all(Lines(folder / "a"));
}

using Strings = std::vector<std::string>;
const io::LinesOptions indexed{.max_line = 1 << 20, .max_lines = 1'000'000, .save_index = true};

/// An index as its documentation has it.
void write_index(const std::filesystem::path& file, const std::vector<std::uint64_t>& offsets) {
  struct stat status {};
  BOOST_REQUIRE(::stat(file.c_str(), &status) == 0);
  std::vector<std::uint64_t> words(6);
  std::memcpy(words.data(), "rc3lines", 8);
  words[1] = 1;
  words[2] = static_cast<std::uint64_t>(status.st_size);
  words[3] = static_cast<std::uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000u +
             static_cast<std::uint64_t>(status.st_mtim.tv_nsec);
  words[4] = offsets.size() - 1;
  words.insert(words.end(), offsets.begin(), offsets.end());
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::uint64_t word : words) hash = (hash ^ word) * 0x100000001b3u;
  words[5] = hash;
  io::write_file(file.string() + ".idx", {reinterpret_cast<const char*>(words.data()), 8 * words.size()});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(io_lines)

BOOST_AUTO_TEST_CASE(what_a_line_is) {
  BOOST_TEST((lines_of("") == Strings{}));
  BOOST_TEST((lines_of("\n") == Strings{""}));
  BOOST_TEST((lines_of("a") == Strings{"a"}));
  BOOST_TEST((lines_of("a\n") == Strings{"a"}));
  BOOST_TEST((lines_of("a\n\nb") == Strings{"a", "", "b"}));
  BOOST_TEST((lines_of("a\r\n\r\nb\r\n") == Strings{"a", "", "b"}));
  BOOST_TEST((lines_of("a\rb\r\r\nc\r") == Strings{"a\rb\r", "c\r"}));
  BOOST_TEST((lines_of("a\0b\n\0\n"s) == Strings{"a\0b"s, "\0"s}));
  BOOST_TEST((lines_of("\xff\xfe\n") == Strings{"\xff\xfe"}));
}

BOOST_AUTO_TEST_CASE(lines_lie_across_blocks) {
  // Newlines before, at and after the border of the 4 MB that are read at once.
  for (const int shift : {-2, -1, 0, 1}) {
    const std::string first((4 << 20) + shift, 'x');
    BOOST_TEST((lines_of(first + "\nb\n" + first + "\n\n") == Strings{first, "b", first, ""}));
  }
}

BOOST_AUTO_TEST_CASE(python_splits_the_same) {
  const std::string python = test::environment("RC3_TEST_PYTHON");
  if (python.empty()) return;
  const test::TempDir folder;
  io::write_file(folder / "peer.py", R"(
import random, struct, sys
random.seed(5)
lines = [bytes(random.choices(b"ab\0\r\t\xc5\xbe", k=random.choice([0, 1, 5, 80, 3000]))) for _ in range(3000)]
lines = [line.rstrip(b"\r") for line in lines]
data = b"".join(line + random.choice([b"\n", b"\r\n"]) for line in lines) + b"the end"
open(sys.argv[1], "wb").write(data)
with open(sys.argv[2], "wb") as out:
    for line in lines + [b"the end"]: out.write(struct.pack("<I", len(line)) + line)
)");
  const std::string command = join(python, ' ', folder / "peer.py", ' ', folder / "a", ' ', folder / "b");
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  const Lines lines(folder / "a");
  BOOST_TEST(lines.size() == 3001);
  std::string framed;
  for (const std::string& line : all(lines)) {
    const auto size = static_cast<std::uint32_t>(line.size());
    framed.append(reinterpret_cast<const char*>(&size), 4).append(line);
  }
  BOOST_TEST((framed == io::read_file(folder / "b", 1 << 30)));
}

BOOST_AUTO_TEST_CASE(bounds_are_kept) {
  const test::TempDir folder;
  io::write_file(folder / "a", "1234\n12345\n123\n");
  const Lines lines(folder / "a", {.max_line = 5, .max_lines = 3});
  BOOST_TEST(lines.read(0) == "1234");
  throws_with([&] { lines.read(1); }, "a:2", "6 bytes, more than the allowed 5");
  BOOST_TEST(lines.read(2) == "123");
  BOOST_TEST(lines.read_begin(1, 3) == "123");
  BOOST_TEST(lines.read_begin(2, 100) == "123\n");
  throws_with([&] { lines.read(3); }, "has 3 lines, no line 4");
  throws_with([&] { lines.read(-1); }, "no line 0");
  throws_with([&] { Lines(folder / "a", {.max_line = 5, .max_lines = 2}); }, "more than the allowed 2 lines");
  throws_with([&] { Lines(folder / "b"); }, "b: cannot open");
  throws_with([&] { Lines(folder.path()); }, "not a file");
  std::filesystem::resize_file(folder / "a", 12);
  throws_with([&] { lines.read(2); }, "a: truncated");
  BOOST_TEST(lines.read(0) == "1234");
}

BOOST_AUTO_TEST_CASE(offsets_beyond_4_gb) {
  const test::TempDir folder;
  const std::uint64_t far = (std::uint64_t{5} << 30) + 7;
  std::ofstream(folder / "a") << "first\n";
  std::filesystem::resize_file(folder / "a", far);  // sparse: a line of NULs
  std::ofstream(folder / "a", std::ios::app) << "\nlast";
  write_index(folder / "a", {0, 6, far + 1, far + 5});  // reading it all takes half a minute on some file systems
  const Lines lines(folder / "a", indexed);
  BOOST_REQUIRE(lines.from_index());
  BOOST_TEST(lines.read(0) == "first");
  BOOST_TEST(lines.read(2) == "last");
  const test::PeakMemory memory;
  throws_with([&] { lines.read(1); }, "a:2", "more than the allowed");
  test::at_most("memory for a line of 5 GB, KB", memory.rise(), 1024);
}

BOOST_AUTO_TEST_CASE(an_index_is_used_where_it_fits) {
  const test::TempDir folder;
  const auto path = folder / "a";
  io::write_file(path, "a\n\nbc\r\nd");
  const Strings expected{"a", "", "bc", "d"};
  BOOST_TEST(!std::filesystem::exists(folder / "a.idx"));
  BOOST_TEST((all(Lines(path)) == expected));
  BOOST_TEST(!std::filesystem::exists(folder / "a.idx"));
  BOOST_TEST(!Lines(path, indexed).from_index());
  BOOST_TEST(std::filesystem::file_size(folder / "a.idx") == 48u + 8u * 5u);
  const Lines again(path, indexed);
  BOOST_TEST(again.from_index());
  BOOST_TEST((all(again) == expected));
  BOOST_TEST(!Lines(path).from_index());
  // With fewer lines allowed than the index has, the file is looked at, and refused.
  throws_with([&] { Lines(path, {.max_line = 9, .max_lines = 3, .save_index = true}); }, "allowed 3 lines");

  io::write_file(path, "a\nb\n\nc\n\nd");  // another size
  BOOST_TEST(!Lines(path, indexed).from_index());
  BOOST_TEST((all(Lines(path, indexed)) == Strings{"a", "b", "", "c", "", "d"}));
  io::write_file(path, "ab\n\ncd\n\ne");  // the same size
  std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(1));
  BOOST_TEST(!Lines(path, indexed).from_index());
  BOOST_TEST((all(Lines(path, indexed)) == Strings{"ab", "", "cd", "", "e"}));
  BOOST_TEST(Lines(path, indexed).from_index());
}

BOOST_AUTO_TEST_CASE(a_damaged_index_is_made_anew) {
  const test::TempDir folder;
  const auto path = folder / "a";
  const Strings expected{"a", "", "bc", "d"};
  io::write_file(path, "a\n\nbc\r\nd");
  Lines(path, indexed);
  const std::string good = io::read_file(folder / "a.idx", 1 << 20);
  const auto rebuilt = [&](const std::string& index) {
    io::write_file(folder / "a.idx", index);
    const Lines lines(path, indexed);
    BOOST_TEST(!lines.from_index());
    BOOST_TEST((all(lines) == expected));
    BOOST_TEST((io::read_file(folder / "a.idx", 1 << 20) == good));
  };
  for (std::size_t n = 0; n < good.size(); n += 7) rebuilt(good.substr(0, n));
  rebuilt(good + '\0');
  for (std::size_t byte = 0; byte < good.size(); ++byte) {
    std::string flipped = good;
    flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << byte % 8));
    rebuilt(flipped);
  }
}

BOOST_AUTO_TEST_CASE(an_index_with_a_right_checksum_leads_nowhere_else) {
  // As someone would make it who wants the reader to leave the file: offsets that do not rise, or end elsewhere.
  const test::TempDir folder;
  const auto path = folder / "a";
  io::write_file(path, "a\n\nbc\r\nd");
  const auto forged = [&](const std::vector<std::uint64_t>& offsets) {
    write_index(path, offsets);
    return Lines(path, indexed).from_index();
  };
  BOOST_TEST(forged({0, 2, 3, 7, 8}));  // so that the others fail for what they say
  BOOST_TEST(!forged({0, 2, 3, 7, 9}));
  BOOST_TEST(!forged({0, 2, 3, 8, 8}));
  BOOST_TEST(!forged({0, 3, 2, 7, 8}));
  BOOST_TEST(!forged({1, 2, 3, 7, 8}));
  BOOST_TEST(!forged({0, ~0ull, 3, 7, 8}));
  // A number of lines that no file of 8 bytes has: no memory is spent on it.
  std::string head = io::read_file(folder / "a.idx", 1 << 20).substr(0, 48);
  std::memset(head.data() + 32, 0xff, 8);  // 8 * (lines + 1) overflows to 0
  io::write_file(folder / "a.idx", head);
  BOOST_TEST(!Lines(path, indexed).from_index());
}

BOOST_AUTO_TEST_CASE(an_index_that_cannot_be_written_is_not) {
  const test::TempDir folder;
  io::write_file(folder / "a", "a\nb\n");
  std::filesystem::create_directories(folder / "a.idx" / "in the way");
  BOOST_TEST((all(Lines(folder / "a", indexed)) == Strings{"a", "b"}));
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 2);
}

BOOST_AUTO_TEST_CASE(threads_read_what_one_reads) {
  const test::TempDir folder;
  std::string content;
  for (int i = 0; i < 1000; ++i) content += join("line ", i, std::string(static_cast<std::size_t>(i % 50), 'x'), "\n");
  io::write_file(folder / "a", content);
  const Lines lines(folder / "a");
  const Strings expected = all(lines);
  std::atomic<int> wrong{0};
  std::vector<std::jthread> threads;
  for (std::uint64_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Random random(1, t);
      for (int k = 0; k < 5000; ++k) {
        const auto i = random.below(1000);
        wrong += lines.read(static_cast<std::int64_t>(i)) == expected[i] ? 0 : 1;
      }
    });
  threads.clear();
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()
