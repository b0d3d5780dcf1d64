// Functions that programs with little or no optimization spend their time in: those that change images, parse JSON and
// compute attention. They are inline; this file is compiled with -O2 and linked first, so that the linker takes its
// copies. No function here may depend on which optional libraries a program is built with.

#if defined(__x86_64__)
#include "rc3/core/nn/attention_x86.hpp"
#endif
#include "rc3/core/utf8.hpp"
#include "rc3/io/image/flatten.hpp"
#include "rc3/io/image/resize.hpp"
#include "rc3/io/json.hpp"
#include "rc3/preprocess/augment.hpp"
#include "rc3/preprocess/fit.hpp"

template class nlohmann::basic_json<>;

namespace {
#if defined(__x86_64__)
[[gnu::used]] const auto attend = &rc3::nn::detail::attend_avx512;
#endif
[[gnu::used]] const auto augment = &rc3::preprocess::Augment::operator();
[[gnu::used]] const auto fit = &rc3::preprocess::fit;
[[gnu::used]] const auto flatten = &rc3::io::flatten;
[[gnu::used]] const auto parse = &rc3::io::parse_json;
[[gnu::used]] const auto resize = &rc3::io::resize;
[[gnu::used]] const auto find = &rc3::find_invalid_utf8;
}  // namespace
