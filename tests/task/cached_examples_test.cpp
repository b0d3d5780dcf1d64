#include "rc3/task/cached_examples.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

#include "rc3/task/matcher.hpp"
#include "rc3/task/predict.hpp"
#include "rc3/task/search.hpp"
#include "rc3/train/precision.hpp"
#include "support/support.hpp"
#include "toy.hpp"
#include "toy_examples.hpp"

using namespace rc3;
using task::CachedExamples;
using test::examples;
using test::Prepare;
using test::prepared;
using test::throws_with;
using test::Toy;

namespace {

void same(const at::Tensor& a, const at::Tensor& b) {
  BOOST_TEST_REQUIRE(a.defined() == b.defined());
  if (a.defined()) BOOST_TEST(a.equal(b));
}

/// A host for search whose text tokens come from ids.
struct Searched : Toy {
  Tokens text(const Texts& t) {
    return {(t.ids.unsqueeze(2) * at::tensor({1.0f, 0.5f, -0.3f, 0.2f})).sin() * t.mask.unsqueeze(2), t.mask};
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(task_cached_examples)

BOOST_AUTO_TEST_CASE(batches_are_those_of_collate) {
  for (const bool pair : {false, true}) {
    Toy host;
    data::DataErrors errors;
    const CachedExamples all(host, examples(70), Prepare{pair}, errors);
    BOOST_TEST(all.size() == 70);
    BOOST_TEST(all.images() == (pair ? 35 + 70 : 35));
    const auto got = all.batch({3, 40, 7, 69});
    const auto want =
        task::CollateExamples()({prepared(3, pair), prepared(40, pair), prepared(7, pair), prepared(69, pair)});
    same(got.texts.ids, want.texts.ids);
    same(got.texts.mask, want.texts.mask);
    same(got.labels, want.labels);
    BOOST_TEST(got.pairs() == pair);
    for (const auto& [p, q] : {std::pair(&got.images, &want.images), std::pair(&got.right, &want.right)})
      for (const auto member : {&Images::pixels, &Images::regions, &Images::boxes, &Images::sizes, &Images::region_mask,
                                &Images::patch_mask, &Images::features})
        same(p->*member, q->*member);
    BOOST_TEST(all.example(40).language == "en");
    BOOST_TEST(all.example(69).id == "69");
    // 6 and 7 share an image, 3 and 6 a text.
    const auto ids = all.batch({3, 6, 7});
    BOOST_TEST(ids.image_ids[1].equal(ids.image_ids[2]));
    BOOST_TEST(!ids.image_ids[0].equal(ids.image_ids[1]));
    BOOST_TEST(ids.text_ids[0].equal(ids.text_ids[1]));
    BOOST_TEST(!ids.text_ids[1].equal(ids.text_ids[2]));
    throws_with([&] { all.batch({70}); }, "example 70 of 70");
  }
}

BOOST_AUTO_TEST_CASE(rows_in_half_precision_are_stacked_under_autocast_too) {
  const auto rows = at::arange(30).to(at::kHalf).view({1, 10, 3});
  const std::vector<at::Tensor> all{rows.narrow(1, 0, 4), rows.narrow(1, 4, 6), rows.narrow(1, 9, 1)};
  const train::Autocast autocast(train::Precision::bfloat16);
  const auto stacked = features::detail::stack_padded(all);
  same(stacked.narrow(0, 0, 1).narrow(1, 0, 4), all[0]);
  same(stacked.narrow(0, 1, 1), all[1]);
  same(stacked.narrow(0, 2, 1).narrow(1, 0, 1), all[2]);
  BOOST_TEST(stacked.sizes() == at::IntArrayRef({3, 6, 3}));
  BOOST_TEST(stacked.eq(0).sum().item<std::int64_t>() == 1 + 3 * (2 + 5));  // 0 itself, and the padding
}

BOOST_AUTO_TEST_CASE(another_image_is_never_the_same_one) {
  for (const bool pair : {false, true}) {
    Toy host;
    data::DataErrors errors;
    const CachedExamples all(host, examples(12), Prepare{pair}, errors);
    std::vector<std::int64_t> index, seen;
    for (std::int64_t i = 0; i < all.size(); ++i) {
      index.push_back(i);
      seen.push_back(all.elsewhere(i));
      BOOST_TEST(all.image_of(seen.back()) != all.image_of(i));
    }
    const auto own = all.batch(index), other = all.batch(index, seen);
    same(own.texts.ids, other.texts.ids);
    same(own.labels, other.labels);
    same(other.images.pixels, all.batch(seen).images.pixels);
    same(other.image_ids, all.batch(seen).image_ids);
    if (pair) same(other.right.pixels, all.batch(seen).right.pixels);
    // Two examples an image: those of a batch of two are about one.
    std::int64_t from = 0;
    struct Head {
      bool is_training() const { return false; }
      void eval() {}
      void train(bool) {}
    } head;
    task::for_each_batch(head, all, task::Ablation::shuffled, 2, [&](const task::ExampleBatch& batch) {
      for (std::int64_t i = 0; i < batch.size(); ++i, ++from)
        BOOST_TEST(batch.image_ids[i].item<std::int64_t>() != all.image_of(from));
    });
    BOOST_TEST(from == 12);
  }
  Toy host;
  data::DataErrors errors;
  const CachedExamples one(host, examples(2), Prepare{}, errors);
  throws_with([&] { one.elsewhere(0); }, "no other to be seen instead");
}

BOOST_AUTO_TEST_CASE(what_is_damaged_is_left_out) {
  Toy host;
  data::DataErrors errors({.fraction = 1});
  const CachedExamples all(host, examples(9), Prepare{false, 4}, errors);
  BOOST_TEST(all.size() == 8);
  BOOST_TEST(all.example(4).id == "5");
  BOOST_TEST(errors.report().find("damaged") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_epoch_brings_each_once_and_goes_on_where_it_stopped) {
  Toy host;
  data::DataErrors errors;
  const CachedExamples all(host, examples(10), Prepare{}, errors);
  task::CachedBatches batches(all, 4, 7);
  std::vector<std::vector<std::int64_t>> seen;
  std::optional<data::LoaderState> middle;
  for (int i = 0; i < 6; ++i) {
    seen.push_back(batches.next()->samples);
    if (i == 1) middle = batches.state();
  }
  std::set<std::int64_t> first, second;
  for (int i = 0; i < 3; ++i) {
    first.insert(seen[static_cast<std::size_t>(i)].begin(), seen[static_cast<std::size_t>(i)].end());
    second.insert(seen[static_cast<std::size_t>(3 + i)].begin(), seen[static_cast<std::size_t>(3 + i)].end());
  }
  BOOST_TEST(first.size() == 10u);
  BOOST_TEST(second.size() == 10u);
  BOOST_TEST((seen[0] != seen[3]));
  BOOST_TEST(seen[2].size() == 2u);
  throws_with([&] { task::CachedBatches(all, 4, 99, middle); }, "the seed was 7, is now 99");
  const CachedExamples fewer(host, examples(9), Prepare{}, errors);
  throws_with([&] { task::CachedBatches(fewer, 4, 7, middle); }, "the data set was the examples (10 samples",
              "(9 samples");
  task::CachedBatches later(all, 4, 7, middle);
  for (std::size_t i = 2; i < 6; ++i) BOOST_TEST(later.next()->samples == seen[i]);
}

BOOST_AUTO_TEST_CASE(ranks_have_parts_of_the_same_batches) {
  Toy host;
  data::DataErrors errors;
  const CachedExamples all(host, examples(10), Prepare{}, errors);
  task::CachedBatches one(all, 4, 7), left(all, 4, 7, std::nullopt, {2, 0}), right(all, 4, 7, std::nullopt, {2, 1});
  for (int i = 0; i < 7; ++i) {
    const auto whole = one.next()->samples, a = left.next()->samples, b = right.next()->samples;
    BOOST_TEST_REQUIRE(a.size() + b.size() == whole.size());
    for (std::size_t k = 0; k < whole.size(); ++k) BOOST_TEST((k % 2 == 0 ? a : b)[k / 2] == whole[k]);
    BOOST_TEST((left.state() == right.state() && left.state() == one.state()));
  }
  // 10 = 3 + 3 + 3 + 1: of the last one two ranks would have nothing.
  task::CachedBatches first(all, 3, 7, std::nullopt, {3, 0}), last(all, 3, 7, std::nullopt, {3, 2});
  for (int i = 0; i < 8; ++i) {
    const auto a = first.next(), b = last.next();
    BOOST_TEST(a->samples.size() == 1u);
    BOOST_TEST(b->samples.size() == 1u);
    BOOST_TEST(a->epoch == (i < 3 ? 0 : i < 6 ? 1 : 2));
  }
  throws_with([&] { task::CachedBatches(all, 4, 7, std::nullopt, {2, 2}); }, "rank 2 of 2");
  throws_with([&] { task::CachedBatches(all, 4, 7, std::nullopt, {5, 0}); }, "has not one example for each of 5");
}

BOOST_AUTO_TEST_CASE(a_last_image_that_is_left_alone_is_shuffled_with_others) {
  Searched host;
  host.eval();
  data::DataErrors errors;
  const CachedExamples all(host, examples(12), Prepare{}, errors);  // six images: five and one
  const auto own = task::encode_images(host, all, task::Ablation::none, 5);
  const auto other = task::encode_images(host, all, task::Ablation::shuffled, 5);
  BOOST_TEST_REQUIRE((other.embeddings.sizes() == own.embeddings.sizes()));
  BOOST_TEST((own.embeddings - other.embeddings).abs().amax(1).gt(1e-6).all().item<bool>());
}

BOOST_AUTO_TEST_CASE(search_is_a_comparison_of_all_and_a_second_look_at_the_best) {
  torch::manual_seed(2);
  Searched host;
  host.eval();
  data::DataErrors errors;
  const CachedExamples all(host, examples(12), Prepare{}, errors);
  const auto images = task::encode_images(host, all, task::Ablation::none, 4);
  std::vector<std::int64_t> which{0, 1, 2};
  const auto texts = task::encode_texts(host, all, which, 2);
  const auto scores = task::compare(texts, images);
  BOOST_TEST_REQUIRE((scores.sizes() == at::IntArrayRef{3, 6}));
  {
    const train::Autocast autocast(train::Precision::bfloat16);
    BOOST_TEST(task::compare(texts, images).equal(scores));  // and rerank() takes them, see below
  }
  // One image and one text at a time.
  const auto match = at::zeros({3, 6});
  for (std::int64_t t = 0; t < 3; ++t)
    for (std::int64_t p = 0; p < 6; ++p) {
      const auto v = host.visual(all.images(p, p + 1));
      const auto x = host.text(all.batch({t}).texts);
      BOOST_TEST(std::abs((host.image_embedding(v) * host.text_embedding(x)).sum().item<double>() -
                          scores[t][p].item<double>()) < 1e-6);
      match[t][p] = host.itm_logits(host.fuse(v, x)).sigmoid()[0];
    }
  for (const bool from_texts : {true, false}) {
    const auto s = from_texts ? scores : scores.t().contiguous(), m = from_texts ? match : match.t().contiguous();
    const auto& rows = from_texts ? texts : images;
    const auto& columns = from_texts ? images : texts;
    const auto whole = task::rerank(host, s, rows, columns, from_texts, 100, 1000.0, 2);
    BOOST_TEST(whole.argsort(1, false).equal(m.argsort(1, false)));  // with so much weight ITM alone orders
    const auto exact = task::rerank(host, s, rows, columns, from_texts, 100);
    const auto rough = [&] {
      const train::Autocast autocast(train::Precision::bfloat16);
      return (task::rerank(host, s, rows, columns, from_texts, 100) - exact).abs().max().item<double>();
    }();
    BOOST_TEST(rough > 0);
    BOOST_TEST(rough < 0.02);
    const auto two = task::rerank(host, s, rows, columns, from_texts, 2, 1000.0);
    const auto best = std::get<1>(s.topk(2, 1));
    BOOST_TEST(std::get<0>(std::get<1>(two.topk(2, 1)).sort(1)).equal(std::get<0>(best.sort(1))));  // still on top
    BOOST_TEST(two.argmax(1).equal(best.gather(1, m.gather(1, best).argmax(1, true)).squeeze(1)));
  }
}

BOOST_AUTO_TEST_CASE(a_matcher_asks_which_images_are_equal) {
  task::Matcher<Toy> matcher(std::make_shared<Toy>());
  auto batch = test::toy_batch(4, false);
  throws_with([&] { matcher.losses(batch); }, "does not say which images and texts are equal");
}

BOOST_AUTO_TEST_SUITE_END()
