// Functions that tests and examples without optimization spend their time in: those that change images and parse JSON.
// They are inline; this file is compiled with -O2 and linked first, so that the linker takes its copies. No function
// here may depend on which optional libraries a program is built with.

#include "rc3/core/utf8.hpp"
#include "rc3/io/image/flatten.hpp"
#include "rc3/io/image/resize.hpp"
#include "rc3/io/json.hpp"
#include "rc3/preprocess/augment.hpp"
#include "rc3/preprocess/fit.hpp"

template class nlohmann::basic_json<>;

namespace {
[[gnu::used]] const auto augment = &rc3::preprocess::Augment::operator();
[[gnu::used]] const auto fit = &rc3::preprocess::fit;
[[gnu::used]] const auto flatten = &rc3::io::flatten;
[[gnu::used]] const auto parse = &rc3::io::parse_json;
[[gnu::used]] const auto resize = &rc3::io::resize;
[[gnu::used]] const auto find = &rc3::find_invalid_utf8;
}  // namespace
