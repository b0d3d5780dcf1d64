#pragma once
/// The model behind a server, as an interface: the server includes no LibTorch, and its tests need no model.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tool::serve {

/// How much each word of a text is like each part of an image.
struct WordMap {
  struct Word {
    std::string text;
    std::vector<float> scores;  ///< cosine with each part, in [-1, 1], row by row
  };
  std::int64_t columns = 0, rows = 0;  ///< the parts are a grid
  std::vector<Word> words;
};

/// Encoder of texts and images. Several threads call it at once.
class Encoder {
 public:
  virtual ~Encoder() = default;

  /// Name of the model, which an index must have; empty: any.
  virtual std::string model() const = 0;

  /// Embedding of a text. @throws rc3::Error for a blank text
  virtual std::vector<float> text(const std::string& text) const = 0;

  /// Embedding of each text. @throws rc3::Error for a blank one
  virtual std::vector<std::vector<float>> texts(std::span<const std::string> texts) const = 0;

  /// Embedding of an image. @param bytes  content of an image file @throws rc3::Error if it cannot be decoded
  virtual std::vector<float> image(const std::string& bytes) const = 0;

  /// Whether match() is available.
  virtual bool can_match() const = 0;

  /// Probability that @p text describes each image file; NaN for a file that cannot be read.
  virtual std::vector<float> match(const std::string& text, std::span<const std::filesystem::path> files) const = 0;

  /// Whether locate() is available.
  virtual bool can_locate() const = 0;

  /// Where the words of @p text are in an image file. @throws rc3::Error if it cannot be read
  virtual WordMap locate(const std::string& text, const std::filesystem::path& file) const = 0;
};

}  // namespace tool::serve
