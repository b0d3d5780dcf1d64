#include "rc3/io/image/decoders.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

#include "rc3/core/random.hpp"
#include "rc3/io/image.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(io_image_decoders)

using namespace std::string_literals;
using rc3::io::Decoders;
using rc3::io::Image;
using rc3::io::ImageHeader;
using rc3::test::throws_with;

/// A type of one's own: "ONE", its width in tens of pixels, its colour. Counts what is asked of it.
struct OneColor {
  static constexpr std::string_view formats = "ONE";
  static inline int decoded = 0;
  static bool recognises(std::string_view bytes) { return bytes.starts_with("ONE"); }
  static ImageHeader probe(std::string_view bytes, std::string_view) { return {(bytes[3] - '0') * 10, 10, 6}; }
  static Image decode(std::string_view bytes, const ImageHeader& header, std::string_view) {
    ++decoded;
    const bool lies = bytes.ends_with("lies");
    Image image{header.width - (lies ? 1 : 0), header.height, {}};
    image.rgba.assign(static_cast<std::size_t>(image.width * image.height * 4), static_cast<std::uint8_t>(bytes[4]));
    return image;
  }
};
static_assert(rc3::io::Decoder<OneColor>);

struct NoProbe {
  static constexpr std::string_view formats = "none";
  static bool recognises(std::string_view) { return true; }
};
static_assert(!rc3::io::Decoder<NoProbe>);

BOOST_AUTO_TEST_CASE(the_first_that_knows_the_type_reads_it) {
  using Both = Decoders<OneColor, rc3::io::Stb>;
  const Image one = Both::decode("ONE2A", "a.one");
  BOOST_TEST(one.width == 10);  // turned: its header says orientation 6
  BOOST_TEST(one.height == 20);
  BOOST_TEST(one.rgba[0] == 'A');
  BOOST_TEST(Both::decode(rc3::io::encode_png({1, 1, {1, 2, 3, 4}}), "a.png").rgba[2] == 3);
  BOOST_TEST(Both::formats() == "ONE, JPEG, PNG");
  BOOST_TEST((Decoders<rc3::io::Stb, OneColor, rc3::io::Stb>::formats() == "JPEG, PNG, ONE"));
  throws_with([] { Both::decode("GIF89a", "a.gif"); }, "a.gif: GIF; only these are read: ONE, JPEG, PNG");
  throws_with([] { Decoders<rc3::io::Stb>::decode("ONE2A", "a.one"); }, "a.one: text; only these");
  throws_with([] { Decoders<rc3::io::Stb>::decode("ONE\1A", "a.one"); }, "a.one: of an unknown type");
}

BOOST_AUTO_TEST_CASE(files_that_are_no_images_are_named) {
  using Stb = Decoders<rc3::io::Stb>;
  const std::pair<std::string, std::string> files[] = {
      {"Ein Hund im Schnee, \xC3\xA9t\xC3\xA9\n", "text"},
      {std::string(511, 'x') + "\xC3\xA9", "text"},  // the beginning of 512 bytes ends inside a character
      {"x\xC3 broken text", "of an unknown type"},
      {"<?xml version=\"1.0\"?>\n<svg xmlns=\"\">", "SVG"},
      {"<html>", "HTML or XML text"},
      {"RIFF\1\2\3\4AVI LIST", "AVI video"},
      {"RIFF\1\2\3\4WEBPVP8 ", "WebP; only these are read: JPEG, PNG; io::WebP"},
      {"\x1A\x45\xDF\xA3\1", "Matroska or WebM video"},
      {"\0\0\0\x14"
       "ftypqt  "s,
       "QuickTime video"},
      {"\0\0\0\x18"
       "ftypisom"s,
       "MP4 or another"},
      {"II*\0\x10"s, "TIFF or a camera's raw file"}};
  for (const auto& [bytes, kind] : files) {
    BOOST_TEST(!Stb::recognises(bytes));
    throws_with([&] { Stb::decode(bytes, "x"); }, "x: " + kind);
  }
  BOOST_TEST(Stb::recognises("\xFF\xD8\xFF\xE0"));
  BOOST_TEST((Decoders<rc3::io::Stb, OneColor>::recognises("ONE")));
}

