#pragma once
/// Record: one sample as a JSON object, a line of a manifest or a member of a shard. LibTorch-free.
///
///   {"id": "7", "image": "a.jpg", "texts": {"de": ["Ein Frosch", "Ein Blatt"], "en": "A frog"},
///    "alignment": "strict" | "weak" | {"de": [0, 1], "en": [0]},
///    "relevance": 0.3 | {"de#1 en": 0.3},
///    "width": 640, "height": 480, "boxes": [[x1, y1, x2, y2], ...], "features": "a.safetensors"}
///
/// Every key is optional, except that several texts need "alignment":
/// - strict: the k-th texts of all languages are translations of each other;
/// - weak: no two texts are;
/// - an object: the group of each text, where equal numbers are translations.
/// "relevance" is a number in [0, 1] for every pair of texts that are not translations, or an object by pair of texts.
/// A pair's key is two languages with a space between, each with `#k` for its k-th text (from 0, optional for 0). Keys
/// that begin with "_" or "x-" are reserved for custom use; any other unknown key is an error.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/data/check/validate.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/data/text/text_place.hpp"
#include "rc3/io/json.hpp"

namespace rc3::data {

/// Content of one sample's JSON object.
struct Record {
  Sample sample;                   ///< without the regions in the file `features`; its id may be empty
  std::filesystem::path features;  ///< for read_regions(); empty: none
};

/// Limit of texts in one record, which bounds their pairs.
inline constexpr std::size_t max_texts = 1000;

namespace detail {

inline constexpr std::array<std::string_view, 10> record_keys{"id",        "image", "picture", "texts", "alignment",
                                                              "relevance", "width", "height",  "boxes", "features"};

/// Whether a record may have @p key: it is known, or reserved for custom use.
inline bool is_record_key(const std::string& key) {
  return key.starts_with('_') || key.starts_with("x-") ||
         std::find(record_keys.begin(), record_keys.end(), key) != record_keys.end();
}

inline void check_record_keys(const nlohmann::json& json, std::string_view where) {
  require(json.is_object(), where, ": a record is a JSON object");
  for (const auto& item : json.items()) {
    const std::string& key = item.key();
    if (is_record_key(key)) continue;
    std::string known;
    for (const std::string_view name : record_keys)
      if (name != "picture") known += join(known.empty() ? "" : ", ", name);  // the name that older files have
    fail(where, ": the key \"", key, "\" is unknown; known are ", known, ", and your own begin with _ or x-");
  }
}

/// Texts by (language, position).
inline std::vector<Text> record_texts(const nlohmann::json& json, std::string_view where) {
  std::vector<Text> texts;
  require(json.is_object(), where, ": \"texts\" must be an object of languages");
  for (const auto& item : json.items()) {
    require(is_language_tag(item.key()), where, ": texts: \"", item.key(),
            "\" is no language: letters, digits, - and _, at most 35 of them");
    require(item.value().is_string() || item.value().is_array(), where, ": texts: \"", item.key(),
            "\" must be a string or an array of strings, is ", io::short_text(item.value()));
    const auto several = item.value().is_string() ? std::vector{item.value().get<std::string>()}
                                                  : io::as<std::vector<std::string>>(item.value(), item.key(), where);
    require(!several.empty(), where, ": texts: \"", item.key(), "\" has no text; leave the language out");
    for (const std::string& text : several) texts.push_back({item.key(), text, 0});
    require(texts.size() <= max_texts, where, ": more than ", max_texts, " texts");
  }
  return texts;
}

inline void set_groups(std::vector<Text>& texts, const nlohmann::json& alignment, std::string_view where) {
  const auto places = TextPlaces(texts);
  if (alignment == "weak") {
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i].group = static_cast<std::int64_t>(i);
  } else if (alignment == "strict") {
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i].group = static_cast<std::int64_t>(places.position(i));
  } else {
    require(alignment.is_object(), where, ": \"alignment\" must be \"strict\", \"weak\" or an object of languages, is ",
            io::short_text(alignment));
    for (const auto& item : alignment.items())
      require(places.count(item.key()) > 0, where, ": alignment: there is no text in \"", item.key(), '"');
    for (std::size_t i = 0; i < texts.size();) {
      const std::string& language = texts[i].language;
      const auto groups = io::get<std::vector<std::int64_t>>(alignment, language, join(where, ": alignment"));
      require(groups.size() == places.count(language), where, ": alignment: ", groups.size(), " numbers for the ",
              places.count(language), " texts in \"", language, '"');
      for (const std::int64_t group : groups) texts[i++].group = group;
    }
  }
}

