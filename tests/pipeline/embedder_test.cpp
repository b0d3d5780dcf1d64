// Embeddings against the model called by hand; equal for every batch, order and number of threads, up to rounding.
#include "rc3/pipeline/embedder.hpp"

#include <boost/test/unit_test.hpp>

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pipeline/tiny.hpp"
#include "rc3/preprocess/preprocess.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(pipeline_embedder)

using namespace rc3::test;
using rc3::Embedder;
using rc3::EmbedderOptions;
using rc3::train::Precision;

std::vector<std::string> some_texts() {
  std::vector<std::string> all;
  for (int i = 0; i < 57; ++i)
    all.push_back(std::string(static_cast<std::size_t>(1 + i * 31 % 50), 'x') + std::to_string(i));
  all[20] = "Ein Hund im Schnee";
  all[40] = "雪の中の犬";
  return all;
}

/// Embeddings one by one, without this embedder: no padding, no other item beside it.
at::Tensor texts_by_hand(const rc3::Pipeline<Tiny>& p, const std::vector<std::string>& texts) {
  const torch::NoGradGuard no_grad;
  std::vector<at::Tensor> rows;
  for (const auto& text : texts) {
    const auto ids = torch::tensor(p.tokenizer.encode(text)).unsqueeze(0);
    rows.push_back(p.model->text_embedding(p.model->text({ids, at::ones_like(ids, at::kBool), {}})));
  }
  return at::cat(rows);
}

at::Tensor images_by_hand(const rc3::Pipeline<Tiny>& p, const std::vector<rc3::io::Image>& images) {
  const torch::NoGradGuard no_grad;
  const rc3::preprocess::Preprocess prepare(p.images);
  std::vector<at::Tensor> rows;
  for (const auto& image : images) {
    rc3::Images one;
    one.pixels = prepare(image).unsqueeze(0);
    rows.push_back(p.model->image_embedding(p.model->visual(one)));
  }
  return at::cat(rows);
}

BOOST_AUTO_TEST_CASE(equals_the_model_by_hand) {
  const auto p = tiny_pipeline();
  const Embedder embedder(p, {.text_tokens = 200, .image_batch = 5});
  BOOST_TEST(embedder.dimension() == 24);
  const auto texts = some_texts();
  const auto vectors = embedder.texts(texts);
  at_most("texts, batches against one by one", max_difference(vectors, texts_by_hand(p, texts)), 1e-6);
  at_most("length of vectors, from 1", (vectors.norm(2, 1) - 1).abs().max().item<double>(), 1e-6);
  at_most("one text", max_difference(embedder.text(texts[20]), vectors[20]), 1e-6);
  const auto images = drawings(23);
  at_most("images, batches against one by one", max_difference(embedder.images(images), images_by_hand(p, images)),
          1e-6);
  BOOST_TEST(!vectors.requires_grad());
  BOOST_TEST(!vectors.is_inference());  // usable in training
  BOOST_TEST((embedder.texts({}).sizes() == at::IntArrayRef{0, 24}));
  BOOST_TEST((embedder.images({}).sizes() == at::IntArrayRef{0, 24}));
}

BOOST_AUTO_TEST_CASE(batches_threads_and_order_change_only_rounding) {
  const auto p = tiny_pipeline();
  const auto texts = some_texts();
  const auto images = drawings(40);
  const Embedder reference(p);
  const auto t = reference.texts(texts), i = reference.images(images);
  double text_difference = 0, image_difference = 0, bfloat16_difference = 0;
  struct Run {
    int threads;
    std::int64_t batch;
    int decode;
  };
  for (const Run run : {Run{1, 1, 0}, Run{1, 3, 1}, Run{1, 7, 4}, Run{1, 64, 2}, Run{2, 16, 2}}) {
    at::set_num_threads(run.threads);
    EmbedderOptions options{.text_tokens = run.batch * 20, .image_batch = run.batch, .decode_threads = run.decode};
    const Embedder embedder(p, options);
    text_difference = std::max(text_difference, max_difference(embedder.texts(texts), t));
    image_difference = std::max(image_difference, max_difference(embedder.images(images), i));
    at::set_num_threads(1);
    if (run.batch != 7) continue;
    options.precision = Precision::bfloat16;
    const Embedder half(p, options);
    bfloat16_difference = std::max(bfloat16_difference, max_difference(half.texts(texts), t));
    bfloat16_difference = std::max(bfloat16_difference, max_difference(half.images(images), i));
  }
  auto reversed = texts;
  std::reverse(reversed.begin(), reversed.end());
  text_difference = std::max(text_difference, max_difference(reference.texts(reversed).flip(0), t));
  at_most("texts: largest difference between batches and threads", text_difference, 1e-6);
  at_most("images: largest difference between batches and threads", image_difference, 1e-6);
  at_most("bfloat16: largest difference from float32", bfloat16_difference, 0.02);
  at_least("bfloat16: largest difference from float32", bfloat16_difference, 1e-5);
}

