#pragma once
/// What a program reads image files with: every library that it was built with (RC3_HAS_TURBOJPEG, RC3_HAS_WEBP).
/// LibTorch-free.

#include "rc3/io/image.hpp"
#ifdef RC3_HAS_TURBOJPEG
#include "rc3/io/image/turbojpeg.hpp"
#endif
#ifdef RC3_HAS_WEBP
#include "rc3/io/image/webp.hpp"
#endif

namespace rc3::experiment {

#if defined(RC3_HAS_TURBOJPEG) && defined(RC3_HAS_WEBP)
using Decoders = rc3::io::Decoders<rc3::io::TurboJpeg, rc3::io::Stb, rc3::io::WebP>;
#elif defined(RC3_HAS_TURBOJPEG)
using Decoders = rc3::io::Decoders<rc3::io::TurboJpeg, rc3::io::Stb>;
#elif defined(RC3_HAS_WEBP)
using Decoders = rc3::io::Decoders<rc3::io::Stb, rc3::io::WebP>;
#else
using Decoders = rc3::io::DefaultDecoders;
#endif

}  // namespace rc3::experiment
