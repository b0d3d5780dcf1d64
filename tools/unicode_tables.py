#!/usr/bin/env python3
"""Writes include/rc3/metric/unicode/category_table.hpp and lower_table.hpp.

Categories are those of the Python package `regex`, which sacreBLEU's tokenizer `intl` reads; lower case is that of Python's
str.lower(). The two have Unicode versions of their own: each table's comment names its source. With --check nothing is
written: the files must be what would be written.
"""

from __future__ import annotations

import argparse
import platform
import sys
import unicodedata
from importlib.metadata import version
from pathlib import Path

import regex

FOLDER = Path(__file__).resolve().parent.parent / "include/rc3/metric/unicode"
EVERYTHING = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def category(c: str) -> str | None:
    return next((name for name, pattern in CATEGORIES.items() if pattern.match(c)), None)


CATEGORIES = {name: regex.compile(rf"\p{{{name}}}") for name in ("P", "S", "N")}


def ignorable(c: str) -> bool:  # what str.lower() looks past when it asks whether a sigma ends a word
    return f"AΣ{c}".lower()[1] == "ς" and f"AΣ{c}B".lower()[1] == "σ"


def cased(c: str) -> bool:
    return f"AΣ{c}".lower()[1] == "σ"


def ranges(of) -> list[tuple[int, int, object]]:
    """(first, last, value) of each run of characters with one value that is not None."""
    out: list[tuple[int, int, object]] = []
    for c in EVERYTHING:
        value = of(c)
        if value is None:
            continue
        if out and out[-1][1] == ord(c) - 1 and out[-1][2] == value:
            out[-1] = (out[-1][0], ord(c), value)
        else:
            out.append((ord(c), ord(c), value))
    return out


def lower_ranges(lower=str.lower) -> list[tuple[int, int, int, int]]:
    """(first, last, step, difference): every step-th character of the range has a lower case, so far from it."""
    moved = [(ord(c), ord(low) - ord(c)) for c in EVERYTHING if len(low := lower(c)) == 1 and low != c]
    longer = [c for c in EVERYTHING if len(lower(c)) > 1]
    assert longer == ["İ"], "the headers know one character whose lower case is two"
    out: list[tuple[int, int, int, int]] = []
    for c, difference in moved:
        if out:
            first, last, step, same = out[-1]
            gap = c - last
            if same == difference and gap in (1, 2) and (first == last or gap == step):
                out[-1] = (first, c, gap, same)
                continue
        out.append((c, c, 1, difference))
    return out


def rows(name: str, element: str, items: list[str]) -> str:
    lines, line = [], ""
    for item in items:
        if len(line) + len(item) > 118:
            lines.append(line)
            line = ""
        line += item
    body = "\n".join([*lines, line])
    return f"// clang-format off\ninline constexpr std::array<{element}, {len(items)}> {name}{{{{\n{body}\n}}}};\n// clang-format on\n"


def page(comment: str, *blocks: str) -> str:
    return "\n".join(
        [
            f"#pragma once\n/// {comment}\n/// Written by tools/unicode_tables.py: change that, not this.\n",
            '#include <array>\n\n#include "rc3/metric/unicode/range.hpp"\n\nnamespace rc3::metric::unicode::table {\n',
            *blocks,
            "}  // namespace rc3::metric::unicode::table\n",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check

    def plain(name: str, of) -> str:
        return rows(name, "Range", [f"{{0x{a:X},0x{b:X}}}," for a, b, _ in ranges(of)])

    categories = [f"{{0x{a:X},0x{b:X},{name}}}," for a, b, name in ranges(category)]
    lower = [f"{{0x{a:X},0x{b:X},{step},{d}}}," for a, b, step, d in lower_ranges()]
    files = {
        "category_table.hpp": page(
            f"Punctuation, symbols and numbers of Unicode, as the Python package regex {version('regex')} has them.",
            "inline constexpr Category P = Category::punctuation, S = Category::symbol, N = Category::number;\n",
            rows("categories", "CategoryRange", categories),
        ),
        "lower_table.hpp": page(
            f"Lower case in Unicode {unicodedata.unidata_version}, as Python {'.'.join(platform.python_version_tuple()[:2])} has it.",
            rows("lower", "LowerRange", lower),
            "/// Letters with case, and what is looked past to find them, where a sigma may end a word.\n"
            + plain("cased", lambda c: cased(c) or None),
            plain("case_ignorable", lambda c: ignorable(c) or None),
        ),
    }
    for name, text in files.items():
        if check:
            assert (FOLDER / name).read_text("utf-8") == text, f"{name} is not what unicode_tables.py writes"
        else:
            (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
