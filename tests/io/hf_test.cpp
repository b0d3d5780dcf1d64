#include "rc3/io/hf.hpp"

#include <ATen/Functions.h>
#include <torch/nn/module.h>

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(io_hf)

namespace st = rc3::io::safetensors;
using rc3::io::load_weights;
using rc3::test::throws_with;

struct Net : torch::nn::Module {
  struct Part : torch::nn::Module {
    Part() { weight = register_parameter("weight", at::zeros({2, 3})); }
    at::Tensor weight;
  };
  Net() {
    part = register_module("part", std::make_shared<Part>());
    bias = register_parameter("bias", at::zeros({3}));
    mean = register_buffer("mean", at::zeros({2}, at::kLong));
  }
  std::shared_ptr<Part> part;
  at::Tensor bias, mean;
};

std::map<std::string, at::Tensor> weights(const std::string& prefix = "") {
  return {{prefix + "part.weight", at::ones({2, 3})},
          {prefix + "bias", at::full({3}, 2.0)},
          {prefix + "mean", at::full({2}, 3, at::kLong)}};
}

bool filled(const Net& net) {
  return net.part->weight.equal(at::ones({2, 3})) && net.bias.equal(at::full({3}, 2.0)) &&
         net.mean.equal(at::full({2}, 3, at::kLong));
}

void write_index(const std::filesystem::path& folder, const std::string& map) {
  rc3::io::write_file(folder / "model.safetensors.index.json",
                      R"({"metadata":{"total_size":52},"weight_map":)" + map + "}");
}

BOOST_AUTO_TEST_CASE(a_file_and_a_folder) {
  const rc3::test::TempDir folder;
  st::save(folder / "model.safetensors", weights());
  for (const auto& path : {folder.path(), folder / "model.safetensors"}) {
    Net net;
    const auto report = load_weights(net, path);
    BOOST_TEST(filled(net));
    BOOST_TEST(report.loaded.size() == 3u);
    BOOST_TEST((report.missing.empty() && report.unused.empty() && report.ignored.empty()));
    BOOST_TEST(net.bias.requires_grad());
  }
}

BOOST_AUTO_TEST_CASE(shards) {
  const rc3::test::TempDir folder;
  st::save(folder / "model-1.safetensors", {{"part.weight", at::ones({2, 3})}, {"bias", at::full({3}, 2.0)}});
  st::save(folder / "model-2.safetensors", {{"mean", at::full({2}, 3, at::kLong)}});
  write_index(folder.path(),
              R"({"part.weight":"model-1.safetensors","bias":"model-1.safetensors","mean":"model-2.safetensors"})");
  Net net;
  load_weights(net, folder.path());
  BOOST_TEST(filled(net));

  const auto refused = [&](const std::string& map, const auto&... parts) {
    write_index(folder.path(), map);
    throws_with([&] { load_weights(net, folder.path()); }, "index.json", parts...);
  };
  refused(R"({"bias":"../secret.safetensors"})", "same folder");
  refused(R"({"bias":"/etc/passwd"})", "same folder");
  refused(R"({"bias":".."})", "same folder");
  refused(R"({"bias":1})", "\"bias\"", "string");
  refused(R"({"bias":"model-2.safetensors"})", "\"bias\" is not in model-2.safetensors");
  refused("[]", "weight_map");
  write_index(folder.path(), R"({"bias":"model-3.safetensors"})");
  throws_with([&] { load_weights(net, folder.path()); }, "model-3.safetensors", "No such file");
}

