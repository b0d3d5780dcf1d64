#pragma once
/// What all tasks about emoji scenes share: how examples are numbered, named, and made from drawn images.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emoji/drawing.hpp"
#include "emoji/glyphs.hpp"
#include "emoji/names.hpp"
#include "emoji/style.hpp"
#include "emoji/tasks/pool.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/text/text_id.hpp"

namespace emoji {

/// Of every task.
struct TaskOptions {
  std::uint64_t seed = 1;
  Style style = Style::training();
};

/// Numbers and draws the examples of a task.
///
/// Example i is item (i / languages) % items of scene i / (items * languages) in language i % languages: languages
/// alternate fastest, and all of them get the same image and the same answer, so that figures of two languages
/// differ by the language alone. Everything is a pure function of (seed, i), the style, the data and the arguments;
/// one language more changes scenes only where it leaves out a glyph, or makes two alike (see Pool).
class SceneTask {
 public:
  /// The most scenes of one set.
  static constexpr std::int64_t max_scenes = std::int64_t{1} << 40;

  const std::string& name() const { return name_; }
  /// scenes x items x languages
  std::int64_t size() const { return scenes_ * items_ * language_count(); }
  const LanguageCounts& languages() const { return counts_; }
  /// The glyphs that may occur; see Pool.
  const Pool& pool() const { return pool_; }

 protected:
  /// Where an example stands.
  struct Place {
    std::int64_t scene = 0;
    std::int64_t item = 0;
    std::string language;
    Random random;  ///< the scene's: the same for all its items and languages, another for each task
  };

  /// @param name       of the task, for errors and tables
  /// @param languages  of the examples' texts
  /// @param items      examples of one scene in one language
  /// @param needed     how many unlike glyphs a scene takes
  /// @param also       further languages that must name the glyphs
  SceneTask(std::string name, const Glyphs& glyphs, std::span<const std::size_t> indices,
            std::vector<std::string> languages, std::int64_t scenes, std::int64_t items, std::size_t needed,
            TaskOptions options, const std::vector<std::string>& also = {})
      : name_(std::move(name)),
        glyphs_(&glyphs),
        languages_(std::move(languages)),
        pool_(name_, glyphs, indices, joined(languages_, also), needed),
        scenes_(scenes),
        items_(items),
        options_(options) {
    require(1 <= scenes_ && scenes_ <= max_scenes, name_, ": scenes must be 1 .. ", max_scenes, ", is ", scenes_);
    check_style(options_.style);
    for (const std::string& language : languages_) counts_[language] = scenes_ * items_;
  }
  SceneTask(const SceneTask&) = default;
  SceneTask& operator=(const SceneTask&) = default;
  ~SceneTask() = default;

  const Glyphs& glyphs() const { return *glyphs_; }
  const Style& style() const { return options_.style; }

  /// @throws rc3::Error for a place outside 0 .. size() - 1
  Place place(std::int64_t i) const {
    require(0 <= i && i < size(), name_, ": example ", i, " of ", size());
    const std::int64_t languages = language_count();
    const std::int64_t scene = i / languages / items_;
    return {scene, i / languages % items_, languages_[static_cast<std::size_t>(i % languages)],
            Random(options_.seed, static_cast<std::uint64_t>(scene),
                   static_cast<std::uint64_t>(rc3::data::text_id(name_)))};
  }

  /// An example without views, text and answer.
  /// @param kind  what its id begins with
  Example start(const Place& at, std::string_view kind) const {
    Example example;
    example.id = join(kind, '-', options_.seed, '-', at.scene, '-', at.item, '-', at.language);
    example.language = at.language;
    example.group = at.scene;
    return example;
  }

  static View view(const Drawing& image) {
    View view;
    view.image = with_alpha(image);
    view.regions.width = static_cast<float>(image.width);
    view.regions.height = static_cast<float>(image.height);
    view.regions.boxes = image.boxes;
    return view;
  }

 private:
  static std::vector<std::string> joined(std::vector<std::string> all, const std::vector<std::string>& more) {
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::int64_t language_count() const { return static_cast<std::int64_t>(languages_.size()); }

  std::string name_;
  const Glyphs* glyphs_;
  std::vector<std::string> languages_;
  Pool pool_;
  std::int64_t scenes_;
  std::int64_t items_;
  TaskOptions options_;
  LanguageCounts counts_;
};

namespace detail {

/// @p items in random order.
template <class T>
std::vector<T> shuffled(std::vector<T> items, Random& random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
  return items;
}

/// @p count of @p from, in random order.
inline std::vector<std::size_t> pick(std::span<const std::size_t> from, std::size_t count, Random& random) {
  auto all = shuffled(std::vector<std::size_t>(from.begin(), from.end()), random);
  all.resize(count);
  return all;
}

}  // namespace detail

}  // namespace emoji
