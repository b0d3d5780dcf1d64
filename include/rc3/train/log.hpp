#pragma once
/// Log of a run, one JSON object per line: for scripts, and for the report. LibTorch-free.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/json.hpp"

namespace rc3::train {

/// One line of a log: a step and its named numbers.
struct LogPoint {
  std::int64_t step = 0;                                    ///< completed optimizer steps
  std::vector<std::pair<std::string, double>> values = {};  ///< in this order; not finite: null in the file

  bool has(std::string_view name) const {
    for (const auto& [key, value] : values)
      if (key == name) return true;
    return false;
  }
  /// Value of @p name; NaN if missing.
  double operator[](std::string_view name) const {
    for (const auto& [key, value] : values)
      if (key == name) return value;
    return std::nan("");
  }
};

/// Reads a log. An incomplete last line, from a kill, is ignored.
/// @throws rc3::Error naming file and line of any other invalid line
inline std::vector<LogPoint> read_log(const std::filesystem::path& path) {
  const std::string text = io::read_file(path, std::uint64_t{1} << 32);
  std::vector<LogPoint> points;
  std::size_t number = 1;
  for (std::size_t at = 0; at < text.size(); ++number) {
    const auto end = text.find('\n', at);
    if (end == std::string::npos) break;
    const std::string where = join(path.string(), ':', number);
    const std::string_view line = std::string_view(text).substr(at, end - at);
    io::parse_json(line, where);  // refuses invalid JSON
    const auto json = nlohmann::ordered_json::parse(line);
    LogPoint point;
    point.step = io::get<std::int64_t>(json, "step", where);
    for (const auto& [key, value] : json.items()) {
      require(value.is_number() || value.is_null(), where, ": \"", key, "\" must be a number or null");
      if (key != "step") point.values.emplace_back(key, value.is_null() ? std::nan("") : value.get<double>());
    }
    points.push_back(std::move(point));
    at = end + 1;
  }
  return points;
}

/// Appends points to a file.
class JsonlLog {
 public:
  /// @param step  of the resumed run: lines of later steps are removed, so that a killed and resumed run has the log of
  ///              an uninterrupted one
  /// @throws rc3::Error if the file is not a log or cannot be written
  explicit JsonlLog(std::filesystem::path path, std::int64_t step = 0) : path_(std::move(path)) {
    if (std::filesystem::exists(path_)) {
      std::string kept;
      for (const LogPoint& point : read_log(path_))
        if (point.step <= step) kept += line(point);
      io::write_file(path_, kept);
    }
    file_ = io::Descriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    require(file_.get() >= 0, path_.string(), ": cannot write: ", std::strerror(errno));
  }

  /// Appends one line at once. @throws rc3::Error if the file cannot be written
  void add(const LogPoint& point) {
    const std::string text = line(point);
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t n = ::write(file_.get(), text.data() + done, text.size() - done);
      if (n < 0 && errno == EINTR) continue;
      require(n > 0, path_.string(), ": cannot write: ", std::strerror(errno));
      done += static_cast<std::size_t>(n);
    }
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  static std::string line(const LogPoint& point) {
    nlohmann::ordered_json json{{"step", point.step}};
    for (const auto& [key, value] : point.values)
      json[key] = std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
  }

  std::filesystem::path path_;
  io::Descriptor file_;
};

}  // namespace rc3::train
