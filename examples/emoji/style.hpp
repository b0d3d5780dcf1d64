#pragma once
/// How images are drawn: size, and how much each one may differ from the next.

#include "emoji/names.hpp"
#include "rc3/core/error.hpp"

namespace emoji {

/// What lies behind the glyphs.
enum class Background {
  white,   ///< plain white
  varied,  ///< white for one in four, else a flat colour or a soft gradient
};

/// All sizes are whole numbers, because every byte of an image is a function of them by integer arithmetic.
struct Style {
  int width = 224;   ///< pixels, 16 .. 4096
  int height = 224;  ///< pixels, 16 .. 4096
  Background background = Background::varied;
  int single_min = 60;   ///< smallest longer edge of the glyph of a single, percent of the shorter side, 5 .. 100
  int single_max = 100;  ///< largest
  int scene_min = 24;    ///< the same for an object of a scene; a crowded scene shrinks its objects below this
  int scene_max = 48;
  bool move = true;      ///< anywhere in the image; false: a single stands in the middle
  int rotation = 0;      ///< degrees to either side at most, 0 .. 90
  int flip_percent = 0;  ///< chance of a mirrored glyph, 0 .. 100; off unless asked for: it turns left into right, and
                         ///< letters into none, while the caption stays

  /// For training: every image another background, size, place and slight turn.
  static Style training(int width = 224, int height = 224) {
    Style s;
    s.width = width;
    s.height = height;
    s.rotation = 10;
    return s;
  }

  /// The one view of a glyph that evaluation uses: in the middle of white, aspect kept, as large as the frame.
  static Style canonical(int width = 224, int height = 224) {
    Style s;
    s.width = width;
    s.height = height;
    s.background = Background::white;
    s.single_min = s.single_max = 96;
    s.move = false;
    return s;
  }
};

/// @throws rc3::Error naming the first field of @p style outside its range
inline void check_style(const Style& style) {
  const auto in = [](const char* name, int value, int low, int high) {
    require(low <= value && value <= high, "emoji::Style: ", name, " must be ", low, " .. ", high, ", is ", value);
  };
  in("width", style.width, 16, 4096);
  in("height", style.height, 16, 4096);
  in("single_min", style.single_min, 5, 100);
  in("single_max", style.single_max, style.single_min, 100);
  in("scene_min", style.scene_min, 5, 100);
  in("scene_max", style.scene_max, style.scene_min, 100);
  in("rotation", style.rotation, 0, 90);
  in("flip_percent", style.flip_percent, 0, 100);
}

}  // namespace emoji