BOOST_AUTO_TEST_CASE(texts_in_8_bits_are_those_of_float32_within_a_bound) {
  const auto p = tiny_pipeline();
  const auto texts = some_texts();
  const Embedder exact(p), rounded(p, {.precision = Precision::int8});
  const Embedder one_by_one(p, {.text_tokens = 1, .precision = Precision::int8});
  const auto t = rounded.texts(texts);
  at_most("int8: largest difference from float32", max_difference(t, exact.texts(texts)), 0.02);
  at_most("int8: largest difference between batches", max_difference(t, one_by_one.texts(texts)), 0.002);
  const auto images = drawings(3);
  BOOST_TEST(rounded.images(images).equal(exact.images(images)));
  if (rounded.options().precision == Precision::int8)  // else this processor has no products of bytes
    at_least("int8: largest difference from float32", max_difference(t, exact.texts(texts)), 1e-5);
}

BOOST_AUTO_TEST_CASE(several_threads_use_one_embedder) {
  const auto p = tiny_pipeline();
  const Embedder embedder(p, {.image_batch = 4});
  const auto texts = some_texts();
  const auto images = drawings(12);
  const auto t = embedder.texts(texts), i = embedder.images(images);
  double differences[4] = {};
  {
    std::vector<std::jthread> threads;
    for (double& difference : differences)
      threads.emplace_back([&] {
        for (int k = 0; k < 5; ++k)
          difference = std::max(
              {difference, max_difference(embedder.texts(texts), t), max_difference(embedder.images(images), i)});
      });
  }
  for (const double difference : differences) BOOST_TEST(difference == 0);
}

BOOST_AUTO_TEST_CASE(files_bytes_and_pixels_are_the_same) {
  const TempDir folder;
  const Embedder embedder(tiny_pipeline(), {.image_batch = 3});
  const auto images = drawings(8);
  std::vector<std::filesystem::path> paths;
  std::vector<rc3::preprocess::EncodedImage> encoded;
  for (std::size_t i = 0; i < images.size(); ++i) {
    paths.push_back(folder / std::to_string(i));
    encoded.push_back({rc3::io::encode_png(images[i]), "image"});
    rc3::io::write_png(paths.back(), images[i]);
  }
  const auto expected = embedder.images(images);
  BOOST_TEST(max_difference(embedder.files(paths).vectors, expected) == 0);
  BOOST_TEST(max_difference(embedder.encoded(encoded).vectors, expected) == 0);
  at_most("one file", max_difference(embedder.file(paths[5]), expected[5]), 1e-6);
}

BOOST_AUTO_TEST_CASE(damaged_files_are_listed_and_the_others_embedded) {
  const TempDir folder;
  const Embedder embedder(tiny_pipeline(), {.image_batch = 3});
  std::vector<std::filesystem::path> paths;
  for (std::size_t i = 0; i < 10; ++i) {
    paths.push_back(folder / (std::to_string(i) + ".png"));
    std::string png = rc3::io::encode_png(drawing(i));
    if (i >= 3 && i < 6) png.resize(png.size() / 2);  // a whole batch
    if (i == 8) png = "text";
    std::ofstream(paths.back(), std::ios::binary) << png;
  }
  paths.push_back(folder / "none.png");
  std::vector<std::pair<std::int64_t, std::int64_t>> progress;
  const auto found = embedder.files(paths, [&](auto done, auto total) { progress.emplace_back(done, total); });
  BOOST_TEST_REQUIRE(found.failures.size() == 5u);
  const std::int64_t expected[] = {3, 4, 5, 8, 10};
  for (std::size_t k = 0; k < 5; ++k) BOOST_TEST(found.failures[k].index == expected[k]);
  BOOST_TEST(found.failures[3].reason.find("8.png: text; only these") != std::string::npos);
  BOOST_TEST(found.failures[4].reason.find("none.png: cannot open") != std::string::npos);
  BOOST_TEST((found.vectors.sizes() == at::IntArrayRef{11, 24}));
  BOOST_TEST(found.vectors[4].abs().max().item<float>() == 0);
  at_most("row after the damaged ones", max_difference(found.vectors[9], embedder.images(drawings(10))[9]), 1e-6);
  BOOST_TEST((progress == std::vector<std::pair<std::int64_t, std::int64_t>>{{3, 11}, {6, 11}, {9, 11}, {11, 11}}));
  throws_with([&] { embedder.file(paths[8]); }, "rc3::Embedder: ", "8.png: text");
  throws_with([&] { embedder.images(std::vector<rc3::io::Image>{drawing(1), {}}); }, "image is empty");
  throws_with([&] { static_cast<void>(embedder.files(paths, [](auto, auto) { rc3::fail("stop here"); })); },
              "stop here");
}

