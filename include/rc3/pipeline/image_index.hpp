#pragma once
/// Search among image files, by texts and by images. Needs Eigen (Debian: libeigen3-dev): link rc3::eigen beside
/// rc3::rc3.

#include <ATen/core/Tensor.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/fwd.hpp"
#include "rc3/io/crc32c.hpp"
#include "rc3/io/file.hpp"
#include "rc3/pipeline/embedder.hpp"
#include "rc3/pipeline/identity.hpp"
#include "rc3/pipeline/pipeline.hpp"
#include "rc3/pipeline/rows.hpp"
#include "rc3/search/file_state.hpp"
#include "rc3/search/folder.hpp"
#include "rc3/search/index.hpp"
#include "rc3/search/rerank.hpp"

namespace rc3 {

/// Options of an ImageIndex: how it embeds, stores and searches.
struct ImageIndexOptions {
  EmbedderOptions embedder = {};                       ///< batches, threads, precision
  search::Storage storage = search::Storage::float32;  ///< of the vectors; a loaded index keeps its own
  int threads = 1;                                     ///< of a search, >= 1
  search::FolderOptions folder = {};                   ///< whether hidden files count
  std::string model_directory = {};  ///< of the pipeline; saved for programs that search, as `rc3 search`
};

/// Found image.
struct ImageHit {
  float score = 0;                                        ///< cosine, in [-1, 1]
  std::string path;                                       ///< as it was added
  float match = std::numeric_limits<float>::quiet_NaN();  ///< probability by ITM, in [0, 1], after rerank()
};

/// Result of reading a folder into an index.
struct FolderReport {
  std::int64_t added = 0;                ///< new images
  std::int64_t changed = 0;              ///< with another content than before
  std::int64_t unchanged = 0;            ///< not read again
  std::int64_t removed = 0;              ///< from the index
  std::vector<search::Skipped> skipped;  ///< no image, damaged or unreadable; sorted by path
};

/// Index of image files, searched by texts and images.
///
/// Several threads may search at once; a change must have the index alone.
/// @tparam M         an rc3::Model, or another that Embedder takes
/// @tparam Decoders  decoders of image files
/// @tparam Search    search::Exact, or search::Hnsw of rc3/search/hnsw.hpp
template <class M, class Decoders, class Search>
class ImageIndex {
 public:
  /// Empty index. It keeps the pipeline's identity, so that load() can refuse another model.
  /// @throws rc3::Error as Embedder and search::Index do, for an invalid option
  explicit ImageIndex(Pipeline<M> pipeline, ImageIndexOptions options = {}, typename Search::Options search = {});

  /// Index in the file @p path, made with the same model and image preparation.
  /// @throws rc3::Error if it was made with another, or as search::Index::load does
  static ImageIndex load(const std::filesystem::path& path, Pipeline<M> pipeline, ImageIndexOptions options = {},
                         typename Search::Options search = {});

  std::int64_t size() const { return index_.size(); }  ///< number of images
  bool empty() const { return index_.empty(); }
  /// Whether the index has this path, compared as text: "a.jpg" and "./a.jpg" differ.
  bool contains(const std::filesystem::path& path) const { return index_.contains(path.generic_string()); }
  /// Its model, for embeddings of other texts and images: their vectors are comparable with the index.
  const Embedder<M, Decoders>& embedder() const { return embedder_; }
  /// Vectors by path; its save() loses the files' states.
  const search::BasicIndex<Search>& vectors() const { return index_; }

  /// Adds the images of @p folder and its subfolders that are new or changed. Everything else is skipped and listed:
  /// other types, damaged images, unreadable files. Paths in the index begin with @p folder as given.
  /// @param progress  called after every batch; then the images before it are in the index, and save() is allowed
  /// @throws rc3::Error if the folder cannot be read or holds no image
  FolderReport add_folder(const std::filesystem::path& folder, const pipeline::Progress& progress = {}) {
    return read(folder, false, progress);
  }

  /// The same; removes the folder's images that are gone, no image any more or damaged.
  /// @throws rc3::Error as add_folder() does: an empty folder may be a disk that is not mounted
  FolderReport update(const std::filesystem::path& folder, const pipeline::Progress& progress = {}) {
    return read(folder, true, progress);
  }

  /// Adds an image file, or reads it again. @throws rc3::Error if it cannot be read
  void add(const std::filesystem::path& path);

  /// Adds an image under a name of its own, or replaces it.
  void add(const std::string& name, const io::Image& image);

  /// Removes an image from the index. @throws rc3::Error if it is not in the index
  void remove(const std::filesystem::path& path) {
    const std::string name = path.generic_string();
    index_.remove(name);
    files_.erase(name);
  }

