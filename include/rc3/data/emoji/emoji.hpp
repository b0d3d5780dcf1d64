#pragma once
/// The emoji data set: real images and texts that every machine can have, in thirty languages.

#include "rc3/data/emoji/captions.hpp"
#include "rc3/data/emoji/drawing.hpp"
#include "rc3/data/emoji/glyphs.hpp"
#include "rc3/data/emoji/list_pattern.hpp"
#include "rc3/data/emoji/raster.hpp"
#include "rc3/data/emoji/sampler.hpp"
#include "rc3/data/emoji/scene.hpp"
#include "rc3/data/emoji/scenes.hpp"
#include "rc3/data/emoji/split.hpp"
#include "rc3/data/emoji/style.hpp"
#include "rc3/data/emoji/words.hpp"
