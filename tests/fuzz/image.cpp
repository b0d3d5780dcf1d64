// Any bytes as an image, up to where a decoder takes over: the frames of PNG and JPEG, and EXIF.
#include <cstdlib>
#include <string>

#include "rc3/io/image/exif.hpp"
#include "rc3/io/image/jpeg.hpp"
#include "rc3/io/image/kind.hpp"
#include "rc3/io/image/png.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const int orientation = rc3::io::exif_orientation(bytes);
  if (orientation < 1 || orientation > 8) std::abort();
  try {
    if (bytes.starts_with(rc3::io::png::signature)) {
      const int o = rc3::io::exif_orientation(rc3::io::png::exif(bytes, "fuzz"));
      if (o < 1 || o > 8) std::abort();
      rc3::io::png::for_each_chunk(bytes, "fuzz", true, [](std::string_view, std::string_view, std::size_t) {});
    } else if (bytes.starts_with(rc3::io::jpeg::signature)) {
      const auto facts = rc3::io::jpeg::facts(bytes, "fuzz");
      const int o = rc3::io::exif_orientation(facts.exif);
      if (o < 1 || o > 8) std::abort();
      // A repaired file needs no repair.
      const auto repaired = rc3::io::jpeg::repaired(bytes, facts);
      if (!repaired.empty()) {
        const auto again = rc3::io::jpeg::facts(repaired, "fuzz");
        const auto scans = std::string(facts.scans) + (rc3::io::jpeg::may_have_trailer(facts) ? "\xFF\xD9" : "");
        if (again.scans != scans || !rc3::io::jpeg::repaired(repaired, again).empty()) std::abort();
      }
      rc3::io::jpeg::check_scans(facts, "fuzz");
    } else {
      (void)rc3::io::kind_of_file(bytes);
    }
  } catch (const rc3::Error&) {
  }
  return 0;
}
