#include "rc3/io/base64.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>

#include "rc3/core/random.hpp"
#include "rc3/io/file.hpp"
#include "support/base64.hpp"
#include "support/support.hpp"

using namespace rc3;
using test::encode_base64;
using test::throws_with;

namespace {

std::string decode(std::string_view text) { return io::decode_base64(text, 1 << 20, "here"); }

}  // namespace

BOOST_AUTO_TEST_SUITE(io_base64)

BOOST_AUTO_TEST_CASE(vectors_of_rfc_4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) BOOST_TEST(decode(text) == bytes);
}

BOOST_AUTO_TEST_CASE(all_that_is_not_canonical_is_refused) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zm9vY", "=", "==", "Zm9vYg", "Zm9v\n"})
    throws_with([&] { decode(text); }, "here: no base64: ", "no multiple of 4");
  for (const char* text : {"====", "A===", "=AAA", "A=AA", "AA=A", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9", "Zm9\n", "Zm-_",
                           "Zm9\xe9", "Zm9.", "Z=g="})
    throws_with([&] { decode(text); }, "here: no base64: characters 1 to 4 of");
  throws_with([&] { decode("Zm9vZm9-Zm9v"); }, "characters 5 to 8 of 12");
  throws_with([&] { decode(std::string("Zm9\0", 4)); }, "characters 1 to 4");
}

BOOST_AUTO_TEST_CASE(every_text_of_four_characters) {
  // All that two last characters can be, in each form: what is taken is what encoding gives.
  int taken = 0;
  for (int c = 0; c < 256; ++c)
    for (int d = 0; d < 256; ++d) {
      const std::string text{'Q', 'U', static_cast<char>(c), static_cast<char>(d)};
      try {
        const std::string bytes = decode(text);
        BOOST_REQUIRE(encode_base64(bytes) == text);
        ++taken;
      } catch (const Error&) {
      }
    }
  BOOST_TEST(taken == 64 * 64 + 16);  // "QU==" has bits left over
}

BOOST_AUTO_TEST_CASE(sizes_are_bounded) {
  BOOST_TEST(io::decode_base64("Zm8=", 2, "here") == "fo");
  throws_with([&] { io::decode_base64("Zm9v", 2, "here"); }, "base64 of 3 bytes, more than the allowed 2");
  std::array<std::byte, 2> two{};
  throws_with([&] { io::decode_base64("Zm9v", two, "here"); }, "base64 of 3 bytes, 2 are expected");
}

BOOST_AUTO_TEST_CASE(python_encodes_the_same) {
  const std::string python = test::environment("RC3_TEST_PYTHON");
  if (python.empty()) return;
  const test::TempDir folder;
  io::write_file(folder / "peer.py", R"(
import base64, sys
data = open(sys.argv[1], "rb").read()
open(sys.argv[2], "wb").write(b"\n".join(base64.b64encode(data[:n]) for n in [*range(300), len(data)]))
)");
  Random random(1);
  std::string bytes(100'003, '\0');
  for (char& c : bytes) c = static_cast<char>(random.below(256));
  io::write_file(folder / "a", bytes);
  const std::string command = join(python, ' ', folder / "peer.py", ' ', folder / "a", ' ', folder / "b");
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  std::ifstream lines(folder / "b");
  std::size_t n = 0;
  for (std::string line; std::getline(lines, line); ++n)
    BOOST_TEST((decode(line) == bytes.substr(0, n == 300 ? bytes.size() : n)));
  BOOST_TEST(n == 301u);
}

BOOST_AUTO_TEST_SUITE_END()
