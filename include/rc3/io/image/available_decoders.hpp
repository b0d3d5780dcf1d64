#pragma once
/// Image decoders that a program was built with: stb, and libjpeg-turbo and libwebp where RC3_HAS_TURBOJPEG and
/// RC3_HAS_WEBP are defined, alike in all its files. LibTorch-free.

#include "rc3/io/image.hpp"
#ifdef RC3_HAS_TURBOJPEG
#include "rc3/io/image/turbojpeg.hpp"
#endif
#ifdef RC3_HAS_WEBP
#include "rc3/io/image/webp.hpp"
#endif

namespace rc3::io {

#if defined(RC3_HAS_TURBOJPEG) && defined(RC3_HAS_WEBP)
using AvailableDecoders = Decoders<TurboJpeg, Stb, WebP>;
#elif defined(RC3_HAS_TURBOJPEG)
using AvailableDecoders = Decoders<TurboJpeg, Stb>;
#elif defined(RC3_HAS_WEBP)
using AvailableDecoders = Decoders<Stb, WebP>;
#else
using AvailableDecoders = DefaultDecoders;
#endif

}  // namespace rc3::io