BOOST_AUTO_TEST_CASE(bad_texts) {
  const Embedder embedder(tiny_pipeline());
  throws_with([&] { embedder.text(std::string(1'000'000, 'x')); }, "rc3::Embedder: the text has 1000000 bytes",
              "allowed 65536", "passages");
  throws_with([&] { embedder.text("caf\xe9"); }, "the text is not UTF-8 at byte 3");
  throws_with([&] { embedder.text(""); }, "the text is empty or blank: there is nothing to embed");
  throws_with([&] { embedder.text(" \t\u3000\n"); }, "is empty or blank");
  throws_with([&] { embedder.texts(std::vector<std::string>{"a", "b", " "}); }, "rc3::Embedder: text 2 is empty");
  BOOST_TEST(embedder.text(std::string(65536, 'x')).size(0) == 24);
}

BOOST_AUTO_TEST_CASE(always_in_eval_mode) {
  const auto p = tiny_pipeline();
  p.model->train();
  const Embedder embedder(p);
  BOOST_TEST(!p.model->is_training());
  BOOST_TEST(max_difference(embedder.text("a"), embedder.text("a")) == 0);
  p.model->text_policy()->train();
  throws_with([&] { embedder.text("a"); }, "training mode", "model->eval()");
  throws_with([&] { embedder.images(drawings(1)); }, "training mode");
  p.model->eval();
  BOOST_TEST(embedder.text("a").size(0) == 24);
}

BOOST_AUTO_TEST_CASE(bad_options) {
  throws_with([] { Embedder(tiny_pipeline(), {.text_tokens = 0}); }, "rc3::Embedder: text_tokens");
  throws_with([] { Embedder(tiny_pipeline(), {.image_batch = 0}); }, "image_batch");
  throws_with([] { Embedder(tiny_pipeline(), {.decode_threads = -1}); }, "decode_threads");
  throws_with([] { Embedder(rc3::Pipeline<Tiny>{}); }, "the pipeline has no model", "rc3::load");
  auto p = tiny_pipeline();
  p.images.resize = rc3::preprocess::PreprocessSize{0, 0, 32};
  throws_with([&] { Embedder{p}; }, "must become of one size");
  const Embedder small(tiny_pipeline(), {.limits = {.max_pixels = 399}});
  const auto found = small.encoded(std::vector<rc3::preprocess::EncodedImage>{{rc3::io::encode_png(drawing(1)), "x"}});
  BOOST_TEST_REQUIRE(found.failures.size() == 1u);
  BOOST_TEST(found.failures[0].reason.find("more than the allowed 399 in all") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(matching) {
  const TempDir folder;
  const auto p = tiny_pipeline();
  const Embedder embedder(p, {.image_batch = 2});
  std::vector<std::filesystem::path> paths;
  for (std::size_t i = 0; i < 5; ++i) {
    paths.push_back(folder / std::to_string(i));
    rc3::io::write_png(paths.back(), drawing(i));
  }
  paths.insert(paths.begin() + 2, folder / "none");
  const auto found = embedder.match("a dog", paths);
  BOOST_TEST_REQUIRE(found.size() == 6u);
  BOOST_TEST(std::isnan(found[2]));
  const torch::NoGradGuard no_grad;
  const rc3::preprocess::Preprocess prepare(p.images);
  const auto ids = torch::tensor(p.tokenizer.encode("a dog")).unsqueeze(0);
  for (const std::size_t i : {0, 1, 3, 4, 5}) {
    rc3::Images one;
    one.pixels = prepare(drawing(i < 2 ? i : i - 1)).unsqueeze(0);
    const auto z = p.model->fuse(p.model->visual(one), p.model->text({ids, at::ones_like(ids, at::kBool), {}}));
    BOOST_TEST(std::abs(found[i] - p.model->itm_logits(z).sigmoid().item<float>()) < 1e-6);
  }
}

BOOST_AUTO_TEST_SUITE_END()
