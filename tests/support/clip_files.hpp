#pragma once
/// A small vocabulary of CLIP's tokenizer in a temporary folder.

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/io/file.hpp"
#include "rc3/text/detail/unicode.hpp"
#include "support/support.hpp"

namespace rc3::test {

/// Bytes as OpenAI's vocabulary writes them, bytes at a word's end, merges, special tokens: in this order.
struct ClipFiles : TempDir {
  ClipFiles() {
    std::vector<std::string> names;
    char32_t next = 256;
    for (char32_t byte = 0; byte < 256; ++byte) {
      const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      std::string name;
      text::detail::append_utf8(name, printable ? byte : next++);
      names.push_back(name);
    }
    for (std::size_t i = 0; i < 256; ++i) names.push_back(names[i] + "</w>");
    for (const std::string text : {"d o", "do g</w>", "a a", "aa aa"}) {
      merges += text + '\n';
      auto name = text;
      name.erase(name.find(' '), 1);
      names.push_back(name);
    }
    names.insert(names.end(), {"<|startoftext|>", "<|endoftext|>"});
    for (std::size_t i = 0; i < names.size(); ++i) vocabulary[names[i]] = i;
    write();
  }
  void write() const {
    io::write_file(path() / "vocab.json", vocabulary.dump());
    io::write_file(path() / "merges.txt", "#version: 0.2\n" + merges);
  }
  std::int64_t id(const char* name) const { return vocabulary.at(name).get<std::int64_t>(); }
  nlohmann::json vocabulary = nlohmann::json::object();
  std::string merges;
};

}  // namespace rc3::test
