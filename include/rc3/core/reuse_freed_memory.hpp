#pragma once
/// Reuse of freed memory, for programs that train.

#include <cstdlib>  // defines __GLIBC__

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace rc3 {

/// Makes malloc keep freed memory for the next allocation instead of returning it to the system. Every training step
/// allocates and frees tensors of megabytes; by default glibc maps new pages for each, and the kernel clears them. Call
/// it at the start of main(). Memory that the program once needed stays with it. Without glibc it does nothing.
inline void reuse_freed_memory() {
#ifdef __GLIBC__
  // M_MMAP_THRESHOLD has a limit of 32 MiB; a value above it is refused.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace rc3
