#include "rc3/io/image.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(io_image)

using namespace std::string_literals;
using rc3::io::decode_image;
using rc3::io::Image;
using rc3::test::throws_with;

Image gradient(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (const int value : {x * 7, y * 5, x ^ y, 255 - (x + y) % 3})
        image.rgba.push_back(static_cast<std::uint8_t>(value));
  return image;
}

std::string big_endian(std::uint32_t n) {
  return {static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8), static_cast<char>(n)};
}

std::string chunk(const std::string& type, const std::string& data) {
  return big_endian(static_cast<std::uint32_t>(data.size())) + type + data +
         big_endian(rc3::io::png::crc32(type + data));
}

std::string png(std::uint32_t width, std::uint32_t height, const std::string& idat) {
  return "\x89PNG\r\n\x1A\n" + chunk("IHDR", big_endian(width) + big_endian(height) + "\x08\x06\0\0\0"s) +
         chunk("IDAT", idat) + chunk("IEND", "");
}

/// A zlib stream of nothing but zeros, about 1000 times shorter than what it inflates to: fixed Huffman codes, one
/// literal 0 and then matches of length 258 at distance 1.
std::string zeros_deflated(std::size_t matches) {
  std::string out = "\x78\x01";
  std::uint32_t bits = 0;
  int have = 0;
  const auto put = [&](std::uint32_t value, int count) {
    bits |= value << have;
    for (have += count; have >= 8; have -= 8, bits >>= 8) out += static_cast<char>(bits & 0xFF);
  };
  put(1, 1);           // last block
  put(1, 2);           // fixed codes
  put(0b00001100, 8);  // literal 0: code 00110000, sent from its top bit on
  for (std::size_t i = 0; i < matches; ++i) {
    put(0b10100011, 8);  // length 258: code 11000101, sent from its top bit on
    put(0, 5);           // distance 1
  }
  put(0, 7);  // end of block
  put(0, 7);
  return out + "\0\0\0\0"s;
}

/// A 2 x 2 grey JPEG, as Pillow writes it.
const std::string jpeg =
    "\xff\xd8\xff\xe0\x00\x10"
    "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xdb\x00\x43\x00"s +
    std::string(64, '\x10') +
    "\xff\xc0\x00\x0b\x08\x00\x02\x00\x02\x01\x01\x11\x00"
    "\xff\xc4\x00\x14\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\xff\xc4\x00\x14\x10\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x3f\xff\xd9"s;

BOOST_AUTO_TEST_CASE(png_round_trip) {
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 300}, {257, 3}, {64, 64}}) {
    const Image image = gradient(width, height);
    const Image back = decode_image(rc3::io::encode_png(image), "round trip");
    BOOST_TEST(back.width == width);
    BOOST_TEST(back.height == height);
    BOOST_TEST((back.rgba == image.rgba));
  }
  const rc3::test::TempDir folder;
  rc3::io::write_png(folder / "x.png", gradient(5, 4));
  BOOST_TEST((rc3::io::load_image(folder / "x.png").rgba == gradient(5, 4).rgba));
}

BOOST_AUTO_TEST_CASE(jpeg_is_read) {
  const Image image = decode_image(jpeg, "grey.jpg");
  BOOST_TEST(image.width == 2);
  BOOST_TEST(image.height == 2);
  BOOST_TEST(image.rgba.size() == 16u);
  BOOST_TEST(image.rgba[0] == 128);
  BOOST_TEST(image.rgba[3] == 255);
}

BOOST_AUTO_TEST_CASE(truncated_files_are_refused_at_every_length) {
  const std::string whole = rc3::io::encode_png(gradient(20, 20));
  for (std::size_t n = 0; n < whole.size(); ++n)
    throws_with([&] { decode_image(whole.substr(0, n), "cut.png"); }, "cut.png");
  for (std::size_t n = 0; n < jpeg.size(); ++n)
    throws_with([&] { decode_image(jpeg.substr(0, n), "cut.jpg"); }, "cut.jpg");
  throws_with([&] { decode_image(jpeg.substr(0, jpeg.size() - 2), "cut.jpg"); },
              "cut.jpg: truncated JPEG: no end marker");
}

