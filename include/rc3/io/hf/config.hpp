#pragma once
/// config.json of a pretrained directory, without silent defaults. LibTorch-free.

#include <cmath>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/io/json.hpp"

namespace rc3::io {

/// Object in the file @p name of @p folder. @throws rc3::Error naming the file and the reason.
inline nlohmann::json read_config(const std::filesystem::path& folder, std::string_view name = "config.json") {
  require(std::filesystem::is_directory(folder), folder.string(), ": no such folder");
  const auto path = folder / name;
  nlohmann::json config = read_json(path);
  require(config.is_object(), path.string(), ": must be an object");
  return config;
}

/// config.json, or a section of it. Values that decide a shape, an epsilon or a formula have no default: a missing one
/// is an error that names the file and the key.
class Config {
 public:
  /// Reads `folder`/`name`. @throws rc3::Error as read_config does
  explicit Config(const std::filesystem::path& folder, std::string_view name = "config.json")
      : json_(read_config(folder, name)), where_((folder / name).string()) {}

  /// @param where  name of the object in errors, for example the file
  Config(nlohmann::json json, std::string where) : json_(std::move(json)), where_(std::move(where)) {}

  /// "model_type". @throws rc3::Error unless it is one of @p known
  std::string model_type(std::initializer_list<std::string_view> known) const { return one_of("model_type", known); }

  /// String that must be one of @p known, for example an activation. The error lists them.
  std::string one_of(std::string_view key, std::initializer_list<std::string_view> known) const {
    const auto value = get<std::string>(json_, key, where_);
    std::string list;
    for (const auto name : known) {
      if (value == name) return value;
      list += join(list.empty() ? "" : ", ", '"', name, '"');
    }
    fail(where_, ": ", key, " is \"", value, "\"; what is computed here: ", list);
  }

  /// Integer in @p least to @p most.
  /// @throws rc3::Error naming the key if it is missing, no integer or out of range
  std::int64_t size(std::string_view key, std::int64_t least = 1, std::int64_t most = 10'000'000) const {
    const auto value = get<std::int64_t>(json_, key, where_);
    require(value >= least && value <= most, where_, ": ", key, " must be in ", least, " to ", most, ", is ", value);
    return value;
  }

  /// Finite number above zero, for example an epsilon.
  /// @throws rc3::Error naming the key if it is missing or another value
  double positive(std::string_view key) const {
    const auto value = get<double>(json_, key, where_);
    require(std::isfinite(value) && value > 0, where_, ": ", key, " must be a number above 0, is ", value);
    return value;
  }

  /// Probability in [0, 1) that matters in training only; optional.
  /// @throws rc3::Error naming the key if it has another value
  double dropout(std::string_view key, double otherwise) const {
    const auto value = get_or<double>(json_, key, where_, otherwise);
    require(value >= 0 && value < 1, where_, ": ", key, " must be in [0, 1), is ", value);
    return value;
  }

  /// Refuses a key that changes the computation, unless it is missing or has the value @p only.
  /// @throws rc3::Error naming the key and both values
  template <class T>
  void only(std::string_view key, const T& only) const {
    const auto value = get_or<T>(json_, key, where_, only);
    require(value == only, where_, ": ", key, " is ", value, "; only ", only, " is computed here");
  }

  /// Whether there is a value under @p key; null counts as none.
  bool has(std::string_view key) const {
    const auto found = json_.find(std::string(key));
    return found != json_.end() && !found->is_null();
  }

  /// Object under @p key, for example "vision_config" of a CLIP model.
  /// @throws rc3::Error if it is missing or no object
  Config section(std::string_view key) const {
    require(has(key) && json_[std::string(key)].is_object(), where_, ": the object \"", key, "\" is missing");
    return {json_[std::string(key)], join(where_, ": ", key)};
  }

  const nlohmann::json& json() const { return json_; }
  const std::string& where() const { return where_; }  ///< name in errors: file, and section

 private:
  nlohmann::json json_;
  std::string where_;
};

}  // namespace rc3::io
