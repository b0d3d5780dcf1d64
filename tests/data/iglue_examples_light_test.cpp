#include <set>

#include "data/small_files.hpp"
#include "rc3/data/format/iglue/examples.hpp"
#include "rc3/data/format/multi30k.hpp"
#include "rc3/data/format/translations.hpp"
#include "rc3/data/format/with_regions.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(iglue_examples)

using namespace rc3;
using namespace rc3::data;
using namespace rc3::data::iglue;
using test::iglue_file;
using test::patient;
using test::throws_with;

namespace {

std::string path_of(const Example& example, std::size_t view) {
  return std::get<std::filesystem::path>(example.views.at(view).image).string();
}

/// Knows the regions of a few images: their width says which.
struct FewRegions {
  std::string name() const { return "few"; }
  std::optional<Regions> find(const std::string& id) const {
    if (id == "248") return Regions{.width = 248, .height = 10, .boxes = {{1, 2, 3, 4}}, .features = {}, .classes = {}};
    if (id == "39-n-2") return Regions{.width = 392, .height = 10, .boxes = {}, .features = {}, .classes = {}};
    if (id == "39-1") return Regions{.width = 391, .height = 10, .boxes = {}, .features = {}, .classes = {}};
    return std::nullopt;
  }
};

/// Samples of which the second has its German text in another group.
struct Mixed {
  std::string_view name() const { return "mixed"; }
  std::int64_t size() const { return 2; }
  const LanguageCounts& languages() const { return counts; }
  Sample read(std::int64_t i) const {
    Sample sample;
    sample.id = join("s", i);
    sample.texts = {{"de", "Eins", 0}, {"de", "Zwei", 1}, {"en", "three", 2}, {"en", "two", i == 0 ? 1 : 3}};
    return sample;
  }
  LanguageCounts counts = {{"de", 4}, {"en", 4}};
};

static_assert(ExampleSet<WithRegions<Examples, FewRegions>>);
static_assert(ExampleSet<Translations<Multi30k>>);
static_assert(ExampleSet<WithRegions<Translations<Mixed>, FewRegions>>);

}  // namespace

BOOST_AUTO_TEST_CASE(xvnli_asks_about_the_image_not_the_premise) {
  DataErrors errors;
  const Examples data = xvnli(iglue_file("xvnli-fr.jsonl"), "fr", images_in("flickr", ".jpg"), errors);
  BOOST_TEST(data.name() == "XVNLI fr");
  BOOST_TEST(data.size() == 3);  // without the undecided one
  BOOST_TEST((data.languages() == LanguageCounts{{"fr", 3}}));
  BOOST_TEST(errors.count() == 0);
  const Example first = data.read(0), second = data.read(1), third = data.read(2);
  BOOST_TEST(first.id == "248.jpg#1r1n");
  BOOST_TEST(first.language == "fr");
  BOOST_TEST(first.text == "Il attend le bus.");
  BOOST_TEST(first.answer == "neutral");
  BOOST_TEST(first.answer_language == "");
  BOOST_TEST(first.views.size() == 1u);
  BOOST_TEST(first.views[0].name == "248");
  BOOST_TEST(path_of(first, 0) == "flickr/248.jpg");
  BOOST_TEST(second.answer == "contradiction");
  BOOST_TEST(second.text == "Un homme nage.");
  BOOST_TEST(third.answer == "entailment");
  BOOST_TEST(second.group == first.group);
  BOOST_TEST(third.group != first.group);
  BOOST_TEST(entailment_classes()[0] == "contradiction");
  BOOST_TEST(entailment_classes()[1] == "neutral");
  BOOST_TEST(entailment_classes()[2] == "entailment");
}

BOOST_AUTO_TEST_CASE(xgqa_keeps_back_what_the_file_does) {
  DataErrors errors;
  const Examples data = xgqa(iglue_file("xgqa-de.json"), "de", images_in("images", ".jpg"), errors);
  BOOST_TEST(data.name() == "xGQA de");
  BOOST_TEST(data.size() == 2);
  const Example first = data.read(0);
  BOOST_TEST(first.id == "202158849");
  BOOST_TEST(first.text == "Welche Farbe hat die \"Bank\" {links}, sagen wir [vorn]?");
  BOOST_TEST(first.answer == "brown");
  BOOST_TEST(first.language == "de");
  BOOST_TEST(path_of(first, 0) == "images/n406334.jpg");
  BOOST_TEST(first.views[0].name == "n406334");
  BOOST_TEST(data.read(1).answer == "no");
  BOOST_TEST(data.read(1).group != first.group);

  const test::TempDir folder;
  io::write_file(folder / "test.json", R"({"7": {"question": "q?", "imageId": "n1"}})");
  BOOST_TEST(xgqa(folder / "test.json", "en", {}, errors).read(0).answer == "");

  io::write_file(folder / "label2ans.json", R"(["cat food", "elephant", "no"])");
  BOOST_TEST((read_gqa_answers(folder / "label2ans.json") == std::vector<std::string>{"cat food", "elephant", "no"}));
  for (const auto& [content, reason] : {std::pair("[]", "has no answer"),
                                        {"[\"a\", \"b\", \"a\"]", "the answer \"a\" is there twice"},
                                        {"[\"a\", 7]", "\"answers\" must be a string, is 7"},
                                        {"{\"a\": 0}", "must be an array"}}) {
    io::write_file(folder / "label2ans.json", content);
    throws_with([&] { read_gqa_answers(folder / "label2ans.json"); }, "label2ans.json", reason);
  }
}