BOOST_AUTO_TEST_CASE(other_formats_are_refused) {
  throws_with(
      [] { decode_image("GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2\x44\1\0;"s, "x.gif"); },
      "x.gif: GIF; only these are read: JPEG, PNG");
  throws_with([] { decode_image("BM"s + std::string(60, '\0'), "x.bmp"); }, "x.bmp: BMP; only");
  throws_with([] { decode_image("P6\n1 1\n255\nabc", "x.ppm"); }, "x.ppm: PNM");
  throws_with([] { decode_image("RIFF\x10\0\0\0WEBPVP8 "s, "x.webp"); },
              "x.webp: WebP; only these are read: JPEG, PNG");
  throws_with([] { decode_image("\0\0\0\x20"s + "ftypavif", "x.avif"); }, "x.avif: AVIF");
  throws_with([] { decode_image("II*\0\x08\0\0\0"s, "x.tif"); }, "x.tif: TIFF");
  throws_with([] { decode_image("\n <!DOCTYPE html><title>404", "x.jpg"); }, "x.jpg: HTML or XML text");
  throws_with([] { decode_image("", "x.png"); }, "x.png", "empty");
  throws_with([] { decode_image("text", "x.png"); }, "x.png: text; only these are read: JPEG, PNG");
  throws_with([] { decode_image("\xFF\1", "x.png"); }, "x.png: of an unknown type (begins with ff 01)");
  int given = 0;
  for (const auto& other : {"GIF89a"s, "BM"s + std::string(60, '\0'), "P6\n1 1\n255\nabc"s, "8BPS"s, "#?RADIANCE\n"s,
                            "\0\0\2\0\0\0\0\0\0\0\0\0\1\0\1\0\x18\0"s})
    given += rc3::io::Stb::recognises(other);
  rc3::test::at_most("T6 formats other than JPEG and PNG that stb is given", given, 0);
  throws_with([] { rc3::io::load_image("/nowhere/x.png"); }, "/nowhere/x.png", "No such file");
}

BOOST_AUTO_TEST_CASE(bombs_are_refused_at_once) {
  const rc3::test::TempDir folder;
  const std::string wide_jpeg = [] {
    std::string bytes = jpeg;
    bytes.replace(bytes.find("\xff\xc0") + 5, 4, "\x00\x10\xff\xff"s);
    return bytes;
  }();
  const std::string many_scans = [] {
    const std::size_t scan = jpeg.find("\xff\xda");
    std::string bytes = jpeg.substr(0, jpeg.size() - 2);
    for (int i = 0; i < 10'000; ++i) bytes += jpeg.substr(scan, jpeg.size() - 2 - scan);
    return bytes + "\xff\xd9";
  }();
  const std::string zeros = zeros_deflated(500'000);  // 800 KB that inflate to 129 MB
  struct Bomb {
    const char* name;
    std::string bytes;
    const char* reason;
  } const bombs[] = {
      {"16384 x 16384 png", png(16384, 16384, zeros), "more than the allowed side"},
      {"8192 x 8192 png", png(8192, 8192, zeros), "in all"},
      {"2^31 - 1 png", png(0x7FFFFFFF, 0x7FFFFFFF, zeros), "image"},
      {"0 x 5 png", png(0, 5, zeros), "image"},
      {"65535-wide jpeg", wide_jpeg, "65535"},
      {"1 x 1 png with 129 MB behind it", png(1, 1, zeros), "damaged"},
      {"truncated 16384 x 16384 png", png(16384, 16384, zeros).substr(0, 400'000), "truncated"},
      {"truncated 4000 x 4000 png", png(4000, 4000, zeros).substr(0, 400'000), "truncated"},
      {"png whose first chunk claims 2 GB", "\x89PNG\r\n\x1A\n\x7F\xFF\xFF\xFF" + png(1, 1, zeros).substr(12), "png"},
      {"jpeg of 10,001 scans", many_scans, "10001 scans, more than the allowed 500"},
      {"800 KB gif of 65535 x 65535", "GIF89a\xFF\xFF\xFF\xFF\0\0\0"s + zeros, "GIF"},
  };
  for (const Bomb& bomb : bombs) {
    const rc3::test::PeakMemory memory;
    const auto start = std::chrono::steady_clock::now();
    throws_with([&] { decode_image(bomb.bytes, bomb.name); }, bomb.name, bomb.reason);
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    // 50 ms is what it takes on an idle machine; the limit leaves room for a busy one.
    rc3::test::at_most(rc3::join("T5 ", bomb.name, ": refused within, ms (wanted < 50)"), ms, 1000);
    rc3::test::at_most(rc3::join("T5 ", bomb.name, ": memory rises, KB"), memory.rise(), 16384);
  }
  throws_with([] { decode_image(rc3::io::encode_png(gradient(9, 9)), "x", {.max_bytes = 20}); }, "x", "allowed 20");
  throws_with([] { decode_image(rc3::io::encode_png(gradient(9, 9)), "x", {.max_side = 8}); }, "x", "9 x 9",
              "side of 8");
  throws_with([] { decode_image(rc3::io::encode_png(gradient(9, 9)), "x", {.max_pixels = 80}); }, "x", "allowed 80");
}

BOOST_AUTO_TEST_CASE(a_full_size_image_fits_the_budget) {
  const Image image = gradient(3000, 2000);
  BOOST_TEST((decode_image(rc3::io::encode_png(image), "large").rgba == image.rgba));
}

BOOST_AUTO_TEST_CASE(encode_wants_a_whole_image) {
  throws_with([] { rc3::io::encode_png({2, 2, {1, 2, 3, 4}}); }, "encode_png", "4");
  throws_with([] { rc3::io::encode_png({0, 0, {}}); }, "encode_png");
}

BOOST_AUTO_TEST_SUITE_END()
