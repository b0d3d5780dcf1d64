#!/usr/bin/env python3
"""Reads a report as a browser would, and prints what report_light_test.cpp compares: well-formed, nothing from outside, cells."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta"}


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.cells: list[str] = []
        self.paths: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.stack.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        assert not {"src", "href", "onload", "onclick"} & names.keys(), (tag, attrs)
        if tag == "path":
            self.paths.append(names["d"])

    def handle_endtag(self, tag: str) -> None:
        assert self.stack and self.stack.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] == "td":
            self.cells[-1] += data


def main() -> None:
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    page.close()
    assert not page.stack, page.stack
    assert "://" not in text and "@import" not in text, "something from outside"
    points = [(float(x), float(y)) for d in page.paths for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", d)]
    print(len(page.paths), sum(not (0 <= x <= 640 and 0 <= y <= 260) for x, y in points))
    print(*[cell or "-" for cell in page.cells])


if __name__ == "__main__":
    main()
