// Checksums of files, and their states in the file of an index.
#include "rc3/search/file_state.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "rc3/search/index.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(search_file_state)

using rc3::search::FileState;
using rc3::search::FileStates;
using rc3::search::Index;
using rc3::search::Storage;
using rc3::test::TempDir;
using rc3::test::throws_with;

BOOST_AUTO_TEST_CASE(checksums_of_files) {
  const TempDir folder;
  std::ofstream(folder / "digits") << "123456789";
  BOOST_TEST(rc3::search::checksum_of(folder / "digits") == 0xE3069283u);  // RFC 3720's check value
  std::string large((std::size_t{2} << 20) + 77, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * i >> 7);
  std::ofstream(folder / "large", std::ios::binary) << large;
  BOOST_TEST(rc3::search::checksum_of(folder / "large") == rc3::io::crc32c(large));
  throws_with([&] { rc3::search::checksum_of(folder / "none"); }, "none: cannot open");
}

BOOST_AUTO_TEST_CASE(states_are_saved_with_the_vectors) {
  const TempDir folder;
  for (const Storage storage : {Storage::float32, Storage::bfloat16, Storage::int8}) {
    Index index(3, {.storage = storage});
    for (const char* name : {"b.jpg", "a.jpg", "no file"}) index.add(name, std::vector{1.0f, 2.0f, 3.0f});
    const FileStates files{{"a.jpg", {12, -5, 0xFFFFFFFF}}, {"b.jpg", {0, 1'700'000'000'123'456'789, 7}}};
    auto more = files;
    more["not in the index"] = {1, 2, 3};
    index.save(folder / "i", more);
    FileStates read{{"old", {}}};
    BOOST_TEST(Index::load(folder / "i", "", 1, &read).size() == 3);
    BOOST_TEST((read == files));
    BOOST_TEST(Index::load(folder / "i").search(std::vector{1.0f, 2.0f, 3.0f}, 1)[0].name == "a.jpg");
    index.save(folder / "i");
    Index::load(folder / "i", "", 1, &read);
    BOOST_TEST(read.empty());
  }
}

BOOST_AUTO_TEST_CASE(the_directory_of_the_model_is_saved) {
  const TempDir folder;
  Index(3, {.model = "m", .model_directory = "/models/é"}).save(folder / "i");
  BOOST_TEST(Index::load(folder / "i", "m").model_directory() == "/models/é");
  Index(3).save(folder / "i");
  BOOST_TEST(Index::load(folder / "i").model_directory().empty());
  throws_with([] { Index(3, {.model_directory = "\xff"}); }, "model_directory", "UTF-8");
}

BOOST_AUTO_TEST_SUITE_END()
