#include "emoji_fixture.hpp"

BOOST_AUTO_TEST_SUITE(emoji_scene)

using namespace rc3;
using namespace emoji;
using test::throws_with;

namespace {

void check_boxes(const Drawing& image) {
  BOOST_TEST(image.rgb.size() == static_cast<std::size_t>(image.width * image.height * 3));
  BOOST_TEST(image.boxes.size() == image.objects.size());
  for (std::size_t i = 0; i < image.boxes.size(); ++i) {
    const auto& a = image.boxes[i];
    const bool inside = a[0] >= 0 && a[1] >= 0 && a[0] < a[2] && a[1] < a[3] &&
                        a[2] <= static_cast<float>(image.width) && a[3] <= static_cast<float>(image.height);
    BOOST_TEST(inside);
    for (std::size_t k = 0; k < i; ++k) {
      const auto& b = image.boxes[k];
      const bool apart = a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
      BOOST_TEST(apart);
    }
  }
}

}  // namespace

// Integer arithmetic only: these numbers hold on every machine. When the drawing changes on purpose, they change.
BOOST_AUTO_TEST_CASE(bytes_never_change) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const std::vector<std::size_t> five = {4, 1, 9, 11, 6};
  std::vector<std::uint8_t> all;
  for (std::uint64_t i = 0; i < 12; ++i) {
    Style style = Style::training(224, 160);
    style.flip_percent = 50;
    for (const Drawing& image :
         {draw_single(glyphs, i, Style::canonical(96, 64), Random(0)), draw_single(glyphs, i, style, Random(7, i)),
          draw_scene(glyphs, five, style, Random(8, i))})
      all.insert(all.end(), image.rgb.begin(), image.rgb.end());
  }
  BOOST_TEST(test::checksum(all) == 3621732877573779324u);
}

BOOST_AUTO_TEST_CASE(same_random_same_image) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const Style style = Style::training();
  BOOST_TEST((draw_single(glyphs, 3, style, Random(1, 2)).rgb == draw_single(glyphs, 3, style, Random(1, 2)).rgb));
  BOOST_TEST((draw_single(glyphs, 3, style, Random(1, 2)).rgb != draw_single(glyphs, 3, style, Random(1, 3)).rgb));
}

BOOST_AUTO_TEST_CASE(boxes_lie_inside_and_apart) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  for (const auto& [width, height] : {std::pair{224, 224}, std::pair{320, 96}, std::pair{64, 64}}) {
    Style style = Style::training(width, height);
    for (const int rotation : {0, 10, 90}) {
      style.rotation = rotation;
      for (std::uint64_t i = 0; i < 20; ++i) {
        check_boxes(draw_single(glyphs, i % 12, style, Random(3, i)));
        std::vector<std::size_t> objects(1 + i % 5);
        for (std::size_t k = 0; k < objects.size(); ++k) objects[k] = (i + k) % 12;
        const Drawing scene = draw_scene(glyphs, objects, style, Random(4, i));
        check_boxes(scene);
        BOOST_TEST(scene.objects == objects, boost::test_tools::per_element());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(crowded_and_repeated_objects_find_room) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const std::vector<std::size_t> nine(9, 11);
  for (std::uint64_t i = 0; i < 10; ++i) check_boxes(draw_scene(glyphs, nine, Style::training(), Random(5, i)));
}

BOOST_AUTO_TEST_CASE(boxes_are_tight) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const Drawing image = draw_single(glyphs, 5, Style::canonical(136, 136), Random(0));
  // The only pixels that are not white are the glyph's; those just outside the box are nearly white.
  int x1 = image.width, y1 = image.height, x2 = 0, y2 = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const std::uint8_t* p = &image.rgb[static_cast<std::size_t>(y * image.width + x) * 3];
      if (p[0] > 230 && p[1] > 230 && p[2] > 230) continue;
      x1 = std::min(x1, x), y1 = std::min(y1, y), x2 = std::max(x2, x + 1), y2 = std::max(y2, y + 1);
    }
  }
  const auto& box = image.boxes[0];
  BOOST_TEST(std::abs(box[0] - static_cast<float>(x1)) <= 1);
  BOOST_TEST(std::abs(box[1] - static_cast<float>(y1)) <= 1);
  BOOST_TEST(std::abs(box[2] - static_cast<float>(x2)) <= 1);
  BOOST_TEST(std::abs(box[3] - static_cast<float>(y2)) <= 1);
}

