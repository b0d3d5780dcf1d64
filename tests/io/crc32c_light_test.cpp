#include "rc3/io/crc32c.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

BOOST_AUTO_TEST_SUITE(io_crc32c)

BOOST_AUTO_TEST_CASE(of_the_rfc) {  // RFC 3720, B.4, and the check value of the catalogue of CRCs
  using rc3::io::crc32c;
  BOOST_TEST(crc32c(std::string(32, '\0')) == 0x8A9136AAu);
  BOOST_TEST(crc32c(std::string(32, '\xff')) == 0x62A8AB43u);
  std::string rising;
  for (char c = 0; c < 32; ++c) rising += c;
  BOOST_TEST(crc32c(rising) == 0x46DD794Eu);
  BOOST_TEST(crc32c("123456789") == 0xE3069283u);
  BOOST_TEST(crc32c("") == 0u);
}

BOOST_AUTO_TEST_CASE(in_pieces_it_is_the_same) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 37);
  for (std::size_t cut = 0; cut <= text.size(); cut += 13) {
    rc3::io::Crc32c sum;
    sum.add(text.substr(0, cut)).add(text.substr(cut));
    BOOST_TEST(sum.value() == rc3::io::crc32c(text));
  }
}

// Whichever of the two a processor takes.
BOOST_AUTO_TEST_CASE(table_and_instruction_agree) {
  std::string text;
  for (int i = 0; i < 300; ++i) {
    const std::uint32_t start = 2654435761u * static_cast<std::uint32_t>(i);
    const auto sum = ~rc3::io::detail::crc32c_by_table(~0u, text);
    BOOST_TEST(sum == rc3::io::crc32c(text));
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("sse4.2"))
      BOOST_TEST(rc3::io::detail::crc32c_by_table(start, text) == rc3::io::detail::crc32c_by_instruction(start, text));
#endif
    text += static_cast<char>(i * 91 + i / 7);
  }
}

BOOST_AUTO_TEST_SUITE_END()
