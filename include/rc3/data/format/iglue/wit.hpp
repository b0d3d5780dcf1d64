#pragma once
/// IGLUE's part of WIT: captions from Wikipedia. One JSON object per line with image_url,
/// caption_reference_description, language, page_url, wit_ix and, except in the English validation, image_idx. An image
/// may have several lines in one language. LibTorch-free.

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/find_image.hpp"
#include "rc3/data/format/iglue/captions.hpp"
#include "rc3/data/format/iglue/jsonl.hpp"
#include "rc3/io/json.hpp"

namespace rc3::data::iglue {

/// A line of IGLUE's WIT: an image and its caption in the language of the file.
struct WitRecord {
  std::string wit_ix;  ///< of the image, the same in all languages: "wit-test_0"
  std::string image_url;
  std::string caption_reference_description;  ///< the text
  std::string language;                       ///< of the caption
  std::string page_url;
  std::int64_t image_idx = -1;  ///< -1: not in the file
};

namespace detail {

inline WitRecord parse_wit(const nlohmann::json& json, const std::string& where) {
  WitRecord r;
  r.wit_ix = id_at(json, "wit_ix", where);
  r.image_url = text_at(json, "image_url", where);
  r.caption_reference_description = text_at(json, "caption_reference_description", where);
  r.language = text_at(json, "language", where);
  r.page_url = text_at(json, "page_url", where);
  r.image_idx = io::get_or<std::int64_t>(json, "image_idx", where, -1);
  return r;
}

}  // namespace detail

/// @throws rc3::Error as read_records
inline std::vector<WitRecord> read_wit(const std::filesystem::path& path, DataErrors& errors) {
  return read_records(path, errors, detail::parse_wit, [](const WitRecord&) { return std::string(); });
}

/// Files of one split as one data set, joined by wit_ix; captions are weakly aligned.
/// @param find  called with image_url; empty: the samples have no images
/// @throws rc3::Error as Captions
inline Captions wit(const std::vector<std::filesystem::path>& files, FindImage find, DataErrors& errors) {
  const auto parse = [](const nlohmann::json& json, const std::string& where) {
    WitRecord r = detail::parse_wit(json, where);
    return CaptionLine{std::move(r.wit_ix),
                       std::move(r.image_url),
                       {{std::move(r.language), std::move(r.caption_reference_description), 0}}};
  };
  std::vector<Captions::Source> sources;
  for (const auto& path : files) sources.push_back({path, parse, false});
  return Captions("IGLUE WIT", std::move(sources), std::move(find), errors);
}

}  // namespace rc3::data::iglue
