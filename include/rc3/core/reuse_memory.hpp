#pragma once
/// Faster memory for programs that train or embed: large blocks of freed tensors are used again.

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace rc3 {

/// CPU allocator that keeps freed blocks of 1 MiB and more and gives them to later tensors of nearly the same size. The
/// kernel would clear their pages in every step otherwise. Kept blocks and those in use together take at most the peak
/// of those in use, and a given number of bytes. Smaller blocks come from c10::alloc_cpu.
/// Any number of threads may use it. Its address stays in use while a tensor of it lives.
class BlockCache final : public c10::Allocator {
 public:
  static constexpr std::size_t smallest = std::size_t{1} << 20;  ///< bytes; smaller blocks are not kept

  /// @param beyond_peak  bytes of freed blocks that are kept beyond the peak of the memory in use
  explicit BlockCache(std::size_t beyond_peak) : beyond_peak_(beyond_peak) {}
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;
  ~BlockCache() override { keep_at_most(0); }

  /// @throws c10::Error if there is no memory
  c10::DataPtr allocate(std::size_t n) override {
    void* data = n < smallest ? c10::alloc_cpu(n) : take(n);
    return {data, data, deleter(), at::Device(at::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return deleter(); }
  void copy_data(void* to, const void* from, std::size_t count) const override { default_copy_data(to, from, count); }

  /// Bytes of freed blocks.
  std::size_t kept() const {
    const std::lock_guard lock(mutex_);
    return kept_;
  }

 private:
  struct Block {
    void* data;
    std::size_t size;
  };
  /// What to do with a block of any cache: deleters have no other argument than the data.
  struct Owners {
    std::mutex mutex;
    std::unordered_map<const void*, std::pair<BlockCache*, std::size_t>> of;
  };

  static constexpr std::size_t alignment = std::size_t{2} << 20;  // of a huge page

  static Owners& owners() {
    static auto* all = new Owners;  // tensors may be freed after static objects
    return *all;
  }
  static c10::DeleterFnPtr deleter() { return &give_back; }

  static void give_back(void* data) {
    if (reinterpret_cast<std::uintptr_t>(data) % alignment == 0 && data != nullptr) {  // smaller blocks hardly ever are
      std::unique_lock lock(owners().mutex);
      if (const auto found = owners().of.find(data); found != owners().of.end()) {
        const auto [cache, size] = found->second;
        owners().of.erase(found);
        lock.unlock();
        cache->keep({data, size});
        return;
      }
    }
    c10::free_cpu(data);
  }

  void* take(std::size_t n) {
    Block block = find(n);
    if (block.data == nullptr) {
      block.size = n;
      keep_at_most(allowed(n));
      if (::posix_memalign(&block.data, alignment, n) != 0) {
        keep_at_most(0);
        const int failed = ::posix_memalign(&block.data, alignment, n);
        TORCH_CHECK(failed == 0, "rc3::BlockCache: no memory for a tensor of ", n, " bytes");
      }
#ifdef MADV_HUGEPAGE
      ::madvise(block.data, n, MADV_HUGEPAGE);
#endif
    }
    {
      const std::lock_guard lock(mutex_);
      in_use_ += block.size;
      peak_ = std::max(peak_, in_use_);
    }
    const std::lock_guard lock(owners().mutex);
    owners().of[block.data] = {this, block.size};
    return block.data;
  }

  /// The smallest kept block of @p n to 1.25 @p n bytes, no longer kept; null if there is none.
  Block find(std::size_t n) {
    const std::lock_guard lock(mutex_);
    auto best = free_.end();
    for (auto b = free_.begin(); b != free_.end(); ++b)
      if (b->size >= n && b->size <= n + n / 4 && (best == free_.end() || b->size < best->size)) best = b;
    if (best == free_.end()) return {nullptr, 0};
    const Block found = *best;
    free_.erase(best);
    kept_ -= found.size;
    return found;
  }

  void keep(const Block& block) {
    {
      const std::lock_guard lock(mutex_);
      free_.push_back(block);
      kept_ += block.size;
      in_use_ -= block.size;
    }
    keep_at_most(allowed(0));
  }

  /// Bytes of freed blocks that may be kept once @p more bytes are in use.
  std::size_t allowed(std::size_t more) const {
    const std::lock_guard lock(mutex_);
    return beyond_peak_ + (peak_ > in_use_ + more ? peak_ - in_use_ - more : 0);
  }

  /// Frees the blocks that have been kept longest.
  void keep_at_most(std::size_t most) {
    std::deque<Block> old;
    {
      const std::lock_guard lock(mutex_);
      while (kept_ > most) {
        kept_ -= free_.front().size;
        old.push_back(free_.front());
        free_.pop_front();
      }
    }
    for (const auto& block : old) std::free(block.data);
  }

  const std::size_t beyond_peak_;
  mutable std::mutex mutex_;
  std::deque<Block> free_;  // in the order of freeing
  std::size_t kept_ = 0, in_use_ = 0, peak_ = 0;
};

/// Makes LibTorch's tensors on the CPU use the memory of freed ones, for the rest of the process. Call it once, at the
/// start of main(). The process keeps the memory of its largest step.
/// @param beyond_peak  bytes of freed blocks that are kept beyond the peak of the memory in use
inline void reuse_memory(std::size_t beyond_peak = std::size_t{1} << 30) {
  c10::SetCPUAllocator(new BlockCache(beyond_peak));
}

}  // namespace rc3
