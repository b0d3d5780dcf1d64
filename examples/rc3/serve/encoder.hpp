#pragma once
/// The model behind a server, as an interface: the server includes no LibTorch, and its tests need no model.

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tool::serve {

/// Encoder of texts and images. Several threads call it at once.
class Encoder {
 public:
  virtual ~Encoder() = default;

  /// Name of the model, which an index must have; empty: any.
  virtual std::string model() const = 0;

  /// Embedding of a text. @throws rc3::Error for a blank text
  virtual std::vector<float> text(const std::string& text) const = 0;

  /// Embedding of an image. @param bytes  content of an image file @throws rc3::Error if it cannot be decoded
  virtual std::vector<float> image(const std::string& bytes) const = 0;

  /// Whether match() is available.
  virtual bool can_match() const = 0;

  /// Probability that @p text describes each image file; NaN for a file that cannot be read.
  virtual std::vector<float> match(const std::string& text, std::span<const std::filesystem::path> files) const = 0;
};

}  // namespace tool::serve
