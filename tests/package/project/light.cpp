#include "rc3/core/random.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/io/image.hpp"

int main() {
  const std::string png = rc3::io::encode_png({1, 1, {1, 2, 3, 255}});
  const rc3::io::Image image = rc3::io::decode_image(png, "a picture");
  return image.rgba[2] == 3 && rc3::valid_utf8("ž") && rc3::Random(1).below(1) == 0 ? 0 : 1;
}