  /// The @p k images closest to @p text, best first; all if the index has fewer.
  /// @param text    in any language that the model knows
  /// @param k       >= 1
  /// @param filter  predicate on paths
  /// @throws rc3::Error as Embedder::texts and search::Index::search do
  std::vector<ImageHit> search(const std::string& text, std::int64_t k = 10, const search::Filter& filter = {}) const;

  /// The @p k images closest to the image file @p path, without the file itself.
  /// @throws rc3::Error for k below 1, or a file that cannot be read
  std::vector<ImageHit> search_image(const std::filesystem::path& path, std::int64_t k = 10,
                                     const search::Filter& filter = {}) const;

  /// The first @p count of @p hits by score plus the probability of image-text matching (ITM), best first, and then the
  /// others. Reads each of these images again: use it for tens of hits. One that cannot be read any more is left out.
  std::vector<ImageHit> rerank(
      const std::string& text, std::vector<ImageHit> hits,
      std::int64_t count = std::numeric_limits<std::int64_t>::max()) const requires pipeline::detail::Matches<M> {
    return search::rerank(std::move(hits), count, [&](std::span<const ImageHit> first) {
      std::vector<std::filesystem::path> paths;
      for (const ImageHit& hit : first) paths.emplace_back(hit.path);
      return embedder_.match(text, paths);
    });
  }

  /// Writes vectors and states of files, complete or not at all, as search::Index::save does.
  void save(const std::filesystem::path& path) const { index_.save(path, files_); }

 private:
  FolderReport read(const std::filesystem::path& folder, bool remove, const pipeline::Progress& progress);

  void drop(const std::string& path, FolderReport& report) {
    index_.remove(path);
    files_.erase(path);
    ++report.removed;
  }

  /// Embeds image files into the index, batch by batch. @return number of them, and those that were read but damaged
  std::pair<std::int64_t, std::vector<std::string>> embed(const std::vector<search::FolderImage>& images,
                                                          std::vector<search::Skipped>& skipped,
                                                          const pipeline::Progress& progress);

  void put(const std::string& name, std::span<const float> vector) {
    if (index_.contains(name))
      index_.replace(name, vector);
    else
      index_.add(name, vector);
  }

  static search::FileState state_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return {0, 0, 0};  // reading it says why
    return {static_cast<std::int64_t>(status.st_size), search::detail::certain_time(search::modified_of(status)), 0};
  }

  std::vector<ImageHit> closest(const at::Tensor& vector, std::int64_t k, const search::Filter& filter) const;

  Embedder<M, Decoders> embedder_;
  ImageIndexOptions options_;
  search::BasicIndex<Search> index_;
  search::FileStates files_;
};

// Members outside the class: those inside are inline, and a program with extern_default_model.hpp would compile them.

template <class M, class Decoders, class Search>
ImageIndex<M, Decoders, Search>::ImageIndex(Pipeline<M> pipeline, ImageIndexOptions options,
                                            typename Search::Options search)
    : embedder_(std::move(pipeline), options.embedder),
      options_(std::move(options)),
      index_(embedder_.dimension(),
             {.storage = options_.storage,
              .threads = options_.threads,
              .model = pipeline::identity_of(embedder_.pipeline()),
              .model_directory = options_.model_directory},
             std::move(search)) {}

template <class M, class Decoders, class Search>
ImageIndex<M, Decoders, Search> ImageIndex<M, Decoders, Search>::load(const std::filesystem::path& path,
                                                                      Pipeline<M> pipeline, ImageIndexOptions options,
                                                                      typename Search::Options search) {
  ImageIndex index(std::move(pipeline), std::move(options));
  search::FileStates files;
  auto loaded =
      search::BasicIndex<Search>::load(path, index.index_.model(), index.options_.threads, &files, std::move(search));
  require(loaded.dimension() == index.embedder_.dimension(), path.string(), ": vectors of ", loaded.dimension(),
          " numbers, the model has ", index.embedder_.dimension(), "; make the index again");
  index.index_ = std::move(loaded);
  index.files_ = std::move(files);
  return index;
}

template <class M, class Decoders, class Search>
void ImageIndex<M, Decoders, Search>::add(const std::filesystem::path& path) {
  const std::string name = path.generic_string();
  require_utf8(name, join("rc3::ImageIndex: the path ", name));
  const search::FolderImage image{name, state_of(name)};
  std::vector<search::Skipped> skipped;
  embed({image}, skipped, {});
  if (!skipped.empty()) fail(skipped[0].path, ": ", skipped[0].reason);
}

template <class M, class Decoders, class Search>
void ImageIndex<M, Decoders, Search>::add(const std::string& name, const io::Image& image) {
  const at::Tensor vector = embedder_.images(std::span(&image, 1));
  put(name, pipeline::row(vector, 0));
  files_.erase(name);
}

template <class M, class Decoders, class Search>
std::vector<ImageHit> ImageIndex<M, Decoders, Search>::search(const std::string& text, std::int64_t k,
                                                              const search::Filter& filter) const {
  return closest(embedder_.text(text), k, filter);
}

