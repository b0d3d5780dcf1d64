// Images against Pillow and the image processors of transformers; make_images.py writes the truth.
#include <ATen/ops/abs.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "rc3/io/image.hpp"
#include "rc3/io/json.hpp"
#include "rc3/io/safetensors.hpp"
#include "rc3/preprocess/preprocess.hpp"
#include "support/parity.hpp"
#include "support/tensors.hpp"
#ifdef RC3_TEST_TURBOJPEG
#include "rc3/io/image/turbojpeg.hpp"
#endif
#ifdef RC3_TEST_WEBP
#include "rc3/io/image/webp.hpp"
#endif

BOOST_AUTO_TEST_SUITE(parity_images)

namespace io = rc3::io;
using rc3::test::parity;

at::Tensor rgba(const io::Image& image) {
  return at::from_blob(const_cast<std::uint8_t*>(image.rgba.data()), {image.height, image.width, 4}, at::kByte).clone();
}

/// How two sets of bytes differ.
struct Bytes {
  double differing = 0, all = 0, largest = 0;
  int images = 0;
  void add(const at::Tensor& ours, const at::Tensor& truth) {
    ++images;
    if (ours.sizes() != truth.sizes()) {
      largest = std::numeric_limits<double>::infinity();
      differing += static_cast<double>(truth.numel());
    } else {
      const auto difference = (ours.to(at::kInt) - truth.to(at::kInt)).abs();
      differing += static_cast<double>(difference.count_nonzero().item<std::int64_t>());
      largest = std::max(largest, difference.max().item<double>());
    }
    all += static_cast<double>(truth.numel());
  }
  double equal_percent() const { return 100 * (1 - differing / all); }
};

enum class Columns { all, last_two, but_last_two };

at::Tensor some(const at::Tensor& image, Columns columns) {
  const auto width = image.size(1);
  if (columns == Columns::last_two) return image.narrow(1, width - 2, 2);
  return columns == Columns::but_last_two ? image.narrow(1, 0, width - 2) : image;
}

/// The images of @p groups as @p Decoders reads them, against what the list says they are.
template <class Decoders>
Bytes decoded(const std::filesystem::path& folder, std::initializer_list<std::string_view> groups,
              Columns columns = Columns::all) {
  const io::safetensors::Reader truth(folder / "truth.safetensors");
  Bytes bytes;
  for (const auto& entry : io::read_json(folder / "list.json")) {
    if (std::find(groups.begin(), groups.end(), entry.at("group").get<std::string>()) == groups.end()) continue;
    const auto ours = some(rgba(Decoders::load(folder / entry.at("file").get<std::string>())), columns);
    const auto wanted = some(truth.read(entry.at("truth").get<std::string>()), columns);
    Bytes one;
    one.add(ours, wanted);
    bytes.add(ours, wanted);
    BOOST_TEST_MESSAGE(entry.at("truth") << ": " << one.differing << " bytes differ, by at most " << one.largest);
  }
  BOOST_TEST(bytes.images > 0);
  return bytes;
}

using Default = io::DefaultDecoders;

BOOST_AUTO_TEST_CASE(png) {
  const auto folder = rc3::test::truth("images");
  if (folder.empty()) return;
  const auto exact = [&](std::string_view group, std::string_view what, std::string_view with) {
    const Bytes bytes = decoded<Default>(folder / "decoding", {group});
    parity("images", rc3::join(what, ": ", bytes.images, " files"), with, "differing bytes", bytes.differing, 0);
  };
  exact("png", "PNG, each colour type, depth and interlacing that Pillow reads by the specification",
        "Pillow convert(\"RGBA\")");
  exact("png by the specification", "the same without palettes", "the PNG specification");
  exact("png where Pillow departs", "PNG, 16-bit grey, and transparent colours of 2, 4 and 16 bits",
        "the PNG specification");
  exact("png EXIF", "PNG, EXIF orientation 1 to 8", "Pillow exif_transpose");
}

