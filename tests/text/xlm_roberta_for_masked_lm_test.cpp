#include "rc3/text/xlm_roberta_for_masked_lm.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/io/json.hpp"
#include "rc3/text/tokenize.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(text_xlm_roberta_for_masked_lm)

using namespace rc3::test;
using rc3::text::Bert;
using rc3::text::XlmRoberta;
using rc3::text::XlmRobertaForMaskedLm;
namespace st = rc3::io::safetensors;

std::shared_ptr<XlmRobertaForMaskedLm> tiny() {
  torch::manual_seed(1);
  const torch::NoGradGuard no_grad;
  auto model = std::make_shared<XlmRobertaForMaskedLm>(rc3::text::BertOptions{.vocabulary = 21,
                                                                              .width = 8,
                                                                              .layers = 2,
                                                                              .heads = 2,
                                                                              .feed_forward = 16,
                                                                              .positions = 12,
                                                                              .types = 1,
                                                                              .first_position = 2,
                                                                              .norm_eps = 1e-5});
  for (auto& p : model->parameters()) p.copy_(at::randn_like(p));
  model->eval();
  return model;
}

const rc3::Texts two = rc3::text::pad_batch(std::vector<std::vector<std::int64_t>>{{0, 5, 20, 6, 2}, {0, 7, 2}});

/// The tensors of a directory, by name.
std::map<std::string, at::Tensor> tensors_of(const std::filesystem::path& file) {
  const st::Reader reader(file);
  std::map<std::string, at::Tensor> all;
  for (const auto& entry : reader.header().entries) all[entry.name] = reader.read(entry.name);
  return all;
}

BOOST_AUTO_TEST_CASE(saved_and_read_again) {
  const auto model = tiny();
  const TempDir folder;
  model->save_pretrained(folder.path());
  const auto file = folder / "model.safetensors";
  auto tensors = tensors_of(file);
  BOOST_TEST(tensors.size() == 5u + 2 * 16 + 5);
  BOOST_TEST(tensors.at("lm_head.bias").equal(model->named_parameters()["head.bias"]));
  BOOST_TEST(tensors.at("lm_head.layer_norm.weight").equal(model->named_parameters()["head.norm.weight"]));
  BOOST_TEST(tensors.at("roberta.encoder.layer.1.output.dense.bias")
                 .equal(model->named_parameters()["body.layers.1.output.bias"]));
  const auto config = rc3::io::read_json(folder / "config.json");
  BOOST_TEST(config["architectures"][0] == "XLMRobertaForMaskedLM");
  BOOST_TEST(config["model_type"] == "xlm-roberta");

  const auto logits = model->logits(two);
  BOOST_TEST(logits.sizes() == at::IntArrayRef({2, 5, 21}));
  const auto read = [&] {
    auto again = XlmRobertaForMaskedLm::from_pretrained(folder.path());
    again->eval();
    return again->logits(two);
  };
  BOOST_TEST(read().equal(logits));
  // The body alone comes out of the same directory.
  const auto body = XlmRoberta::from_pretrained(folder.path());
  body->eval();
  BOOST_TEST(body->encode(two).values.equal(model->body()->encode(two).values));

  // Old files repeat the decoder, keep position ids and a pooler, and call norms gamma and beta.
  tensors["lm_head.decoder.weight"] = at::zeros({21, 8});
  tensors["lm_head.decoder.bias"] = at::zeros({21});
  tensors["roberta.embeddings.position_ids"] = at::arange(12);
  tensors["roberta.pooler.dense.bias"] = at::zeros({8});
  tensors["roberta.embeddings.LayerNorm.gamma"] = tensors["roberta.embeddings.LayerNorm.weight"];
  tensors.erase("roberta.embeddings.LayerNorm.weight");
  st::save(file, tensors);
  BOOST_TEST(read().equal(logits));

  tensors.erase("lm_head.layer_norm.bias");
  st::save(file, tensors);
  throws_with([&] { read(); }, folder.path().string(), "missing", "head.norm.bias");
}

BOOST_AUTO_TEST_CASE(untied_heads_are_refused) {
  const TempDir folder;
  tiny()->save_pretrained(folder.path());
  auto config = rc3::io::read_json(folder / "config.json");
  config["tie_word_embeddings"] = false;
  rc3::io::write_file(folder / "config.json", config.dump());
  throws_with([&] { XlmRobertaForMaskedLm::from_pretrained(folder.path()); }, "config.json", "tie_word_embeddings");
}

BOOST_AUTO_TEST_CASE(head_and_body_learn_together) {
  const auto model = tiny();
  model->logits(two).square().sum().backward();
  for (const auto& item : model->named_parameters()) BOOST_TEST(item.value().grad().defined(), item.key());
  // The word embedding learns as the decoder too: words that no text has get a gradient.
  const auto grad = model->body()->word_embedding().grad();
  BOOST_TEST(grad[19].abs().sum().item<double>() > 0);
  const auto shared = std::make_shared<XlmRobertaForMaskedLm>(model->body());
  BOOST_TEST(shared->body().get() == model->body().get());
  BOOST_TEST(shared->head().get() != model->head().get());
}

BOOST_AUTO_TEST_SUITE_END()
