// An objective of one's own beside the library's: images are pulled to their first text, and nothing is pushed away.
#include <rc3/rc3.hpp>

#include <iostream>

/// mean_i (1 - cos(v_i, x^a_i)) / temperature, the temperature learned: an objective that is a module is trained as
/// well.
class Pull : public torch::nn::Module {
 public:
  Pull() { log_scale_ = register_parameter("log_scale", at::zeros({1})); }

  template <class Model>
  at::Tensor loss(rc3::objective::ForwardCache<Model>& forward) {
    return ((1 - (forward.image_embeddings() * forward.text_a_embeddings()).sum(1)).mean() * log_scale_.exp())
               .squeeze() +
           0.1 * log_scale_.square().squeeze();
  }

  /// Optional: which step comes.
  void at_step(std::int64_t step) { last_ = step; }
  std::int64_t last() const { return last_; }

 private:
  at::Tensor log_scale_;
  std::int64_t last_ = -1;
};

int main() {
  using namespace rc3;
  using Variant = Model<visual::Roi, text::Bert>;
  static_assert(objective::Policy<Pull, Variant>);
  at::manual_seed(1);
  const auto model = make_model(visual::Roi({.features = 4, .width = 8}),
                                text::Bert({.vocabulary = 10, .width = 8, .layers = 1, .heads = 2}),
                                fusion::SingleStream({.width = 8, .layers = 1, .heads = 2}));
  Batch batch;  // eight images with two regions each, two texts of five tokens
  batch.images.regions = at::rand({8, 2, 4});
  batch.images.boxes = at::tensor({0.f, 0.f, 8.f, 8.f}).expand({8, 2, 4});
  batch.images.sizes = at::full({8, 2}, 8.f);
  batch.a = {at::randint(10, {8, 5}, at::kLong), at::ones({8, 5}, at::kBool), {}};
  batch.b = {at::randint(10, {8, 5}, at::kLong), at::ones({8, 5}, at::kBool), {}};

  const auto training = pretrain(model, Pull(), 0.5 * objective::Itc());
  train::Trainer trainer(training, {.optimizer = {.learning_rate = 3e-3}, .schedule = {0, 60, 0.0}});
  double first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    last = trainer.step(batch).parts[0];
    if (step == 0) first = last;
  }
  std::cout << "Pull: " << first << " before, " << last << " after " << training->get<0>().last() + 1 << " steps\n";
  return last < 0.7 * first && training->get<0>().last() == 59 ? 0 : 1;
}
