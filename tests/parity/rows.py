"""The rows of the parity table that a Python step keeps, as rc3::test::parity does in C++ (tests/support/parity.hpp)."""

from __future__ import annotations

import json
from pathlib import Path


class Rows:
    """Prints and keeps rows; `failed` counts those whose figure is beyond its limit."""

    def __init__(self, folder: Path, group: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file, self.group, self.failed = folder / f"{group}.jsonl", group, 0

    def at_most(self, what: str, against: str, figure: str, value: float, limit: float) -> None:
        holds = bool(value <= limit)  # a NaN fails
        self.failed += not holds
        code = "T9" if self.group == "encoders" else "T1"  # as code_of() in tests/support/parity.hpp
        print(f"{code} {self.group}: {what} against {against}: {figure}: {value} (<= {limit}) {'pass' if holds else 'fail'}")
        row = {"group": self.group, "what": what, "with": against, "figure": figure, "value": value, "limit": limit}
        with self.file.open("a", encoding="utf-8") as out:
            out.write(json.dumps({**row, "at_least": False, "holds": holds}) + "\n")
