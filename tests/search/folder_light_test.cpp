// Files of a folder: what is an image by content, and what changed.
#include "rc3/search/folder.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "rc3/io/image.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(search_folder)

namespace fs = std::filesystem;
using rc3::search::FileState;
using rc3::search::FileStates;
using rc3::search::folder_changes;
using rc3::search::FolderChanges;
using rc3::search::list_folder;
using rc3::test::TempDir;
using rc3::test::throws_with;
using namespace std::chrono_literals;

std::string png(std::uint8_t color) { return rc3::io::encode_png({1, 1, {color, 0, 0, 255}}); }

/// Writes a file whose time is @p age ago.
void write(const fs::path& path, const std::string& content, std::chrono::hours age = 48h) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
  fs::last_write_time(path, fs::file_time_type::clock::now() - age);
}

/// Paths relative to the folder.
template <class Entries>
std::vector<std::string> paths_of(const Entries& entries, const fs::path& folder) {
  std::vector<std::string> all;
  for (const auto& entry : entries) {
    if constexpr (std::is_same_v<std::decay_t<decltype(entry)>, std::string>)
      all.push_back(entry.substr(folder.string().size() + 1));
    else
      all.push_back(entry.path.substr(folder.string().size() + 1));
  }
  return all;
}
using Paths = std::vector<std::string>;

std::map<std::string, std::string> reasons(const FolderChanges& changes, const fs::path& folder) {
  std::map<std::string, std::string> all;
  for (const auto& s : changes.skipped) all[s.path.substr(folder.string().size() + 1)] = s.reason;
  return all;
}

/// States after the changes, as an index would know them.
FileStates known_after(const FolderChanges& changes, FileStates known = {}) {
  for (const auto* list : {&changes.added, &changes.changed, &changes.touched})
    for (const auto& image : *list) {
      known[image.path] = image.state;
      known[image.path].checksum = rc3::search::checksum_of(image.path);
    }
  for (const auto& path : changes.removed) known.erase(path);
  return known;
}

BOOST_AUTO_TEST_CASE(content_decides) {
  const TempDir folder;
  write(folder / "b/1.jpg", png(1));  // a PNG with another extension
  write(folder / "a.png", png(2));
  write(folder / "b/name without extension", png(3));
  write(folder / "b.jpg", "no image at all\n");
  write(folder / "empty.png", "");
  write(folder / "video.png", std::string("\0\0\0\x18"
                                          "ftypisom",
                                          12));
  write(folder / "c/d/anim.gif", "GIF89a\1\1");
  write(folder / ".hidden/x.png", png(4));
  write(folder / ".x.png", png(5));
  const auto changes = folder_changes(folder.path(), {});
  BOOST_TEST((paths_of(changes.added, folder.path()) == Paths{"a.png", "b/1.jpg", "b/name without extension"}));
  BOOST_TEST(changes.images() == 3);
  const auto why = reasons(changes, folder.path());
  BOOST_TEST_REQUIRE(why.size() == 4u);
  BOOST_TEST(why.at("b.jpg") == "text; only these are read: JPEG, PNG");
  BOOST_TEST(why.at("empty.png") == "empty");
  BOOST_TEST(why.at("video.png") == "MP4 or another ISO media file; only these are read: JPEG, PNG");
  BOOST_TEST(why.at("c/d/anim.gif") == "GIF; only these are read: JPEG, PNG");
  BOOST_TEST(folder_changes(folder.path(), {}, {.hidden = true}).added.size() == 5u);
}

BOOST_AUTO_TEST_CASE(loops_of_links_end) {
  const TempDir folder;
  const TempDir elsewhere;
  write(folder / "a/1.png", png(1));
  write(elsewhere / "2.png", png(2));
  fs::create_directory_symlink(folder.path(), folder / "a/loop");
  fs::create_directory_symlink("self", folder / "self");
  fs::create_directory_symlink(folder / "a", folder / "0 before a");  // the folder itself counts, not its link
  fs::create_directory_symlink(elsewhere.path(), folder / "outside");
  fs::create_directory_symlink(elsewhere.path(), folder / "outside again");
  fs::create_symlink("1.png", folder / "a/link.png");
  fs::create_symlink("nowhere.png", folder / "a/broken.png");
  BOOST_TEST_REQUIRE(::mkfifo((folder / "pipe.png").c_str(), 0600) == 0);
  const auto changes = folder_changes(folder.path(), {});
  BOOST_TEST((paths_of(changes.added, folder.path()) == Paths{"a/1.png", "a/link.png", "outside/2.png"}));
  const auto why = reasons(changes, folder.path());
  BOOST_TEST_REQUIRE(why.size() == 3u);
  BOOST_TEST(why.at("a/broken.png") == "a link that leads nowhere");
  BOOST_TEST(why.at("self") == "a link that leads nowhere");
  BOOST_TEST(why.at("pipe.png") == "not a file: a device, pipe or socket");
}

