#pragma once
/// Files with a few flipped bits, as a bad disk or a bad line leaves them.

#include <boost/test/unit_test.hpp>

#include <iostream>
#include <string>
#include <string_view>

#include "rc3/core/random.hpp"
#include "rc3/io/image.hpp"
#include "support/support.hpp"

namespace rc3::test {

/// Decodes 3,000 copies of the image @p file, each with 1 to 3 flipped bits: read, or an rc3::Error that begins with
/// @p name.
/// @tparam Decoders  io::Decoders
/// @param who   what reads, for the line that is printed
/// @param note  put behind it
template <class Decoders>
void read_or_refuse_flipped(std::string_view who, const std::string& file, const std::string& name,
                            std::string_view note = "") {
  Random random(3);
  int read = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string flipped = file;
    for (std::uint64_t flips = 1 + random.below(3); flips-- > 0;)
      flipped[random.below(flipped.size())] ^= static_cast<char>(1 << random.below(8));
    try {
      Decoders::decode(flipped, name, {.max_pixels = 1 << 20});
      ++read;
    } catch (const Error& error) {
      BOOST_TEST((std::string_view(error.what()).starts_with(name)));
    }
  }
  std::cout << who << ": of 3,000 flipped files " << read << " are read" << note << '\n';
}

}  // namespace rc3::test
