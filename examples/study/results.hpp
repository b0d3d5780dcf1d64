#pragma once
/// Results of the study: a JSON object per line and run, appended in one write. LibTorch-free.

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <rc3/core/error.hpp>
#include <rc3/io/file.hpp>
#include <rc3/io/json.hpp>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace study {

using Json = nlohmann::ordered_json;

/// The file of results. Several processes may append to it.
class Results {
 public:
  /// @throws rc3::Error for a line that is no result, naming it
  explicit Results(std::filesystem::path path) : path_(std::move(path)) {
    std::ifstream in(path_);
    std::int64_t number = 0;
    for (std::string line; std::getline(in, line);) {
      const auto where = rc3::join(path_.string(), ':', ++number);
      if (line.empty()) continue;
      const auto json = rc3::io::parse_json(line, where);
      rc3::require(json.contains("run") && json["run"].is_object(), where, ": a result has an object \"run\"");
      done_.insert(json["run"].dump());
    }
  }

  /// Whether the run's line is there. @param run  everything that tells runs apart
  bool has(const Json& run) const { return done_.contains(nlohmann::json(run).dump()); }

  /// Appends the line, in one write. @throws rc3::Error if it cannot be written
  void add(const Json& line) {
    if (path_.has_parent_path()) rc3::io::make_folder(path_.parent_path());
    const std::string text = line.dump() + '\n';
    const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    rc3::require(file >= 0, path_.string(), ": cannot write: ", std::strerror(errno));
    const bool written = ::flock(file, LOCK_EX) == 0 &&
                         ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                         ::fsync(file) == 0;
    const int error = errno;
    ::close(file);
    rc3::require(written, path_.string(), ": cannot write: ", std::strerror(error));
    done_.insert(nlohmann::json(line.at("run")).dump());
  }

 private:
  std::filesystem::path path_;
  std::set<std::string> done_;  // `run` objects, with sorted keys
};

}  // namespace study
