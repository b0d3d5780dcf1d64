#pragma once
/// The emoji data set: real images and texts that every machine can have, in thirty languages.

#include "emoji/captions.hpp"
#include "emoji/drawing.hpp"
#include "emoji/glyphs.hpp"
#include "emoji/list_pattern.hpp"
#include "emoji/raster.hpp"
#include "emoji/sampler.hpp"
#include "emoji/scene.hpp"
#include "emoji/scenes.hpp"
#include "emoji/split.hpp"
#include "emoji/style.hpp"
#include "emoji/words.hpp"
