#pragma once
/// Architecture of a model as JSON: types, options and parts of all policies.

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include <nlohmann/json.hpp>

#include "rc3/config/json.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/pipeline/diagnosis.hpp"

namespace rc3::pipeline {

/// Options from @p json, where every one must be present: defaults differ between versions of rc3.
/// @param where  place of the options, for errors: "config.json: tokenizer"
/// @throws rc3::Error naming place and option that is missing, unknown or invalid
template <config::Configuration C>
C all_options(const nlohmann::ordered_json& json, const std::string& where) {
  C options{};
  const auto set = config::from_json(json, options, where);
  std::size_t next = 0;
  config::for_each_field(options, [&](const std::string& path, const auto&, const char*, const config::Bounds&) {
    require(next < set.size() && set[next] == path, where, ": the option \"", path, "\" is missing");
    ++next;
  });
  return options;
}

namespace detail {

/// Policies that were written, by address, with their places.
class ArchitectureWriter {
 public:
  template <class P>
  nlohmann::ordered_json write(const P& policy, const std::string& place) {
    static_assert(Diagnosis<P>::said);
    nlohmann::ordered_json json{{"type", type_name<P>()}};
    if constexpr (is_described<P>()) {
      if constexpr (HasOptions<P>) json["options"] = config::to_json(policy.options());
      if constexpr (HasParts<P>) {
        auto parts = nlohmann::ordered_json::array();
        std::apply([&](const auto&... part) { (parts.push_back(write_part(part, place, parts.size())), ...); },
                   policy.parts());
        json["parts"] = std::move(parts);
      }
    }
    return json;
  }

 private:
  template <class P>
  nlohmann::ordered_json write_part(const std::shared_ptr<P>& part, const std::string& parent, std::size_t index) {
    const auto place = join(parent, "/parts/", index);
    require(part != nullptr, "model directory: part ", place, " of the model is null");
    const auto [known, first] = places_.emplace(part.get(), place);
    if (!first) return {{"$ref", "#" + known->second}};
    return write(*part, place);
  }

  std::unordered_map<const void*, std::string> places_;
};

/// Policies that were built, by place.
class ArchitectureReader {
 public:
  /// @param file  for errors
  explicit ArchitectureReader(std::string file) : file_(std::move(file)) {}

  template <class P>
  std::shared_ptr<P> read(const nlohmann::ordered_json& json, const std::string& place) {
    static_assert(Diagnosis<P>::said);
    const auto where = file_ + ": architecture" + place;
    require(json.is_object(), where, ": an object is expected");
    if (json.contains("$ref")) return known<P>(json, where);
    for (const auto& [key, value] : json.items())
      require(key == "type" || (key == "options" && HasOptions<P>) || (key == "parts" && HasParts<P>), where,
              ": the key \"", key, "\" is unknown");
    const auto type = io::get<std::string>(nlohmann::json(json), "type", where);
    require(type == type_name<P>(), where, ": is of the type ", type, ", the program's is ", type_name<P>());
    if constexpr (is_described<P>()) {
      auto policy = build<P>(json, where, place);
      built_.emplace("#" + place, std::pair{type, policy});
      return policy;
    } else {
      return nullptr;
    }
  }

 private:
  template <class P>
  std::shared_ptr<P> known(const nlohmann::ordered_json& json, const std::string& where) {
    const auto to = io::get<std::string>(nlohmann::json(json), "$ref", where);
    require(json.size() == 1, where, ": \"$ref\" must be the only key");
    const auto found = built_.find(to);
    require(found != built_.end() && found->second.first == type_name<P>(), where, ": refers to ", to,
            ", which is no earlier part of the type ", type_name<P>());
    return std::static_pointer_cast<P>(found->second.second);
  }

  template <class P>
  std::shared_ptr<P> build(const nlohmann::ordered_json& json, const std::string& where, const std::string& place) {
    const auto with_options = [&](auto... parts) {
      if constexpr (HasOptions<P>) {
        require(json.contains("options"), where, ": the key \"options\" is missing");
        return std::make_shared<P>(std::move(parts)...,
                                   all_options<OptionsOf<P>>(json.at("options"), where + "/options"));
      } else {
        return std::make_shared<P>(std::move(parts)...);
      }
    };
    if constexpr (HasParts<P>) {
      constexpr auto n = std::tuple_size_v<PartsOf<P>>;
      require(json.contains("parts") && json.at("parts").is_array() && json.at("parts").size() == n, where,
              ": \"parts\" must be an array of ", n);
      return [&]<class... Parts>(std::type_identity<std::tuple<std::shared_ptr<Parts>...>>) {
        std::size_t i = 0;
        // Braces evaluate in order, so that a reference follows its part.
        std::tuple<std::shared_ptr<Parts>...> parts{next<Parts>(json.at("parts"), place, i)...};
        return std::apply(with_options, std::move(parts));
      }(std::type_identity<PartsOf<P>>{});
    } else {
      return with_options();
    }
  }

  template <class P>
  std::shared_ptr<P> next(const nlohmann::ordered_json& parts, const std::string& parent, std::size_t& index) {
    const auto place = join(parent, "/parts/", index);
    return read<P>(parts.at(index++), place);
  }

  std::string file_;
  std::map<std::string, std::pair<std::string, std::shared_ptr<void>>> built_;
};

}  // namespace detail

/// Architecture of @p policy: {"type", "options", "parts"}, where a part has the same form. A part that occurs twice,
/// for example a shared backbone, is written once; later it is {"$ref": "#/parts/0/..."}, the place of the first.
/// @tparam P  a Describable policy; any other is a compile-time error
template <class P>
nlohmann::ordered_json describe(const P& policy) {
  return detail::ArchitectureWriter().write(policy, "");
}

/// New policy with random weights. @param file  name of the JSON's file, for errors
/// @throws rc3::Error naming the place: another type, a missing, unknown or invalid option, a wrong reference
template <class P>
std::shared_ptr<P> build(const nlohmann::ordered_json& architecture, const std::string& file) {
  return detail::ArchitectureReader(file).read<P>(architecture, "");
}

}  // namespace rc3::pipeline