BOOST_AUTO_TEST_CASE(jpeg_by_stb) {
  const auto folder = rc3::test::truth("images");
  if (folder.empty()) return;
  // Another IDCT and other rounding in the colours than libjpeg-turbo's.
  const auto near = [&](std::initializer_list<std::string_view> groups, std::string_view what, double limit,
                        Columns columns = Columns::all) {
    const Bytes bytes = decoded<Default>(folder / "decoding", groups, columns);
    const auto name = rc3::join(what, ", stb_image: ", bytes.images, " files");
    parity("images", name, "Pillow (libjpeg-turbo)", "largest difference of a byte", bytes.largest, limit);
    return bytes.equal_percent();
  };
  const double equal =
      near({"jpeg 444", "jpeg grey", "jpeg RGB"}, "JPEG without subsampling, baseline and progressive", 3);
  parity("images", "the same", "Pillow (libjpeg-turbo)", "equal bytes, %", equal, 95, true);
  near({"jpeg 420"}, "JPEG 4:2:0, baseline, progressive, with restart markers", 4);
  near({"jpeg 422"}, "JPEG 4:2:2, but the last two columns", 4, Columns::but_last_two);
  // stb weighs the last two colour samples of a row the wrong way round (stbi__resample_row_h_2). io::TurboJpeg does
  // not.
  near({"jpeg 422"}, "JPEG 4:2:2, the last two columns (a defect of stb_image)", 128, Columns::last_two);
  near({"jpeg CMYK"}, "JPEG, CMYK with Adobe's marker", 3);
  near({"jpeg EXIF"}, "JPEG, EXIF orientation 1 to 8", 3);
}

#ifdef RC3_TEST_TURBOJPEG
BOOST_AUTO_TEST_CASE(jpeg_by_turbo) {
  const auto folder = rc3::test::truth("images");
  if (folder.empty()) return;
  const Bytes bytes = decoded<io::Decoders<io::TurboJpeg, io::Stb>>(
      folder / "decoding", {"jpeg 444", "jpeg grey", "jpeg RGB", "jpeg 422", "jpeg 420", "jpeg EXIF"});
  parity("images", rc3::join("JPEG, all but CMYK, libjpeg-turbo: ", bytes.images, " files"), "Pillow (libjpeg-turbo)",
         "differing bytes", bytes.differing, 0);
}
#endif

#ifdef RC3_TEST_WEBP
BOOST_AUTO_TEST_CASE(webp) {
  const auto folder = rc3::test::truth("images");
  if (folder.empty()) return;
  const Bytes bytes =
      decoded<io::Decoders<io::Stb, io::WebP>>(folder / "decoding", {"webp lossy", "webp lossless", "webp EXIF"});
  parity("images", rc3::join("WebP, lossy, lossless, EXIF orientation: ", bytes.images, " files"), "Pillow (libwebp)",
         "differing bytes", bytes.differing, 0);
}
#endif

BOOST_AUTO_TEST_CASE(resizing) {
  auto folder = rc3::test::truth("images");
  if (folder.empty()) return;
  folder /= "resizing";
  const io::safetensors::Reader truth(folder / "truth.safetensors");
  const auto list = io::read_json(folder / "list.json");
  for (const auto& [name, filter] :
       {std::pair{"bilinear", io::Resample::bilinear}, {"bicubic", io::Resample::bicubic}}) {
    Bytes bytes;
    for (const auto& entry : list) {
      const auto file = entry.at("file").get<std::string>();
      const auto image = io::resize(io::load_image(folder / file), entry.at("width"), entry.at("height"), filter);
      bytes.add(rgba(image).narrow(2, 0, 3), truth.read(rc3::join(file.substr(0, file.find('.')), '.', name)));
    }
    const auto what = rc3::join("resize, ", name, ": ", bytes.images, " images, up and down");
    parity("images", what, "Pillow resize", "equal bytes, %", bytes.equal_percent(), 99.5, true);
    parity("images", what, "Pillow resize", "largest difference of a byte", bytes.largest, 1);
  }
}

BOOST_AUTO_TEST_CASE(processors) {
  auto folder = rc3::test::truth("images");
  if (folder.empty()) return;
  folder /= "processors";
  const io::safetensors::Reader truth(folder / "truth.safetensors");
  int i = 0;
  for (const auto& entry : io::read_json(folder / "list.json")) {
    const auto preprocess =
        rc3::preprocess::Preprocess::from_pretrained(folder / entry.at("folder").get<std::string>());
    Bytes bytes;
    double values = 0;
    for (const auto& image : entry.at("images")) {
      const auto name = image.get<std::string>();
      const auto pixels = preprocess(io::load_image(folder / (name + ".png")));
      bytes.add(pixels, truth.read(rc3::join(i, '.', name, ".bytes")));
      const auto normalized = preprocess.normalize(pixels.unsqueeze(0)).squeeze(0);
      values = std::max(values, rc3::test::max_difference(normalized, truth.read(rc3::join(i, '.', name, ".values"))));
    }
    const auto what = rc3::join(entry.at("name").get<std::string>(), ": ", bytes.images, " images");
    const auto with = rc3::join("transformers ", entry.at("class").get<std::string>());
    parity("images", what, with, "largest difference of a byte", bytes.largest, 1);
    parity("images", what, with, "largest difference of a normalised value", values, 1e-6);
    ++i;
  }
}

BOOST_AUTO_TEST_SUITE_END()
