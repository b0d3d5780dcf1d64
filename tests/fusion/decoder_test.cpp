#include "rc3/fusion/decoder.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

#include "rc3/core/random.hpp"
#include "rc3/fusion/generate.hpp"
#include "rc3/fusion/single_stream.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(fusion_decoder)

using namespace rc3::test;
using rc3::Tokens;
using rc3::fusion::Decoder;
using rc3::fusion::DecoderOptions;
using rc3::fusion::generate;
using rc3::fusion::GenerateOptions;

constexpr DecoderOptions tiny{
    .vocabulary = 5, .width = 8, .layers = 2, .heads = 2, .feed_forward = 16, .positions = 10};

std::shared_ptr<Decoder> decoder(DecoderOptions options = tiny, double sharp = 30.0) {
  torch::manual_seed(4);
  const auto made = std::make_shared<Decoder>(options);
  made->to(at::kDouble);
  made->eval();
  const torch::NoGradGuard no_grad;
  for (auto& p : made->named_parameters())  // so that words differ in probability
    if (p.key() == "embedding" || p.key() == "position") p.value().mul_(sharp);
  return made;
}

Tokens memory(std::int64_t b, std::int64_t m = 3, std::uint64_t seed = 5) {
  torch::manual_seed(seed);
  return {at::randn({b, m, 8}, at::kDouble), at::ones({b, m}, at::kBool)};
}

at::Tensor words(std::vector<std::vector<std::int64_t>> rows) {
  std::vector<at::Tensor> all;
  for (const auto& row : rows) all.push_back(at::tensor(row, at::kLong));
  return at::stack(all);
}

BOOST_AUTO_TEST_CASE(a_position_depends_on_the_words_before_it_only) {
  const auto d = decoder();
  const auto m = memory(1);
  const auto one = d->forward(words({{2, 0, 1, 3, 4}}), m), other = d->forward(words({{2, 0, 1, 4, 0}}), m);
  at_most("the words before the change", max_difference(one.narrow(1, 0, 3), other.narrow(1, 0, 3)), 1e-15);
  at_least("the words from the change on", max_difference(one.narrow(1, 3, 2), other.narrow(1, 3, 2)), 1e-3);
  const auto ids = words({{2, 0, 1}});
  at_least("another memory", max_difference(d->forward(ids, m), d->forward(ids, memory(1, 3, 6))), 1e-3);
}

BOOST_AUTO_TEST_CASE(step_by_step_is_the_whole_sequence) {
  const auto d = decoder();
  const auto m = memory(2);
  const auto ids = words({{2, 0, 1, 3, 4, 1}, {2, 4, 4, 0, 1, 3}});
  const auto whole = d->forward(ids, m);
  for (const auto& parts : std::vector<std::vector<std::int64_t>>{{1, 1, 1, 1, 1, 1}, {3, 3}, {1, 4, 1}}) {
    Decoder::Cache cache;
    std::vector<at::Tensor> steps;
    std::int64_t begin = 0;
    for (const auto n : parts) {
      steps.push_back(d->forward(ids.narrow(1, begin, n), m, &cache));
      begin += n;
    }
    BOOST_TEST(cache.length == 6);
    at_most("with a cache, against the whole", max_difference(at::cat(steps, 1), whole), 1e-12);
  }
  // Rows change places in the middle, as beams do.
  Decoder::Cache cache;
  d->forward(ids.narrow(1, 0, 3), m, &cache);
  const auto order = at::tensor({1, 0}, at::kLong);
  cache = cache.select(order);
  const auto rest = d->forward(ids.narrow(1, 3, 3).index_select(0, order), m.select(order), &cache);
  at_most("rows in another order", max_difference(rest, whole.narrow(1, 3, 3).index_select(0, order)), 1e-12);
}

BOOST_AUTO_TEST_CASE(in_single_precision_step_by_step_is_the_whole_sequence_to_its_last_digits) {
  const auto d = decoder(tiny, 5.0);
  d->to(at::kFloat);
  auto m = memory(2);
  m.values = m.values.to(at::kFloat);
  const auto ids = words({{2, 0, 1, 3, 4, 1}, {2, 4, 4, 0, 1, 3}});
  Decoder::Cache cache;
  std::vector<at::Tensor> steps;
  for (std::int64_t i = 0; i < 6; ++i) steps.push_back(d->forward(ids.narrow(1, i, 1), m, &cache));
  at_most("float32 with a cache, against the whole", max_difference(at::cat(steps, 1), d->forward(ids, m)), 1e-5);
}

