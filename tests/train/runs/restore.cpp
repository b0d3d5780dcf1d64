#include <boost/test/unit_test.hpp>

#include <functional>
#include <sstream>

#include "support/support.hpp"
#include "train/runs/tiny.hpp"

using namespace rc3::test;
namespace fs = std::filesystem;
using nlohmann::json;
using rc3::StateDict;

namespace {

std::ostringstream no_output;

/// Damages the copy of a checkpoint in a folder.
using Damage = std::function<void(const fs::path&)>;

/// Tensors of two snapshots that differ in any bit, and numbers of the run that differ.
std::int64_t differing(const rc3::train::Snapshot& a, const rc3::train::Snapshot& b) {
  BOOST_TEST_REQUIRE(a.files.size() == b.files.size());
  std::int64_t count = a.state == b.state ? 0 : 1;
  for (const auto& [file, tensors] : a.files) {
    BOOST_TEST_REQUIRE(tensors.size() == b.files.at(file).size());
    for (const auto& [name, tensor] : tensors) count += !tensor.equal(b.files.at(file).at(name));
  }
  return count;
}

Damage state_text(const std::string& text) {
  return [text](const fs::path& folder) { rc3::io::write_file(folder / "state.json", text); };
}
/// @param value  JSON; empty: the field is taken out
Damage in_state(const std::string& path, const std::string& value) {
  return [=](const fs::path& folder) {
    auto state = rc3::io::read_json(folder / "state.json");
    json change{{"op", value.empty() ? "remove" : "add"}, {"path", path}};
    if (!value.empty()) change["value"] = json::parse(value);
    rc3::io::write_file(folder / "state.json", state.patch(json::array({change})).dump());
  };
}

Damage in_tensors(const std::string& file, std::function<void(StateDict&)> change,
                  std::map<std::string, std::string> metadata = {{"rc3.variant", tiny::Trained::name()}}) {
  return [=](const fs::path& folder) {
    const auto path = folder / (file + ".safetensors");
    auto tensors = rc3::io::safetensors::load(path);
    change(tensors);
    rc3::io::safetensors::save(path, tensors, metadata);
  };
}

/// A run's checkpoint, and a trainer that has gone elsewhere: its weights, moments, average and memory are others.
struct Ground {
  Ground() {
    at::set_num_threads(1);
    tiny::train({.folder = folder.path(), .steps = 5}, no_output);
    trainer = tiny::train({.steps = 3, .accumulate = 2}, no_output);
    before = trainer->snapshot().copied();
  }

  /// @param name  what is damaged, for the report
  /// @param what  part of the message
  void refused(const std::string& name, const Damage& damage, const std::string& what) {
    BOOST_TEST_CONTEXT(name) {
      const TempDir copy;
      fs::copy(folder.path() / "step-5", copy.path() / "step-5");
      damage(copy.path() / "step-5");
      throws_with([&] { trainer->restore(copy.path() / "step-5"); }, what.c_str());
      BOOST_TEST(differing(before, trainer->snapshot()) == 0);
      BOOST_TEST(trainer->steps() == 3);
    }
  }

