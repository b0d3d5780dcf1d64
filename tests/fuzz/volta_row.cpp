// Any bytes as a line of VOLTA's TSV: refused with an rc3::Error that names it, or regions as they must be.
#include <cstdlib>

#include "rc3/data/format/volta.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  try {
    const auto row = rc3::data::volta::parse_row(line, "r.tsv:1");
    rc3::data::check_regions(row.regions, "row");
    if (row.img_id.empty() || row.regions.size() < 1 || row.regions.features.empty()) std::abort();
  } catch (const rc3::Error& error) {
    if (!std::string_view(error.what()).starts_with("r.tsv:1: ")) std::abort();
  }
  return 0;
}
