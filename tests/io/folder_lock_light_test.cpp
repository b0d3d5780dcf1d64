#include "rc3/io/folder_lock.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>

#include <array>
#include <csignal>

#include "support/support.hpp"

using rc3::io::FolderLock;
using namespace rc3::test;

BOOST_AUTO_TEST_SUITE(folder_lock)

BOOST_AUTO_TEST_CASE(a_second_owner_is_told_process_and_host_of_the_first) {
  const TempDir folder;
  std::array<char, 256> host{};
  BOOST_TEST_REQUIRE(::gethostname(host.data(), host.size() - 1) == 0);
  const auto owner = rc3::join("process ", ::getpid(), " on ", host.data(), ';');
  {
    const FolderLock lock(folder.path());
    throws_with([&] { FolderLock second(folder.path()); }, folder.path().c_str(), "another program writes here",
                owner.c_str());
    throws_with([&] { FolderLock third(folder.path()); }, owner.c_str());  // the refusal has released nothing
  }
  const FolderLock again(folder.path());
}

BOOST_AUTO_TEST_CASE(the_lock_of_a_killed_process_is_free) {
  const TempDir folder;
  int ready[2];
  BOOST_TEST_REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder.path());
    [[maybe_unused]] const auto said = ::write(ready[1], "x", 1);
    for (;;) ::pause();
  }
  char c = 0;
  BOOST_TEST_REQUIRE(::read(ready[0], &c, 1) == 1);
  const auto owner = rc3::join("process ", child, " on ");
  throws_with([&] { FolderLock lock(folder.path()); }, owner.c_str());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  BOOST_TEST(rc3::io::read_file(folder / "lock", 1000).starts_with(owner));  // a stale file
  { const FolderLock lock(folder.path()); }
  BOOST_TEST(rc3::io::read_file(folder / "lock", 1000).starts_with(rc3::join("process ", ::getpid(), " on ")));
  ::close(ready[0]);
  ::close(ready[1]);
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_missing_is_named) {
  const TempDir folder;
  throws_with([&] { FolderLock lock(folder / "none"); }, "none/lock: cannot open: No such file");
}

BOOST_AUTO_TEST_SUITE_END()
