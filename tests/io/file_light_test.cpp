#include "rc3/io/file.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(io_file)

using rc3::test::throws_with;

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

BOOST_AUTO_TEST_CASE(round_trip) {
  const rc3::test::TempDir folder;
  const std::string content("a\0b\xFF\n", 5);
  rc3::io::write_file(folder / "x", content);
  BOOST_TEST(rc3::io::read_file(folder / "x", 5) == content);
  rc3::io::write_file(folder / "x", "");
  BOOST_TEST(rc3::io::read_file(folder / "x", 0).empty());
  BOOST_TEST(files_in(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(without_commit_nothing_changes) {
  const rc3::test::TempDir folder;
  rc3::io::write_file(folder / "x", "old");
  {
    rc3::io::OutputFile file(folder / "x");
    file.write("new");
  }
  BOOST_TEST(rc3::io::read_file(folder / "x", 99) == "old");
  BOOST_TEST(files_in(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(errors_name_file_and_reason) {
  const rc3::test::TempDir folder;
  throws_with([&] { rc3::io::read_file(folder / "none", 9); }, "none", "No such file");
  throws_with([&] { rc3::io::read_file(folder.path(), 9); }, folder.path().string(), "not a file");
  throws_with([&] { rc3::io::write_file(folder / "no" / "x", ""); }, "no/x", "No such file");
  BOOST_REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  throws_with([&] { rc3::io::read_file(folder / "pipe", 9); }, "pipe", "not a file");  // and does not wait for a writer
  rc3::io::write_file(folder / "x", "0123456789");
  throws_with([&] { rc3::io::read_file(folder / "x", 9); }, "x", "10 bytes", "allowed 9");
  const rc3::io::InputFile file(folder / "x");
  char buffer[8];
  throws_with([&] { file.read(buffer, 8, 4); }, "x", "truncated: ends at byte 10, 2 more");
}

BOOST_AUTO_TEST_CASE(folders_are_made_or_the_reason_is_told) {
  const rc3::test::TempDir folder;
  for (int k = 0; k < 2; ++k) rc3::io::make_folder(folder / "a" / "b");
  BOOST_TEST(std::filesystem::is_directory(folder / "a" / "b"));
  rc3::io::write_file(folder / "x", "");
  throws_with([&] { rc3::io::make_folder(folder / "x" / "y"); }, "x/y: cannot make the folder", "Not a directory");
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_the_old_file) {
  const rc3::test::TempDir folder;
  rc3::io::write_file(folder / "x", "old");
  // A limit on the size of files is what a full disk looks like to write(), without a disk to fill.
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1 << 16, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string message =
      rc3::test::message_of([&] { rc3::io::write_file(folder / "x", std::string(1 << 17, 'n')); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  BOOST_TEST(message.find("cannot write: File too large") != std::string::npos, message);
  BOOST_TEST(rc3::io::read_file(folder / "x", 99) == "old");
  BOOST_TEST(files_in(folder.path()) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
