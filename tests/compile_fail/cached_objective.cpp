// expect: rc3::backward_cached: the objective needs represent\(ForwardCache&\) and rows_loss
#include "rc3/model/gradient_cache.hpp"
#include "support/fake_model.hpp"

struct Whole {
  template <class Model>
  at::Tensor loss(rc3::objective::ForwardCache<Model>&);
};
double use(rc3::test::FakeModel& m, Whole& o, const rc3::Batch& b) { return rc3::backward_cached(m, o, b); }
