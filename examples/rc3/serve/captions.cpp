#include "captions.hpp"

#include <rc3/core/blank.hpp>
#include <rc3/core/error.hpp>
#include <rc3/core/utf8.hpp>
#include <rc3/io/lines.hpp>

#include <algorithm>
#include <unordered_set>

namespace tool::serve {

namespace {

std::vector<std::string> texts_of(const std::filesystem::path& file) {
  const rc3::io::Lines lines(file, {.max_line = Captions::max_line, .max_lines = Captions::max_lines});
  std::vector<std::string> texts;
  std::unordered_set<std::string> known;
  for (std::int64_t i = 0; i < lines.size(); ++i) {
    std::string text = lines.read(i);
    rc3::require_utf8(text, lines.where(i));
    if (!rc3::is_blank(text) && known.insert(text).second) texts.push_back(std::move(text));
  }
  rc3::require(!texts.empty(), file.string(), ": has no text; write one caption a line");
  return texts;
}

rc3::search::Index embedded(const std::vector<std::string>& texts, const Encoder& encoder, int threads,
                            const Captions::Progress& progress) {
  constexpr std::size_t part = 512;
  const auto total = std::ssize(texts);
  std::vector<std::vector<float>> vectors = encoder.texts(std::span(texts).first(1));
  rc3::search::Index index(std::ssize(vectors[0]), {.threads = threads});
  index.reserve(total);
  for (std::size_t begin = 0; begin < texts.size(); begin += part) {
    const auto some = std::span(texts).subspan(begin, std::min(part, texts.size() - begin));
    vectors = encoder.texts(some);
    for (std::size_t i = 0; i < some.size(); ++i) index.add(some[i], vectors[i]);
    if (progress) progress(index.size(), total);
  }
  return index;
}

}  // namespace

Captions::Captions(const std::filesystem::path& file, const Encoder& encoder, int threads, const Progress& progress)
    : index_(embedded(texts_of(file), encoder, threads, progress)) {}

}  // namespace tool::serve
