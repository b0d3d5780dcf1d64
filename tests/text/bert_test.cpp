#include "rc3/text/bert.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

#include "rc3/io/safetensors.hpp"
#include "rc3/text/tokenize.hpp"
#include "rc3/text/xlm_roberta.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(text_bert)

using namespace rc3::test;
using rc3::Texts;
using rc3::Tokens;
using rc3::text::Bert;
using rc3::text::BertOptions;
using rc3::text::XlmRoberta;
namespace st = rc3::io::safetensors;

BertOptions tiny(std::int64_t layers = 3) {
  return {.vocabulary = 20, .width = 8, .layers = layers, .heads = 2, .feed_forward = 16, .positions = 12, .types = 2};
}

template <class Model = Bert>
std::shared_ptr<Model> random_model(BertOptions options = tiny()) {
  torch::manual_seed(1);
  auto model = std::make_shared<Model>(options);
  model->eval();
  return model;
}

Texts texts(std::vector<std::vector<std::int64_t>> ids) { return rc3::text::pad_batch(ids); }

const Texts three = texts({{0, 5, 6, 2}, {0, 7, 2}, {0, 8, 9, 10, 11, 2}});

Texts padded(const Texts& t, std::int64_t more, std::int64_t id = 1) {
  return {at::cat({t.ids, at::full({t.ids.size(0), more}, id, at::kLong)}, 1),
          at::cat({t.mask, at::zeros({t.ids.size(0), more}, at::kBool)}, 1),
          {}};
}

// ------------------------------------------------------------------------------ the real weights

BOOST_AUTO_TEST_CASE(multilingual_e5_small_is_that_of_transformers) {
  if (!have("weights/multilingual-e5-small") || !have("baseline/baseline.safetensors")) return;
  const torch::NoGradGuard no_grad;
  const auto bert = Bert::from_pretrained(cached("weights/multilingual-e5-small"));
  bert->eval();
  const st::Reader truth(cached("baseline/baseline.safetensors"));
  const Texts batch{truth.read("text.input_ids"), truth.read("text.attention_mask").to(at::kBool), {}};
  const auto tokens = bert->encode(batch);
  const auto expected = truth.read("text.last_hidden_state") * batch.mask.unsqueeze(2);
  at_most("e5-small: last_hidden_state against transformers", max_difference(tokens.values, expected), 1e-5);
  const auto pooled = bert->pool(tokens);
  const auto unit = pooled / at::linalg_vector_norm(pooled, 2, 1, true);
  at_most("e5-small: embeddings against transformers", max_difference(unit, truth.read("text.embeddings")), 1e-5);

  const auto longer = bert->encode(padded(batch, 9));
  at_most("e5-small: nine columns more of padding", max_difference(bert->pool(longer), pooled), 1e-5);
  bert->freeze_lower(8);
  const auto kept = bert->lower(batch);
  at_most("e5-small: lower, then upper", max_difference(bert->upper(kept).values, tokens.values), 1e-6);
}

// ------------------------------------------------------------------------------ encode and pool

