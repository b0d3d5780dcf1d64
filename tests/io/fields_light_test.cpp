#include "rc3/io/fields.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "rc3/io/json.hpp"
#include "rc3/io/lines.hpp"
#include "support/support.hpp"

using namespace rc3;

namespace {

using Fields = std::vector<std::string>;

Fields split(std::string_view line) {
  io::FieldSplitter splitter('\t');
  BOOST_TEST(splitter.add(line));
  return splitter.fields();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(io_fields)

BOOST_AUTO_TEST_CASE(quotes_and_delimiters) {
  BOOST_TEST((split("a\tb\t\tc") == Fields{"a", "b", "", "c"}));
  BOOST_TEST((split("") == Fields{""}));
  BOOST_TEST((split("\t") == Fields{"", ""}));
  BOOST_TEST((split("\"a\tb\"\tc") == Fields{"a\tb", "c"}));
  BOOST_TEST((split("\"say \"\"a\"\"\"\tb\"b\"\t\"\"") == Fields{"say \"a\"", "b\"b\"", ""}));
  BOOST_TEST((split("\"a\"b\t ") == Fields{"ab", " "}));
}

BOOST_AUTO_TEST_CASE(a_quoted_field_takes_line_ends) {
  io::FieldSplitter splitter('\t');
  BOOST_TEST(!splitter.add("a\t\"b"));
  BOOST_TEST(!splitter.add(""));
  BOOST_TEST(splitter.add("c\"\td"));
  BOOST_TEST((splitter.fields() == Fields{"a", "b\n\nc", "d"}));
}

BOOST_AUTO_TEST_CASE(python_reads_the_same) {
  const std::string python = test::environment("RC3_TEST_PYTHON");
  if (python.empty()) return;
  const test::TempDir folder;
  // What csv.writer writes, then characters in no order: what it reads of both.
  io::write_file(folder / "peer.py", R"(
import csv, json, random, sys
random.seed(7)
def text(): return "".join(random.choices('ab"\t\n ž', k=random.choice([0, 1, 3, 30])))
with open(sys.argv[1], "w", newline="", encoding="utf-8") as out:
    writer = csv.writer(out, delimiter="\t", quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    for _ in range(2000): writer.writerow([text() for _ in range(random.choice([2, 3, 17]))])
    for _ in range(3000): out.write("".join(random.choices('ab"\t ž', k=12)) + "\n")
    out.write('"\n')
rows = list(csv.reader(open(sys.argv[1], newline="\n", encoding="utf-8"), delimiter="\t"))
json.dump(rows, open(sys.argv[2], "w"))
)");
  const std::string command = join(python, ' ', folder / "peer.py", ' ', folder / "a", ' ', folder / "b");
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  const auto expected = io::read_json(folder / "b").get<std::vector<Fields>>();
  const io::Lines lines(folder / "a");
  io::FieldSplitter splitter('\t');
  std::vector<Fields> rows;
  for (std::int64_t i = 0; i < lines.size(); ++i)
    if (splitter.add(lines.read(i))) rows.push_back(splitter.fields());
  test::at_least("records as Python reads them", rows.size(), 2000u);
  std::size_t differ = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) differ += i >= expected.size() || rows[i] != expected[i];
  test::at_most("records that differ from Python's", differ, 0u);
  BOOST_TEST(expected.size() - rows.size() <= 1u);  // Python gives an open record at the end of the file too
}

BOOST_AUTO_TEST_SUITE_END()
