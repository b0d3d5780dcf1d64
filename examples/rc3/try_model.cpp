// A small random model of the tool's variant as a model directory, and twelve drawings: what try_photos.sh searches.
//   try_model <folder>    writes <folder>/model and <folder>/photos
#include <rc3/pipeline/save.hpp>
#include <rc3/rc3.hpp>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

/// One field of a protocol buffer: a string or an embedded message.
std::string field(int number, const std::string& bytes) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  for (std::size_t size = bytes.size();; size >>= 7) {
    out += static_cast<char>((size & 127) | (size > 127 ? 128 : 0));
    if (size <= 127) break;
  }
  return out + bytes;
}

/// Piece of a SentencePiece model. @param type  1: text, 2: unknown, 3: control
std::string piece(const std::string& text, float score, char type) {
  std::string number(4, '\0');
  std::memcpy(number.data(), &score, 4);
  return field(1, field(1, text) + std::string("\x15") + number + std::string("\x18") + type);
}

/// SentencePiece model of the printable ASCII characters.
std::string sentencepiece_model() {
  std::string all = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece("\u2581", -2, 1);
  for (char c = '!'; c <= '~'; ++c) all += piece(std::string(1, c), -3, 1);
  return all;
}

/// Two rectangles on white.
rc3::io::Image drawing(std::uint64_t seed) {
  rc3::Random random(seed, 1);
  rc3::io::Image image{96, 64, std::vector<std::uint8_t>(96 * 64 * 4, 255)};
  for (int shape = 0; shape < 2; ++shape) {
    const auto x = random.below(64), y = random.below(40), color = random();
    for (std::uint64_t i = y; i < y + 24; ++i)
      for (std::uint64_t j = x; j < x + 32; ++j)
        for (std::uint64_t c = 0; c < 3; ++c)
          image.rgba[(i * 96 + j) * 4 + c] = static_cast<std::uint8_t>(color >> (8 * c));
  }
  return image;
}

}  // namespace

int main(int, char** argv) {
  namespace visual = rc3::visual;
  using Backbone = visual::backbone::EfficientNetLite0;
  const std::filesystem::path folder = argv[1];
  torch::manual_seed(1);
  const auto backbone = std::make_shared<Backbone>();
  const auto text = std::make_shared<rc3::text::Bert>(
      rc3::text::BertOptions{.vocabulary = 110, .width = 48, .layers = 2, .heads = 4, .feed_forward = 96});
  const auto roi = std::make_shared<visual::RoiFromCrops<Backbone>>(backbone, visual::RoiFromCropsOptions{.width = 48});
  const auto patch = std::make_shared<visual::Patch<Backbone>>(
      backbone, visual::PatchOptions{.width = 48, .grid = 2, .max_patches = 4});
  const auto inner = std::make_shared<rc3::fusion::SingleStream>(
      rc3::fusion::SingleStreamOptions{.width = 48, .layers = 1, .heads = 4, .feed_forward = 96});
  const auto model = std::make_shared<rc3::DefaultModel>(
      std::make_shared<visual::Both<visual::RoiFromCrops<Backbone>, visual::Patch<Backbone>>>(roi, patch), text,
      std::make_shared<rc3::fusion::LateInteractionFusion<rc3::fusion::SingleStream>>(inner),
      rc3::ModelOptions{.embedding = 32, .hidden = 64});
  std::filesystem::create_directories(folder / "photos");
  std::ofstream(folder / "sentencepiece.bpe.model", std::ios::binary) << sentencepiece_model();
  const auto tokenizer = rc3::text::Tokenizer::from_pretrained(folder, {.max_length = 64});
  rc3::save(rc3::Pipeline<rc3::DefaultModel>{model, tokenizer, {.resize = rc3::preprocess::PreprocessSize{64, 64, 0}}},
            folder / "model");
  for (std::uint64_t i = 0; i < 12; ++i)
    rc3::io::write_png(folder / "photos" / (std::to_string(i) + ".png"), drawing(i));
}
