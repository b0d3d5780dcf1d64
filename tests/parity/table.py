#!/usr/bin/env python3
"""Prints the parity table from the rows that the parity tests kept, and writes it as docs/parity.md wants it."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

GROUPS = {"encoders": "Encoders", "tokenizers": "Tokenizers", "images": "Images", "files": "Files"}
PEERS = ("transformers", "tokenizers", "sentencepiece", "torch", "pillow", "safetensors")


def number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e9 else f"{value:.2g}" if abs(value) < 0.1 else f"{value:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rows = [json.loads(line) for file in sorted(args.rows.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]
    if not rows:
        sys.exit(f"{args.rows}: no rows; run the tests parity.light and parity.torch before")
    lines = [
        "# Parity with the Python ecosystem",
        "",
        "`./run parity` runs the suite in `tests/parity` and writes this page. Python computes each reference in the same run,",
        "from directories and files that it writes itself. A figure beyond its limit fails `./run test`.",
        "",
        f"{date.today().isoformat()}, {platform.machine()}. Versions:",
        ", ".join(f"{name} {version(name)}" for name in PEERS) + ".",
    ]
    for group in sorted({row["group"] for row in rows}, key=[*GROUPS].index):
        lines += ["", f"## {GROUPS[group]}", "", "| what | against | figure | measured | limit | |", "|---|---|---|---|---|---|"]
        for row in (row for row in rows if row["group"] == group):
            bound = ("≥ " if row["at_least"] else "≤ ") + number(row["limit"])
            lines.append(
                f"| {row['what']} | {row['with']} | {row['figure']} | {number(row['value'])} | {bound} | {'pass' if row['holds'] else '**fail**'} |"
            )
    page = "\n".join(lines) + "\n"
    args.out.write_text(page, encoding="utf-8")
    print(page)
    sys.exit(0 if all(row["holds"] for row in rows) else 1)


if __name__ == "__main__":
    main()
