// Any bytes as a tar file: refused with an rc3::Error that names it, or members that lie inside it.
#include <sys/mman.h>

#include <cstdlib>

#include "rc3/io/tar/table.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const int memory = ::memfd_create("tar", 0);
  if (memory < 0 || ::write(memory, data, size) != static_cast<ssize_t>(size)) std::abort();
  const rc3::io::Descriptor held(memory);
  const std::string path = "/proc/self/fd/" + std::to_string(memory);
  try {
    const rc3::io::InputFile file(path);
    const auto table = rc3::io::tar::read_table(file, {.max_members = 1000});
    std::uint64_t end = 0;
    for (const auto& member : table.members) {
      if (member.name.empty() || !rc3::valid_utf8(member.name)) std::abort();
      if (member.offset > size || member.size > size - member.offset) std::abort();
      if (member.offset < end) std::abort();  // members do not overlap
      end = member.offset + member.size;
      std::string bytes(static_cast<std::size_t>(member.size), '\0');
      file.read(bytes.data(), bytes.size(), member.offset);
    }
    for (const auto& refused : table.refused)
      if (!refused.starts_with(path + ": ")) std::abort();
    if (table.damage && !table.damage->starts_with(path + ": ")) std::abort();
  } catch (const rc3::Error& error) {
    if (!std::string_view(error.what()).starts_with(path + ": ")) std::abort();
  }
  return 0;
}
