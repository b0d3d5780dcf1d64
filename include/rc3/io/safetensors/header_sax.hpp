#pragma once
/// Event-based parser of a safetensors header: bounded depth, repeated keys are detected, and only the result is
/// stored.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/io/safetensors/entry.hpp"

namespace rc3::io::safetensors {

namespace detail {

/// More dimensions than LibTorch's operators support; bounds the cost of an entry.
inline constexpr std::size_t max_dimensions = 64;

/// {"__metadata__": {string: string}, tensor: {"dtype": string, "shape": [..], "data_offsets": [begin, end]}}
class HeaderSax : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderSax(std::string_view file, std::map<std::string, std::string>& metadata, std::vector<Entry>& entries)
      : file_(file), metadata_(metadata), entries_(entries) {}

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("true or false"); }
  bool number_float(number_float_t, const string_t& text) override { unexpected(text); }
  bool number_integer(number_integer_t value) override { unexpected(join(value)); }
  bool binary(binary_t&) override { unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ != Place::shape && place_ != Place::offsets) unexpected(join(value));
    if (place_ == Place::shape) {
      wrong_unless(value <= std::uint64_t(std::numeric_limits<std::int64_t>::max()), "a size that overflows");
      wrong_unless(entry_.shape.size() < max_dimensions, "more than 64 dimensions");
      entry_.shape.push_back(static_cast<std::int64_t>(value));
    } else {
      wrong_unless(offsets_ < 2, "more than two data_offsets");
      (offsets_++ == 0 ? entry_.begin : entry_.end) = value;
    }
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::metadata) {
      wrong_unless(metadata_.emplace(key_, std::move(value)).second, "the key \"", key_, "\" given twice");
      return true;
    }
    if (place_ != Place::entry || key_ != "dtype") unexpected(join('"', value, '"'));
    for (const DtypeRow& row : dtypes)
      if (row.name == value) {
        entry_.dtype = row.dtype;
        return true;
      }
    wrong("the dtype ", value, ", which is unknown");
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::outside) {
      place_ = Place::top;
    } else if (place_ == Place::top) {
      place_ = key_ == "__metadata__" ? Place::metadata : Place::entry;
      seen_.fill(false);
    } else {
      unexpected("an object (nested too deep)");
    }
    return true;
  }

  bool key(string_t& value) override {
    if (place_ == Place::top) {
      wrong_unless(names_.insert(value).second, "the key \"", value, "\" given twice");
      if (value != "__metadata__") {
        entry_ = Entry{};
        entry_.name = value;
        offsets_ = 0;
      }
    } else if (place_ == Place::entry) {
      std::size_t field = 0;
      while (field < fields.size() && fields[field] != value) ++field;
      wrong_unless(field < fields.size(), "the field \"", value, "\", which is unknown");
      wrong_unless(!std::exchange(seen_[field], true), "the key \"", value, "\" given twice");
    }
    key_ = std::move(value);
    return true;
  }

  bool end_object() override {
    if (place_ == Place::entry) {
      for (std::size_t field = 0; field < fields.size(); ++field)
        wrong_unless(seen_[field], "no \"", fields[field], '"');
      entries_.push_back(std::move(entry_));
    }
    place_ = place_ == Place::top ? Place::outside : Place::top;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::entry && key_ == "shape")
      place_ = Place::shape;
    else if (place_ == Place::entry && key_ == "data_offsets")
      place_ = Place::offsets;
    else
      unexpected("an array");
    return true;
  }

  bool end_array() override {
    wrong_unless(place_ != Place::offsets || offsets_ == 2, "fewer than two data_offsets");
    place_ = Place::entry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    fail(file_, ": the header is not JSON at byte ", position, ": ", error.what());
  }

 private:
  enum class Place { outside, top, metadata, entry, shape, offsets };
  static constexpr std::array<std::string_view, 3> fields{"dtype", "shape", "data_offsets"};

  template <class... Parts>
  [[noreturn]] void wrong(const Parts&... what) const {
    if (place_ == Place::outside || place_ == Place::top) fail(file_, ": header: ", what...);
    if (place_ == Place::metadata) fail(file_, ": header: __metadata__: ", what...);
    fail(file_, ": header: tensor \"", entry_.name, "\": ", what...);
  }
  template <class... Parts>
  void wrong_unless(bool right, const Parts&... what) const {
    if (!right) wrong(what...);
  }
  [[noreturn]] void unexpected(std::string_view what) const {
    wrong("unexpected ", what, " as the value of \"", key_, '"');
  }

  std::string_view file_;
  std::map<std::string, std::string>& metadata_;
  std::vector<Entry>& entries_;
  Place place_ = Place::outside;
  std::string key_;
  std::set<std::string> names_;
  Entry entry_;
  std::size_t offsets_ = 0;
  std::array<bool, 3> seen_{};
};

/// @throws rc3::Error at the first violation.
inline void parse_header_json(std::string_view json, std::string_view file,
                              std::map<std::string, std::string>& metadata, std::vector<Entry>& entries) {
  HeaderSax sax(file, metadata, entries);
  nlohmann::json::sax_parse(json.begin(), json.end(), &sax);
}

}  // namespace detail
}  // namespace rc3::io::safetensors
