#include "rc3/objective/mlm.hpp"

#include <boost/test/unit_test.hpp>

#include "objective/modelling.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_mlm)

using namespace rc3::test;
using namespace rc3::test::modelling;
using namespace rc3::objective;
using rc3::Batch;

BOOST_AUTO_TEST_CASE(mlm_is_its_formula) {
  const auto m = model();
  const auto b = batch();
  const auto mlm = in_double(std::make_shared<Mlm>(8, masks));
  for (std::int64_t step = 0; step < 3; ++step) {
    mlm->at_step(step);
    const auto masked = rc3::objective::detail::mask_texts("test", b.a, masks, step);
    const auto fused = m->fuse_tokens(m->visual(b.images), m->text(masked.texts));
    const auto head = mlm->named_parameters();
    const auto x = fused.text.values.view({-1, 8});  // all positions, then those that were masked
    const auto h = at::layer_norm(at::gelu(at::linear(x, head["head.dense.weight"], head["head.dense.bias"])), {8},
                                  head["head.norm.weight"], head["head.norm.bias"], 1e-6);
    const auto logits = at::linear(h, head["embedding"], head["head.bias"]);
    std::vector<at::Tensor> rows;
    for (std::int64_t i = 0; i < masked.places.size(0); ++i)
      rows.push_back(logits[masked.places[i].item<std::int64_t>()]);
    at_most(rc3::join("Mlm against its formula, step ", step),
            std::abs(loss_of(*mlm, *m, b).item<double>() - cross_entropy_by_hand(at::stack(rows), masked.targets)),
            1e-10);
  }
}

BOOST_AUTO_TEST_SUITE_END()
