#include "rc3/core/random.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/io/image.hpp"
#include "rc3/version.hpp"
#ifdef WITH_WEBP
#include "rc3/io/image/webp.hpp"
using Decoders = rc3::io::Decoders<rc3::io::Stb, rc3::io::WebP>;
#else
using Decoders = rc3::io::DefaultDecoders;
#endif

#ifdef EXPECTED_VERSION
static_assert(rc3::version == EXPECTED_VERSION);
#endif

int main() {
  const std::string png = rc3::io::encode_png({1, 1, {1, 2, 3, 255}});
  const rc3::io::Image image = Decoders::decode(png, "an image");
  return image.rgba[2] == 3 && rc3::valid_utf8("ž") && rc3::Random(1).below(1) == 0 ? 0 : 1;
}
