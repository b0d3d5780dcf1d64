// expect: for_a\(ForwardCache&\) and for_b\(ForwardCache&\) must return negatives::ExtraNegatives
#include "rc3/objective/r_xvtcl.hpp"
#include "rc3/regularizer/ceiling.hpp"
#include "rc3/relevance/provided.hpp"
#include "support/fake_model.hpp"

struct Nobody {};
using Objective = rc3::objective::RXvtcl<rc3::regularizer::Ceiling, rc3::relevance::Provided, Nobody>;
at::Tensor use(Objective& o, rc3::objective::ForwardCache<rc3::test::FakeModel>& forward) { return o.loss(forward); }
