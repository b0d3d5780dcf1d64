#pragma once
/// Faster memory for programs that train: freed blocks stay in the process. LibTorch-free.

#include <cstdlib>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace rc3 {

/// Keeps freed memory for later allocations. By default glibc returns large blocks to the kernel, which clears new
/// pages at every step of a training. Memory of the process stays at its peak. Affects the whole process: call it once,
/// at the start of main(). Without glibc, or with another allocator such as jemalloc, nothing changes.
inline void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);         // no mapping of its own for a large block
  mallopt(M_TRIM_THRESHOLD, -1);  // the heap does not shrink
  mallopt(M_TOP_PAD, 64 << 20);   // and grows by 64 MiB or more
#endif
}

}  // namespace rc3
