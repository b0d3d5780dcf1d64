// expect: objective policy: loss\(objective::ForwardCache<Model>&\) must return torch::Tensor, a scalar .docs/concepts/objective\.md
// light
#include "policies.hpp"

// A number has no gradient; and one wrong objective among good ones is enough.
struct Wrong {
  template <class Model>
  double loss(rc3::objective::ForwardCache<Model>&);
};
template class rc3::Pretrainer<user::Model, user::Objective, Wrong>;
