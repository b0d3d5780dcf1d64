#pragma once
/// The names of rc3 that the emoji data set is written with.

#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/io/image/concept.hpp"

namespace emoji {

namespace io = rc3::io;
using rc3::Error;
using rc3::fail;
using rc3::join;
using rc3::Random;
using rc3::require;
using rc3::data::Dataset;
using rc3::data::Example;
using rc3::data::ExampleSet;
using rc3::data::LanguageCounts;
using rc3::data::Sample;
using rc3::data::View;

}  // namespace emoji
