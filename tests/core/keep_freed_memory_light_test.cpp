#include "rc3/core/keep_freed_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

#ifdef __GLIBC__

namespace {

/// Bytes of the heap while 48 MiB are in use, and after they are freed; bytes of mappings beside the heap in use.
struct Memory {
  std::size_t in_use, freed, mapped;
};

Memory memory() {
  const auto before = mallinfo2().hblkhd;
  std::vector<char> block(std::size_t{48} << 20, 'x');
  BOOST_TEST_REQUIRE(block[block.size() / 2] == 'x');
  const auto during = mallinfo2();
  std::vector<char>().swap(block);
  return {during.arena, mallinfo2().arena, during.hblkhd - before};
}

}  // namespace

BOOST_AUTO_TEST_CASE(freed_memory_is_kept_for_later_allocations) {
  const auto usual = memory();
  BOOST_TEST(usual.mapped >= std::size_t{48} << 20);  // what glibc does with a large block: it is unmapped when freed
  rc3::keep_freed_memory();
  const auto kept = memory();
  BOOST_TEST(kept.mapped == 0u);
  BOOST_TEST(kept.in_use >= std::size_t{48} << 20);
  BOOST_TEST(kept.freed >= kept.in_use);
  BOOST_TEST(memory().in_use == kept.in_use);  // the same pages again
}

#endif
