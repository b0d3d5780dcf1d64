#pragma once
/// Counters of a run, stored in `state.json` of a checkpoint. LibTorch-free.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/data/loader/loader_state.hpp"
#include "rc3/io/json.hpp"

namespace rc3::train {

/// Counters of a run, beyond its tensors. The only reader and writer of `state.json`.
struct RunState {
  static constexpr const char* name = "state.json";  ///< of the file in a checkpoint

  std::int64_t steps = 0;                   ///< completed, including skipped ones, >= 0
  std::int64_t skipped = 0;                 ///< steps without an update, 0 .. steps
  std::int64_t skipped_in_a_row = 0;        ///< the most recent ones, 0 .. skipped
  std::int64_t memory_files = 0;            ///< number of files "memory-RANK" in the folder, >= 0
  std::optional<bool> bfloat16;             ///< precision of the forward passes; nullopt: not in the file
  std::optional<data::LoaderState> loader;  ///< nullopt: the run had no loader

  friend bool operator==(const RunState&, const RunState&) = default;

  /// Text of the file.
  std::string text() const {
    nlohmann::ordered_json json{
        {"steps", steps}, {"skipped", skipped}, {"skipped_in_a_row", skipped_in_a_row}, {"memory_files", memory_files}};
    if (bfloat16) json["bfloat16"] = *bfloat16;
    if (loader) {
      auto& place = json["loader"];
      place = {{"seed", loader->seed}, {"epoch", loader->epoch}, {"samples", loader->samples}};
      if (!loader->order.empty()) place["order"] = loader->order;
      if (const auto& data = loader->data)
        place["data"] = {{"name", data->name}, {"size", data->size}, {"content", data->content}};
    }
    return json.dump(2) + '\n';
  }

  /// State of the checkpoint in @p folder.
  /// @throws rc3::Error naming file and field: missing, of another type, or out of range
  static RunState read(const std::filesystem::path& folder) {
    const auto path = (folder / name).string();
    const auto json = io::read_json(path, {.max_bytes = 1 << 20});
    const auto count = [&](const nlohmann::json& from, const char* key) {
      const auto value = io::get<std::int64_t>(from, key, path);
      require(value >= 0, path, ": \"", key, "\" must not be negative, is ", value);
      return value;
    };
    RunState state;
    state.steps = count(json, "steps");
    state.skipped = count(json, "skipped");
    state.skipped_in_a_row = count(json, "skipped_in_a_row");
    state.memory_files = count(json, "memory_files");
    require(state.skipped <= state.steps, path, ": \"skipped\" is ", state.skipped, " of ", state.steps, " steps");
    require(state.skipped_in_a_row <= state.skipped, path, ": \"skipped_in_a_row\" is ", state.skipped_in_a_row, " of ",
            state.skipped, " skipped steps");
    if (json.contains("bfloat16")) state.bfloat16 = io::get<bool>(json, "bfloat16", path);
    if (const auto loader = json.find("loader"); loader != json.end()) {
      const auto where = path + ": \"loader\"";
      require(loader->is_object(), where, " must be an object, is ", io::short_text(*loader));
      state.loader = data::LoaderState{io::get<std::uint64_t>(*loader, "seed", where), count(*loader, "epoch"),
                                       count(*loader, "samples"), io::get_or(*loader, "order", where, std::string()),
                                       std::nullopt};
      if (const auto data = loader->find("data"); data != loader->end()) {
        const auto place = where + ": \"data\"";
        require(data->is_object(), place, " must be an object, is ", io::short_text(*data));
        state.loader->data = data::DataIdentity{io::get<std::string>(*data, "name", place), count(*data, "size"),
                                                io::get<std::string>(*data, "content", place)};
      }
    }
    return state;
  }
};

}  // namespace rc3::train
