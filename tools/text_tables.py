#!/usr/bin/env python3
"""Writes include/rc3/text/detail/{letter,composition,decomposition}_table.hpp.

They are what the Python package `tokenizers` knows of Unicode, asked character by character: letters and numbers of its
regular expressions, its lower case, and its normal form C. Only combining classes are those of the package `regex`, for
characters that `tokenizers` reorders. With --check nothing is written: the files must be what would be written.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path

import regex
from tokenizers import Regex, normalizers, pre_tokenizers

from unicode_tables import EVERYTHING, lower_ranges, rows

FOLDER = Path(__file__).resolve().parent.parent / "include/rc3/text/detail"
LOWER, NFC, NFD = (n().normalize_str for n in (normalizers.Lowercase, normalizers.NFC, normalizers.NFD))


def ranges(characters) -> list[tuple[int, int]]:
    out: list[list[int]] = []
    for c in characters:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return [(a, b) for a, b in out]


def matches(pattern: str) -> list[int]:
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    found: list[int] = []
    for begin in range(0, len(EVERYTHING), 1 << 14):
        for piece, _ in split.pre_tokenize_str("".join(EVERYTHING[begin : begin + (1 << 14)])):
            found += map(ord, piece)
    return found


def classes() -> list[tuple[int, int, int]]:
    out: list[list[int]] = []
    marks = [c for c in EVERYTHING if not regex.match(r"\p{ccc=0}", c)]
    known = [c for c in marks if c == "\u0345" or NFD("\u0345" + c) == NFD(c) + "\u0345" or NFD(c) != c]
    for value in range(1, 255):
        try:
            pattern = regex.compile(rf"\p{{ccc={value}}}")
        except regex.error:  # no character has this class
            continue
        out += [[ord(c), ord(c), value] for c in known if pattern.match(c)]
    merged: list[list[int]] = []
    for first, last, value in sorted(out):
        if merged and merged[-1][1] == first - 1 and merged[-1][2] == value:
            merged[-1][1] = last
        else:
            merged.append([first, last, value])
    return [(a, b, v) for a, b, v in merged]


def page(comment: str, *blocks: str) -> str:
    head = f"#pragma once\n/// {comment}, as the Python package tokenizers {version('tokenizers')} has them.\n/// Written by tools/text_tables.py: change that, not this.\n"
    includes = '#include <array>\n\n#include "rc3/metric/unicode/range.hpp"\n#include "rc3/text/detail/unicode_range.hpp"\n\nnamespace rc3::text::detail::table {\n'
    return "\n".join([head, includes, *blocks, "}  // namespace rc3::text::detail::table\n"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check

    def plain(name: str, characters) -> str:
        return rows(name, "Range", [f"{{0x{a:X},0x{b:X}}}," for a, b in ranges(characters)])

    composed, decomposed = [], []
    for c in EVERYTHING:
        if 0xAC00 <= ord(c) <= 0xD7A3 or (parts := NFD(c)) == c:
            continue  # Hangul is composed by a formula
        if len(parts) > 1 and NFC(parts) == c and len(first := NFC(parts[:-1])) == 1:
            composed.append(f"{{0x{ord(c):X},0x{ord(first):X},0x{ord(parts[-1]):X}}},")
        else:
            full = [ord(x) for x in parts] + [0] * (4 - len(parts))
            assert len(full) == 4
            decomposed.append("{0x%X,{%s}}," % (ord(c), ",".join(f"0x{x:X}" if x else "0" for x in full)))
    lower = [f"{{0x{a:X},0x{b:X},{step},{d}}}," for a, b, step, d in lower_ranges(LOWER)]
    files = {
        "letter_table.hpp": page("Letters, numbers and lower case of Unicode", plain("letters", matches(r"\p{L}")), plain("numbers", matches(r"\p{N}")), rows("lower", "LowerRange", lower)),
        "composition_table.hpp": page("Compositions of Unicode's normal form C, and combining classes", rows("composed", "Composition", composed), rows("classes", "ClassRange", [f"{{0x{a:X},0x{b:X},{v}}}," for a, b, v in classes()])),
        "decomposition_table.hpp": page("Decompositions that Unicode's normal form C keeps", rows("decomposed", "Decomposition", decomposed)),
    }  # fmt: skip
    for name, text in files.items():
        if check:
            assert (FOLDER / name).read_text("utf-8") == text, f"{name} is not what text_tables.py writes"
        else:
            (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
