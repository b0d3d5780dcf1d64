#ifdef RC3_TEST_TURBOJPEG
#include "rc3/io/image/turbojpeg.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <map>
#include <string>

#include "rc3/io/file.hpp"
#include "rc3/io/image.hpp"
#include "support/flips.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(io_image_turbojpeg)

using namespace std::string_literals;
using rc3::io::Image;
using rc3::test::throws_with;
using Turbo = rc3::io::Decoders<rc3::io::TurboJpeg>;

/// A JPEG of a colour gradient. @param format  what the four bytes a pixel mean: TJPF_RGBX or TJPF_CMYK
std::string jpeg(int width, int height, int format = TJPF_RGBX, int flags = 0) {
  std::string pixels;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (const int value : {4 * x, 4 * y, 255 - 2 * x, 255}) pixels += static_cast<char>(value);
  const std::unique_ptr<void, int (*)(void*)> handle(tjInitCompress(), tjDestroy);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  const int result = tjCompress2(handle.get(), reinterpret_cast<const unsigned char*>(pixels.data()), width, 0, height,
                                 format, &out, &size, TJSAMP_444, 95, flags);
  BOOST_REQUIRE_EQUAL(result, 0);
  std::string file(reinterpret_cast<const char*>(out), size);
  tjFree(out);
  return file;
}

BOOST_AUTO_TEST_CASE(it_reads_what_stb_reads) {
  for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
    const std::string file = jpeg(40, 30, TJPF_RGBX, flags);
    const Image ours = Turbo::decode(file, "x.jpg"), stb = rc3::io::decode_image(file, "x.jpg");
    BOOST_TEST(ours.width == 40);
    BOOST_TEST(ours.height == 30);
    BOOST_REQUIRE_EQUAL(ours.rgba.size(), stb.rgba.size());
    int largest = 0;
    for (std::size_t i = 0; i < stb.rgba.size(); ++i) largest = std::max(largest, std::abs(ours.rgba[i] - stb.rgba[i]));
    rc3::test::at_most("io::TurboJpeg against io::Stb: largest difference of a byte", largest, 3);
    BOOST_TEST(ours.rgba[3] == 255);
  }
}

BOOST_AUTO_TEST_CASE(a_list_falls_back_on_stb_for_png) {
  using Both = rc3::io::Decoders<rc3::io::TurboJpeg, rc3::io::Stb>;
  BOOST_TEST(Both::decode(rc3::io::encode_png({1, 1, {5, 6, 7, 8}}), "x.png").rgba[1] == 6);
  BOOST_TEST(Both::decode(jpeg(3, 2), "x.jpg").width == 3);
  throws_with(
      [] {
        Turbo::decode(rc3::io::encode_png({1, 1, {5, 6, 7, 8}}), "x.png");
      },
      "x.png: PNG; only these are read: JPEG");
}

/// Largest difference of a byte from Pillow's, which wrote @p expected as raw RGB.
template <class Decoder>
int from_pillow(const std::string& file, const std::string& expected) {
  const Image image = rc3::io::Decoders<Decoder>::decode(file, "x.jpg");
  BOOST_TEST_REQUIRE(image.rgba.size() / 4 * 3 == expected.size());
  int largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    largest = std::max(largest, std::abs(image.rgba[i / 3 * 4 + i % 3] - static_cast<unsigned char>(expected[i])));
  return largest;
}

std::string in_pillow(const std::filesystem::path& folder, const std::string& file) {
  rc3::io::write_file(folder / "x.jpg", file);
  std::filesystem::remove(folder / "x.rgb");
  const std::string command = "cd '" + folder.string() + "' && '" + rc3::test::environment("RC3_TEST_PYTHON") +
                              "' -c 'from PIL import Image; open(\"x.rgb\", \"wb\").write("
                              "Image.open(\"x.jpg\").convert(\"RGB\").tobytes())' 2> x.log";
  return std::system(command.c_str()) == 0 ? rc3::io::read_file(folder / "x.rgb", 1 << 20) : "";
}

