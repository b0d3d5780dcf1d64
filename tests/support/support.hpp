#pragma once
/// What tests share: the folders, a place for temporary files, and the line that each measured figure is printed in.

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"

namespace rc3::test {

inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// A file or folder below the cache folder, for example `cached("weights/multilingual-e5-small")`.
inline std::filesystem::path cached(std::string_view relative) {
  return std::filesystem::path(environment("RC3_CACHE")) / relative;
}

/// True when `cached(relative)` exists. Under `./run test` its absence fails the test; else the test says that it
/// skips.
inline bool have(std::string_view relative) {
  if (std::filesystem::exists(cached(relative))) return true;
  const std::string missing = join(cached(relative), " is missing; ./run test makes it");
  if (environment("RC3_REQUIRE_CACHE") == "1")
    BOOST_ERROR(missing);
  else
    std::cout << "skipped: " << missing << '\n';
  return false;
}

/// A file in the source tree.
inline std::filesystem::path source(std::string_view relative) {
  return std::filesystem::path(environment("RC3_SOURCE_DIR")) / relative;
}

/// An empty folder that is removed with its content at the end.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rc3-test-XXXXXX").string();
    require(::mkdtemp(pattern.data()) != nullptr, "cannot make a folder ", pattern);
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// How far the memory of this process rises above what it has now.
class PeakMemory {
 public:
  PeakMemory() {
    std::ofstream("/proc/self/clear_refs") << '5';  // the high-water mark becomes what is resident now
    before_ = high_water_mark();
  }
  /// KB since the construction; 0 under a sanitizer, whose own memory would be counted.
  long rise() const { return environment("RC3_SANITIZED") == "1" ? 0 : high_water_mark() - before_; }

 private:
  static long high_water_mark() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
      if (word == "VmHWM:") {
        long kb = 0;
        status >> kb;
        return kb;
      }
    return 0;
  }
  long before_ = 0;
};

/// Prints "name: figure (limit) pass|fail" and fails the test unless @p holds.
template <class Figure, class Limit>
void report(std::string_view name, const Figure& figure, std::string_view relation, const Limit& limit, bool holds) {
  const std::string line = join(name, ": ", figure, " (", relation, ' ', limit, ") ", holds ? "pass" : "fail");
  std::cout << line << '\n';
  BOOST_TEST(holds, line);
}

template <class Figure, class Limit>
void at_most(std::string_view name, const Figure& figure, const Limit& limit) {
  report(name, figure, "<=", limit, figure <= limit);  // a NaN fails
}

template <class Figure, class Limit>
void at_least(std::string_view name, const Figure& figure, const Limit& limit) {
  report(name, figure, ">=", limit, figure >= limit);
}

/// The message of the rc3::Error that @p action throws; fails the test when it throws none.
inline std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  BOOST_ERROR("no rc3::Error was thrown");
  return "";
}

/// Fails unless @p action throws an rc3::Error whose message contains every one of @p parts.
template <class... Parts>
void throws_with(const std::function<void()>& action, const Parts&... parts) {
  const std::string message = message_of(action);
  const auto contains = [&](std::string_view part) {
    BOOST_TEST((message.find(part) != std::string::npos), "\"" << message << "\" does not contain \"" << part << "\"");
  };
  (contains(parts), ...);
}

}  // namespace rc3::test
