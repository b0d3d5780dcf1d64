#include "rc3/io/image/exif.hpp"

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "rc3/core/random.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/image.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(io_image_exif)

using namespace std::string_literals;
using rc3::io::exif_orientation;
using rc3::io::Image;
using rc3::io::upright;
using rc3::test::throws_with;

std::string number(std::uint32_t value, int size, bool little) {
  std::string text;
  for (int i = 0; i < size; ++i) text += static_cast<char>(value >> 8 * (little ? i : size - 1 - i));
  return text;
}

/// A TIFF block with one entry before the orientation and one after it.
std::string tiff(std::uint32_t orientation, bool little, std::uint32_t type = 3, std::uint32_t count = 1) {
  const auto n = [little](std::uint32_t value, int size) { return number(value, size, little); };
  return (little ? "II" : "MM") + n(42, 2) + n(10, 4) + "??"s + n(3, 2) +         //
         n(0x0100, 2) + n(4, 2) + n(1, 4) + n(77, 4) +                            //
         n(0x0112, 2) + n(type, 2) + n(count, 4) + n(orientation, 2) + "\0\0"s +  //
         n(0x011A, 2) + n(5, 2) + n(1, 4) + n(0xFFFFFFF0, 4) + n(0, 4);
}

/// A 3 x 2 image whose pixels are numbered row by row.
Image numbered() {
  Image image{3, 2, {}};
  for (std::uint8_t i = 0; i < 6; ++i)
    image.rgba.insert(image.rgba.end(), {i, 0, 9, static_cast<std::uint8_t>(250 + i)});
  return image;
}

std::string png_with(const std::string& exif) {
  const std::string png = rc3::io::encode_png(numbered());
  const std::string chunk = "eXIf" + exif;
  const std::string framed =
      number(static_cast<std::uint32_t>(exif.size()), 4, false) + chunk + number(rc3::io::png::crc32(chunk), 4, false);
  return png.substr(0, 33) + framed + png.substr(33);  // behind the signature and IHDR
}

BOOST_AUTO_TEST_CASE(orientation_is_found_in_both_byte_orders) {
  for (const bool little : {false, true})
    for (std::uint32_t value = 1; value <= 8; ++value)
      BOOST_TEST(exif_orientation(tiff(value, little)) == static_cast<int>(value));
}

BOOST_AUTO_TEST_CASE(what_is_no_orientation_is_upright) {
  for (const bool little : {false, true}) {
    for (const std::uint32_t value : {0u, 9u, 256u, 65535u}) BOOST_TEST(exif_orientation(tiff(value, little)) == 1);
    BOOST_TEST(exif_orientation(tiff(6, little, 2)) == 1);
    BOOST_TEST(exif_orientation(tiff(6, little, 3, 2)) == 6);
    BOOST_TEST(exif_orientation(tiff(6, little, 3, 3)) == 1);  // its numbers would be outside the block
    BOOST_TEST(exif_orientation(tiff(6, little).replace(2, 2, "\1\1")) == 1);
    BOOST_TEST(exif_orientation(tiff(6, little).replace(4, 4, "\xFF\xFF\xFF\xFF")) == 1);
  }
  BOOST_TEST(exif_orientation("") == 1);
}

// Each type of TIFF, several values, both byte orders, a later entry, one that is cut: as Pillow's Exif reads them.
BOOST_AUTO_TEST_CASE(odd_entries_are_what_pillow_reads) {
  const auto block = [](bool little, std::uint32_t type, std::uint32_t count, const std::string& value, std::size_t cut,
                        const std::string& more = "") {
    const auto n = [little](std::uint32_t v, int size) { return number(v, size, little); };
    std::string payload;
    for (std::uint32_t i = 0; i < count; ++i) payload += value;
    const std::size_t entries = more.empty() ? 1 : 2;
    const bool outside = payload.size() > 4;
    std::string field = outside ? n(static_cast<std::uint32_t>(14 + 12 * entries), 4) : payload;
    field.resize(4, '\0');
    std::string out = (little ? "II" : "MM") + n(42, 2) + n(8, 4) + n(static_cast<std::uint32_t>(entries), 2);
    out += n(0x0112, 2) + n(type, 2) + n(count, 4) + field;
    if (!more.empty()) out += n(0x0112, 2) + n(3, 2) + n(1, 4) + more;
    out += n(0, 4) + (outside ? payload : "");
    return out.substr(0, out.size() - cut);
  };
  std::vector<std::string> blocks;
  for (const bool little : {false, true})
    for (std::uint32_t type = 1; type <= 19; ++type)
      for (const std::uint32_t count : {0u, 1u, 2u, 3u, 5u}) {
        const auto n = [little](std::uint32_t v, int size) { return number(v, size, little); };
        std::vector<std::string> values;
        for (const std::uint32_t o : {0u, 3u, 6u, 8u, 9u, 0xFFFFFFFAu}) {
          if (type == 5 || type == 10)
            values.insert(values.end(), {n(o, 4) + n(1, 4), n(3 * o, 4) + n(3, 4), n(o, 4) + n(0, 4)});
          const auto wide = [&](std::uint64_t bits) {
            const auto low = n(static_cast<std::uint32_t>(bits), 4),
                       high = n(static_cast<std::uint32_t>(bits >> 32), 4);
            return little ? low + high : high + low;
          };
          if (type == 11) values.push_back(n(std::bit_cast<std::uint32_t>(static_cast<float>(o)), 4));
          if (type == 12)
            values.push_back(wide(std::bit_cast<std::uint64_t>(static_cast<double>(o) + (o == 3 ? 0.5 : 0))));
          if (type == 16) values.insert(values.end(), {wide(o), wide(std::uint64_t{o} | std::uint64_t{1} << 32)});
          if (type == 3 || type == 8) values.push_back(n(o, 2));
          if (type == 4 || type == 9 || type == 13) values.push_back(n(o, 4));
          if (type < 3 || type == 6 || type == 7) values.push_back(n(o, 1));
        }
        if (values.empty()) values.push_back(n(6, 4));  // a type that does not exist
        for (const std::string& value : values) {
          blocks.push_back(block(little, type, count, value, 0));
          blocks.push_back(block(little, type, count, value, 1));
          blocks.push_back(block(little, type, count, value, 0, n(8, 2) + "\0\0"s));
        }
      }
  const std::string python = rc3::test::environment("RC3_TEST_PYTHON");
  if (python.empty()) return;
  const rc3::test::TempDir folder;
  std::string lines;
  for (const std::string& b : blocks) {
    for (const char c : b) {
      char hex[3];
      std::snprintf(hex, sizeof hex, "%02x", static_cast<unsigned char>(c));
      lines += hex;
    }
    lines += '\n';
  }
  rc3::io::write_file(folder / "blocks.txt", lines);
  rc3::io::write_file(folder / "peer.py", R"(
import warnings
from PIL import Image
warnings.simplefilter("ignore")
with open("out.txt", "w") as out:
    for line in open("blocks.txt"):
        exif = Image.Exif()
        exif.load(b"Exif\0\0" + bytes.fromhex(line))
        try:
            turned = {o: o for o in range(2, 9)}.get(exif.get(0x0112, 1), 1)
        except Exception:
            turned = 1
        print(turned, file=out)
)");
  const std::string command = "cd '" + folder.path().string() + "' && '" + python + "' peer.py";
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  std::istringstream expected(rc3::io::read_file(folder / "out.txt", 1 << 20));
  std::int64_t other = 0, turned = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    int pillow = 0;
    BOOST_REQUIRE(static_cast<bool>(expected >> pillow));
    const int ours = exif_orientation(blocks[i]);
    turned += ours > 1;
    if (ours != pillow && other++ < 5)
      BOOST_TEST_MESSAGE("block " << i << ": " << ours << ", Pillow " << pillow << ": " << lines.substr(0, 0));
  }
  rc3::test::at_least("EXIF blocks of which the orientation turns", turned, 400);
  rc3::test::at_most("EXIF orientations other than Pillow's", other, 0);
}

