"""The Markdown pages of the project and their fenced blocks. Python's standard library is enough."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

SKIPPED = {"build", ".git", "shared", "node_modules"}


@dataclasses.dataclass(frozen=True)
class Block:
    page: Path
    line: int  # of the first line inside the fence, from 1
    language: str
    text: str
    marker: str  # the HTML comment just above the fence, without <!-- and -->; "": none

    def where(self, root: Path) -> str:
        return f"{self.page.relative_to(root).as_posix()}:{self.line}"


def pages(root: Path) -> list[Path]:
    found = (p for p in root.rglob("*.md") if not SKIPPED & {part for part in p.relative_to(root).parts[:-1]})
    return sorted(found)


def blocks(page: Path) -> list[Block]:
    lines = page.read_text("utf-8").split("\n")
    found: list[Block] = []
    start, language, marker = 0, "", ""
    for number, line in enumerate(lines, 1):
        if not line.startswith("```"):
            continue
        if start:
            found.append(Block(page, start, language, "\n".join(lines[start - 1 : number - 1]) + "\n", marker))
            start = 0
        else:
            above = lines[number - 2].strip() if number > 1 else ""
            marker = above[4:-3].strip() if above.startswith("<!--") and above.endswith("-->") else ""
            start, language = number + 1, line[3:].strip()
    if start:
        raise SystemExit(f"{page}:{start - 1}: the fence is not closed")
    return found


def prose(page: Path) -> list[str]:
    """The page's lines; those inside fences, fences and HTML comments are empty. Line numbers stay."""
    inside, result = False, []
    for line in page.read_text("utf-8").split("\n"):
        fence = line.startswith("```")
        comment = line.strip().startswith("<!--") and line.strip().endswith("-->")
        result.append("" if inside or fence or comment else line)
        inside ^= fence
    return result


def judge(name: str, expected: str, found: list[str]) -> list[str]:
    """What is wrong with a case of a self-test.

    @param expected  matches one of the faults found; "": there must be none"""
    if expected and not any(re.search(expected, f) for f in found):
        return [f"{name}: not refused, or with another message: {found}"]
    return [f"{name}: refused: {found}"] if found and not expected else []