BOOST_AUTO_TEST_CASE(prefixes_renames_and_ignored_names) {
  const rc3::test::TempDir folder;
  auto tensors = weights("roberta.");
  tensors["roberta.embeddings.position_ids"] = at::arange(4);
  tensors["roberta.old_bias"] = tensors["roberta.bias"];
  tensors.erase("roberta.bias");
  st::save(folder / "w", tensors);
  rc3::io::LoadOptions options;
  options.strip_prefixes = {"bert.", "roberta."};
  options.ignore = {".*position_ids"};
  options.rename = [](const std::string& name) { return name == "old_bias" ? "bias" : name; };
  Net net;
  const auto report = load_weights(net, folder / "w", options);
  BOOST_TEST(filled(net));
  BOOST_TEST(report.ignored.size() == 1u);
  BOOST_TEST(report.ignored[0] == "roberta.embeddings.position_ids");
}

BOOST_AUTO_TEST_CASE(names_that_do_not_fit) {
  const rc3::test::TempDir folder;
  auto tensors = weights();
  tensors.erase("bias");
  tensors["extra"] = at::ones({1});
  st::save(folder / "w", tensors);
  Net net;
  throws_with([&] { load_weights(net, folder / "w"); }, "/w", "missing 1 (bias)", "unused 1 (extra)");
  BOOST_TEST(net.part->weight.equal(at::zeros({2, 3})), "nothing is copied when something is wrong");

  rc3::io::LoadOptions loose;
  loose.strict = false;
  const auto report = load_weights(net, folder / "w", loose);
  BOOST_TEST((report.missing == std::vector<std::string>{"bias"}));
  BOOST_TEST((report.unused == std::vector<std::string>{"extra"}));
  BOOST_TEST((report.loaded == std::vector<std::string>{"mean", "part.weight"}));

  rc3::io::LoadOptions allowed;
  allowed.ignore = {"extra"};
  allowed.optional = {"bias"};
  BOOST_TEST(load_weights(net, folder / "w", allowed).missing.empty());

  allowed.ignore = {"(", "extra"};
  throws_with([&] { load_weights(net, folder / "w", allowed); }, "regular expression", "(");

  tensors = weights();
  tensors["second"] = at::ones({3});
  st::save(folder / "w", tensors);
  rc3::io::LoadOptions twice;
  twice.rename = [](const std::string& name) { return name == "second" ? "bias" : name; };
  throws_with([&] { load_weights(net, folder / "w", twice); }, "\"second\" and \"bias\" are both bias");
}

BOOST_AUTO_TEST_CASE(shapes_and_types_that_do_not_fit) {
  const rc3::test::TempDir folder;
  rc3::io::LoadOptions loose;
  loose.strict = false;
  Net net;
  st::save(folder / "w", {{"bias", at::ones({4})}});
  throws_with([&] { load_weights(net, folder / "w", loose); }, "\"bias\" has shape [4]", "bias is [3]");
  st::save(folder / "w", {{"bias", at::ones({3}, at::kInt)}});
  throws_with([&] { load_weights(net, folder / "w", loose); }, "\"bias\" has type Int", "is Float");
  st::save(folder / "w", {{"bias", at::full({3}, 2.0, at::kBFloat16)}});
  load_weights(net, folder / "w", loose);
  BOOST_TEST(net.bias.equal(at::full({3}, 2.0)));
}

BOOST_AUTO_TEST_CASE(folders_without_what_is_needed) {
  const rc3::test::TempDir folder;
  Net net;
  throws_with([&] { load_weights(net, folder.path()); }, folder.path().string(), "neither model.safetensors");
  throws_with([&] { load_weights(net, folder / "none"); }, "none", "No such file");
  throws_with([&] { rc3::io::read_config(folder / "none"); }, "none", "no such folder");
  throws_with([&] { rc3::io::read_config(folder.path()); }, "config.json", "No such file");
  rc3::io::write_file(folder / "config.json", "[]");
  throws_with([&] { rc3::io::read_config(folder.path()); }, "config.json", "object");
  rc3::io::write_file(folder / "config.json", R"({"hidden_size":8})");
  const auto config = rc3::io::read_config(folder.path());
  BOOST_TEST(rc3::io::get<int>(config, "hidden_size", "config.json") == 8);
}

BOOST_AUTO_TEST_SUITE_END()
