#pragma once
/// What the tool reads picture files with: every library that was found.

#include <rc3/io/image.hpp>
#ifdef RC3_TOOL_TURBOJPEG
#include <rc3/io/image/turbojpeg.hpp>
#endif
#ifdef RC3_TOOL_WEBP
#include <rc3/io/image/webp.hpp>
#endif

namespace tool {

#if defined(RC3_TOOL_TURBOJPEG) && defined(RC3_TOOL_WEBP)
using Decoders = rc3::io::Decoders<rc3::io::TurboJpeg, rc3::io::Stb, rc3::io::WebP>;
#elif defined(RC3_TOOL_TURBOJPEG)
using Decoders = rc3::io::Decoders<rc3::io::TurboJpeg, rc3::io::Stb>;
#elif defined(RC3_TOOL_WEBP)
using Decoders = rc3::io::Decoders<rc3::io::Stb, rc3::io::WebP>;
#else
using Decoders = rc3::io::DefaultDecoders;
#endif

}  // namespace tool
