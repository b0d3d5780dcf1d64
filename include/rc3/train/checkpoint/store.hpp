#pragma once
/// Store of a run's checkpoints: folders `step-N` in its folder. No file points to the newest, so none can be outdated.
/// LibTorch-free.

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/io/file.hpp"
#include "rc3/train/checkpoint/manifest.hpp"
#include "rc3/train/checkpoint/writer.hpp"

namespace rc3::train {

/// The checkpoints of a run's folder: writes new ones, finds the newest that is whole, and removes old ones.
/// @tparam System  io::System, or a replacement in tests
template <class System = io::System>
class CheckpointStore {
 public:
  /// A checkpoint that is whole.
  struct Found {
    std::filesystem::path folder;
    Manifest manifest;
    std::vector<std::string> damaged;  ///< reasons why newer ones were refused
  };

  /// @param folder  of the run, created if missing
  /// @param keep    number of newest ones, >= 2: with one, a damaged file would end the run
  /// @throws rc3::Error for keep below 2, or a folder that cannot be made
  explicit CheckpointStore(std::filesystem::path folder, std::int64_t keep = 3, System system = {})
      : folder_(std::move(folder)), keep_(keep), system_(std::move(system)) {
    require(keep >= 2, "train::CheckpointStore: keep must be at least 2, is ", keep);
    io::make_folder(folder_);
  }

  const std::filesystem::path& folder() const { return folder_; }
  System& system() { return system_; }

  /// Writes a checkpoint, then removes all but the `keep` newest and the best one.
  /// @param write   called with a CheckpointWriter: begin(name), write(data, size)
  /// @param metric  of the evaluation at this step, higher is better
  /// @throws rc3::Error if it cannot be written; the earlier ones are then unchanged
  template <class Write>
  void save(std::int64_t step, Write&& write, std::optional<double> metric = {}) {
    require(step >= 0, "train::CheckpointStore: step must not be negative, is ", step);
    CheckpointWriter<System> writer(path_of(step), system_);
    write(writer);
    writer.commit(step, metric);
    prune();
  }

  /// Removes the files of interrupted saves. Call it only if no other process writes here.
  void remove_leftovers() {
    std::vector<std::filesystem::path> left;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("step-") && name.ends_with(".tmp")) left.push_back(entry.path());
    }
    for (const auto& path : left) CheckpointWriter<System>::remove(path, system_);
  }

  /// Steps of all existing folders, oldest first, without a check that they are complete.
  std::vector<std::int64_t> steps() const {
    std::vector<std::int64_t> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      std::int64_t step = 0;
      if (!name.starts_with("step-")) continue;
      const auto [end, error] = std::from_chars(name.data() + 5, name.data() + name.size(), step);
      if (error == std::errc() && end == name.data() + name.size()) all.push_back(step);
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  /// The newest complete checkpoint; nullopt if there is none. Reads every file and compares its checksum.
  /// @throws rc3::Error if there are checkpoints, but none is complete
  std::optional<Found> newest() const {
    Found found;
    auto all = steps();
    for (auto step = all.rbegin(); step != all.rend(); ++step) {
      found.folder = path_of(*step);
      try {
        found.manifest = Manifest::read(found.folder);
        require(found.manifest.step == *step, found.folder.string(), ": its manifest is of step ", found.manifest.step);
        found.manifest.verify(found.folder);
        return found;
      } catch (const Error& error) {
        found.damaged.emplace_back(error.what());
      }
    }
    require(found.damaged.empty(), folder_.string(), ": none of its ", found.damaged.size(),
            " checkpoints is whole; the newest: ", found.damaged.empty() ? "" : found.damaged.front(),
            "; move them away to start from the beginning");
    return std::nullopt;
  }

  /// The readable checkpoint with the highest metric; nullopt if none was evaluated.
  std::optional<std::int64_t> best() const {
    std::optional<std::int64_t> step;
    double highest = 0;
    for (const auto s : steps()) {
      const auto metric = metric_of(s);
      if (metric && (!step || *metric > highest)) step = s, highest = *metric;
    }
    return step;
  }

  /// Metric of a checkpoint; nullopt if it was not evaluated or is not readable.
  std::optional<double> metric_of(std::int64_t step) const {
    try {
      return Manifest::read(path_of(step)).metric;
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  /// Folder of the checkpoint of @p step, whether it exists or not.
  std::filesystem::path path_of(std::int64_t step) const { return folder_ / join("step-", step); }

 private:
  void prune() {
    const auto all = steps();
    const auto kept = best();
    for (std::size_t i = 0; i + static_cast<std::size_t>(keep_) < all.size(); ++i)
      if (all[i] != kept) {
        // An atomic rename, so that a kill during removal leaves no partial checkpoint under its name.
        auto old = path_of(all[i]);
        old += ".old.tmp";
        CheckpointWriter<System>::remove(old, system_);
        if (system_.rename(path_of(all[i]).c_str(), old.c_str()) == 0) CheckpointWriter<System>::remove(old, system_);
      }
  }

  std::filesystem::path folder_;
  std::int64_t keep_;
  System system_;
};

}  // namespace rc3::train
