// Text encoders against what make_text.py wrote (T9), and directories that read_text.py gives back to transformers.
#include <boost/test/unit_test.hpp>

#include "rc3/io/json.hpp"
#include "rc3/text/tokenize.hpp"
#include "rc3/text/tokenizer.hpp"
#include "rc3/text/xlm_roberta_for_masked_lm.hpp"
#include "support/parity.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(parity_text)

using namespace rc3::test;
using rc3::Texts;
using rc3::text::Bert;
using rc3::text::XlmRoberta;
using rc3::text::XlmRobertaForMaskedLm;
namespace st = rc3::io::safetensors;
namespace fs = std::filesystem;

constexpr double float_limit = 1e-5;

/// Names that did not fit, of the module and of the file.
template <class Model>
std::size_t misfits(const Model& model, const fs::path& directory, const rc3::io::Layout& layout) {
  Model other(model.options());
  rc3::io::LoadReport report;
  rc3::io::load_pretrained(other, directory, layout, &report);
  return report.missing.size() + report.unused.size() + (rc3::nn::named_state(other).size() - report.loaded.size());
}

std::shared_ptr<Bert> body_of(const fs::path& directory, bool xlm_r) {
  if (xlm_r) return XlmRoberta::from_pretrained(directory);
  return Bert::from_pretrained(directory);
}

BOOST_AUTO_TEST_CASE(encoders_of_transformers) {
  const auto folder = truth("text");
  if (folder.empty()) return;
  const torch::NoGradGuard no_grad;
  std::size_t compared = 0;
  for (const auto& item : rc3::io::read_json(folder / "cases.json")) {
    const auto name = item["name"].get<std::string>(), what = item["what"].get<std::string>();
    const auto with = "transformers " + item["kind"].get<std::string>();
    const bool xlm_r = item["kind"].get<std::string>().starts_with("XLM");
    const st::Reader expected(folder / (name + ".safetensors"));
    const Texts texts{expected.read("ids"), expected.read("mask"), {}};
    const auto rows = texts.mask.unsqueeze(2);
    const auto difference = [&](const at::Tensor& ours, std::string_view tensor) {
      return max_difference(ours.to(at::kFloat) * rows, expected.read(std::string(tensor)) * rows);
    };
    const auto body = body_of(folder / name, xlm_r);
    body->eval();
    const auto tokens = body->encode(texts);
    BOOST_TEST(tokens.values.masked_select(~rows).abs().sum().item<double>() == 0);
    parity("encoders", what, with, "max abs difference", difference(tokens.values, "hidden"), float_limit);
    parity("encoders", what, with, "missing and unused names",
           static_cast<double>(misfits(*body, folder / name, rc3::text::detail::bert_layout())), 0);
    body->save_pretrained(folder / "written" / name);
    ++compared;

    if (item["kind"] == "XLMRobertaForMaskedLM") {
      const auto model = XlmRobertaForMaskedLm::from_pretrained(folder / name);
      model->eval();
      parity("encoders", what + ", head", with, "max abs difference of logits",
             difference(model->logits(texts), "logits"), float_limit);
      model->save_pretrained(folder / "written" / (name + "-with-head"));
    }
    if (item["low"].get<bool>()) {
      body->to(at::kBFloat16);
      const auto low = body->encode(texts).values;
      BOOST_TEST(low.scalar_type() == at::kBFloat16);
      // Against its float32 transformers moves as far: the second row, for comparison.
      parity("encoders", what + ", computed in bfloat16", with + " in float32", "max abs difference",
             difference(low, "hidden"), 0.05);
      const auto theirs = difference(expected.read("hidden_low"), "hidden");
      parity("encoders", what + ": transformers in bfloat16", with + " in float32", "max abs difference", theirs, 0.05);
    }
  }
  at_least("directories compared", compared, 12u);
}

BOOST_AUTO_TEST_CASE(padded_batches) {
  const auto folder = truth("tokens");
  if (folder.empty() || !have("weights/multilingual-e5-small/sentencepiece.bpe.model")) return;
  const auto tokenizer =
      rc3::text::Tokenizer::from_pretrained(cached("weights/multilingual-e5-small"), {.max_length = 64});
  std::size_t different = 0, batches = 0;
  const auto all = rc3::io::read_json(folder / "truth.json", {.max_bytes = 64 << 20});
  for (const auto& batch : all["batches"]) {
    const auto texts = batch["texts"].get<std::vector<std::string>>();
    const auto ours = rc3::text::tokenize(tokenizer, texts, 2, batch["multiple"].get<std::int64_t>());
    const auto same = [](const at::Tensor& t, const nlohmann::json& rows) {
      if (t.size(0) != static_cast<std::int64_t>(rows.size())) return false;
      for (std::int64_t i = 0; i < t.size(0); ++i) {
        const auto row = t[i].contiguous();
        const std::vector<std::int64_t> numbers(row.data_ptr<std::int64_t>(),
                                                row.data_ptr<std::int64_t>() + row.numel());
        if (numbers != rows[static_cast<std::size_t>(i)].get<std::vector<std::int64_t>>()) return false;
      }
      return true;
    };
    different += !same(ours.ids, batch["ids"]) || !same(ours.mask.to(at::kLong), batch["mask"]);
    ++batches;
  }
  at_least("padded batches compared", batches, 3u);
  parity("tokenizers", "batches padded to a multiple of 1, 8 and 64", "transformers XLMRobertaTokenizer",
         "batches with other ids or mask", static_cast<double>(different), 0);
}

BOOST_AUTO_TEST_SUITE_END()
