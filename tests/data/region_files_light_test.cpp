#include "rc3/data/format/region_files.hpp"

#include <boost/test/unit_test.hpp>

#include "data/samples.hpp"
#include "rc3/io/file.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(region_files)

using namespace rc3;
using namespace rc3::data;
using test::throws_with;

BOOST_AUTO_TEST_CASE(files_of_folders_and_files_that_are_given) {
  const test::TempDir folder;
  Random random(3);
  const Regions one = test::random_regions(random, 3, 5, 2), other = test::random_regions(random, 2, 4, 0);
  std::filesystem::create_directories(folder / "a/b");
  io::write_file(folder / "a/b/1.safetensors", write_regions(one));
  io::write_file(folder / "a/2.safetensors", "damaged");
  io::write_file(folder / "a/3.safetensors",
                 write_regions({.width = 4, .height = 3, .boxes = {}, .features = {}, .classes = {}}));
  io::write_file(folder / "a/list.txt", "1");
  io::write_file(folder / "other", write_regions(other));
  DataErrors errors;
  const RegionFiles files({folder / "a", folder / "other", folder / "gone"}, errors);
  BOOST_REQUIRE(files.size() == 5);
  BOOST_TEST(errors.samples() == 5);
  BOOST_TEST(errors.count() == 0);
  BOOST_TEST(errors.passed_over().at("files of other endings").count == 1);
  BOOST_TEST(files.read(2).id == (folder / "a/b/1.safetensors").string());
  test::check_equal(files.read(2).regions, one);
  test::check_equal(files.read(3).regions, other);
  throws_with([&] { files.read(0); }, "a/2.safetensors: ");
  throws_with([&] { files.read(1); }, "a/3.safetensors: has no \"boxes\"");
  throws_with([&] { files.read(4); }, "gone: cannot open");
  throws_with([&] { files.read(5); }, "has 5 files, no file 5");
}

BOOST_AUTO_TEST_SUITE_END()
