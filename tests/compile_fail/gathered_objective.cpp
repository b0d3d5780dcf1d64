// expect: objective::gathered_loss: the objective needs represent\(ForwardCache&\) and rows_loss
#include "rc3/objective/gather.hpp"
#include "support/fake_model.hpp"

struct Whole {
  template <class Model>
  at::Tensor loss(rc3::objective::ForwardCache<Model>&);
};
at::Tensor use(rc3::Single& c, rc3::test::FakeModel& m, Whole& o, const rc3::Batch& b) {
  return rc3::objective::gathered_loss(c, m, o, b);
}
