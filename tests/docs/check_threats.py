#!/usr/bin/env python3
"""Holds docs/threats.md to the tests: each line names tests that ctest has, and cases that the linked files have.

A cell is "[name in ctest](file) `case`, `case`; ...". Lines of what is trusted may say "none". A test of an optional part that
was not built is said.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

PART = re.compile(r"\[([\w.]+)\]\(([^)]+)\)((?: `\w+`(?:, `\w+`)*)?)")
OPTIONAL = {"fuzz": "clang's libFuzzer", "serve": "cpp-httplib", "search": "Eigen", "pipeline": "Eigen"}


def name_of(file: str) -> str:
    """Name in ctest of a file of tests."""
    folder, *between, last = Path(file).parts[2:]  # without ../tests
    if between:
        return f"{folder}.{between[0]}"
    if folder == "fuzz":
        return f"fuzz.{Path(last).stem}"
    if last.endswith(".py"):
        return folder
    return folder + (".light" if last.endswith("_light_test.cpp") else ".torch")


def wrong(page: str, docs: Path, tests: set[str]) -> tuple[list[str], set[str]]:
    """What is wrong with the page, and the optional parts that were not built."""
    found, absent = [], set()
    title, rows = "", 0
    for line in page.split("\n"):
        if line.startswith("#"):
            title = line.lstrip("# ")
        if not line.startswith("| ") or line.startswith("| input |"):
            continue
        rows += 1
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[-1] == "none" and title == "Trusted":
            continue
        for part in cells[-1].split("; "):
            match = PART.fullmatch(part)
            if not match:
                found.append(f"{cells[0]}: no test: {part}")
                continue
            name, file, cases = match[1], match[2], re.findall(r"\w+", match[3])
            if not (docs / file).is_file() or name_of(file) != name:
                found.append(f"{cells[0]}: {name} is no test of {file}")
                continue
            group = name.split(".")[0]
            if name not in tests:
                if group in OPTIONAL and not any(test.startswith(group + ".") for test in tests):
                    absent.add(group)
                else:
                    found.append(f"{cells[0]}: ctest has no test {name}")
            text = (docs / file).read_text("utf-8")
            found += [f"{cells[0]}: {file} has no case {case}" for case in cases if not re.search(rf"(TEST_CASE\(|def ){case}\b", text)]
            if not cases and group != "fuzz":
                found.append(f"{cells[0]}: {name} without a case")
    if not rows:
        found.append("there is no line")
    return found, absent


def self_test() -> None:
    docs = Path(__file__).parents[2] / "docs"
    file = "../tests/io/json_light_test.cpp"
    good = f"## Trusted\n| a | none |\n## Not\n| b | [io.light]({file}) `get_names_file_and_key` |\n"
    assert wrong(good, docs, {"io.light"}) == ([], set())
    fuzz = good + "| c | [fuzz.tar](../tests/fuzz/tar.cpp) |\n"
    assert wrong(fuzz, docs, {"io.light"}) == ([], {"fuzz"})
    for page, tests, what in (
        (good, {"io.torch"}, "ctest has no test io.light"),
        (fuzz, {"io.light", "fuzz.image"}, "ctest has no test fuzz.tar"),
        (good.replace("io.light", "text.light"), {"io.light", "text.light"}, "is no test of"),
        (good.replace("json_light", "no_light"), {"io.light"}, "is no test of"),
        (good.replace("get_names", "get_no"), {"io.light"}, "has no case get_no"),
        (good.replace(" `get_names_file_and_key`", ""), {"io.light"}, "without a case"),
        (good + "| d | none |\n", {"io.light"}, "no test: none"),
        ("", {"io.light"}, "there is no line"),
    ):
        found, _ = wrong(page, docs, tests)
        assert len(found) == 1 and what in found[0], (found, what)


def main() -> None:
    if "--self-test" in sys.argv:
        return self_test()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True)
    args = parser.parse_args()
    listing = subprocess.run(["ctest", "--test-dir", args.build, "--show-only=json-v1"], check=True, capture_output=True, text=True).stdout
    tests = {test["name"] for test in json.loads(listing)["tests"]}
    page = (args.root / "docs/threats.md").read_text("utf-8")
    found, absent = wrong(page, args.root / "docs", tests)
    for group in sorted(absent):
        print(f"without {OPTIONAL[group]} there are no tests {group}.*")
    if found:
        sys.exit("\n".join(f"docs/threats.md: {what}" for what in found))


if __name__ == "__main__":
    main()
