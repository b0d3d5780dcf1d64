// Any bytes as a data set's annotations: a large JSON object, a line of JSON, and quoted fields.
#include <cstdlib>

#include "rc3/data/format/iglue/wit.hpp"
#include "rc3/data/format/iglue/xflickrco.hpp"
#include "rc3/io/fields.hpp"
#include "rc3/io/json_members.hpp"

namespace {

template <class F>
void refused_by_name(F read) {
  try {
    read();
  } catch (const rc3::Error& error) {
    if (std::string_view(error.what()).find("a.json") == std::string_view::npos) std::abort();
  }
}

void split(std::string_view text) {
  rc3::io::FieldSplitter splitter('\t');
  std::size_t length = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    length += line.size() + 1;
    if (!splitter.add(line)) continue;
    for (const std::string& field : splitter.fields()) length -= std::min(length, field.size());
    if (splitter.fields().size() > length + 1) std::abort();  // a delimiter each
    length = 0;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  namespace iglue = rc3::data::iglue;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  refused_by_name([&] {
    std::size_t bytes = 0;
    rc3::io::for_each_member(text, "a.json", [&](const std::string&, std::string_view member) {
      bytes += member.size();
      if (bytes > size) std::abort();
      refused_by_name([&] { iglue::parse_line(member, "a.json"); });
    });
  });
  refused_by_name([&] { iglue::detail::parse_wit(iglue::parse_line(text, "a.json"), "a.json"); });
  refused_by_name([&] { iglue::detail::parse_xflickrco(iglue::parse_line(text, "a.json"), "a.json"); });
  split(text);
  return 0;
}
