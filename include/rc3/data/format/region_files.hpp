#pragma once
/// Files of regions in folders, as samples without image and texts. LibTorch-free.

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/region_file.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/io/file.hpp"
#include "rc3/search/folder.hpp"

namespace rc3::data {

/// Files that read_regions() reads: those given, and all .safetensors below the folders given. A sample's id is its
/// path.
class RegionFiles {
 public:
  static constexpr std::uint64_t max_bytes = 64 << 20;  ///< of one file

  /// @param errors  receives "unreadable file"; files of folders with other endings are passed over
  /// @throws rc3::Error if a folder does not exist or cannot be read, and over the error budget
  RegionFiles(const std::vector<std::filesystem::path>& paths, DataErrors& errors) {
    for (const auto& path : paths) {
      name_ += (name_.empty() ? "" : ", ") + path.string();
      if (std::filesystem::is_directory(path))
        add_folder(path, errors);
      else
        paths_.push_back(path.string());
    }
    errors.add_samples(size());
  }

  const std::string& name() const { return name_; }
  std::int64_t size() const { return std::ssize(paths_); }
  const LanguageCounts& languages() const { return languages_; }

  /// @throws rc3::Error naming the file and the tensor
  Sample read(std::int64_t i) const {
    require(0 <= i && i < size(), name_, ": has ", size(), " files, no file ", i);
    Sample sample;
    sample.id = paths_[static_cast<std::size_t>(i)];
    sample.regions = read_regions(io::read_file(sample.id, max_bytes), sample.id);
    require(sample.regions.size() > 0, sample.id,
            ": has no \"boxes\": only a record can give them; see data::Manifest");
    return sample;
  }

 private:
  void add_folder(const std::filesystem::path& folder, DataErrors& errors) {
    search::FolderFiles found = search::list_folder(folder);
    for (auto& file : found.files)
      if (file.path.ends_with(".safetensors"))
        paths_.push_back(std::move(file.path));
      else
        errors.pass_over("files of other endings", file.path);
    for (const auto& [path, reason] : found.skipped) errors.add("unreadable file", join(path, ": ", reason));
  }

  std::string name_;
  std::vector<std::string> paths_;
  LanguageCounts languages_;  // none
};
static_assert(Dataset<RegionFiles>);

}  // namespace rc3::data