inline std::vector<TextRelevance> record_relevance(const std::vector<Text>& texts, const nlohmann::json& json,
                                                   std::string_view where) {
  std::vector<TextRelevance> all;
  if (json.is_number()) {
    for (std::size_t a = 0; a < texts.size(); ++a)
      for (std::size_t b = a + 1; b < texts.size(); ++b)
        if (texts[a].group != texts[b].group) all.push_back({a, b, json.get<float>()});
    return all;
  }
  require(json.is_object(), where, ": \"relevance\" must be a number or an object of pairs, is ", io::short_text(json));
  const TextPlaces places(texts);
  for (const auto& item : json.items()) {
    const auto [a, b] = places.pair(item.key(), join(where, ": relevance"));
    all.push_back({a, b, io::as<float>(item.value(), item.key(), where)});
  }
  const auto before = [](const TextRelevance& x, const TextRelevance& y) {
    return std::pair(x.a, x.b) < std::pair(y.a, y.b);
  };
  std::sort(all.begin(), all.end(), before);
  for (std::size_t i = 1; i < all.size(); ++i)
    require(before(all[i - 1], all[i]), where, ": relevance: the pair \"", places.name(all[i].a), ' ',
            places.name(all[i].b), "\" is given twice");
  return all;
}

inline Regions record_regions(const nlohmann::json& json, std::string_view where) {
  Regions regions;
  const bool sized = json.contains("width") || json.contains("height");
  if (sized) {
    regions.width = io::get<float>(json, "width", where);
    regions.height = io::get<float>(json, "height", where);
    require(regions.width > 0 && regions.height > 0, where, ": \"width\" and \"height\" must be > 0");
  }
  if (!json.contains("boxes")) return regions;
  require(sized, where, ": \"boxes\" need \"width\" and \"height\" of the image in pixels");
  for (const auto& corners : io::get<std::vector<std::vector<float>>>(json, "boxes", where)) {
    require(corners.size() == 4, where, ": box ", regions.boxes.size(), " has ", corners.size(),
            " numbers; x1, y1, x2, y2 are expected");
    regions.boxes.push_back({corners[0], corners[1], corners[2], corners[3]});
  }
  clip_boxes(regions);
  return regions;
}

inline std::filesystem::path record_path(const nlohmann::json& json, std::string_view key, std::string_view where) {
  const auto path = io::get<std::string>(json, key, where);
  require(!path.empty() && path.find('\0') == std::string::npos, where, ": \"", key, "\" is no path");
  return path;
}

}  // namespace detail

/// Parses @p json. Call check_sample() afterwards to check texts, numbers and boxes.
/// @param where   the file and the line, for errors
/// @param folder  base of relative paths of "image" and "features"
/// @throws rc3::Error "<where>: ..." naming the key
inline Record read_record(const nlohmann::json& json, std::string_view where,
                          const std::filesystem::path& folder = {}) {
  detail::check_record_keys(json, where);
  Record record;
  Sample& sample = record.sample;
  const char* const image_key = json.contains("image") ? "image" : "picture";  // the second: files of older versions
  require(!(json.contains("image") && json.contains("picture")), where, ": give \"image\", not \"picture\" as well");
  if (json.contains(image_key)) {
    const auto path = detail::record_path(json, image_key, where);
    sample.id = path.string();
    sample.image = folder / path;
  }
  if (json.contains("id")) sample.id = io::get<std::string>(json, "id", where);
  if (json.contains("texts")) sample.texts = detail::record_texts(json["texts"], where);
  if (json.contains("alignment"))
    detail::set_groups(sample.texts, json["alignment"], where);
  else
    require(sample.texts.size() <= 1, where, ": several texts need \"alignment\": \"strict\" when the languages' ",
            "texts are translations of each other, else \"weak\"");
  if (json.contains("relevance")) sample.relevance = detail::record_relevance(sample.texts, json["relevance"], where);
  sample.regions = detail::record_regions(json, where);
  if (json.contains("features")) record.features = folder / detail::record_path(json, "features", where);
  return record;
}

