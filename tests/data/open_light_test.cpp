#ifdef RC3_TEST_ARCHIVE
#define RC3_HAS_ARCHIVE
#endif
#include "rc3/data/open.hpp"

#include "data/small_files.hpp"
#include "rc3/data/any_examples.hpp"
#include "rc3/data/examples.hpp"
#include "samples.hpp"
#include "support/support.hpp"
#ifdef RC3_TEST_ARCHIVE
#include "rc3/data/format/pack.hpp"
#endif

BOOST_AUTO_TEST_SUITE(open_data)

using namespace rc3;
using namespace rc3::data;
using test::patient;
using test::throws_with;

namespace {

std::filesystem::path file(std::string_view name) { return test::source("tests/data/files") / name; }

AnyDataset opened(const OpenOptions& options) {
  auto errors = patient();
  return data::open(options, errors);
}

/// Whether both data sets hold the same samples.
template <Dataset Other>
void check_same(const AnyDataset& any, const Other& direct) {
  BOOST_TEST(any.name() == std::string(direct.name()));
  BOOST_TEST((any.languages() == direct.languages()));
  BOOST_REQUIRE(any.size() == direct.size());
  for (std::int64_t i = 0; i < any.size(); ++i) test::check_equal(any.read(i), direct.read(i));
}

/// Two shards of three samples, and a word of each call of will_read().
struct Shards {
  std::shared_ptr<std::vector<std::int64_t>> asked = std::make_shared<std::vector<std::int64_t>>();
  const char* name() const { return "shards"; }
  std::int64_t size() const { return 6; }
  Sample read(std::int64_t i) const {
    Sample sample;
    sample.id = join(i);
    return sample;
  }
  LanguageCounts languages() const { return {}; }
  std::vector<std::int64_t> shards() const { return {0, 3}; }
  void will_read(std::int64_t first, std::int64_t count) const { *asked = {first, count}; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(each_format_by_its_name) {
  auto errors = patient();
  const auto lists = file("multi30k/task1");
  check_same(
      opened({.paths = {lists},
              .format = "multi30k-1",
              .images = "flickr",
              .image_list = lists / "train_images.txt",
              .languages = {"en", "fr"}}),
      Multi30k::task1(lists, "train", {"en", "fr"}, errors, Multi30kImages{lists / "train_images.txt", "flickr"}));
  const OpenOptions independent{
      .paths = {file("multi30k/task2")}, .format = "multi30k-2", .languages = {"de"}, .split = "train"};
  check_same(opened(independent), Multi30k::task2(file("multi30k/task2"), "train", {"de"}, errors));
  const auto de = file("iglue/xflickrco-de.jsonl"), ja = file("iglue/xflickrco-ja.jsonl");
  check_same(opened({.paths = {de, ja}, .format = "xflickrco", .images = "flickr", .languages = {"de", "ja"}}),
             iglue::xflickrco({{"de", de}, {"ja", ja}}, "flickr", errors));
  const std::vector<std::filesystem::path> captions{file("iglue/wit-bg.jsonl"), file("iglue/wit-en.jsonl")};
  check_same(opened({.paths = captions, .format = "iglue-wit"}), iglue::wit(captions, {}, errors));
  check_same(opened({.paths = {file("wit/wit_v1.part.tsv")}, .format = "wit"}),
             Wit({file("wit/wit_v1.part.tsv")}, {}, errors));
  const test::TempDir folder;
  io::write_png(folder / "a.png", io::Image{1, 1, {0, 0, 0, 255}});
  Random random(1);
  io::write_file(folder / "a.safetensors", write_regions(test::random_regions(random, 2, 3, 0)));
  check_same(opened({.paths = {folder.path()}, .format = "regions"}), RegionFiles({folder.path()}, errors));
  check_same(opened({.paths = {folder.path()}, .format = "image-folder"}), ImageFolder::open({folder.path()}, errors));
  io::write_file(folder / "a.tsv", "1\tx");
  BOOST_TEST(opened({.paths = {folder / "a.tsv"}, .format = "volta"}).size() == 1);
}

BOOST_AUTO_TEST_CASE(a_folder_has_the_format_of_its_files) {
  const test::TempDir folder;
  auto errors = patient();
  io::write_png(folder / "a.png", io::Image{1, 1, {0, 0, 0, 255}});
  check_same(opened({.paths = {folder.path()}}), ImageFolder::open({folder.path()}, errors));
  Random random(1);
  io::write_file(folder / "a.safetensors", write_regions(test::random_regions(random, 2, 3, 0)));
  check_same(opened({.paths = {folder.path()}}), RegionFiles({folder.path()}, errors));
  io::write_file(folder / "a.tar", "");
  BOOST_TEST(format_of({.paths = {folder.path()}}).name == "shards");
  std::filesystem::create_directory(folder / "empty");
  throws_with([&] { opened({.paths = {folder / "empty"}}); }, "empty", "has no sample");
}

BOOST_AUTO_TEST_CASE(images_are_found_by_a_list) {
  const test::TempDir folder;
  auto errors = patient();
  const auto bg = iglue::read_wit(file("iglue/wit-bg.jsonl"), errors);
  io::write_file(folder / "list.tsv", bg.at(0).image_url + "\tone.jpg\n");
  const auto data = opened({.paths = {file("iglue/wit-bg.jsonl")},
                            .format = "iglue-wit",
                            .images = "downloaded",
                            .image_list = folder / "list.tsv"});
  BOOST_TEST(std::get<std::filesystem::path>(data.read(0).image) == "downloaded/one.jpg");
}

BOOST_AUTO_TEST_CASE(manifests_and_shards_are_told_from_their_paths) {
  const test::TempDir folder;
  io::write_file(folder / "a.jsonl", R"({"id": "x", "image": "x.png", "texts": {"en": "A frog."}})");
  const auto data = opened({.paths = {folder / "a.jsonl"}, .images = "/elsewhere"});
  BOOST_TEST(data.size() == 1);
  BOOST_TEST(std::get<std::filesystem::path>(data.read(0).image) == "/elsewhere/x.png");
  throws_with([&] { opened({.paths = {folder / "a.txt"}}); }, "a.txt", "there is no such file or folder");
  io::write_file(folder / "a.txt", "a frog");
  throws_with([&] { opened({.paths = {folder / "a.txt"}}); }, "a.txt", "does not tell its format", "manifest, shards");
#ifdef RC3_TEST_ARCHIVE
  auto errors = patient();
  std::string lines;
  for (int k = 0; k < 4; ++k) {
    io::write_png(folder / join(k, ".png"), io::Image{1, 1, {0, 0, 0, 255}});
    lines += join(R"({"image": ")", k, R"(.png", "texts": {"en": "A frog."}})", '\n');
  }
  io::write_file(folder / "b.jsonl", lines);
  const auto packed =
      data::pack(opened({.paths = {folder / "b.jsonl"}}), folder / "shards", errors, PackOptions{.samples = 2});
  BOOST_TEST(packed.shards.size() == 2u);
  const auto shards = opened({.paths = {folder / "shards"}});
  BOOST_TEST((shards.shards() == std::vector<std::int64_t>{0, 2}));
  BOOST_TEST(shards.read(3).texts.size() == 1u);
  BOOST_TEST(opened({.paths = {packed.shards[1]}}).size() == 2);
  const OpenOptions crawled{.paths = {file("cases/img2dataset.tar")}, .languages = {"en"}, .caption_key = "caption"};
  BOOST_TEST((opened(crawled).languages() == LanguageCounts{{"en", 3}}));
  throws_with([&] { opened({.paths = {folder / "shards"}, .languages = {"fr"}}); }, "no member <key>.txt");
  throws_with([&] { opened({.paths = {file("cases/empty.tar")}}); }, "has no sample");
#else
  throws_with([&] { opened({.paths = {folder.path()}}); }, "shards need libarchive");
#endif
}

BOOST_AUTO_TEST_CASE(an_option_without_use_is_an_error) {
  const auto refuses = [](const OpenOptions& options, const auto&... parts) {
    throws_with([&] { opened(options); }, parts...);
  };
  const auto jsonl = file("iglue/wit-en.jsonl");
  refuses({.paths = {jsonl}, .format = "manifest", .image_list = "list"}, "manifest", "image_list");
  refuses({.paths = {jsonl}, .format = "manifest", .languages = {"en"}}, "manifest", "languages");
  refuses({.paths = {jsonl}, .format = "iglue-wit", .split = "val"}, "iglue-wit", "split");
  refuses({.paths = {jsonl}, .format = "wit", .size = 3}, "wit", "size");
  refuses({.paths = {jsonl}, .format = "shards", .images = "folder"}, "shards", "images");
  refuses({.paths = {jsonl}, .format = "wit", .images = "folder"}, "wit", "image_list is missing");
  refuses({.paths = {jsonl}, .format = "manifest", .image_members = {"a.jpg"}}, "manifest", "image_members");
  refuses({.paths = {jsonl}, .format = "wit", .text_members = {"a.txt"}}, "wit", "text_members");
  refuses({.paths = {jsonl}, .format = "wit", .caption_key = "caption"}, "wit", "caption_key");
  refuses({.paths = {jsonl}, .format = "wit", .keys_per_shard = true}, "wit", "keys_per_shard");
  refuses({.paths = {jsonl}, .format = "iglue-wit", .images = "folder"}, "iglue-wit", "image_list is missing");
  refuses({.paths = {jsonl}, .format = "iglue-wit", .image_list = "list"}, "iglue-wit", "images is missing");
  refuses({.paths = {jsonl, jsonl}, .format = "manifest"}, "manifest", "reads one path", "2 are given");
  refuses({.paths = {jsonl}, .format = "xflickrco"}, "xflickrco", "languages", "1 files");
  refuses({.paths = {jsonl}, .format = "multi30k-1"}, "multi30k-1", "languages");
  refuses({}, "no data set is given");
  // What is not given, but has a default, is no error.
  OpenOptions validation{.paths = {jsonl}, .format = "iglue-wit"};
  validation.default_split = "val";
  BOOST_TEST(opened(validation).size() > 0);
}

BOOST_AUTO_TEST_CASE(the_split_has_a_default_of_the_caller) {
  const OpenOptions train{.paths = {file("multi30k/task1")}, .format = "multi30k-1", .languages = {"en"}};
  BOOST_TEST(opened(train).size() == 4);
  auto validation = train;
  validation.default_split = "val";
  throws_with([&] { opened(validation); }, "val.en");
  validation.split = "train";
  BOOST_TEST(opened(validation).size() == 4);
}

BOOST_AUTO_TEST_CASE(programs_add_formats) {
  throws_with(
      [&] { opened({.paths = {"x"}, .format = "numbers"}); }, "there is no format numbers",
      "auto, manifest, shards, multi30k-1, multi30k-2, wit, xflickrco, iglue-wit, volta, regions, image-folder");
  register_format({.name = "numbers", .uses = {"size"}, .open = [](const OpenOptions&, DataErrors&) {
                     return AnyDataset(Shards());
                   }});
  BOOST_TEST(opened({.paths = {"x"}, .format = "numbers", .size = 1}).name() == "shards");
  BOOST_TEST(format_names().back() == "numbers");
  throws_with([&] { opened({.paths = {"x"}, .format = "number"}); }, "image-folder, numbers");
  throws_with([&] { opened({.paths = {"x"}, .format = "numbers", .split = "val"}); }, "numbers", "split");
  throws_with([&] { opened({.paths = {"x"}, .format = "numbers", .size = -1}); }, "size must be at least 0, is -1");
  throws_with([] { register_format({.name = "wit"}); }, "there is a format wit already");
  throws_with([] { register_format({.name = "auto"}); }, "there is a format auto already");
}

BOOST_AUTO_TEST_CASE(any_dataset_keeps_shards) {
  const Shards source;
  const AnyDataset data(source);
  BOOST_TEST((data.shards() == std::vector<std::int64_t>{0, 3}));
  data.will_read(3, 2);
  BOOST_TEST((*source.asked == std::vector<std::int64_t>{3, 2}));
  BOOST_TEST(data.read(5).id == "5");
  BOOST_TEST((opened({.paths = {file("iglue/wit-en.jsonl")}, .format = "iglue-wit"}).shards() ==
              std::vector<std::int64_t>{0}));
}

BOOST_AUTO_TEST_CASE(any_examples_change_each_example) {
  const Examples source("two",
                        {{.id = "a", .language = "en", .text = "A"}, {.id = "b", .language = "de", .text = "B"}});
  const AnyExamples plain(source);
  BOOST_TEST(plain.name() == "two");
  BOOST_TEST((plain.languages() == LanguageCounts{{"de", 1}, {"en", 1}}));
  BOOST_TEST(plain.read(1).text == "B");
  const AnyExamples changed(source, [](Example& example) { example.text += example.id; });
  BOOST_TEST(changed.read(1).text == "Bb");
  BOOST_TEST(changed.size() == 2);
}

BOOST_AUTO_TEST_SUITE_END()