BOOST_AUTO_TEST_CASE(limits_are_checked_before_anything_is_decoded) {
  OneColor::decoded = 0;
  using One = Decoders<OneColor>;
  throws_with([] { One::decode("ONE9A", "x", {.max_bytes = 4}); }, "x: has 5 bytes", "allowed 4");
  throws_with([] { One::decode("ONE9A", "x", {.max_side = 89}); }, "x: 90 x 10 pixels", "side of 89");
  throws_with([] { One::decode("ONE9A", "x", {.max_pixels = 899}); }, "x: 90 x 10 pixels", "allowed 899 in all");
  throws_with([] { One::decode("ONE0A", "x"); }, "x: an image of 0 x 10");
  BOOST_TEST(OneColor::decoded == 0);
  throws_with([] { One::decode("ONE9lies", "x"); }, "x: damaged", "90 x 10", "89 x 10");
}

BOOST_AUTO_TEST_CASE(crc_is_the_standard_one) { BOOST_TEST(rc3::io::png::crc32("123456789") == 0xCBF43926u); }

BOOST_AUTO_TEST_CASE(a_flipped_bit_of_a_png_is_an_error) {
  Image image{12, 9, {}};
  for (int i = 0; i < 12 * 9 * 4; ++i) image.rgba.push_back(static_cast<std::uint8_t>(i * i));
  const std::string png = rc3::io::encode_png(image);
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < png.size() * 8; ++i) {
    std::string flipped = png;
    flipped[i / 8] ^= static_cast<char>(1 << i % 8);
    try {
      rc3::io::decode_image(flipped, "flipped.png");
      ++accepted;
    } catch (const rc3::Error&) {
    }
  }
  rc3::test::at_most(rc3::join("PNG: accepted of ", png.size() * 8, " files with one flipped bit"), accepted, 0u);
}

BOOST_AUTO_TEST_CASE(a_colour_that_the_palette_lacks_is_black) {
  const auto chunk = [](const std::string& type, const std::string& data) {
    const auto number = [](std::size_t n) {
      return std::string{static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8),
                         static_cast<char>(n)};
    };
    return number(data.size()) + type + data + number(rc3::io::png::crc32(type + data));
  };
  // Four pixels of 2 bits, 0 1 2 3, of which the palette has two; stored without compression.
  const std::string rows = "\x78\x01\x01\x02\x00\xFD\xFF\x00\x1B\x00\x00\x00\x00"s;
  const std::string png = "\x89PNG\r\n\x1A\n" + chunk("IHDR", "\0\0\0\4\0\0\0\1\2\3\0\0\0"s) +
                          chunk("PLTE", "\x09\x08\x07\x01\x02\x03") + chunk("tRNS", "\x64") + chunk("IDAT", rows) +
                          chunk("IEND", "");
  const std::vector<int> expected = {9, 8, 7, 100, 1, 2, 3, 255, 0, 0, 0, 255, 0, 0, 0, 255};
  const Image image = rc3::io::decode_image(png, "palette.png");
  BOOST_TEST(std::vector<int>(image.rgba.begin(), image.rgba.end()) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(flatten_rounds_exactly) {
  int wrong = 0;
  for (int alpha = 0; alpha < 256; ++alpha)
    for (int color = 0; color < 256; color += 5) {
      const auto a = static_cast<std::uint8_t>(alpha), c = static_cast<std::uint8_t>(color);
      const Image flat = rc3::io::flatten({1, 1, {c, c, c, a}}, {255, 0, 99});
      const int backgrounds[] = {255, 0, 99};
      for (std::size_t i = 0; i < 3; ++i)
        wrong += flat.rgba[i] != (2 * (alpha * color + (255 - alpha) * backgrounds[i]) + 255) / 510;
      wrong += flat.rgba[3] != 255;
    }
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()
