// A text encoder of one's own: the mean of word vectors, and nothing else of the library changes.
#include <rc3/rc3.hpp>

#include <iostream>

/// Each token is its word vector; a text is their mean.
class BagOfWords : public torch::nn::Module {
 public:
  BagOfWords(std::int64_t vocabulary, std::int64_t width) {
    words_ = register_module("words", torch::nn::Embedding(vocabulary, width));
  }

  rc3::Tokens encode(const rc3::Texts& texts) {
    rc3::check_shape("BagOfWords", "ids", texts.ids, {{'B'}, {'L'}});
    return {words_->forward(texts.ids) * texts.mask.unsqueeze(2), texts.mask};
  }
  at::Tensor pool(const rc3::Tokens& tokens) { return tokens.values.sum(1) / tokens.mask.sum(1, true).clamp_min(1); }
  std::int64_t width() const { return words_->options.embedding_dim(); }

 private:
  torch::nn::Embedding words_{nullptr};
};
static_assert(rc3::text::Policy<BagOfWords>);

int main() {
  using namespace rc3;
  at::manual_seed(1);
  const auto model = make_model(visual::Roi({.features = 4, .width = 8}), BagOfWords(10, 8),
                                fusion::SingleStream({.width = 8, .layers = 1, .heads = 2}));
  model->eval();
  // The order of the words does not count, and padding neither.
  const std::vector<std::vector<std::int64_t>> sentences{{4, 5, 6}, {6, 4, 5}, {6, 4, 5, 7}};
  const auto vectors = model->text_embedding(model->text(text::pad_batch(sentences)));
  const auto cosine = [&](int i, int j) { return vectors[i].dot(vectors[j]).item<float>(); };
  std::cout << model->name() << ": cosines " << cosine(0, 1) << " (same words), " << cosine(0, 2) << " (one more)\n";
  return cosine(0, 1) > 0.9999f && cosine(0, 2) < 0.9999f ? 0 : 1;
}