  TempDir folder;
  std::shared_ptr<rc3::train::Trainer<tiny::Trained>> trainer;
  rc3::train::Snapshot before;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(train_restore)

BOOST_FIXTURE_TEST_CASE(a_whole_checkpoint_changes_all_of_it, Ground) {  // or the cases below could not fail
  for (const auto& [file, tensors] : before.files) {
    const auto written = rc3::io::safetensors::load(folder.path() / "step-5" / (file + ".safetensors"));
    std::int64_t other = 0;
    for (const auto& [name, tensor] : tensors) other += !tensor.equal(written.at(name));
    at_least(rc3::join("tensors of \"", file, "\" that differ before"), other, 5);
  }
  const auto state = trainer->restore(folder.path() / "step-5");
  BOOST_TEST(state.steps == 5);
  BOOST_TEST(trainer->steps() == 5);
  BOOST_TEST(state.loader->seed == 3u);
  BOOST_TEST(state.loader->epoch == 0);
  BOOST_TEST(state.loader->samples == 60);  // five batches of 12
  BOOST_TEST(state.loader->data->name == "tiny");
  const auto now = trainer->snapshot();
  for (const auto& [file, tensors] : now.files) {
    const auto written = rc3::io::safetensors::load(folder.path() / "step-5" / (file + ".safetensors"));
    for (const auto& [name, tensor] : tensors) BOOST_TEST(tensor.equal(written.at(name)), file << ' ' << name);
  }
}

BOOST_FIXTURE_TEST_CASE(a_malformed_state_changes_nothing, Ground) {
  struct Case {
    std::string path, value, what;
  };
  std::vector<Case> cases{{"/steps", "9223372036854775808", "integer in range"},
                          {"/skipped", "6", "\"skipped\" is 6 of 5 steps"},
                          {"/skipped_in_a_row", "1", "1 of 0 skipped"},
                          {"/memory_files", "2", "memory-1.safetensors"},
                          {"/memory_files", "0", "memory-0.safetensors"},
                          {"/loader/seed", "-1", "\"seed\" must be an integer in range"},
                          {"/loader/epoch", "-1", "\"epoch\" must not be negative, is -1"},
                          {"/loader/samples", "-1", "\"samples\" must not be negative, is -1"}};
  for (const std::string field :
       {"steps", "skipped", "skipped_in_a_row", "memory_files", "loader/seed", "loader/epoch", "loader/samples"}) {
    const std::string name = '"' + field.substr(field.rfind('/') + 1) + "\" ";
    cases.push_back({"/" + field, "", name + "is missing"});
    for (const char* wrong : {"\"5\"", "2.5", "null", "1e30", "[]", "true"})
      cases.push_back({"/" + field, wrong, name + "must be an integer"});
    if (!field.starts_with("loader")) cases.push_back({"/" + field, "-1", name + "must not be negative, is -1"});
  }
  for (const char* wrong : {"\"yes\"", "1", "null"})
    cases.push_back({"/bfloat16", wrong, "\"bfloat16\" must be true or false"});
  for (const char* wrong : {"\"x\"", "[1, 2, 3]", "null"})
    cases.push_back({"/loader", wrong, "\"loader\" must be an object"});
  for (const Case& c : cases) refused(c.path + " is " + c.value, in_state(c.path, c.value), c.what);

  refused(
      "no file", [](const fs::path& folder) { fs::remove(folder / "state.json"); }, "state.json");
  for (const auto& [text, what] : {std::pair{"", "state.json"},
                                   {"{\"steps\": 5, ", "state.json"},
                                   {"[5, 0, 0, 1]", "an object"},
                                   {"{\"steps\": 5, \"steps\": 6}", "given twice"}})
    refused(text, state_text(text), what);
}

BOOST_FIXTURE_TEST_CASE(malformed_tensors_change_nothing, Ground) {
  for (const std::string file : {"model", "optimizer", "ema", "memory-0"}) {
    const auto path = file + ".safetensors";
    refused(
        file + " is not there", [=](const fs::path& folder) { fs::remove(folder / path); }, path);
    refused(
        file + " is cut off",
        [=](const fs::path& folder) { fs::resize_file(folder / path, fs::file_size(folder / path) - 10); }, path);
    refused(
        file + " is empty", [=](const fs::path& folder) { fs::resize_file(folder / path, 0); }, path);
    refused(
        file + " is text", [=](const fs::path& folder) { rc3::io::write_file(folder / path, "weights"); }, path);
    const auto any = [](StateDict& tensors) -> at::Tensor& {  // the last but one, so that others come before it
      for (auto item = tensors.rbegin(); item != tensors.rend(); ++item)
        if (item->first.find("keys.") != std::string::npos || item->first.find("model.") != std::string::npos)
          return item->second;
      return tensors.begin()->second;
    };
    refused(file + " lacks a tensor",
            in_tensors(file,
                       [&](StateDict& t) {
                         const auto& lost = any(t);
                         std::erase_if(t, [&](const auto& item) { return &item.second == &lost; });
                       }),
            path);
    refused(file + " has a tensor more", in_tensors(file, [](StateDict& t) { t["zzz.more"] = at::zeros({2}); }), path);
    refused(file + " has another shape", in_tensors(file, [&](StateDict& t) { any(t) = at::zeros({3, 5, 7}); }), path);
    refused(file + " has another type", in_tensors(file, [&](StateDict& t) { any(t) = any(t).to(at::kHalf); }), path);
    refused(file + " is of another variant", in_tensors(file, [](StateDict&) {}, {{"rc3.variant", "other"}}),
            "was written by other");
    refused(file + " says no variant", in_tensors(file, [](StateDict&) {}, {}), "no \"rc3.variant\"");
  }
  // The queue, whose vectors have no fixed number.
  const std::string z_a = "0.negatives.z_a", z_b = "0.negatives.z_b", ids = "0.negatives.image_ids",
                    mask = "0.negatives.mask";
  const auto memory = [&](const char* name, std::function<void(StateDict&)> change, const char* what) {
    refused(name, in_tensors("memory-0", std::move(change)), what);
  };
  memory(
      "no vectors of one side", [&](StateDict& t) { t.erase(z_b); }, "z_b");
  memory(
      "no vectors of the other", [&](StateDict& t) { t.erase(z_a); }, "no place for");
  memory(
      "no mask", [&](StateDict& t) { t.erase(mask); }, "mask");
  memory(
      "more ids than vectors",
      [&](StateDict& t) {
        t[ids] = at::cat({t[ids], t[ids]});
      },
      "image_ids");
  memory(
      "ids that are no integers", [&](StateDict& t) { t[ids] = t[ids].to(at::kFloat); }, "image_ids");
  memory(
      "more vectors than the queue takes",
      [&](StateDict& t) {
        for (const auto& name : {z_a, z_b, mask}) t[name] = at::cat({t[name], t[name]});
      },
      "1 .. 40");
  memory(
      "vectors that are none", [&](StateDict& t) { t[z_a] = t[z_a].flatten(); }, "[M, D]");
}

BOOST_FIXTURE_TEST_CASE(a_run_refuses_it_too, Ground) {
  // A state with a manifest that fits: what a program with a mistake would write, and no disk.
  rc3::train::CheckpointStore store(folder.path());
  const auto found = store.newest();
  auto state = rc3::io::read_json(found->folder / "state.json");
  state["loader"]["samples"] = -12;
  std::map<std::string, std::string> files;
  for (const auto& file : found->manifest.files)
    files[file.name] = rc3::io::read_file(found->folder / file.name, 1 << 24);
  files["state.json"] = state.dump();
  store.save(5, [&](auto& writer) {
    for (const auto& [name, bytes] : files) {
      writer.begin(name);
      writer.write(bytes);
    }
  });
  throws_with([&] { rc3::train::Run<tiny::Trained>(*trainer, {.checkpoint = {.folder = folder.path()}}, no_output); },
              "state.json: \"samples\" must not be negative, is -12");
  BOOST_TEST(differing(before, trainer->snapshot()) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
