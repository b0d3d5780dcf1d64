#include "rc3/data/format/image_folder.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/data/check/summary.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/image.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(image_folder)

using namespace rc3;
using namespace rc3::data;
using test::throws_with;

BOOST_AUTO_TEST_CASE(images_are_samples_without_texts) {
  const test::TempDir folder;
  std::filesystem::create_directory(folder / "sub");
  const std::string png = io::encode_png({2, 1, {1, 2, 3, 255, 4, 5, 6, 255}});
  io::write_file(folder / "b.png", png);
  io::write_file(folder / "sub" / std::filesystem::path("a"), png);  // the content decides
  io::write_file(folder / "notes.txt", "notes");
  io::write_file(folder / "empty.JPG", "");
  io::write_file(folder / "cut.png", png.substr(0, 50));
  DataErrors errors;
  const auto data = ImageFolder::open({folder.path()}, errors);
  BOOST_TEST(data.name() == folder.path().string());
  BOOST_TEST(data.languages().empty());
  BOOST_REQUIRE(data.size() == 3);
  BOOST_TEST(data.read(0).id == (folder / "b.png").string());
  BOOST_TEST(std::get<std::filesystem::path>(data.read(2).image) == folder / "sub/a");
  throws_with([&] { data.read(3); }, "has 3 images, no image 3");
  BOOST_TEST(errors.count() == 1);
  throws_with([&] { fail(errors.report()); }, "no image: 1", "empty.JPG: empty");
  BOOST_TEST(errors.passed_over().at("files that are no image").count == 1);

  auto found = summarise(data, errors, 0);  // a damaged image is found by its decoder
  BOOST_TEST(found.samples == 2);
  BOOST_TEST(found.width.quantile(1) == 2);
  throws_with([&] { fail(errors.report()); }, "damaged sample: 1", "cut.png");
}

BOOST_AUTO_TEST_CASE(a_folder_must_be_readable) {
  const test::TempDir folder;
  DataErrors errors;
  throws_with([&] { ImageFolder::open({folder / "none"}, errors); }, "none: cannot read the folder");
  BOOST_TEST(ImageFolder::open({folder.path()}, errors).size() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
