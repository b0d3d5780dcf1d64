#ifdef RC3_TEST_WEBP
#include "rc3/io/image/webp.hpp"

#include <webp/encode.h>

#include <boost/test/unit_test.hpp>

#include <string>

#include "rc3/io/image.hpp"
#include "support/flips.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(io_image_webp)

using namespace std::string_literals;
using rc3::io::Image;
using rc3::test::throws_with;
using Both = rc3::io::Decoders<rc3::io::Stb, rc3::io::WebP>;

Image gradient(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (const int value : {4 * x, 4 * y, 255 - 2 * x, 1 + 3 * x + y})
        image.rgba.push_back(static_cast<std::uint8_t>(value));
  return image;
}

std::string lossless(const Image& image) {
  std::uint8_t* out = nullptr;
  const std::size_t size = WebPEncodeLosslessRGBA(image.rgba.data(), image.width, image.height, image.width * 4, &out);
  BOOST_REQUIRE(size > 0);
  std::string file(reinterpret_cast<const char*>(out), size);
  WebPFree(out);
  return file;
}

std::string little_endian(std::size_t n) {
  return {static_cast<char>(n), static_cast<char>(n >> 8), static_cast<char>(n >> 16), static_cast<char>(n >> 24)};
}

/// The extended form of @p simple, with @p flags and a chunk of @p type behind the image.
std::string extended(const std::string& simple, const Image& image, char flags, const std::string& type,
                     const std::string& data) {
  const std::string canvas = "VP8X" + little_endian(10) + flags + "\0\0\0"s +
                             little_endian(static_cast<std::size_t>(image.width - 1)).substr(0, 3) +
                             little_endian(static_cast<std::size_t>(image.height - 1)).substr(0, 3);
  const std::string body = "WEBP" + canvas + simple.substr(12) + type + little_endian(data.size()) + data +
                           (data.size() % 2 == 1 ? "\0"s : ""s);
  return "RIFF" + little_endian(body.size()) + body;
}

BOOST_AUTO_TEST_CASE(lossless_is_read_to_the_byte) {
  for (const auto& [width, height] : {std::pair{1, 1}, {40, 30}, {3, 50}}) {
    const Image image = gradient(width, height);
    const Image back = Both::decode(lossless(image), "x.webp");
    BOOST_TEST(back.width == width);
    BOOST_TEST(back.height == height);
    BOOST_TEST((back.rgba == image.rgba));
  }
  BOOST_TEST(Both::formats() == "JPEG, PNG, WebP");
  throws_with([] { rc3::io::decode_image(lossless(gradient(2, 2)), "x.webp"); },
              "x.webp: WebP; only these are read: JPEG, PNG");
}

BOOST_AUTO_TEST_CASE(orientation_is_applied) {
  const Image image = gradient(40, 30);
  const std::string tiff = "II*\0\x08\0\0\0\x01\0\x12\1\3\0\1\0\0\0\x06\0\0\0\0\0\0\0"s;
  constexpr char exif = 0x08, alpha = 0x10;
  for (const std::string& data : {tiff, "Exif\0\0"s + tiff}) {
    const std::string file = extended(lossless(image), image, exif | alpha, "EXIF", data);
    const Image back = Both::decode(file, "x.webp");
    BOOST_TEST(back.width == 30);
    BOOST_TEST((back.rgba == rc3::io::upright(image, 6).rgba));
    BOOST_TEST((Both::decode(file, "x.webp", {}, {.apply_orientation = false}).rgba == image.rgba));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_read_is_an_error) {
  const Image image = gradient(40, 30);
  const std::string file = lossless(image);
  for (std::size_t n = 0; n < file.size(); ++n)
    throws_with([&] { Both::decode(file.substr(0, n), "cut.webp"); }, "cut.webp");
  throws_with([&] { Both::decode(file, "x", {.max_pixels = 1199}); }, "x: 40 x 30 pixels", "allowed 1199");
  constexpr char animation = 0x02;
  throws_with([&] { Both::decode(extended(file, image, animation, "ANIM", "\0\0\0\0\0\0"s), "x"); },
              "x: an animated WebP");
}

BOOST_AUTO_TEST_CASE(a_large_header_costs_nothing) {
  const std::string bits = "\x2F\xFF\xFF\xFF\x0F"s + std::string(60, '\0');  // lossless, 16384 x 16384
  const std::string body = "WEBPVP8L" + little_endian(bits.size()) + bits + "\0"s;
  const std::string bomb = "RIFF" + little_endian(body.size()) + body;
  const rc3::test::PeakMemory memory;
  throws_with([&] { Both::decode(bomb, "bomb.webp"); }, "bomb.webp: 16384 x 16384 pixels");
  rc3::test::at_most("io::WebP: a header of 16384 x 16384 pixels: memory rises, KB", memory.rise(), 16384);
}

BOOST_AUTO_TEST_CASE(flipped_files_are_read_or_refused) {
  const Image image = gradient(40, 30);
  const std::string file =
      extended(lossless(image), image, 0x18, "EXIF", "II*\0\x08\0\0\0\x01\0\x12\1\3\0\1\0\0\0\x06\0\0\0"s);
  rc3::test::read_or_refuse_flipped<Both>("io::WebP", file, "flipped.webp", " (WebP has no check sums)");
}

BOOST_AUTO_TEST_SUITE_END()
#endif
