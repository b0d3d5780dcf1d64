#include "rc3/data/format/multi30k.hpp"

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(multi30k)

using namespace rc3;
using namespace rc3::data;
using test::throws_with;

namespace {

const std::vector<std::string> four = {"en", "de", "fr", "cs"};

std::filesystem::path files(std::string_view task) { return test::source("tests/data/files/multi30k") / task; }

/// Two languages' files of task 1, as each test wants them.
struct Pair : test::TempDir {
  Pair(const std::string& en, const std::string& de) {
    io::write_file(*this / "train.en", en);
    io::write_file(*this / "train.de", de);
  }
  Multi30k open(DataErrors& errors) const { return Multi30k::task1(path(), "train", {"en", "de"}, errors); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(task_1_is_strictly_aligned_by_line) {
  DataErrors errors;
  const auto data = Multi30k::task1(files("task1"), "train", four, errors,
                                    Multi30kImages{files("task1") / "train_images.txt", "flickr"});
  BOOST_TEST(data.size() == 4);
  BOOST_TEST(errors.samples() == 4);
  BOOST_TEST(errors.report() == "");
  BOOST_TEST((data.languages() == LanguageCounts{{"cs", 4}, {"de", 4}, {"en", 4}, {"fr", 4}}));
  const Sample third = data.read(2);
  BOOST_TEST(third.id == "COCO_val2014_000000012345.jpg#9");  // one image twice, with another description
  BOOST_TEST(std::get<std::filesystem::path>(third.image) == "flickr/COCO_val2014_000000012345.jpg");
  BOOST_TEST((third.texts == std::vector<Text>{{"en", "A dog carries a wet stick through shallow water.", 0},
                                               {"de", "Ein Hund trägt einen nassen Stock durch flaches Wasser.", 0},
                                               {"fr", "Un chien porte un bâton mouillé dans une eau peu profonde.", 0},
                                               {"cs", "Pes nese mokrý klacek mělkou vodou.", 0}}));
  check_sample(third, "third");
  throws_with([&] { data.read(4); }, "Multi30K task 1 train", "has 4 samples, no sample 4");
}

BOOST_AUTO_TEST_CASE(task_2_is_weakly_aligned) {
  DataErrors errors;
  const auto data = Multi30k::task2(files("task2"), "train", {"en", "de"}, errors);
  BOOST_TEST(data.size() == 3);
  BOOST_TEST((data.languages() == LanguageCounts{{"de", 15}, {"en", 15}}));
  const Sample second = data.read(1);
  BOOST_TEST(second.id == "2");
  BOOST_TEST(std::holds_alternative<std::monostate>(second.image));
  BOOST_TEST(second.texts.size() == 10u);
  for (std::size_t a = 0; a < 10; ++a) {
    BOOST_TEST(second.texts[a].language == (a < 5 ? "en" : "de"));
    for (std::size_t b = a + 1; b < 10; ++b) BOOST_TEST(second.texts[a].group != second.texts[b].group);
  }
  BOOST_TEST(second.texts[3].text == "A man kneels on the pavement.");
  BOOST_TEST(second.texts[9].text == "Vor der Tür liegt ein Fahrrad.");
}

BOOST_AUTO_TEST_CASE(files_of_other_lengths_do_not_belong_together) {
  DataErrors errors;
  const Pair files("a\nb\n", "A\nB\nC\n");
  throws_with([&] { files.open(errors); }, "train.en has 2 lines", "train.de has 3");
  io::write_file(files / "list", "1.jpg\n");
  throws_with(
      [&] {
        Multi30k::task1(files.path(), "train", {"en"}, errors, Multi30kImages{files / "list", ""});
      },
      "train.en has 2 lines", "list has 1");
}

BOOST_AUTO_TEST_CASE(windows_files_read_the_same) {
  DataErrors errors;
  const Pair files(
      "\xEF\xBB\xBF"
      "a b\r\nc\r\n",
      "A\r\nB");
  const auto data = files.open(errors);
  BOOST_TEST(data.read(0).texts[0].text == "a b");
  BOOST_TEST(data.read(1).texts[0].text == "c");
  BOOST_TEST(data.read(1).texts[1].text == "B");
  // U+2028, U+0085 and a form feed end no line, though Python's splitlines() says so.
  const Pair separators(
      "a\xE2\x80\xA8"
      "b\xC2\x85"
      "c\fd\n",
      "A\n");
  BOOST_TEST(separators.open(errors).size() == 1);
}

BOOST_AUTO_TEST_CASE(bad_lines_are_left_out_and_counted) {
  DataErrors errors;
  const Pair files("a\n \nc\xff\nd\n" + std::string(2'000'000, 'x') + "\nf\n", "A\nB\nC\n\nE\nF\n");
  const auto data = files.open(errors);
  BOOST_TEST(data.size() == 2);
  BOOST_TEST(data.read(1).id == "6");
  BOOST_TEST(data.read(1).texts[1].text == "F");
  BOOST_TEST((data.languages() == LanguageCounts{{"de", 2}, {"en", 2}}));
  BOOST_TEST(errors.samples() == 6);
  BOOST_TEST(errors.count() == 4);
  BOOST_TEST(errors.count("empty text") == 2);
  BOOST_TEST(errors.count("unreadable line") == 1);
  BOOST_TEST(errors.kinds().at("not UTF-8").examples[0].find("train.en:3: not UTF-8 at byte 1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(images_lie_in_their_folder_and_are_there_once) {
  DataErrors errors;
  const Pair files("a\nb\nc\nd\ne\n", "A\nB\nC\nD\nE\n");
  io::write_file(files / "list", "1.jpg\n../secret.jpg\n1.jpg\n/etc/passwd\nsub/2.jpg\n");
  const auto data =
      Multi30k::task1(files.path(), "train", {"en", "de"}, errors, Multi30kImages{files / "list", "images"});
  BOOST_TEST(data.size() == 2);
  BOOST_TEST(errors.count("bad image name") == 2);
  BOOST_TEST(errors.count("duplicate id") == 1);
  BOOST_TEST(std::get<std::filesystem::path>(data.read(1).image) == "images/sub/2.jpg");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_used_at_all) {
  DataErrors errors;
  throws_with([&] { Multi30k::task1("/nowhere", "train", {"en"}, errors); }, "/nowhere/train.en", "No such file");
  throws_with([&] { Multi30k::task1("/nowhere", "train", {}, errors); }, "no language was asked for");
  throws_with([&] { Pair("", "").open(errors); }, "train.en: has no valid line");
  const Pair packed("\x1F\x8B\x08", "A\n");
  throws_with([&] { packed.open(errors); }, "train.en: is gzip-compressed", "gunzip -k");
  const Pair files("a\n", "A\n");
  const auto data = files.open(errors);
  std::ofstream(files / "train.de", std::ios::in) << '\xff';  // damaged in place, after it was opened
  throws_with([&] { data.read(0); }, "train.de:1: not UTF-8 at byte 0");
}

BOOST_AUTO_TEST_SUITE_END()
