#pragma once
/// What a file is that has a name of safetensors but other content.

#include <string>
#include <string_view>

#include "rc3/io/image/kind.hpp"

namespace rc3::io::safetensors {

/// What @p begin, the first bytes of a file that is not safetensors, belongs to, with the fix; empty if unknown.
inline std::string foreign_kind(std::string_view begin) {
  using namespace std::string_view_literals;
  if (begin.starts_with("version https://git-lfs"))
    return "a Git LFS pointer, not the file itself; fetch it by `git lfs pull`, or download it";
  const std::string convert = "; convert it with Python: safetensors.torch.save_file(torch.load(...), ...)";
  if (begin.starts_with("PK\3\4"sv)) return "a zip archive, which torch.save writes (a pickle)" + convert;
  if (begin.size() > 1 && begin[0] == '\x80' && begin[1] >= 2 && begin[1] <= 5) return "a Python pickle" + convert;
  if (begin.starts_with("GGUF")) return "a GGUF file, of llama.cpp; take the model's safetensors";
  if (begin.starts_with("\x89HDF\r\n"sv)) return "an HDF5 file, of Keras; take the model's safetensors";
  const std::string kind = kind_of_file(begin);
  if (kind == "HTML or XML text")
    return "a web page (HTML or XML), often a login or an error; download the file again, with access to it";
  if (kind == "text" && begin.size() >= 8)
    return "a text: \"" + std::string(begin.substr(0, begin.find_first_of("\r\n"))).substr(0, 60) + "\"";
  return kind.starts_with("of an unknown type") || kind == "text" || begin.empty() ? "" : kind;
}

}  // namespace rc3::io::safetensors