BOOST_AUTO_TEST_CASE(marvl_and_nlvr2_have_a_left_and_a_right_image) {
  DataErrors errors;
  const Examples data = marvl(iglue_file("marvl-id.jsonl"), images_in("images", ""), errors);
  BOOST_TEST(data.size() == 2);
  BOOST_TEST((data.languages() == LanguageCounts{{"id", 2}}));
  const Example first = data.read(0);
  BOOST_TEST(first.id == "id-0");
  BOOST_TEST(first.language == "id");
  BOOST_TEST(first.text == "Kedua gambar menunjukkan panci biru");
  BOOST_TEST(first.answer == "true");
  BOOST_TEST(first.views.size() == 2u);
  BOOST_TEST(path_of(first, 0) == "images/39-Panci/39-1.jpg");
  BOOST_TEST(path_of(first, 1) == "images/39-Panci/39-n-2.jpg");
  BOOST_TEST(first.views[0].name == "39-1");  // as VOLTA names features
  BOOST_TEST(first.views[1].name == "39-n-2");
  BOOST_TEST(data.read(1).answer == "false");
  BOOST_TEST(reasoning_classes()[0] == "false");
  BOOST_TEST(reasoning_classes()[1] == "true");

  const Examples english = nlvr2(iglue_file("nlvr2.jsonl"), "en", images_in("dev", ".png"), errors);
  BOOST_TEST(english.size() == 3);
  const Example bridge = english.read(0);
  BOOST_TEST(bridge.id == "dev-850-0-0");
  BOOST_TEST(bridge.text == "Both pictures show a bridge.");
  BOOST_TEST(bridge.answer == "false");
  BOOST_TEST(bridge.language == "en");
  BOOST_TEST(path_of(bridge, 0) == "dev/dev-850-0-img0.png");
  BOOST_TEST(path_of(bridge, 1) == "dev/dev-850-0-img1.png");
  BOOST_TEST(bridge.views[1].name == "dev-850-0-img1");
  BOOST_TEST(english.read(1).answer == "true");
  BOOST_TEST(english.read(1).group == bridge.group);  // one sentence
  BOOST_TEST(english.read(2).group != bridge.group);
  BOOST_TEST(english.read(2).views[0].name == "dev-850-2-img0");
  BOOST_TEST(errors.count() == 0);

  const test::TempDir folder;
  DataErrors bad = patient();
  io::write_file(folder / "n.jsonl", R"({"identifier": "dev-1-0-0", "sentence": "s", "label": "True"}
{"identifier": "dev-1-0-1", "sentence": "s", "label": true}
{"identifier": "dev-1-0-2", "sentence": "s", "label": "true"}
{"identifier": "dev", "sentence": "s", "label": "True"}
{"identifier": "dev-1-0-0", "sentence": "s", "label": "True"})");
  BOOST_TEST(read_nlvr2(folder / "n.jsonl", bad).size() == 1u);
  BOOST_TEST(bad.count("malformed record") == 3);
  BOOST_TEST(bad.count("duplicate id") == 1);
  BOOST_TEST(bad.report().find("\"label\" must be True or False, is true") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(examples_without_their_images_are_told_and_left_out) {
  DataErrors errors = patient();
  const FindImage only_248 = [](const std::string& name) -> std::optional<std::filesystem::path> {
    if (name == "248") return "here.jpg";
    return std::nullopt;
  };
  const Examples some = xvnli(iglue_file("xvnli-fr.jsonl"), "fr", only_248, errors);
  BOOST_TEST(some.size() == 2);
  BOOST_TEST(errors.count("missing image") == 1);
  BOOST_TEST(errors.report().find("xvnli-fr.jsonl: 249.jpg#0r1e: there is no image for 249") != std::string::npos);
  BOOST_TEST(errors.samples() == 4);
  throws_with([&] { marvl(iglue_file("marvl-id.jsonl"), only_248, errors); }, "MaRVL", "marvl-id.jsonl",
              "there is an image for no record");
  DataErrors strict({.fraction = 0, .minimum = 0});
  throws_with([&] { xvnli(iglue_file("xvnli-fr.jsonl"), "fr", only_248, strict); }, "too many errors", "249");

  const Examples none = xvnli(iglue_file("xvnli-fr.jsonl"), "fr", {}, errors);  // for regions alone
  BOOST_TEST(none.size() == 3);
  BOOST_TEST(std::holds_alternative<std::monostate>(none.read(0).views[0].image));
  BOOST_TEST(none.read(0).views[0].name == "248");

  const test::TempDir folder;
  io::write_file(folder / "q.json", R"({"1": {"question": "q?", "imageId": "../n1"},
                                        "2": {"question": "q?", "imageId": "n2"}})");
  const std::int64_t before = errors.count("missing image");
  BOOST_TEST(xgqa(folder / "q.json", "en", images_in("images", ".jpg"), errors).size() == 1);
  BOOST_TEST(errors.count("missing image") == before + 1);
  throws_with([&] { xgqa(folder / "none.json", "en", {}, errors); }, "none.json", "No such file");
}

BOOST_AUTO_TEST_CASE(regions_are_found_by_the_names_of_views) {
  DataErrors errors;
  const auto regions = std::make_shared<const FewRegions>();
  const WithRegions pairs(marvl(iglue_file("marvl-id.jsonl"), {}, errors), regions);
  const Example example = pairs.read(0);
  BOOST_TEST(example.views[0].regions.width == 391.0f);
  BOOST_TEST(example.views[1].regions.width == 392.0f);
  BOOST_TEST(pairs.name() == "MaRVL");
  BOOST_TEST((pairs.languages() == LanguageCounts{{"id", 2}}));
  throws_with([&] { pairs.read(1); }, "MaRVL: example \"id-1\": few has no regions for \"39-3\"");
  const WithRegions kept(marvl(iglue_file("marvl-id.jsonl"), {}, errors), regions, {.id = {}, .required = false});
  BOOST_TEST(kept.read(1).views[0].regions.width == 0.0f);
  const auto shorter = [](const std::string& name) { return name.substr(1); };
  throws_with(
      [&] { WithRegions(xvnli(iglue_file("xvnli-fr.jsonl"), "fr", {}, errors), regions, {.id = shorter}).read(0); },
      "few has no regions for \"48\"");
}

BOOST_AUTO_TEST_CASE(multi30k_as_translations) {
  DataErrors errors;
  const auto folder = test::source("tests/data/files/multi30k") / "task1";
  const Translations data(Multi30k::task1(folder, "train", {"en", "de", "fr", "cs"}, errors,
                                          Multi30kImages{folder / "train_images.txt", "flickr"}),
                          "en", {"de", "fr"});
  BOOST_TEST(data.size() == 8);
  BOOST_TEST((data.languages() == LanguageCounts{{"en", 8}}));
  const Example german = data.read(4), french = data.read(5);
  BOOST_TEST(german.id == "COCO_val2014_000000012345.jpg#9-de");
  BOOST_TEST(french.id == "COCO_val2014_000000012345.jpg#9-fr");
  BOOST_TEST(german.text == "A dog carries a wet stick through shallow water.");
  BOOST_TEST(french.text == german.text);
  BOOST_TEST(german.answer == "Ein Hund trägt einen nassen Stock durch flaches Wasser.");
  BOOST_TEST(french.answer == "Un chien porte un bâton mouillé dans une eau peu profonde.");
  BOOST_TEST(german.language == "en");
  BOOST_TEST(german.answer_language == "de");
  BOOST_TEST(french.answer_language == "fr");
  BOOST_TEST(german.group == 2);
  BOOST_TEST(french.group == 2);
  BOOST_TEST(path_of(german, 0) == "flickr/COCO_val2014_000000012345.jpg");
  BOOST_TEST(german.views[0].name == "COCO_val2014_000000012345.jpg#9");
  throws_with([&] { data.read(8); }, "Multi30K task 1 train: translation 8 of 8");

  const Translations mixed(Mixed(), "en", {"de"});
  BOOST_TEST(mixed.read(0).text == "two");  // the first with a translation
  BOOST_TEST(mixed.read(0).answer == "Zwei");
  throws_with([&] { mixed.read(1); }, "mixed: sample \"s1\" has no text in \"en\" with a translation into \"de\"");
  throws_with([&] { Translations(Mixed(), "en", {}); }, "mixed: translations: targets is empty");
  throws_with([&] { Translations(Mixed(), "en", {"de", "fr"}); }, "there is no text in \"fr\"");
  throws_with([&] { Translations(Mixed(), "en", {"de", "en"}); }, "\"en\" is given twice");
}

BOOST_AUTO_TEST_SUITE_END()