template <class M, class Decoders, class Search>
std::vector<ImageHit> ImageIndex<M, Decoders, Search>::search_image(const std::filesystem::path& path, std::int64_t k,
                                                                    const search::Filter& filter) const {
  require(k >= 1, "rc3::ImageIndex: k must be >= 1, is ", k);
  auto hits = closest(embedder_.file(path), k + 1, filter);
  std::error_code ignored;
  std::erase_if(hits, [&](const ImageHit& hit) { return std::filesystem::equivalent(hit.path, path, ignored); });
  if (std::ssize(hits) > k) hits.pop_back();
  return hits;
}

template <class M, class Decoders, class Search>
FolderReport ImageIndex<M, Decoders, Search>::read(const std::filesystem::path& folder, bool remove,
                                                   const pipeline::Progress& progress) {
  auto changes = search::folder_changes<Decoders>(folder, files_, options_.folder);
  require(changes.images() > 0, folder.string(), ": holds no image, ", changes.skipped.size(), " other files",
          changes.skipped.empty() ? std::string()
                                  : join("; the first: ", changes.skipped[0].path, ": ", changes.skipped[0].reason),
          remove && !changes.removed.empty()
              ? join("; the index has ", changes.removed.size(),
                     " images of it, which are kept: is the disk mounted? Else make the index again")
              : "");
  FolderReport report{0, 0, changes.unchanged + std::ssize(changes.touched), 0, std::move(changes.skipped)};
  for (auto& image : changes.touched) files_[image.path] = image.state;
  for (const auto& path : changes.removed)
    if (remove) drop(path, report);
  std::vector<search::FolderImage> images = std::move(changes.changed);
  images.insert(images.end(), changes.added.begin(), changes.added.end());
  std::sort(images.begin(), images.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  const auto before = size();
  const auto [embedded, damaged] = embed(images, report.skipped, progress);
  report.added = size() - before;
  report.changed = embedded - report.added;
  for (const auto& path : damaged)
    if (remove && files_.contains(path)) drop(path, report);
  std::sort(report.skipped.begin(), report.skipped.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return report;
}

template <class M, class Decoders, class Search>
std::pair<std::int64_t, std::vector<std::string>> ImageIndex<M, Decoders, Search>::embed(
    const std::vector<search::FolderImage>& images, std::vector<search::Skipped>& skipped,
    const pipeline::Progress& progress) {
  std::vector<std::optional<std::uint32_t>> checksums(images.size());  // each written by one thread
  std::int64_t embedded = 0;
  const auto failures = embedder_.for_each(
      std::ssize(images),
      [&](std::int64_t i) -> preprocess::ImageSource {
        const std::string& path = images[static_cast<std::size_t>(i)].path;
        preprocess::EncodedImage file{io::read_file(path, options_.embedder.limits.max_bytes), path};
        checksums[static_cast<std::size_t>(i)] = io::crc32c(file.bytes);
        return file;
      },
      [&](const std::vector<std::int64_t>& indices, const at::Tensor& vectors) {
        for (std::size_t k = 0; k < indices.size(); ++k) {
          const auto i = static_cast<std::size_t>(indices[k]);
          put(images[i].path, pipeline::row(vectors, static_cast<std::int64_t>(k)));
          files_[images[i].path] = {images[i].state.size, images[i].state.modified, *checksums[i]};
          ++embedded;
        }
      },
      progress);
  std::vector<std::string> damaged;
  for (const ImageFailure& failure : failures) {
    const auto i = static_cast<std::size_t>(failure.index);
    std::string reason = failure.reason;
    if (reason.starts_with(images[i].path + ": ")) reason.erase(0, images[i].path.size() + 2);
    skipped.push_back({images[i].path, std::move(reason)});
    if (checksums[i]) damaged.push_back(images[i].path);
  }
  return {embedded, std::move(damaged)};
}

template <class M, class Decoders, class Search>
std::vector<ImageHit> ImageIndex<M, Decoders, Search>::closest(const at::Tensor& vector, std::int64_t k,
                                                               const search::Filter& filter) const {
  std::vector<ImageHit> hits;
  const at::Tensor one = vector.unsqueeze(0);
  for (auto& hit : index_.search(pipeline::row(one, 0), k, filter)) hits.push_back({hit.score, std::move(hit.name)});
  return hits;
}

/// ImageIndex::load with the model's type deduced: `auto index = rc3::load_image_index("photos.index", model);`
template <class Decoders = io::DefaultDecoders, class Search = search::Exact, class M>
ImageIndex<M, Decoders, Search> load_image_index(const std::filesystem::path& path, Pipeline<M> pipeline,
                                                 ImageIndexOptions options = {}, typename Search::Options search = {}) {
  return ImageIndex<M, Decoders, Search>::load(path, std::move(pipeline), std::move(options), std::move(search));
}

}  // namespace rc3
