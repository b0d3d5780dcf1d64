#pragma once
/// Images of folders, as samples without texts. LibTorch-free.

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/member_names.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/fwd.hpp"
#include "rc3/io/image.hpp"
#include "rc3/search/folder.hpp"

namespace rc3::data {

/// The images below some folders, sorted by path in each. A sample's id is its path. The first bytes of a file decide
/// whether it is an image.
class ImageFolder {
 public:
  /// @tparam Decoders  decoders of image files
  /// @param errors  receives "no image": files that have an image's ending, but not its content, and what cannot be
  ///        read. Other files are passed over.
  /// @throws rc3::Error if a folder does not exist or cannot be read, and over the error budget
  template <class Decoders = io::DefaultDecoders>
  static ImageFolder open(const std::vector<std::filesystem::path>& folders, DataErrors& errors) {
    ImageFolder data;
    for (const auto& folder : folders) {
      data.name_ += (data.name_.empty() ? "" : ", ") + folder.string();
      search::FolderChanges found = search::folder_changes<Decoders>(folder, {});
      errors.add_samples(std::ssize(found.added));
      for (auto& image : found.added) data.paths_.push_back(std::move(image.path));
      for (const auto& [path, reason] : found.skipped) {
        const std::string ending = member_name(path).ending;
        if (std::any_of(endings.begin(), endings.end(), [&](const char* e) { return ending.ends_with(e); })) {
          errors.add_samples();
          errors.add("no image", join(path, ": ", reason));
        } else {
          errors.pass_over("files that are no image", path);
        }
      }
    }
    return data;
  }

  const std::string& name() const { return name_; }
  std::int64_t size() const { return std::ssize(paths_); }
  const LanguageCounts& languages() const { return languages_; }

  /// Sample with its path as id and image, without texts. The file is not opened.
  /// @throws rc3::Error for an index out of range
  Sample read(std::int64_t i) const {
    require(0 <= i && i < size(), name_, ": has ", size(), " images, no image ", i);
    Sample sample;
    sample.id = paths_[static_cast<std::size_t>(i)];
    sample.image = std::filesystem::path(sample.id);
    return sample;
  }

 private:
  static constexpr std::array endings{"jpg", "jpeg", "png", "webp"};

  std::string name_;
  std::vector<std::string> paths_;
  LanguageCounts languages_;  // none
};
static_assert(Dataset<ImageFolder>);

}  // namespace rc3::data
