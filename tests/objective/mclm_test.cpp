#include "rc3/objective/mclm.hpp"

#include <boost/test/unit_test.hpp>

#include "objective/modelling.hpp"
#include "rc3/fusion/decoder.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_mclm)

using namespace rc3::test;
using namespace rc3::test::modelling;
using namespace rc3::objective;
using rc3::Batch;

BOOST_AUTO_TEST_CASE(mclm_reads_one_word_behind_and_says_the_masked_ones) {
  const auto m = model();
  const auto b = batch();
  const auto decoder = std::make_shared<rc3::fusion::Decoder>(rc3::fusion::DecoderOptions{
      .vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 16, .positions = 8});
  const auto mclm = in_double(std::make_shared<Mclm>(decoder, masks));
  mclm->at_step(1);
  const auto masked = rc3::objective::detail::mask_texts("test", b.a, masks, 1);
  const auto fused = m->fuse_tokens(m->visual(b.images), m->text(masked.texts));
  std::vector<at::Tensor> rows;
  for (std::int64_t i = 0; i < masked.places.size(0); ++i) {
    // Word by word: what stands before the place, behind the start token, and the memory of its sample.
    const auto place = masked.places[i].item<std::int64_t>(), row = place / 6, column = place % 6;
    std::vector<std::int64_t> read{2};
    for (std::int64_t c = 0; c < column; ++c) read.push_back(b.a.ids[row][c].item<std::int64_t>());
    const auto sample = fused.memory().select(at::tensor({row}, at::kLong));
    rows.push_back(
        decoder->logits(decoder->forward(at::tensor(read, at::kLong).unsqueeze(0), sample).select(1, -1))[0]);
  }
  at_most("Mclm against word by word",
          std::abs(loss_of(*mclm, *m, b).item<double>() - cross_entropy_by_hand(at::stack(rows), masked.targets)),
          1e-10);
}

BOOST_AUTO_TEST_SUITE_END()