namespace detail {

// The shortest decimal number that is read as this float: 0.7, not 0.699999988079071.
inline nlohmann::json json_number(float value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double number = 0;
  std::from_chars(text.data(), end, number);
  return static_cast<float>(number) == value ? number : double{value};
}

inline nlohmann::json alignment_json(const std::vector<Text>& texts) {
  const TextPlaces places(texts);
  bool strict = true;
  bool weak = true;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    strict = strict && texts[i].group == static_cast<std::int64_t>(places.position(i));
    weak = weak && texts[i].group == static_cast<std::int64_t>(i);
  }
  if (strict) return "strict";
  if (weak) return "weak";
  nlohmann::json groups;
  for (const Text& text : texts) groups[text.language].push_back(text.group);
  return groups;
}

inline nlohmann::json relevance_json(const std::vector<Text>& texts, const std::vector<TextRelevance>& relevance) {
  std::size_t pairs = 0;  // pairs that are not translations
  for (std::size_t a = 0; a < texts.size(); ++a)
    for (std::size_t b = a + 1; b < texts.size(); ++b) pairs += texts[a].group != texts[b].group ? 1 : 0;
  const float value = relevance.front().value;
  const bool one_for_all = relevance.size() == pairs && std::all_of(relevance.begin(), relevance.end(), [&](auto& r) {
                             return r.value == value && texts[r.a].group != texts[r.b].group;
                           });
  if (one_for_all) return json_number(value);
  const TextPlaces places(texts);
  nlohmann::json all;
  for (const TextRelevance& r : relevance) all[places.name(r.a) + ' ' + places.name(r.b)] = json_number(r.value);
  return all;
}

// Name of `path` in a record in `folder`: relative if below the folder, else absolute.
inline std::string relative_name(const std::filesystem::path& path, const std::filesystem::path& folder) {
  std::filesystem::path inside = folder.empty() ? path : path.lexically_relative(folder);
  if (inside.empty() || *inside.begin() == "..") inside = std::filesystem::absolute(path);
  require_utf8(inside.string(), join("the path ", inside));
  return inside.string();
}

}  // namespace detail

/// Inverse of read_record(): reading the result gives an equal sample, with its texts sorted by language.
/// @param folder    folder of the record; files below it get relative names
/// @param features  file with `sample.regions` from write_regions(), which are then not in the record; empty: boxes are
///                  in the record
/// @throws rc3::Error for a sample that a record cannot represent: an image in memory, an invalid language tag, or
///         regions with features but no file for them
inline nlohmann::json to_json(const Sample& sample, const std::filesystem::path& folder = {},
                              const std::filesystem::path& features = {}) {
  nlohmann::json json{{"id", sample.id}};
  if (const auto* path = std::get_if<std::filesystem::path>(&sample.image))
    json["image"] = detail::relative_name(*path, folder);
  else
    require(std::holds_alternative<std::monostate>(sample.image), sample.id,
            ": a record names an image file, this image is in memory; write shards, which hold images");

  std::vector<std::size_t> order(sample.texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return sample.texts[a].language < sample.texts[b].language; });
  std::vector<Text> texts;
  std::vector<std::size_t> place(order.size());
  for (const std::size_t i : order) {
    place[i] = texts.size();
    texts.push_back(sample.texts[i]);
    require(is_language_tag(texts.back().language), sample.id, ": \"", texts.back().language, "\" is no language");
  }
  std::vector<TextRelevance> relevance;
  for (const auto& [a, b, value] : sample.relevance) {
    const auto [first, second] = std::minmax({place.at(a), place.at(b)});
    relevance.push_back({first, second, value});
  }

  for (const Text& text : texts) json["texts"][text.language].push_back(text.text);
  if (!texts.empty())
    for (auto& several : json["texts"])
      if (several.size() == 1) several = nlohmann::json(several.front());
  if (texts.size() > 1 || (texts.size() == 1 && texts[0].group != 0)) json["alignment"] = detail::alignment_json(texts);
  if (!relevance.empty()) json["relevance"] = detail::relevance_json(texts, relevance);

  const Regions& regions = sample.regions;
  if (!features.empty()) {
    json["features"] = detail::relative_name(features, folder);
    return json;
  }
  require(regions.features.empty() && regions.classes.empty(), sample.id,
          ": features of regions need a file that write_regions() makes");
  if (regions.width > 0 && regions.height > 0) {
    json["width"] = detail::json_number(regions.width);
    json["height"] = detail::json_number(regions.height);
  }
  for (const Box& box : regions.boxes) {
    nlohmann::json corners;
    for (const float corner : box) corners.push_back(detail::json_number(corner));
    json["boxes"].push_back(std::move(corners));
  }
  return json;
}

}  // namespace rc3::data
