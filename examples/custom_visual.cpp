// A visual policy of one's own: an image is a 4 x 4 table of mean colours.
#include <rc3/rc3.hpp>

#include <iostream>

/// Sixteen tokens, one for each place of a coarse grid.
class Colours : public torch::nn::Module {
 public:
  explicit Colours(std::int64_t width) { layer_ = register_module("layer", torch::nn::Linear(3, width)); }

  rc3::Tokens encode(const rc3::Images& images) {
    rc3::check_shape("Colours", "pixels", images.pixels, {{'B'}, {'3', 3}, {'H'}, {'W'}});
    const auto means = at::adaptive_avg_pool2d(images.pixels.to(at::kFloat) / 255, {4, 4});
    const auto tokens = layer_->forward(means.flatten(2).transpose(1, 2));
    return {tokens, at::ones({tokens.size(0), tokens.size(1)}, at::kBool)};
  }
  std::int64_t width() const { return layer_->options.out_features(); }

 private:
  torch::nn::Linear layer_{nullptr};
};
static_assert(rc3::visual::Policy<Colours>);

int main() {
  using namespace rc3;
  at::manual_seed(1);
  const auto model = make_model(Colours(8), text::Bert({.vocabulary = 10, .width = 8, .layers = 1, .heads = 2}),
                                fusion::SingleStream({.width = 8, .layers = 1, .heads = 2}));
  model->eval();
  Images images;  // one red, one a little darker, one blue
  images.pixels = at::zeros({3, 3, 32, 32}, at::kByte);
  images.pixels[0][0].fill_(250);
  images.pixels[1][0].fill_(230);
  images.pixels[2][2].fill_(250);
  const auto vectors = model->image_embedding(model->visual(images));
  const auto cosine = [&](int i, int j) { return vectors[i].dot(vectors[j]).item<float>(); };
  std::cout << model->name() << ": cosines " << cosine(0, 1) << " (two reds), " << cosine(0, 2) << " (red and blue)\n";
  return cosine(0, 1) > cosine(0, 2) ? 0 : 1;
}
