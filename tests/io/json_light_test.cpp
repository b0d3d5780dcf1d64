#include "rc3/io/json.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(io_json)

using rc3::io::get;
using rc3::io::parse_json;
using rc3::test::throws_with;
using namespace std::string_literals;

BOOST_AUTO_TEST_CASE(bad_json_is_refused_by_name) {
  throws_with([] { parse_json("{\"a\":", "config.json"); }, "config.json", "not JSON");
  throws_with([] { parse_json("", "config.json"); }, "config.json", "not JSON");
  throws_with([] { parse_json(R"({"a":1,"a":2})", "config.json"); }, "config.json", "\"a\"", "twice");
  throws_with([] { parse_json(R"({"b":[{"a":1,"\u0061":2}]})", "config.json"); }, "\"a\"", "twice");
  throws_with([] { parse_json("\"\xFF\"", "config.json"); }, "config.json", "byte 1");
  throws_with([] { parse_json("{}\0x"s, "config.json"); }, "config.json", "NUL");
  throws_with([] { parse_json(std::string(1'000'000, '['), "deep.json"); }, "deep.json", "deeper than 64");
  throws_with([] { parse_json("[1,2,3]", "big.json", {.max_bytes = 3}); }, "big.json", "more than the allowed 3");
  throws_with([] { rc3::io::read_json("/nowhere/config.json"); }, "/nowhere/config.json", "No such file");
}

BOOST_AUTO_TEST_CASE(the_same_key_in_different_objects_is_fine) {
  const auto json = parse_json(R"({"a":{"a":[{"a":1},{"a":2}]},"b":{"a":3}})", "x");
  BOOST_TEST(json["a"]["a"][1]["a"] == 2);
}

BOOST_AUTO_TEST_CASE(get_names_file_and_key) {
  const auto json =
      parse_json(R"({"size":3,"big":5000000000,"eps":1e-5,"name":"x","on":true,"list":[1,2],"none":null})", "f");
  BOOST_TEST(get<int>(json, "size", "f") == 3);
  BOOST_TEST(get<std::int64_t>(json, "big", "f") == 5000000000);
  BOOST_TEST(get<double>(json, "eps", "f") == 1e-5);
  BOOST_TEST(get<double>(json, "size", "f") == 3.0);
  BOOST_TEST(get<std::string>(json, "name", "f") == "x");
  BOOST_TEST(get<bool>(json, "on", "f"));
  BOOST_TEST((get<std::vector<int>>(json, "list", "f") == std::vector<int>{1, 2}));
  BOOST_TEST(rc3::io::get_or<int>(json, "none", "f", 7) == 7);
  BOOST_TEST(rc3::io::get_or<int>(json, "gone", "f", 8) == 8);
  BOOST_TEST(rc3::io::get_or<int>(json, "size", "f", 8) == 3);

  throws_with([&] { get<int>(json, "gone", "config.json"); }, "config.json", "\"gone\" is missing");
  throws_with([&] { get<int>(json, "big", "config.json"); }, "config.json", "\"big\"", "in range");
  throws_with([&] { get<unsigned>(parse_json(R"({"n":-1})", "f"), "n", "f"); }, "in range", "-1");
  throws_with([&] { get<int>(json, "eps", "config.json"); }, "config.json", "\"eps\"", "integer");
  throws_with([&] { get<int>(json, "on", "config.json"); }, "\"on\"", "integer", "true");
  throws_with([&] { get<bool>(json, "size", "config.json"); }, "\"size\"", "true or false");
  throws_with([&] { get<double>(json, "name", "config.json"); }, "\"name\"", "number", "\"x\"");
  throws_with([&] { get<std::string>(json, "size", "config.json"); }, "\"size\"", "string");
  throws_with([&] { get<std::vector<std::string>>(json, "list", "config.json"); }, "\"list\"", "string");
  throws_with([&] { rc3::io::get_or<int>(json, "name", "config.json", 1); }, "\"name\"", "integer");
  throws_with([&] { get<int>(json["list"], "x", "config.json"); }, "config.json", "object");
}

BOOST_AUTO_TEST_SUITE_END()