// CMYK with and without Adobe's marker, and bytes between segments, which libjpeg skips with a warning.
BOOST_AUTO_TEST_CASE(odd_files_are_what_pillow_reads) {
  const rc3::test::TempDir folder;
  const auto given = [](const char* name) {
    return rc3::io::read_file(rc3::test::source("tests/io/files") / name, 1 << 20);
  };
  std::map<std::string, std::string> files{{"cmyk", given("cmyk_pillow.jpg")},
                                           {"between", given("garbage_between.jpg")}};
  files["unmarked"] = files["cmyk"];
  files["unmarked"].replace(files["cmyk"].find("Adobe"), 5, "adobe");
  files["both"] = files["unmarked"];
  const std::size_t first = 4 + static_cast<unsigned char>(files["both"][5]);  // the second segment begins here
  files["both"].insert(first, "\0\1 junk \xFF\0"s);
  const std::string python = rc3::test::environment("RC3_TEST_PYTHON");
  for (const auto& [name, file] : files) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(Turbo::decode(file, name).width == 64);
      if (python.empty()) continue;
      const std::string expected = in_pillow(folder.path(), file);
      BOOST_TEST(from_pillow<rc3::io::TurboJpeg>(file, expected) == 0);
      BOOST_TEST(from_pillow<rc3::io::Stb>(file, expected) <= 3);
    }
  }
}

// What follows an image: nothing of it is read, and a whole image without an end marker is told from a cut one.
BOOST_AUTO_TEST_CASE(trailers_are_passed_over_as_in_pillow) {
  const rc3::test::TempDir folder;
  const std::string whole = jpeg(64, 48), open = whole.substr(0, whole.size() - 2);
  const std::string text(140, 't'), zeros(500, '\0'), end = "\xFF\xD9";
  const auto plain = Turbo::decode(whole, "whole.jpg").rgba;
  const std::string between = rc3::io::read_file(rc3::test::source("tests/io/files/garbage_between.jpg"), 1 << 20);
  for (const auto& file : {whole + text, whole + zeros, whole + whole, open + text, open + zeros, open + text + end,
                           open + zeros + end + text}) {
    BOOST_TEST((Turbo::decode(file, "trailer.jpg").rgba == plain));
    if (rc3::test::environment("RC3_TEST_PYTHON").empty() || file.size() < open.size() + 100) continue;
    BOOST_TEST(from_pillow<rc3::io::TurboJpeg>(file, in_pillow(folder.path(), file)) == 0);
  }
  BOOST_TEST((Turbo::decode(between.substr(0, between.rfind(end)) + text, "b").rgba ==
              Turbo::decode(between, "b").rgba));  // two repairs at once
  const std::string half = open.substr(0, open.size() / 2 + 100);
  for (const auto& file : {open, open + "\xFF", half + text, half + zeros, half + std::string(5000, '\0'), half + end,
                           open + "\xFF\xC0\0"s + text, open + whole.substr(0, 40)})
    throws_with([&] { Turbo::decode(file, "cut.jpg"); }, "cut.jpg: ", "truncated JPEG");
  throws_with([&] { rc3::io::Decoders<rc3::io::Stb>::decode(open + text, "t.jpg"); }, "no end marker; if it has",
              "io::TurboJpeg reads it");
}

BOOST_AUTO_TEST_CASE(damage_is_an_error_and_costs_nothing) {
  const std::string file = jpeg(64, 48);
  for (std::size_t n = 0; n < file.size(); ++n)
    throws_with([&] { Turbo::decode(file.substr(0, n), "cut.jpg"); }, "cut.jpg");
  std::string hole = file;  // the end marker is there, a part before it is not: libjpeg only warns
  hole.erase(hole.size() - 100, 80);
  throws_with([&] { Turbo::decode(hole, "hole.jpg"); }, "hole.jpg: damaged or truncated JPEG");
  throws_with([&] { Turbo::decode(file, "x", {.max_side = 63}); }, "x: 64 x 48 pixels", "side of 63");

  std::string wide = file;
  wide.replace(wide.find("\xFF\xC0") + 5, 4, "\xFF\xDC\xFF\xDC");  // the most that libjpeg allows
  const rc3::test::PeakMemory memory;
  throws_with([&] { Turbo::decode(wide, "wide.jpg"); }, "wide.jpg: 65500 x 65500 pixels");
  rc3::test::at_most("io::TurboJpeg: a header of 65500 x 65500 pixels: memory rises, KB", memory.rise(), 16384);
}

BOOST_AUTO_TEST_CASE(flipped_files_are_read_or_refused) {
  rc3::test::read_or_refuse_flipped<Turbo>("io::TurboJpeg", jpeg(64, 48), "flipped.jpg");
}

BOOST_AUTO_TEST_SUITE_END()
#endif
