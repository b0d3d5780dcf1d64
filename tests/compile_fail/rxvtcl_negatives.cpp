// expect: for_a\(Pass&\) and for_b\(Pass&\) must return negatives::More
#include "rc3/objective/r_xvtcl.hpp"
#include "rc3/regularizer/ceiling.hpp"
#include "rc3/relevance/provided.hpp"
#include "support/fake_model.hpp"

struct Nobody {};
using Objective = rc3::objective::RXvtcl<rc3::regularizer::Ceiling, rc3::relevance::Provided, Nobody>;
at::Tensor use(Objective& o, rc3::objective::Pass<rc3::test::FakeModel>& pass) { return o.loss(pass); }