BOOST_AUTO_TEST_CASE(padding_of_the_memory_changes_nothing) {
  const auto d = decoder();
  const auto m = memory(2);
  const Tokens padded{at::cat({m.values, at::randn({2, 2, 8}, at::kDouble)}, 1),
                      at::cat({m.mask, at::zeros({2, 2}, at::kBool)}, 1)};
  const auto ids = words({{2, 0, 1}, {2, 3, 3}});
  at_most("padded memory", max_difference(d->forward(ids, padded), d->forward(ids, m)), 1e-13);
}

BOOST_AUTO_TEST_CASE(gradients_are_those_of_finite_differences) {
  const auto d = decoder(tiny, 3.0);
  const auto m = memory(2);
  m.values.requires_grad_();
  std::vector<at::Tensor> leaves{m.values};
  for (const auto& p : d->named_parameters())
    if (p.value().numel() <= 80) leaves.push_back(p.value());
  const auto ids = words({{2, 0, 1}, {2, 3, 3}});
  const auto target = at::randn({2, 3, 5}, at::kDouble);
  at_most("decoder, gradient against finite differences",
          gradient_error([&] { return (d->logits(d->forward(ids, m)) * target).sum(); }, leaves), 1e-6);
}

BOOST_AUTO_TEST_CASE(a_shared_embedding_is_not_the_decoders_own) {
  const auto table = at::randn({5, 8}).requires_grad_();
  Decoder d(tiny, table);
  BOOST_TEST(!d.named_parameters().contains("embedding"));
  d.logits(d.forward(words({{2, 0}}), {at::randn({1, 3, 8}), at::ones({1, 3}, at::kBool)})).sum().backward();
  BOOST_TEST(table.grad().ne(0).any().item<bool>());
}

BOOST_AUTO_TEST_CASE(what_it_refuses) {
  const auto d = decoder();
  throws_with([&] { d->forward(at::zeros({1, 11}, at::kLong), memory(1)); }, "fusion::Decoder", "11 tokens", "10");
  throws_with([&] { d->forward(at::zeros({2, 3}, at::kLong), memory(1)); }, "memory", "B=2");
  throws_with([&] { Decoder(tiny, at::zeros({4, 8})); }, "embedding", "K=5");
  throws_with([&] { generate(*d, memory(1), {.beams = 0}); }, "fusion::generate", "beams");
  throws_with([&] { generate(*d, memory(1), {.length_penalty = -1}); }, "length_penalty");
  throws_with([&] { generate(*d, memory(1), {.end = 5, .max_length = 4}); }, "fusion::generate", "5 words");
  throws_with([&] { generate(*d, memory(1), {.first = 9, .max_length = 4}); }, "fusion::generate", "5 words");
  throws_with([&] { generate(*d, memory(1), {.max_length = 11}); }, "max_length is 11", "10");
  d->train();
  throws_with([&] { generate(*d, memory(1), {.max_length = 4}); }, "in training", "eval");
}

/// A decoder that has no favourite words: what comes next is a random function of all that was read. With a fifth of
/// the weight on `end`, texts of all lengths are found.
struct Table {
  struct Cache {
    std::vector<std::uint64_t> read;  // a number for what each row has read
    Cache select(const at::Tensor& index) const {
      Cache chosen;
      for (std::int64_t i = 0; i < index.size(0); ++i)
        chosen.read.push_back(read[static_cast<std::size_t>(index[i].item<std::int64_t>())]);
      return chosen;
    }
  };
  double sharp = 1.5;

  at::Tensor forward(const at::Tensor& ids, const Tokens& memory, Cache* cache = nullptr) {
    Cache fresh;
    Cache& c = cache == nullptr ? fresh : *cache;
    const auto b = ids.size(0), t = ids.size(1);
    if (c.read.empty())
      for (std::int64_t i = 0; i < b; ++i)
        c.read.push_back(static_cast<std::uint64_t>(1e6 * std::abs(memory.values[i][0][0].item<double>())));
    const auto states = at::zeros({b, t, 1}, at::kLong);
    for (std::int64_t i = 0; i < b; ++i)
      for (std::int64_t k = 0; k < t; ++k) {
        auto& read = c.read[static_cast<std::size_t>(i)];
        read = rc3::Random(read, static_cast<std::uint64_t>(ids[i][k].item<std::int64_t>()))() >> 2;
        states[i][k][0] = static_cast<std::int64_t>(read);
      }
    return states;
  }
  at::Tensor logits(const at::Tensor& states) const {
    const auto flat = states.reshape({-1});
    const auto l = at::zeros({flat.size(0), 5}, at::kDouble);
    for (std::int64_t i = 0; i < flat.size(0); ++i) {
      rc3::Random random(static_cast<std::uint64_t>(flat[i].item<std::int64_t>()));
      for (std::int64_t word = 0; word < 5; ++word) l[i][word] = sharp * random.normal();
    }
    auto shape = states.sizes().vec();
    shape.back() = 5;
    return l.view(shape);
  }
};

