#!/usr/bin/env python3
"""Writes docs/limits.md: every limit of what a file, a text or a request may make this code read, from the code itself.

A limit is a constant or a member called max_..., max_... in braces or a number of bytes where a reader is called, the range of
a size in a model's config.json, or a number that require() compares a size of a file with. OTHER names those that bound
something else. --check compares instead of writing, for ctest. Needs Python's standard library only.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOTS = ("include/rc3", "examples/rc3/serve")
OTHER = {
    "max_length", "max_patches", "max_samples", "max_images", "max_consecutive_skips", "max_aspect", "max_examples",  # of models and runs
    "max_rows", "max_queries", "max_exp_avg_sqs",  # of a computation's blocks
    "port",
}  # fmt: skip
NOT_LIMITS = {"task/retrieval_evaluation.hpp", "search/hnsw.hpp"}  # a sample of texts; the options of an index, not of its file
DECLARED = re.compile(r"^\s*(?:static |inline |constexpr )*(?:std::)?[a-z0-9_]+ (max_\w+) ?= ?([^;]+);\s*(?:///?<? ?(.*))?$")
CALLED = re.compile(r"\.(max_\w+) = ([^,}]+)")
READ = re.compile(r"\bread_file\(.*?, ([^()]*[0-9][^()]*)\)")
SIZE = re.compile(r'\bsize\(("\w+"), \d+, ([0-9\']+)\)')
DEFAULT = re.compile(r"\bsize\(.* most = ([0-9']+)\) const")
CHECKED = re.compile(r"\b(?:require|right)\(.*")
COMPARED = re.compile(r"\b(\w+) <= ([0-9']{3,})\b")
KIBI = {30: "GiB", 20: "MiB", 10: "KiB"}


def value(text: str) -> int | None:
    """Value of a C++ expression of integers; None if it is another one."""
    if text.strip() == "std::numeric_limits<std::int32_t>::max()":
        return 2**31 - 1
    text = re.sub(r"std::\w+\{(\d+)\}", r"\1", text.strip()).replace("'", "")
    text = re.sub(r"\b(\d+)u?\b", r"\1", text)
    return eval(text) if re.fullmatch(r"[\d\s<*+-]+", text) else None  # noqa: S307  digits and operators only


def words(number: int, unit: str) -> str:
    for bits, name in KIBI.items():
        if unit == "bytes" and number >= 1 << bits and number % (1 << bits) == 0:
            return f"{number >> bits} {name}"
    return f"{number:,}" + (" bytes" if unit == "bytes" else "")


def scope(lines: list[str], at: int) -> str:
    """Struct or class around a member, with ::."""
    indent = len(lines[at]) - len(lines[at].lstrip())
    for line in reversed(lines[:at]):
        depth = len(line) - len(line.lstrip())
        if line.strip() and depth < indent and (match := re.match(r"\s*(?:struct|class) (\w+)[^;]*$", line)):
            return match[1] + "::"
    return ""


def comment(lines: list[str], at: int, own: str | None) -> str:
    if own:
        return own
    above = []
    for line in reversed(lines[:at]):
        if not (match := re.match(r"\s*/// ?(.*)", line)):
            break
        above.insert(0, match[1])
    return re.split(r"(?<=[a-z)])\. ", " ".join(above))[0]


def used(line: str) -> list[tuple[str, str, str, str]]:
    """Limits of one call: title, name, value and what they are of."""
    found = [(f"{{.{m[1]} = ...}}", m[1], m[2], "") for m in CALLED.finditer(line)]
    found += [("read_file(path, ...)", "bytes", m[1], "of the file") for m in READ.finditer(line)]
    found += [(m[1].strip('"'), m[1], m[2], "of config.json") for m in SIZE.finditer(line)]
    found += [("size(key)", "size", m[1], "of config.json, where no other limit is given") for m in DEFAULT.finditer(line)]
    if check := CHECKED.search(line):
        found += [(m[1], m[1], m[2], "") for m in COMPARED.finditer(check[0])]
    return found


def limits(root: Path) -> list[tuple[str, str, str, str]]:
    rows = []
    for folder in ROOTS:
        for file in sorted([*(root / folder).rglob("*.hpp"), *(root / folder).rglob("*.cpp")]):
            short = file.relative_to(root).as_posix()
            lines = file.read_text("utf-8").split("\n")
            if short.removeprefix("include/rc3/") in NOT_LIMITS:
                continue
            for at, line in enumerate(lines):
                if line.lstrip().startswith("//"):
                    continue
                found = [(scope(lines, at) + m[1], m[1], m[2], comment(lines, at, m[3])) for m in [DECLARED.match(line)] if m]
                found = found or [(title, name, expression, of) for title, name, expression, of in used(line)]
                for title, name, expression, of in found:
                    number = value(expression)
                    if name in OTHER or number is None:
                        continue
                    unit = "bytes" if re.search(r"bytes|_line$|_image$|_member$|_body$|_query$", name) or of.startswith("bytes") else ""
                    rows.append((short, title, words(number, unit), of.rstrip(".")))
    return sorted(rows, key=lambda row: row[0].rsplit("/", 1)[0])  # stable: a folder's files stay in order


def page(root: Path) -> str:
    out = [
        "# Limits",
        "",
        "Limits of what a file, a text or a request may make rc3 read or allocate. Larger input is an `rc3::Error` that names",
        "the input and the limit. Members of an options type can be set; constants cannot. In braces: the limit of one call.",
        "`tools/limits.py` writes this page from the sources, and a test fails when it is out of date.",
    ]
    previous = None
    for file, name, number, of in limits(root):
        if file.rsplit("/", 1)[0] != previous:
            previous = file.rsplit("/", 1)[0]
            out += ["", f"## {previous.removeprefix('include/')}", "", "| limit | value | of | header |", "|---|---|---|---|"]
        out.append(f"| `{name}` | {number} | {of.replace('|', ' ')} | [{file.rsplit('/', 1)[1]}](../{file}) |")
    return "\n".join(out) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--check", action="store_true", help="fail if docs/limits.md is not what this writes")
    args = parser.parse_args()
    file, text = args.root / "docs/limits.md", page(args.root)
    if not args.check:
        file.write_text(text, "utf-8")
        print(f"{file} is written")
        return
    old = file.read_text("utf-8").split("\n") if file.exists() else []
    new = text.split("\n")
    wrong = [f"missing: {line}" for line in new if line not in old] + [f"gone: {line}" for line in old if line not in new]
    print("\n".join(wrong) or f"docs/limits.md has the {sum(line.startswith('| `') for line in new)} limits of the code")
    if wrong:
        sys.exit("docs/limits.md is out of date: run python3 tools/limits.py")


if __name__ == "__main__":
    main()