BOOST_AUTO_TEST_CASE(names) {
  using rc3::search::folder_name;
  using rc3::search::is_inside;
  BOOST_TEST(folder_name("photos/") == "photos");
  BOOST_TEST(folder_name("./photos/../photos//") == "photos");
  BOOST_TEST(folder_name("") == ".");
  BOOST_TEST(folder_name("./") == ".");
  BOOST_TEST(folder_name("/") == "/");
  BOOST_TEST(is_inside("photos", "photos/a"));
  BOOST_TEST(!is_inside("photos", "photos2/a"));
  BOOST_TEST(!is_inside("photos", "photos"));
  BOOST_TEST(is_inside("/", "/a"));
  BOOST_TEST(is_inside(".", "a/b"));
  BOOST_TEST(!is_inside(".", "/a/b"));
  BOOST_TEST(!is_inside(".", "../a"));
  const TempDir folder;
  write(folder / "a.png", png(1));
  write(folder / std::string("b\xff.png"), png(1));
  const auto changes = folder_changes((folder / "").string() + "/./", {});
  BOOST_TEST((paths_of(changes.added, folder.path()) == Paths{"a.png"}));
  BOOST_TEST_REQUIRE(changes.skipped.size() == 1u);
  BOOST_TEST(changes.skipped[0].reason == "its name is not UTF-8; rename it");
}

BOOST_AUTO_TEST_CASE(bad_folders) {
  const TempDir folder;
  write(folder / "a.png", png(1));
  throws_with([&] { list_folder(folder / "none"); }, "none: cannot read the folder: No such file");
  throws_with([&] { list_folder(folder / "a.png"); }, "a.png: not a folder");
  fs::create_directory(folder / "empty");
  BOOST_TEST(list_folder(folder / "empty").files.empty());
}

BOOST_AUTO_TEST_CASE(only_changes) {
  const TempDir folder;
  for (const char* name : {"same", "other content", "touched", "removed", "same size", "no image", "sub/x"})
    write(folder / name, png(1));
  const auto first = folder_changes(folder.path(), {});
  BOOST_TEST(first.added.size() == 7u);
  auto known = known_after(first);
  known["elsewhere/y.png"] = {1, 1, 1};
  const auto again = folder_changes(folder.path(), known);
  BOOST_TEST(again.unchanged == 7);
  BOOST_TEST(again.images() == 7);
  BOOST_TEST(again.removed.empty());

  write(folder / "other content", png(2) + "more", 24h);
  write(folder / "same size", png(3), 24h);
  write(folder / "touched", png(1), 24h);
  write(folder / "no image", "text", 24h);
  write(folder / "new", png(4));
  fs::remove(folder / "removed");
  fs::remove_all(folder / "sub");
  const auto then = folder_changes(folder.path(), known);
  BOOST_TEST((paths_of(then.added, folder.path()) == Paths{"new"}));
  BOOST_TEST((paths_of(then.changed, folder.path()) == Paths{"other content", "same size"}));
  BOOST_TEST((paths_of(then.touched, folder.path()) == Paths{"touched"}));
  BOOST_TEST((paths_of(then.removed, folder.path()) == Paths{"no image", "removed", "sub/x"}));
  BOOST_TEST((paths_of(then.skipped, folder.path()) == Paths{"no image"}));
  BOOST_TEST(then.unchanged == 1);
  BOOST_TEST((then.touched[0].state.checksum == known.at((folder / "touched").string()).checksum));
  const auto last = folder_changes(folder.path(), known_after(then, known));
  BOOST_TEST(last.unchanged == 5);
  BOOST_TEST(last.images() == 5);
  BOOST_TEST(last.removed.empty());
}

// A file written within the resolution of its time may change without a trace in size and time.
BOOST_AUTO_TEST_CASE(recent_files_are_compared_by_content) {
  const TempDir folder;
  write(folder / "a.png", png(1), 0h);
  const auto time = fs::last_write_time(folder / "a.png");
  const auto known = known_after(folder_changes(folder.path(), {}));
  BOOST_TEST(folder_changes(folder.path(), known).touched.size() == 1u);  // equal content
  write(folder / "a.png", png(2), 0h);
  fs::last_write_time(folder / "a.png", time);
  BOOST_TEST(folder_changes(folder.path(), known).changed.size() == 1u);
}

// What cannot be read at present stays in the index: a disk error is no reason to forget.
BOOST_AUTO_TEST_CASE(unreadable_is_not_removed) {
  if (::geteuid() == 0) return;  // root reads everything
  const TempDir folder;
  write(folder / "a/1.png", png(1));
  write(folder / "2.png", png(2));
  const auto known = known_after(folder_changes(folder.path(), {}));
  fs::permissions(folder / "a", fs::perms::none);
  write(folder / "2.png", png(3), 24h);
  fs::permissions(folder / "2.png", fs::perms::none);
  const auto changes = folder_changes(folder.path(), known);
  fs::permissions(folder / "a", fs::perms::owner_all);
  BOOST_TEST(changes.removed.empty());
  BOOST_TEST((paths_of(changes.skipped, folder.path()) == Paths{"2.png", "a"}));
  BOOST_TEST(changes.skipped[0].reason == "cannot open: Permission denied");
}

BOOST_AUTO_TEST_SUITE_END()