/// log p of @p text and `end` behind it, by full passes.
template <class D>
double log_p(D& d, const Tokens& m, const std::vector<std::int64_t>& text, const GenerateOptions& o) {
  const torch::NoGradGuard no_grad;
  std::vector<std::int64_t> read{o.start};
  read.insert(read.end(), text.begin(), text.end());
  const auto l = d.logits(d.forward(words({read}), m)).log_softmax(2)[0];
  double sum = 0;
  for (std::size_t t = o.first ? 1 : 0; t < text.size(); ++t)
    sum += l[static_cast<std::int64_t>(t)][text[t]].template item<double>();
  return sum + l[static_cast<std::int64_t>(text.size())][o.end].template item<double>();
}

/// The best of all texts, by trying each.
template <class D>
rc3::fusion::Hypothesis best_of_all(D& d, const Tokens& m, const GenerateOptions& o) {
  rc3::fusion::Hypothesis best;
  const std::function<void(std::vector<std::int64_t>)> grow = [&](std::vector<std::int64_t> text) {
    if (!o.first || !text.empty()) {
      const double score =
          log_p(d, m, text, o) / std::pow((5.0 + static_cast<double>(text.size()) + 1) / 6.0, o.length_penalty);
      if (score > best.score) best = {text, score};
    }
    if (static_cast<std::int64_t>(text.size()) + 1 == o.max_length) return;
    for (std::int64_t word = 0; word < 5; ++word) {
      if (word == o.end || (text.empty() && o.first && word != *o.first)) continue;
      auto longer = text;
      longer.push_back(word);
      grow(longer);
    }
  };
  grow({});
  return best;
}

BOOST_AUTO_TEST_CASE(a_wide_beam_finds_the_best_of_all_texts) {
  Table d;
  std::set<std::vector<std::int64_t>> texts;
  for (const double alpha : {0.0, 1.0, 2.5})
    for (const std::optional<std::int64_t> first : {std::optional<std::int64_t>{}, std::optional<std::int64_t>{3}})
      for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        const GenerateOptions o{.first = first, .max_length = 4, .beams = 200, .length_penalty = alpha};
        const auto m = memory(1, 3, seed);
        const auto found = generate(d, m, o)[0], best = best_of_all(d, m, o);
        BOOST_TEST(found.ids == best.ids, boost::test_tools::per_element());
        texts.insert(found.ids);
        at_most(rc3::join("score, alpha ", alpha), std::abs(found.score - best.score), 1e-10);
      }
  at_least("different texts found", texts.size(), 8u);
}

/// Beam search as plain loops: without a cache, and without stopping before the longest text.
template <class D>
rc3::fusion::Hypothesis by_loops(D& d, const Tokens& m, const GenerateOptions& o) {
  const torch::NoGradGuard no_grad;
  struct Candidate {
    double log_p;
    std::vector<std::int64_t> text;
    bool ends;
  };
  std::vector<Candidate> beams{{0, {}, false}};
  rc3::fusion::Hypothesis best;
  for (std::int64_t step = 0; step < o.max_length; ++step) {
    std::vector<Candidate> all;
    for (const auto& beam : beams) {
      std::vector<std::int64_t> read{o.start};
      read.insert(read.end(), beam.text.begin(), beam.text.end());
      const auto l = vector_of(d.logits(d.forward(words({read}), m).select(1, -1)).log_softmax(1)[0]);
      for (std::int64_t word = 0; word < 5; ++word) {
        if (step == 0 && o.first && word != *o.first) continue;
        if (step == o.max_length - 1 && word != o.end) continue;
        auto text = beam.text;
        if (word != o.end) text.push_back(word);
        const bool free = step == 0 && o.first;
        all.push_back({beam.log_p + (free ? 0 : l[static_cast<std::size_t>(word)]), text, word == o.end});
      }
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& x, const auto& y) { return x.log_p > y.log_p; });
    beams.clear();
    for (std::size_t i = 0; i < all.size() && static_cast<std::int64_t>(beams.size()) < o.beams; ++i) {
      if (!all[i].ends) {
        beams.push_back(all[i]);
      } else if (static_cast<std::int64_t>(i) < o.beams) {
        const double length = static_cast<double>(all[i].text.size()) + 1;
        const double score = all[i].log_p / std::pow((5 + length) / 6, o.length_penalty);
        if (score > best.score) best = {all[i].text, score};
      }
    }
  }
  return best;
}

