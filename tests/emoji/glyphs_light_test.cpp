#include <thread>

#include "emoji/format.hpp"
#include "emoji_fixture.hpp"

using namespace rc3;
using emoji::Glyphs;
using test::throws_with;

BOOST_AUTO_TEST_SUITE(emoji_glyphs)

BOOST_AUTO_TEST_CASE(reads_what_is_there) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  BOOST_TEST(glyphs.size() == 12u);
  BOOST_TEST(glyphs.find("g3").value() == 3u);
  BOOST_TEST(!glyphs.find("g99").has_value());
  BOOST_TEST(glyphs[3].family == "f1");
  BOOST_TEST(glyphs[3].find("de")->name == "ein dething3");
  BOOST_TEST(glyphs[3].find("xx") == nullptr);
  BOOST_TEST(glyphs.list_pattern("en").middle == "{0}; {1}");
  BOOST_TEST(glyphs.languages().size() == 6u);
  throws_with([&] { glyphs.list_pattern("xx"); }, "language 'xx'");
  throws_with([&] { glyphs[12]; }, "12");
}

BOOST_AUTO_TEST_CASE(images_are_decoded_once_from_any_thread) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  std::vector<const io::Image*> seen(8);
  {
    std::vector<std::jthread> threads;
    for (auto& slot : seen) threads.emplace_back([&] { slot = &glyphs.image(5); });
  }
  for (const io::Image* image : seen) BOOST_TEST(image == seen[0]);
  BOOST_TEST(seen[0]->width == 136);
  BOOST_TEST(seen[0]->rgba.size() == 136u * 128u * 4u);
}

BOOST_AUTO_TEST_CASE(each_bad_input_is_named) {
  const auto bad = [](auto damage, auto... parts) {
    test::EmojiFixture fixture;
    damage(fixture.glyphs, fixture);
    fixture.save();
    throws_with([&] { fixture.load(); }, "glyphs.json", parts...);
  };
  using nlohmann::json;
  using Fixture = test::EmojiFixture;
  bad([](json& g, Fixture&) { g["version"] = 2; }, "version");
  bad([](json& g, Fixture&) { g["version"] = "1"; }, "version", "number", "string");
  bad([](json& g, Fixture&) { g.erase("glyphs"); }, "glyphs", "missing");
  bad([](json& g, Fixture&) { g["glyphs"] = json::array(); }, "glyphs", "empty");
  bad([](json& g, Fixture&) { g["glyphs"][2]["id"] = 5; }, "glyphs[2].id", "text", "number");
  bad([](json& g, Fixture&) { g["glyphs"][2]["id"] = "g1"; }, "g1", "twice");
  bad([](json& g, Fixture&) { g["glyphs"][2].erase("family"); }, "glyph g2", "family", "missing");
  bad([](json& g, Fixture&) { g["glyphs"][2]["file"] = "../secret.png"; }, "glyph g2", "file", "inside");
  bad([](json& g, Fixture&) { g["glyphs"][2]["file"] = "/etc/passwd"; }, "glyph g2", "file", "inside");
  bad([](json& g, Fixture&) { g["glyphs"][2]["file"] = "glyphs/none.png"; }, "glyph g2", "file", "none.png");
  bad([](json& g, Fixture&) { g["glyphs"][2]["texts"]["de"]["name"] = ""; }, "glyph g2", "texts.de.name", "empty");
  bad([](json& g, Fixture&) { g["glyphs"][2]["texts"]["de"]["keywords"] = "a"; }, "glyph g2", "texts.de.keywords",
      "list");
  bad([](json& g, Fixture&) { g["glyphs"][2]["texts"]["de"]["keywords"][1] = 4; }, "glyph g2", "texts.de.keywords[1]",
      "text");
  bad([](json& g, Fixture&) { g["languages"].erase("fr"); }, "fr", "list pattern");
  bad([](json& g, Fixture&) { g["languages"]["fr"]["list"]["end"] = "{0} et"; }, "languages.fr.list.end", "{1}");
}

BOOST_AUTO_TEST_CASE(files_that_are_no_json_are_named) {
  const test::EmojiFixture fixture;
  const auto file = fixture.path() / "glyphs.json";
  const auto write = [&](std::string_view content) { std::ofstream(file, std::ios::binary) << content; };
  write("{\"version\": 1, \"glyphs\": [");
  throws_with([&] { fixture.load(); }, "glyphs.json", "JSON");
  write("[1]");
  throws_with([&] { fixture.load(); }, "glyphs.json", "object", "array");
  write("{\"version\": 1, \"x\": \"fro\xff\"}");
  throws_with([&] { fixture.load(); }, "glyphs.json", "UTF-8");
  std::filesystem::remove(file);
  throws_with([&] { fixture.load(); }, "glyphs.json");
}

