// Any bytes as a record of a manifest: refused with an rc3::Error that names it, or a sample that is written and read
// as it was.
#include <cstdlib>
#include <optional>

#include "rc3/data/check/validate.hpp"
#include "rc3/data/format/record.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = [](std::string_view json) {
    auto record =
        rc3::data::read_record(rc3::io::parse_json(json, "m:1", {.max_bytes = 1 << 20, .max_depth = 8}), "m:1");
    if (record.sample.id.empty()) record.sample.id = "x";
    rc3::data::check_sample(record.sample, "m:1");
    return record;
  };
  std::optional<rc3::data::Record> first;
  try {
    first = read(text);
  } catch (const rc3::Error& error) {
    if (!std::string_view(error.what()).starts_with("m:1: ")) std::abort();
    return 0;
  }
  const auto second = read(rc3::data::to_json(first->sample, {}, first->features).dump());
  const auto& a = first->sample;
  const auto& b = second.sample;
  if (a.id != b.id || a.texts != b.texts || a.relevance != b.relevance || first->features != second.features)
    std::abort();
  if (first->features.empty() && (a.regions.boxes != b.regions.boxes || a.regions.width != b.regions.width))
    std::abort();
  return 0;
}
