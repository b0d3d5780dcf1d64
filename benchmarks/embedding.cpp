// Text embeddings of multilingual-e5-small, from strings to unit vectors; benchmarks/peers/embedding.py measures it.
//   rc3_bench embedding <directory of multilingual-e5> <file, a text a line> <float32|bfloat16|int8>
// It reads lines: "batch" embeds all texts, "query" the first.

#include <torch/nn/module.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "programs.hpp"
#include "rc3/core/nn/l2_normalize.hpp"
#include "rc3/core/reuse_memory.hpp"
#include "rc3/pipeline/embedder.hpp"
#include "rc3/text/text.hpp"
#include "worker.hpp"

namespace bench::embedding {
namespace {

/// The text side of a model: the encoder's own vectors.
class TextModel : public torch::nn::Module {
 public:
  explicit TextModel(std::shared_ptr<rc3::text::Bert> bert) : bert_(register_module("bert", std::move(bert))) {}
  rc3::Tokens text(const rc3::Texts& texts) { return bert_->encode(texts); }
  at::Tensor text_embedding(const rc3::Tokens& tokens) { return rc3::nn::l2_normalize(bert_->pool(tokens)); }

 private:
  std::shared_ptr<rc3::text::Bert> bert_;
};

std::vector<std::string> lines_of(const char* path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  rc3::require(!lines.empty(), path, ": has no text; give a file with a text in each line");
  return lines;
}

}  // namespace

}  // namespace bench::embedding

int bench::run_embedding(int count, char** arguments) {
  using namespace embedding;
  return bench::run("rc3_bench embedding", [&] {
    rc3::require(count == 4, "usage: rc3_bench embedding DIRECTORY TEXTS float32|bfloat16|int8");
    rc3::reuse_memory();  // as in the tool
    const auto texts = lines_of(arguments[2]);
    rc3::EmbedderOptions options;
    const std::string precision = arguments[3];
    options.precision = precision == "bfloat16" ? rc3::train::Precision::bfloat16
                        : precision == "int8"   ? rc3::train::Precision::int8
                                                : rc3::train::Precision::float32;
    // The size of images is asked for, though there are none.
    const rc3::Embedder<TextModel> embedder(
        {std::make_shared<TextModel>(rc3::text::Bert::from_pretrained(arguments[1])),
         rc3::text::Tokenizer::from_pretrained(arguments[1], {.prefix = "query: "}),
         {.resize = rc3::preprocess::PreprocessSize{224, 224, 0}}},
        options);
    bench::serve("{}", [&](const std::string& what) {
      const auto vectors = what == "query" ? embedder.text(texts[0]).unsqueeze(0) : embedder.texts(texts);
      return vectors[0][0].item<double>();
    });
  });
}