BOOST_AUTO_TEST_CASE(unreadable_images_are_named) {
  const test::EmojiFixture fixture;
  std::ofstream(fixture.path() / "glyphs/g4.png") << "no image";
  io::write_png(fixture.path() / "glyphs/g5.png", {2, 2, std::vector<std::uint8_t>(16, 0)});
  const Glyphs glyphs = fixture.load();
  throws_with([&] { glyphs.image(4); }, "g4", "image");
  throws_with([&] { glyphs.image(4); }, "g4", "image");  // the second try is no other
  throws_with([&] { glyphs.image(5); }, "g5", "opaque");
}

BOOST_AUTO_TEST_CASE(real_data) {
  if (!test::have("data/emoji/glyphs.json")) return;
  const Glyphs glyphs = Glyphs::load(test::cached("data/emoji"));
  BOOST_TEST(glyphs.size() > 1500u);
  for (std::size_t i = 0; i < glyphs.size(); i += 37) BOOST_TEST(glyphs.image(i).width > 0);
  for (std::size_t i = 0; i < glyphs.size(); ++i)
    for (const auto& [language, text] : glyphs[i].texts)
      if (!valid_utf8(text.name)) BOOST_ERROR(join(glyphs[i].id, ' ', language, ": not UTF-8"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(emoji_split)

BOOST_AUTO_TEST_CASE(the_format_of_names_takes_a_side_or_its_first_glyphs) {
  const test::EmojiFixture fixture;
  const auto opened = [&](std::int64_t size, const std::string& format = "emoji-names") {
    data::DataErrors errors;
    return data::open({.paths = {fixture.path()}, .format = format, .split = "val", .size = size}, errors);
  };
  BOOST_TEST(opened(0).size() == 2);
  BOOST_TEST(opened(9).size() == 2);
  BOOST_TEST(opened(1).size() == 1);
  BOOST_TEST(opened(1, "emoji-views").size() == 2);  // two images of it
  BOOST_TEST(opened(1).read(0).id == opened(0).read(0).id);
}

using emoji::Split;

BOOST_AUTO_TEST_CASE(reads_what_is_there) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const Split split = fixture.load_split(glyphs);
  BOOST_TEST(split.train.size() == 8u);
  BOOST_TEST(split.test == (std::vector<std::size_t>{8, 9, 10, 11}), boost::test_tools::per_element());
  BOOST_TEST(split.fit() == (std::vector<std::size_t>{0, 1, 2, 3, 4, 5}), boost::test_tools::per_element());
  BOOST_TEST(split.seed == 7u);
  BOOST_TEST(split.languages.unseen.at(0) == "sw");
}

BOOST_AUTO_TEST_CASE(each_bad_input_is_named) {
  using nlohmann::json;
  const auto bad = [](auto damage, auto... parts) {
    test::EmojiFixture fixture;
    damage(fixture.split);
    fixture.save();
    const Glyphs glyphs = fixture.load();
    throws_with([&] { fixture.load_split(glyphs); }, "split.json", parts...);
  };
  bad([](json& s) { s["version"] = 9; }, "version");
  bad([](json& s) { s["seed"] = -1; }, "seed");
  bad([](json& s) { s["seed"] = 1.5; }, "seed", "whole number");
  bad([](json& s) { s["test"] = json::array(); }, "test", "empty");
  bad([](json& s) { s["train"] = json::array(); }, "train", "empty");
  bad([](json& s) { s["test"][0] = "g77"; }, "test", "g77");
  bad([](json& s) { s["test"][1] = "g8"; }, "test", "g8", "twice");
  bad([](json& s) { s["train"].push_back("g8"), s["test"].erase(0); }, "family f4", "g8", "g9");
  bad([](json& s) { s["validation"].push_back("g8"); }, "validation", "g8", "not in train");
  bad([](json& s) { s["validation"].erase(0); }, "validation", "family f3");
  bad([](json& s) { s["languages"].erase("weak"); }, "languages.weak", "missing");
  bad([](json& s) { s["languages"]["weak"][0] = "xx"; }, "languages.weak", "xx");
  bad([](json& s) { s["languages"]["unseen"][0] = "en"; }, "languages.unseen", "en", "twice");
}

BOOST_AUTO_TEST_CASE(real_data_families_never_straddle) {
  if (!test::have("data/emoji/split.json")) return;
  const Glyphs glyphs = Glyphs::load(test::cached("data/emoji"));
  const Split split = Split::load(test::cached("data/emoji"), glyphs);
  std::map<std::string, int> side;  // 1 fit, 2 validation, 4 test
  for (const std::size_t g : split.fit()) side[glyphs[g].family] |= 1;
  for (const std::size_t g : split.validation) side[glyphs[g].family] |= 2;
  for (const std::size_t g : split.test) side[glyphs[g].family] |= 4;
  for (const auto& [family, sides] : side) BOOST_TEST((sides & (sides - 1)) == 0, family);
  BOOST_TEST(split.train.size() + split.test.size() == glyphs.size());
}

BOOST_AUTO_TEST_SUITE_END()