BOOST_AUTO_TEST_CASE(a_block_cut_anywhere_is_read_within_its_bounds) {
  for (const bool little : {false, true}) {
    const std::string whole = tiff(6, little);
    const std::size_t seen = 10 + 2 + 24;  // up to the end of the orientation's entry
    for (std::size_t n = 0; n <= whole.size(); ++n) {
      const std::vector<char> exact(whole.begin(),
                                    whole.begin() + static_cast<std::ptrdiff_t>(n));  // ASan sees its end
      BOOST_TEST(exif_orientation({exact.data(), n}) == (n >= seen ? 6 : 1), n << " bytes");
    }
  }
}

BOOST_AUTO_TEST_CASE(ten_thousand_flipped_blocks_harm_nothing) {
  rc3::Random random(5);
  long outside = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string block = tiff(1 + static_cast<std::uint32_t>(i % 8), i % 2 == 0);
    for (std::uint64_t flips = 1 + random.below(4); flips-- > 0;)
      block[random.below(block.size())] ^= static_cast<char>(1 << random.below(8));
    const std::vector<char> exact(block.begin(),
                                  block.begin() + static_cast<std::ptrdiff_t>(random.below(block.size() + 1)));
    const int orientation = exif_orientation({exact.data(), exact.size()});
    outside += orientation < 1 || orientation > 8;
  }
  rc3::test::at_most("EXIF: 10,000 flipped and cut blocks: orientations outside 1..8", outside, 0);
}

BOOST_AUTO_TEST_CASE(each_orientation_turns_the_image) {
  // Where EXIF says that the stored rows and columns lie: 0 1 2 / 3 4 5 is the stored image.
  const std::vector<std::vector<int>> expected = {{0, 1, 2, 3, 4, 5}, {2, 1, 0, 5, 4, 3}, {5, 4, 3, 2, 1, 0},
                                                  {3, 4, 5, 0, 1, 2}, {0, 3, 1, 4, 2, 5}, {3, 0, 4, 1, 5, 2},
                                                  {5, 2, 4, 1, 3, 0}, {2, 5, 1, 4, 0, 3}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string png = png_with(tiff(static_cast<std::uint32_t>(orientation), orientation % 2 == 0));
    const Image image = rc3::io::decode_image(png, "turned.png");
    BOOST_TEST(image.width == (orientation < 5 ? 3 : 2));
    BOOST_TEST(image.height == (orientation < 5 ? 2 : 3));
    std::vector<int> order;
    for (std::size_t i = 0; i < image.rgba.size(); i += 4) {
      order.push_back(image.rgba[i]);
      BOOST_TEST(image.rgba[i + 3] == 250 + image.rgba[i]);
    }
    BOOST_TEST(order == expected[static_cast<std::size_t>(orientation) - 1], boost::test_tools::per_element());
    const Image stored = rc3::io::decode_image(png, "stored.png", {}, {.apply_orientation = false});
    BOOST_TEST((stored.rgba == numbered().rgba));
  }
  for (const int none : {-1, 0, 9}) BOOST_TEST((upright(numbered(), none).rgba == numbered().rgba));
}

BOOST_AUTO_TEST_CASE(limits_hold_for_the_stored_sides) {
  throws_with([] { rc3::io::decode_image(png_with(tiff(6, true)), "x", {.max_side = 2}); }, "x: 3 x 2 pixels",
              "side of 2");
}

BOOST_AUTO_TEST_SUITE_END()
