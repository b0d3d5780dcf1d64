#!/usr/bin/env python3
"""Holds the documentation to its style: short lines and sentences, links that lead somewhere, the field's words.

- A line has at most 120 characters; tables, code and the targets of links do not count.
- A sentence of running text has at most 25 words; code in backticks is one word.
- A link names a file that exists and, with #, a heading of it.
- Test codes (a T and a number) occur in docs/reliability.md only.
- Phrases carried over from another language do not occur, nor in the comments of the headers in some folders.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

from pages import pages, prose

LINE, WORDS = 120, 25
BANNED = {
    r"\bhang(s|ing)? on\b|\bhangs off\b": "depends on",
    r"\b(lie|lies|lay|lain|lying)\b": "is, is stored",
    r"\banew\b": "again",
    r"\blook(s|ed|ing)? at\b": "evaluates, reads",
    r"\bso many\b": "a number",
    r"\bpictures?\b": "image",
    r"\bof one's own\b|\bof your own\b": "custom",
    r"\bgoes on\b|\bgo on\b": "continues",
    r"\bbehind (it|them|each other|one another)\b": "after",
    r"\bstrangers?'?\b": "untrusted",
    r"\bbear(s|ing)?\b|\bborne\b": "tolerates",
    r"\bdoes? without\b": "does not need",
}
REPORTS = "docs/reliability.md"


def slug(heading: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.lower())
    return re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {slug(line.lstrip("#")) for line in prose(page) if re.match(r"#+ ", line)}


def paragraphs(lines: list[str]) -> list[tuple[int, str]]:
    """Running text and list items with their first line; headings and tables are left out."""
    found: list[tuple[int, str]] = []
    last = False
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith(("#", "|", "![")) or re.match(r" {4}", line) and not last:
            last = False
        elif last and not re.match(r"([-*]|\d+\.) ", text):
            found[-1] = (found[-1][0], found[-1][1] + " " + text)
        else:
            found.append((number, re.sub(r"^([-*]|\d+\.) ", "", text)))
            last = True
    return found


def sentences(text: str) -> list[str]:
    text = re.sub(r"`[^`]*`", "Code", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\b(e\.g|i\.e|et al|vs|Fig|No)\.", r"\1", text).replace("*", "")
    return re.split(r"(?<=[.!?])[)\"]?\s+(?=[A-Z0-9\"(])|(?<=:)\s+", text)


def words(sentence: str) -> int:
    return sum(1 for w in sentence.split() if re.search(r"\w", w))


def check_page(page: Path, root: Path) -> list[str]:
    name = page.relative_to(root).as_posix()
    lines = prose(page)
    raw = page.read_text("utf-8").split("\n")
    problems = []
    for number, line in enumerate(lines, 1):
        table = line.lstrip().startswith("|")
        shown = re.sub(r"\]\([^)]*\)", "]", line)
        if len(shown) > LINE and not table and not re.match(r" {4}", line):
            problems.append(f"{name}:{number}: {len(shown)} characters, at most {LINE}")
        bare = re.sub(r"`[^`]*`", "", re.sub(r"\]\([^)]*\)", "]", line))
        for pattern, better in BANNED.items():
            match = re.search(pattern, bare, re.I)
            if match:
                problems.append(f"{name}:{number}: \"{match[0]}\"; better: {better}")
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists():
                problems.append(f"{name}:{number}: no file {path}")
            elif anchor and file.suffix == ".md" and anchor not in anchors(file):
                problems.append(f"{name}:{number}: no heading #{anchor} in {path or name}")
    if name != REPORTS:
        problems += [f"{name}:{n}: test code {m[0]}" for n, line in enumerate(raw, 1) if (m := re.search(r"\bT\d+\b", line))]
    for number, text in paragraphs(lines):
        problems += [f"{name}:{number}: {words(s)} words: {s[:60]}..." for s in sentences(text) if words(s) > WORDS]
    return problems


def check_comments(file: Path, root: Path) -> list[str]:
    """Phrases in the comments of a header."""
    problems = []
    for number, line in enumerate(file.read_text("utf-8").split("\n"), 1):
        _, slashes, comment = line.partition("//")
        for pattern, better in BANNED.items() if slashes else ():
            match = re.search(pattern, re.sub(r"`[^`]*`", "", comment), re.I)
            if match:
                problems.append(f"{file.relative_to(root).as_posix()}:{number}: \"{match[0]}\"; better: {better}")
    return problems


def self_test() -> list[str]:
    long_line = "x" * (LINE + 1)
    wrong = {
        long_line: "121 characters",
        "The order hangs on the seed.": "hangs on",
        "Weights lie on the CPU.": '"lie"',
        "See [this](gone.md).": "no file gone.md",
        "See [this](#gone).": "no heading",
        "It is tested by T11.": "test code T11",
        "One " + "word " * WORDS + "more.": "27 words",
    }
    right = ["| " + long_line + " |", "```\n" + long_line + "\nlie\n```", f"[a](https://x.org/{long_line})", "# A b\n\n[x](#a-b), `lie`", "Ten words. " * 20]
    problems = []
    for text, expected in [*wrong.items(), *((r, "") for r in right)]:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.md"
            page.write_text(text + "\n", "utf-8")
            found = check_page(page, Path(folder))
        found = [f for f in found if expected or "characters" not in f or len(text) < 200]
        if expected and not any(expected in f for f in found):
            problems.append(f"not refused ({expected}): {text[:60]}: {found}")
        if not expected and found:
            problems.append(f"refused: {text[:60]}: {found}")
    with tempfile.TemporaryDirectory() as folder:
        header = Path(folder) / "a.hpp"
        header.write_text("int lie;\n/// Where weights lie.\nint b;  // it hangs on a\n")
        if [p.split(":")[1] for p in check_comments(header, Path(folder))] != ["2", "3"]:
            problems.append(f"comments: {check_comments(header, Path(folder))}")
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, help="folder of the pages")
    parser.add_argument("--pending", type=Path, help="file with the pages that are left out, a path a line")
    parser.add_argument("--comments", type=Path, nargs="*", default=[], help="folders of headers whose comments are checked for phrases")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("page", nargs="*", type=Path, help="only these")
    args = parser.parse_args()
    if args.self_test:
        problems = self_test()
    else:
        root = args.root.resolve()
        pending = set(args.pending.read_text().split()) if args.pending and args.pending.exists() else set()
        chosen = [p.resolve() for p in args.page] or [p for p in pages(root) if p.relative_to(root).as_posix() not in pending]
        problems = [problem for page in chosen for problem in check_page(page, root)]
        headers = [header for folder in args.comments for header in sorted((root / folder).rglob("*.hpp"))]
        problems += [problem for header in headers for problem in check_comments(header, root)]
        print(f"{len(chosen)} pages, {len(headers)} headers")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
