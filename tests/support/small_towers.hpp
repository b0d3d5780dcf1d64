#pragma once
/// Sizes of small towers of dual encoders.

namespace rc3::test {

/// @p options of a text or vision tower of one layer, width 16; texts have 30 ids and 7 positions, images 16 x 16
/// pixels.
template <class Options>
Options small(Options options) {
  options.width = 16;
  options.layers = 1;
  options.heads = 2;
  options.feed_forward = 24;
  if constexpr (requires { options.patch_size; }) {
    options.image_size = 16;
    options.patch_size = 8;
  } else {
    options.vocabulary = 30;
    options.positions = 7;
    options.projection = 16;
  }
  return options;
}

}  // namespace rc3::test
