#include "rc3/core/reuse_memory.hpp"

#include <ATen/ops/full.h>
#include <boost/test/unit_test.hpp>

#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "support/support.hpp"

using rc3::BlockCache;

namespace {
constexpr std::size_t mib = std::size_t{1} << 20;
}

BOOST_AUTO_TEST_SUITE(core_reuse_memory)

BOOST_AUTO_TEST_CASE(a_block_of_nearly_the_same_size_is_used_again) {
  BlockCache cache(100 * mib);
  const void* first = cache.allocate(10 * mib).get();  // freed at once
  BOOST_TEST(cache.kept() == 10 * mib);
  const auto same = cache.allocate(9 * mib);
  BOOST_TEST(same.get() == first);
  BOOST_TEST(cache.kept() == 0u);
  const auto other = cache.allocate(9 * mib);
  BOOST_TEST(other.get() != first);
  cache.allocate(40 * mib);
  const auto much_smaller = cache.allocate(20 * mib);  // would waste half of the kept block
  BOOST_TEST(cache.kept() == 40 * mib);
}

BOOST_AUTO_TEST_CASE(the_smallest_of_several_blocks_is_chosen) {
  BlockCache cache(100 * mib);
  const void *large, *small;
  {
    const auto a = cache.allocate(12 * mib), b = cache.allocate(10 * mib);
    large = a.get();
    small = b.get();
  }
  const auto first = cache.allocate(10 * mib), second = cache.allocate(10 * mib);
  BOOST_TEST(first.get() == small);
  BOOST_TEST(second.get() == large);
}

BOOST_AUTO_TEST_CASE(the_memory_of_the_largest_step_is_kept) {
  BlockCache cache(0);
  const auto step = [&] {
    std::vector<c10::DataPtr> all;
    for (std::size_t i = 1; i < 8; ++i) all.push_back(cache.allocate(i * mib));
    BOOST_TEST(cache.kept() == 0u);
  };
  step();
  BOOST_TEST(cache.kept() == 28 * mib);
  step();
  BOOST_TEST(cache.kept() == 28 * mib);
}

BOOST_AUTO_TEST_CASE(kept_blocks_have_a_limit) {
  BlockCache cache(20 * mib);
  const auto eight = [&] {
    std::vector<c10::DataPtr> all;
    for (int i = 0; i < 8; ++i) all.push_back(cache.allocate(6 * mib));
    return all;
  };
  eight();
  BOOST_TEST(cache.kept() == 48 * mib);  // the peak
  const auto other = cache.allocate(30 * mib);
  BOOST_TEST(cache.kept() == 36 * mib);  // with 30 in use at most 20 beyond the peak
  eight();
  BOOST_TEST(cache.kept() == 48 * mib);  // all of them: the peak is 78 now, of which 30 are in use
}

BOOST_AUTO_TEST_CASE(memory_beyond_the_peak_comes_from_kept_blocks_first) {
  BlockCache cache(4 * mib), generous(20 * mib);
  for (BlockCache* c : {&cache, &generous}) {
    c->allocate(6 * mib);
    BOOST_TEST(c->kept() == 6 * mib);
  }
  const auto a = cache.allocate(100 * mib), b = generous.allocate(100 * mib);
  BOOST_TEST(cache.kept() == 0u);
  BOOST_TEST(generous.kept() == 6 * mib);
}

BOOST_AUTO_TEST_CASE(small_blocks_and_none) {
  BlockCache cache(20 * mib);
  const auto none = cache.allocate(0);
  auto small = cache.allocate(1000);
  std::memset(small.mutable_get(), 1, 1000);
  small.clear();
  BOOST_TEST(cache.kept() == 0u);
  void* raw = cache.raw_allocate(5 * mib);  // the interface of C libraries
  std::memset(raw, 1, 5 * mib);
  cache.raw_deallocate(raw);
  BOOST_TEST(cache.kept() == 5 * mib);
  cache.raw_deallocate(cache.raw_allocate(10));
  BOOST_TEST(cache.kept() == 5 * mib);
}

BOOST_AUTO_TEST_CASE(no_memory_is_an_error_after_all_kept_blocks_were_freed) {
  BlockCache cache(20 * mib);
  cache.allocate(5 * mib);
  BOOST_CHECK_THROW(cache.allocate(std::size_t{1} << 60), c10::Error);
  BOOST_TEST(cache.kept() == 0u);
}

BOOST_AUTO_TEST_CASE(threads_get_different_blocks) {
  BlockCache cache(64 * mib);
  std::vector<std::size_t> wrong(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int i = 0; i < 200; ++i) {
        const auto n = mib + random() % (3 * mib);
        const auto block = cache.allocate(n);
        auto* bytes = static_cast<unsigned char*>(block.get());
        std::memset(bytes, static_cast<int>(t + 1), n);
        std::this_thread::yield();
        for (std::size_t k = 0; k < n; k += 4096) wrong[t] += bytes[k] != t + 1;
      }
    });
  for (auto& t : threads) t.join();
  for (const auto count : wrong) BOOST_TEST(count == 0u);
  BOOST_TEST(cache.kept() <= 80 * mib);  // 64, and the peak of four threads
}

BOOST_AUTO_TEST_CASE(tensors_use_it) {
  auto* before = c10::GetCPUAllocator();
  auto old = at::full({1024, 1024}, 2.0);
  rc3::reuse_memory();
  const void* first = at::full({1024, 1024}, 3.0).const_data_ptr();
  const auto second = at::full({1024, 1024}, 4.0);
  BOOST_TEST(second.const_data_ptr() == first);
  BOOST_TEST(second.sum().item<double>() == 4.0 * 1024 * 1024);
  BOOST_TEST(old.sum().item<double>() == 2.0 * 1024 * 1024);
  old = at::Tensor();  // of the allocator before: freed by it
  c10::SetCPUAllocator(before);
}

BOOST_AUTO_TEST_SUITE_END()