BOOST_AUTO_TEST_CASE(canonical_view_is_the_glyph_on_white) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const Drawing a = draw_single(glyphs, 2, Style::canonical(), Random(1));
  const Drawing b = draw_single(glyphs, 2, Style::canonical(), Random(2));
  BOOST_TEST((a.rgb == b.rgb));
  BOOST_TEST(static_cast<int>(a.rgb[0]) == 255);
  const std::uint8_t* middle = &a.rgb[static_cast<std::size_t>(112 * 224 + 112) * 3];
  BOOST_TEST(static_cast<int>(middle[0]) == 40);  // the disc's own colour, unblended
  BOOST_TEST(static_cast<int>(middle[2]) == 215);
}

BOOST_AUTO_TEST_CASE(drawing_at_own_size_copies_pixels) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const io::Image& image = glyphs.image(7);
  Drawing canvas;
  canvas.width = 136;
  canvas.height = 128;
  canvas.rgb.assign(136 * 128 * 3, 0);
  paint(canvas, {image.width, image.height, image.rgba}, {.center_x2 = 136, .center_y2 = 128, .extent = 136});
  int worst = 0;
  for (std::size_t i = 0; i < std::size_t{136} * 128; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      worst = std::max(worst, std::abs(canvas.rgb[3 * i + c] - image.rgba[4 * i + c] * image.rgba[4 * i + 3] / 255));
  BOOST_TEST(worst <= 1);
  // Turned by 90 degrees clockwise the disc's middle (70, 62), 2 right of and 2 above the centre, lies 2 right of and
  // 2 below it; mirrored, 2 left of and 2 above.
  const auto middle_of = [&](const Pose& pose) {
    Drawing square;
    square.width = square.height = 200;
    square.rgb.assign(200 * 200 * 3, 0);
    const PixelBox box = paint(square, {image.width, image.height, image.rgba}, pose);
    return std::pair{box[0] + box[2] - 200, box[1] + box[3] - 200};
  };
  const auto turned = middle_of({.center_x2 = 200, .center_y2 = 200, .extent = 136, .degrees = 90});
  BOOST_TEST(std::abs(turned.first - 3) <= 2);
  BOOST_TEST(std::abs(turned.second - 5) <= 2);
  const auto mirrored = middle_of({.center_x2 = 200, .center_y2 = 200, .extent = 136, .flip = true});
  BOOST_TEST(std::abs(mirrored.first + 5) <= 2);
  BOOST_TEST(std::abs(mirrored.second + 3) <= 2);
}

BOOST_AUTO_TEST_CASE(wrong_use_is_named) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const std::vector<std::size_t> none, ten(10, 1), nine(9, 1);
  throws_with([&] { draw_scene(glyphs, none, {}, Random(1)); }, "1 .. 9", "not 0");
  throws_with([&] { draw_scene(glyphs, ten, {}, Random(1)); }, "1 .. 9", "not 10");
  Style style;
  style.width = 8;
  throws_with([&] { draw_single(glyphs, 0, style, Random(1)); }, "width", "is 8");
  style = {};
  style.single_min = 90, style.single_max = 80;
  throws_with([&] { draw_single(glyphs, 0, style, Random(1)); }, "single_max", "is 80");
  style = {};
  style.width = style.height = 16;
  throws_with([&] { draw_scene(glyphs, nine, style, Random(1)); }, "no room", "9 objects");
  throws_with([&] { draw_single(glyphs, 99, {}, Random(1)); }, "99");
}

BOOST_AUTO_TEST_CASE(real_data) {
  if (!test::have("data/emoji/glyphs.json")) return;
  const Glyphs glyphs = Glyphs::load(test::cached("data/emoji"));
  const Style style = Style::training();
  for (std::uint64_t i = 0; i < 100; ++i) {
    Random random(9, i);
    std::vector<std::size_t> objects(2 + i % 4);
    for (std::size_t& object : objects) object = random.below(glyphs.size());
    check_boxes(draw_scene(glyphs, objects, style, random));
  }
}

BOOST_AUTO_TEST_SUITE_END()
