#pragma once
/// Reads JSON with errors that say where: "data/glyphs.json: glyph 1f438: texts.de.name: must be a text, is a number".

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emoji/names.hpp"
#include "rc3/core/error.hpp"
#include "rc3/io/json.hpp"

namespace emoji::detail {

/// One JSON object, and the way to it.
class Fields {
 public:
  Fields(const nlohmann::json& object, std::string where, std::string path = "")
      : object_(&object), where_(std::move(where)), path_(std::move(path)) {}

  /// The same object, called @p name in errors, with the path starting anew.
  Fields rename(const std::string& name) const { return {*object_, where_ + ": " + name}; }

  /// @throws rc3::Error about field @p name, always
  template <class... Parts>
  [[noreturn]] void fail_at(std::string_view name, const Parts&... parts) const {
    fail(where_, ": ", path_, name, ": ", parts...);
  }

  /// The names of all fields.
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& item : object_->items()) out.push_back(item.key());
    return out;
  }

  /// A text that is not empty.
  std::string text(std::string_view name) const { return text_of(at(name), name); }

  /// A whole number >= 0.
  std::int64_t integer(std::string_view name) const {
    const nlohmann::json& value = at(name);
    if (!value.is_number_integer()) wrong(name, "a whole number", value);
    if (value.is_number_unsigned() ? value.get<std::uint64_t>() > INT64_MAX : value.get<std::int64_t>() < 0)
      fail_at(name, "must be 0 .. 2^63 - 1, is ", value.dump());
    return value.get<std::int64_t>();
  }

  /// A list of texts, none of them empty.
  std::vector<std::string> texts(std::string_view name) const {
    std::vector<std::string> out;
    for (const nlohmann::json& value : list(name)) out.push_back(text_of(value, item(name, out.size())));
    return out;
  }

  Fields object(std::string_view name) const {
    const nlohmann::json& value = at(name);
    if (!value.is_object()) wrong(name, "an object", value);
    return {value, where_, path_ + std::string(name) + "."};
  }

  std::vector<Fields> objects(std::string_view name) const {
    std::vector<Fields> out;
    for (const nlohmann::json& value : list(name)) {
      const std::string here = item(name, out.size());
      if (!value.is_object()) wrong(here, "an object", value);
      out.emplace_back(value, where_, path_ + here + ".");
    }
    return out;
  }

 private:
  static std::string item(std::string_view name, std::size_t i) { return join(name, '[', i, ']'); }

  [[noreturn]] void wrong(std::string_view name, std::string_view wanted, const nlohmann::json& seen) const {
    fail_at(name, "must be ", wanted, ", is ", seen.type_name());
  }
  const nlohmann::json& at(std::string_view name) const {
    const auto found = object_->find(std::string(name));
    if (found == object_->end()) fail_at(name, "is missing");
    return *found;
  }
  const nlohmann::json& list(std::string_view name) const {
    const nlohmann::json& value = at(name);
    if (!value.is_array()) wrong(name, "a list", value);
    return value;
  }
  std::string text_of(const nlohmann::json& value, std::string_view name) const {
    if (!value.is_string()) wrong(name, "a text", value);
    auto out = value.get<std::string>();
    if (out.empty()) fail_at(name, "must not be empty");
    return out;
  }

  const nlohmann::json* object_;
  std::string where_;
  std::string path_;
};

/// A parsed file.
class Document {
 public:
  /// @throws rc3::Error for a file that is missing or no JSON object, and as io::read_json does
  static Document read(const std::filesystem::path& file) {
    Document out;
    out.file_ = file.string();
    out.json_ = std::make_unique<nlohmann::json>(io::read_json(file, {.max_bytes = std::uint64_t{256} << 20}));
    require(out.json_->is_object(), out.file_, ": must hold a JSON object, holds ", out.json_->type_name());
    return out;
  }

  Fields root() const { return {*json_, file_}; }

 private:
  std::string file_;
  std::unique_ptr<nlohmann::json> json_;  // on the heap, so that moving the document moves no Fields' target
};

}  // namespace emoji::detail