BOOST_AUTO_TEST_CASE(few_beams_find_what_plain_loops_find) {
  std::size_t compared = 0, different = 0, letters = 0, cut = 0;
  for (const double sharp : {0.7, 1.5, 3.0}) {
    Table d{sharp};
    for (const double alpha : {0.0, 0.6, 1.0, 2.5})
      for (const std::int64_t beams : {2, 3, 5})  // one is greedy and stops at the first end
        for (std::uint64_t seed = 1; seed <= 8; ++seed) {
          const GenerateOptions o{.max_length = 7, .beams = beams, .length_penalty = alpha};
          const auto m = memory(1, 3, seed);
          const auto found = generate(d, m, o)[0], expected = by_loops(d, m, o);
          ++compared;
          letters += expected.ids.size();
          cut += expected.ids.size() < 6;
          different += found.ids != expected.ids || std::abs(found.score - expected.score) > 1e-10;
        }
  }
  at_least("searches compared", compared, 288u);
  at_least("words written in them", letters, 288u);
  at_least("texts that end before they must", cut, 100u);
  at_most("searches that find something else", different, 0u);
}

BOOST_AUTO_TEST_CASE(one_beam_is_greedy) {
  Table d;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const auto m = memory(1, 3, seed);
    std::vector<std::int64_t> greedy;
    for (std::int64_t step = 0; step < 5; ++step) {
      std::vector<std::int64_t> read{2};
      read.insert(read.end(), greedy.begin(), greedy.end());
      const auto word = d.logits(d.forward(words({read}), m).select(1, -1)).argmax(1).item<std::int64_t>();
      if (word == 2 || step == 4) break;
      greedy.push_back(word);
    }
    BOOST_TEST(generate(d, m, {.max_length = 5})[0].ids == greedy, boost::test_tools::per_element());
  }
}

template <class D>
void alone_and_together(D& d) {
  const auto all = memory(5, 3, 9);
  for (const std::int64_t beams : {1, 3}) {
    const GenerateOptions o{.first = 1, .max_length = 6, .beams = beams, .length_penalty = 0.8};
    const auto together = generate(d, all, o);
    for (std::int64_t i = 0; i < 5; ++i) {
      const auto alone = generate(d, all.select(at::tensor({i}, at::kLong)), o)[0];
      BOOST_TEST(together[static_cast<std::size_t>(i)].ids == alone.ids, boost::test_tools::per_element());
      BOOST_TEST(alone.ids.front() == 1);
      BOOST_TEST(alone.ids.size() <= 5u);
      BOOST_TEST((std::find(alone.ids.begin(), alone.ids.end(), 2) == alone.ids.end()));
      at_most("score", std::abs(together[static_cast<std::size_t>(i)].score - alone.score), 1e-10);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_sample_is_written_as_if_it_were_alone) {
  Table table;
  alone_and_together(table);
  alone_and_together(*decoder());
}

BOOST_AUTO_TEST_CASE(more_beams_find_nothing_worse) {
  Table d;
  double gained = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const auto m = memory(1, 3, seed);
    const double one = generate(d, m, {.max_length = 6})[0].score,
                 all = generate(d, m, {.max_length = 6, .beams = 300})[0].score;
    BOOST_TEST(all >= one - 1e-12);
    gained += all - one;
  }
  at_least("log p gained over greedy, 8 texts", gained, 1e-3);
}

BOOST_AUTO_TEST_CASE(fuse_tokens_gives_the_same_z) {
  torch::manual_seed(1);
  rc3::fusion::SingleStream fusion({8, 2, 2, 16, 0.1});
  fusion.eval();
  Tokens v{at::randn({2, 3, 8}), at::tensor({1, 1, 1, 1, 0, 0}, at::kByte).view({2, 3}).to(at::kBool)};
  const Tokens t{at::randn({2, 4, 8}), at::tensor({1, 1, 1, 0, 1, 1, 1, 1}, at::kByte).view({2, 4}).to(at::kBool)};
  const auto fused = fusion.fuse_tokens(v, t);
  at_most("z", max_difference(fused.z, fusion.fuse(v, t)), 1e-6);
  BOOST_TEST(fused.visual.values.sizes() == at::IntArrayRef({2, 3, 8}));
  BOOST_TEST(fused.text.values.sizes() == at::IntArrayRef({2, 4, 8}));
  BOOST_TEST(fused.text.values[0][3].eq(0).all().item<bool>());
  BOOST_TEST(fused.visual.values[1][1].eq(0).all().item<bool>());
  const auto memory = fused.memory();
  BOOST_TEST(memory.values.narrow(1, 3, 4).equal(fused.text.values));
  BOOST_TEST(memory.mask.narrow(1, 0, 3).equal(v.mask));
}

BOOST_AUTO_TEST_SUITE_END()
