#pragma once
/// Version of the library. CMakeLists.txt and the packages read it from the three lines below.

#include <string_view>

#define RC3_VERSION_MAJOR 0
#define RC3_VERSION_MINOR 1
#define RC3_VERSION_PATCH 0

/// For `#if`: 10203 is 1.2.3.
#define RC3_VERSION (RC3_VERSION_MAJOR * 10000 + RC3_VERSION_MINOR * 100 + RC3_VERSION_PATCH)

#define RC3_DETAIL_QUOTE(number) #number
#define RC3_DETAIL_DOTTED(major, minor, patch) \
  RC3_DETAIL_QUOTE(major) "." RC3_DETAIL_QUOTE(minor) "." RC3_DETAIL_QUOTE(patch)

namespace rc3 {

/// "1.2.3".
inline constexpr std::string_view version = RC3_DETAIL_DOTTED(RC3_VERSION_MAJOR, RC3_VERSION_MINOR, RC3_VERSION_PATCH);

}  // namespace rc3

#undef RC3_DETAIL_DOTTED
#undef RC3_DETAIL_QUOTE