BOOST_AUTO_TEST_CASE(padding_changes_nothing) {
  const auto bert = random_model();
  const auto whole = bert->encode(three);
  const auto longer = bert->encode(padded(three, 4, 19));
  BOOST_TEST(longer.values.slice(1, 6).equal(at::zeros({3, 4, 8})));
  at_most("tokens with more padding", max_difference(longer.values.slice(1, 0, 6), whole.values), 1e-6);
  at_most("pooled with more padding", max_difference(bert->pool(longer), bert->pool(whole)), 1e-6);
  for (std::int64_t i = 0; i < 3; ++i) {  // each text alone, without padding
    const auto n = three.mask[i].sum().item<std::int64_t>();
    const Texts one{three.ids.slice(0, i, i + 1).slice(1, 0, n), three.mask.slice(0, i, i + 1).slice(1, 0, n), {}};
    at_most("a text alone", max_difference(bert->encode(one).values[0], whole.values[i].slice(0, 0, n)), 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(pooling_by_hand) {
  auto options = tiny();
  const Tokens tokens{at::arange(24.0).view({1, 3, 8}), at::tensor({1, 1, 0}, at::kLong).to(at::kBool).unsqueeze(0)};
  BOOST_TEST(random_model(options)->pool(tokens).equal((at::arange(8.0) + 4).unsqueeze(0)));  // mean of rows 0 and 1
  options.pooling = rc3::text::Pooling::first;
  BOOST_TEST(random_model(options)->pool(tokens).equal(at::arange(8.0).unsqueeze(0)));
  const Tokens nothing{at::zeros({1, 3, 8}), at::zeros({1, 3}, at::kBool)};
  BOOST_TEST(finite(random_model()->pool(nothing)));
}

BOOST_AUTO_TEST_CASE(lower_then_upper_is_encode) {
  const auto bert = random_model();
  const auto whole = bert->encode(three).values;
  for (std::int64_t layers = 0; layers <= 3; ++layers) {
    bert->freeze_lower(layers);
    BOOST_TEST(bert->frozen_layers() == layers);
    const auto kept = bert->lower(three);
    BOOST_TEST(!kept.values.requires_grad());
    BOOST_TEST(max_difference(bert->upper(kept).values, whole) <= 1e-6);
    BOOST_TEST(max_difference(bert->encode({{}, three.mask, kept.values}).values, whole) <= 1e-6);
    BOOST_TEST(max_difference(bert->encode(three).values, whole) <= 1e-6);
  }
  throws_with([&] { bert->freeze_lower(4); }, "freeze_lower(4)", "3 layers");
}

BOOST_AUTO_TEST_CASE(frozen_parameters_get_no_gradient) {
  const auto bert = random_model();
  const auto learns = [&] {
    bert->zero_grad();
    bert->encode(three).values.square().sum().backward();
    std::set<std::string> names;
    for (const auto& item : bert->named_parameters()) {
      BOOST_TEST(item.value().grad().defined() == item.value().requires_grad(), item.key());
      if (item.value().requires_grad()) names.insert(item.key().substr(0, item.key().starts_with("layers.") ? 8 : 4));
    }
    return names;
  };
  using Names = std::set<std::string>;
  BOOST_TEST((learns() == Names{"word", "posi", "type", "norm", "layers.0", "layers.1", "layers.2"}));
  bert->freeze_lower(2);
  BOOST_TEST((learns() == Names{"layers.2"}));
  bert->freeze_lower(0);
  BOOST_TEST((learns() == Names{"layers.0", "layers.1", "layers.2"}));
}

BOOST_AUTO_TEST_CASE(dropout_is_for_training_only) {
  const auto bert = random_model();
  BOOST_TEST(bert->encode(three).values.equal(bert->encode(three).values));
  bert->train();
  BOOST_TEST(!bert->encode(three).values.equal(bert->encode(three).values));
}

BOOST_AUTO_TEST_CASE(input_that_is_refused) {
  const auto bert = random_model();
  throws_with([&] { bert->encode({}); }, "text::Bert", "ids", "missing");
  throws_with([&] { bert->encode({three.ids.to(at::kInt), three.mask, {}}); }, "text::Bert", "ids", "Long", "Int");
  throws_with([&] { bert->encode({three.ids, three.mask.to(at::kLong), {}}); }, "text::Bert", "mask", "Bool");
  throws_with([&] { bert->encode({three.ids, three.mask.slice(1, 1), {}}); }, "text::Bert", "mask", "L=6");
  throws_with([&] { bert->encode(padded(three, 7)); }, "text::Bert", "13 tokens", "12", "max_length");
  throws_with([&] { bert->pool({at::zeros({1, 2, 9}), at::ones({1, 2}, at::kBool)}); }, "text::Bert", "D=8");
}

// ------------------------------------------------------------------------------ position ids

/// What the embeddings must give for @p positions: LayerNorm(word + position + type 0), from the parameters.
at::Tensor embedded(const Bert& bert, const Texts& t, const at::Tensor& positions) {
  const auto p = bert.named_parameters();
  const auto sum = p["word.weight"].index_select(0, t.ids.flatten()) +
                   p["position.weight"].index_select(0, positions.flatten()) + p["type.weight"][0];
  const auto centered = sum - sum.mean(1, true);
  const auto normed = centered / (centered.square().mean(1, true) + bert.options().norm_eps).sqrt();
  return normed.view({t.ids.size(0), t.ids.size(1), -1}) * t.mask.unsqueeze(2);
}

BOOST_AUTO_TEST_CASE(position_ids_by_hand) {
  // Without layers, what encode gives is the embeddings.
  const auto bert = random_model(tiny(0));
  const auto columns = at::arange(6).expand({3, 6}).contiguous();
  at_most("Bert: positions are columns", max_difference(bert->encode(three).values, embedded(*bert, three, columns)),
          1e-5);

  auto options = tiny(0);
  options.first_position = 2;
  const auto xlmr = random_model<XlmRoberta>(options);
  const auto counted = at::tensor({2, 3, 4, 5, 1, 1, 2, 3, 4, 1, 1, 1, 2, 3, 4, 5, 6, 7}, at::kLong);
  at_most("XlmRoberta: positions are counted",
          max_difference(xlmr->encode(three).values, embedded(*xlmr, three, counted)), 1e-5);
}

BOOST_AUTO_TEST_CASE(xlm_roberta_counts_tokens_and_bert_columns) {
  // The same text behind and before its padding: only a model that counts tokens gives it the same vector.
  const Texts right = padded(texts({{0, 5, 6, 2}}), 2);
  const Texts left{right.ids.roll(2, 1), right.mask.roll(2, 1), {}};
  auto options = tiny();
  options.first_position = 2;
  const auto xlmr = random_model<XlmRoberta>(options);
  const auto bert = random_model();
  at_most("XlmRoberta: padding on the left",
          max_difference(xlmr->encode(left).values.roll(-2, 1), xlmr->encode(right).values), 1e-6);
  at_least("Bert: padding on the left",
           max_difference(bert->encode(left).values.roll(-2, 1), bert->encode(right).values), 1e-3);
  throws_with([&] { xlmr->encode(padded(three, 5)); }, "11 tokens",
              "10");  // 12 positions, two of them before the first
  throws_with([] { XlmRoberta{tiny()}; }, "text::XlmRoberta", "first_position", "text::Bert");
}

BOOST_AUTO_TEST_CASE(texts_that_are_refused) {
  const auto bert = random_model();
  throws_with(
      [&] {
        bert->encode(texts({{0, 5, 2}, {0, 20, 2}}));
      },
      "text::Bert", "id 20", "vocabulary of 20", "0 to 19");
  throws_with([&] { bert->encode(texts({{0, -1, 2}})); }, "text::Bert", "id -1", "vocabulary of 20");
  throws_with([&] { bert->encode(padded(three, 1, 20)); }, "text::Bert", "id 20");  // padding is looked up as well
  throws_with([&] { bert->encode(texts({{0, 5, 2}, {0, 2}, {}, {}})); }, "text::Bert", "text 2 of 4", "no token");
  throws_with([&] { bert->encode(padded(three, 7)); }, "13 tokens", "positions for 12");
  throws_with([&] { bert->encode({three.ids.to(at::kInt), three.mask, {}}); }, "ids", "Int");
  throws_with([&] { bert->encode({three.ids, three.mask.slice(1, 1), {}}); }, "mask", "L=6");
  throws_with([&] { bert->encode({at::zeros({0, 3}, at::kLong), at::zeros({0, 3}, at::kBool), {}}); }, "without texts");
}

// ------------------------------------------------------------------------------ directories

const char* const config = R"({"model_type": "bert", "vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 3,
  "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 12, "type_vocab_size": 2,
  "hidden_act": "gelu", "layer_norm_eps": 1e-12, "hidden_dropout_prob": 0.1, "pad_token_id": 1})";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// The tensors of @p bert under the names that transformers gives them.
std::map<std::string, at::Tensor> hugging_face(const Bert& bert, const std::string& prefix = "",
                                               const std::string& weight = "weight", const std::string& bias = "bias") {
  const auto p = bert.named_parameters();
  std::map<std::string, at::Tensor> file;
  const auto put = [&](const std::string& name, const std::string& ours) { file[prefix + name] = p[ours]; };
  put("embeddings.word_embeddings.weight", "word.weight");
  put("embeddings.position_embeddings.weight", "position.weight");
  put("embeddings.token_type_embeddings.weight", "type.weight");
  put("embeddings.LayerNorm." + weight, "norm.weight");
  put("embeddings.LayerNorm." + bias, "norm.bias");
  for (std::int64_t i = 0; i < bert.options().layers; ++i) {
    const auto theirs = rc3::join("encoder.layer.", i, "."), ours = rc3::join("layers.", i, ".");
    const std::pair<const char*, const char*> linear[] = {
        {"attention.self.query", "query"}, {"attention.self.key", "key"},
        {"attention.self.value", "value"}, {"attention.output.dense", "attention_output"},
        {"intermediate.dense", "inner"},   {"output.dense", "output"}};
    for (const auto& [a, b] : linear)
      for (const std::string part : {".weight", ".bias"}) put(theirs + a + part, ours + b + part);
    for (const auto& [a, b] : {std::pair("attention.output.LayerNorm.", "attention_norm."),
                               std::pair("output.LayerNorm.", "output_norm.")}) {
      put(theirs + a + weight, ours + b + "weight");
      put(theirs + a + bias, ours + b + "bias");
    }
  }
  return file;
}

struct Directory {
  Directory() : bert(random_model()) {
    const torch::NoGradGuard no_grad;
    for (auto& p : bert->parameters()) p.copy_(at::randn_like(p));  // norms too: no two tensors of one shape are equal
    write(config);
    st::save(folder / "model.safetensors", hugging_face(*bert));
  }
  void write(const std::string& text) const { rc3::io::write_file(folder / "config.json", text); }
  const std::filesystem::path& path() const { return folder.path(); }

  TempDir folder;
  std::shared_ptr<Bert> bert;
};

bool same_parameters(const Bert& a, const Bert& b) {
  const auto q = b.named_parameters();
  for (const auto& item : a.named_parameters())
    if (!item.value().equal(q[item.key()])) return false;
  return a.named_parameters().size() == q.size();
}

BOOST_FIXTURE_TEST_CASE(every_tensor_finds_its_place, Directory) {
  BOOST_TEST(same_parameters(*bert, *Bert::from_pretrained(path())));
  for (const std::string prefix : {"bert.", "roberta."}) {
    auto file = hugging_face(*bert, prefix, "gamma", "beta");  // the names of old files
    file[prefix + "pooler.dense.weight"] = at::zeros({8, 8});
    file[prefix + "embeddings.position_ids"] = at::arange(12).unsqueeze(0);
    file["lm_head.dense.weight"] = at::zeros({8, 8});
    st::save(folder / "model.safetensors", file);
    BOOST_TEST(same_parameters(*bert, *Bert::from_pretrained(path())));
  }
}

BOOST_FIXTURE_TEST_CASE(config_json_is_read, Directory) {
  const auto o = BertOptions::from_config(path());
  BOOST_TEST(o.vocabulary == 20);
  BOOST_TEST(o.width == 8);
  BOOST_TEST(o.layers == 3);
  BOOST_TEST(o.heads == 2);
  BOOST_TEST(o.feed_forward == 16);
  BOOST_TEST(o.positions == 12);
  BOOST_TEST(o.types == 2);
  BOOST_TEST(o.norm_eps == 1e-12);
  BOOST_TEST(o.first_position == 0);
  write(replaced(config, "\"bert\"", "\"xlm-roberta\""));
  BOOST_TEST(BertOptions::from_config(path()).first_position == 2);
  BOOST_TEST(XlmRoberta::from_pretrained(path())->options().first_position == 2);
}

BOOST_FIXTURE_TEST_CASE(configs_that_are_refused, Directory) {
  const auto refused = [&](const std::string& from, const std::string& to, const auto&... parts) {
    write(replaced(config, from, to));
    throws_with([&] { Bert::from_pretrained(path()); }, parts...);
  };
  refused("\"layer_norm_eps\": 1e-12, ", "", "config.json", "layer_norm_eps");
  refused("\"gelu\"", "\"relu\"", "config.json", "hidden_act", "relu", "gelu");
  refused("\"bert\"", "\"gpt2\"", "config.json", "model_type", "gpt2");
  refused("\"vocab_size\": 20", "\"vocab_size\": \"20\"", "config.json", "vocab_size");
  refused("\"vocab_size\": 20", "\"vocab_size\": -20", "config.json", "vocab_size", "-20");
  refused("\"hidden_size\": 8", "\"hidden_size\": 0", "config.json", "hidden_size", "0");
  refused("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 1000000000000", "config.json", "num_hidden_layers");
  refused("\"num_attention_heads\": 2", "\"num_attention_heads\": 3", "heads 3");
  refused("\"hidden_size\": 8", "\"hidden_size\": 10", "has shape [8]", "is [10]");
  refused("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4", "missing", "layers.3.");
  refused("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 2", "unused", "layer.2.");
  refused("{", "", "config.json");
  // 40 terabytes: LibTorch's error, as one of the directory.
  write(replaced(replaced(config, "\"hidden_size\": 8", "\"hidden_size\": 1000000"), "\"vocab_size\": 20",
                 "\"vocab_size\": 10000000"));
  throws_with([&] { Bert::from_pretrained(path()); }, path().string(), "no model of this architecture can be made");
  write(config);
  throws_with([&] { XlmRoberta::from_pretrained(path()); }, "text::XlmRoberta", "text::Bert");
}

BOOST_FIXTURE_TEST_CASE(directories_that_are_refused, Directory) {
  throws_with([&] { Bert::from_pretrained(folder / "none"); }, "none", "no such folder");
  const auto weights = folder / "model.safetensors";
  const auto size = std::filesystem::file_size(weights);
  for (const auto left : {size - 1, size / 2, std::uintmax_t{100}, std::uintmax_t{4}, std::uintmax_t{0}}) {
    std::filesystem::resize_file(weights, left);
    throws_with([&] { Bert::from_pretrained(path()); }, "model.safetensors");
  }
  std::filesystem::remove(weights);
  throws_with([&] { Bert::from_pretrained(path()); }, "model.safetensors");
  auto file = hugging_face(*bert);
  file.erase("encoder.layer.1.attention.self.key.bias");
  st::save(weights, file);
  throws_with([&] { Bert::from_pretrained(path()); }, "missing", "layers.1.key.bias");
}

BOOST_AUTO_TEST_SUITE_END()
