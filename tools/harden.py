#!/usr/bin/env python3
"""The reliability tests T1 to T21 of docs/reliability.md as one table: result, number of figures, first figure, seconds.

ctest knows which tests belong to them: those with the label "harden" print lines "T11 20 kills: 0 (<= 0) pass", and a
label such as "T4" gives all of a test to one code. The titles are the page's. Needs Python's standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

LABELS = r"^(harden|T[0-9]+)$"
LINE = re.compile(r"^(T\d+) (.+): (\S+) \((<=|>=) (\S+)\) (pass|fail)$")
RUNS = re.compile(r"^stat::number_of_executed_units: (\d+)$", re.M)
LONG = {"RC3_KILLS": "200", "RC3_FUZZ_SECONDS": "600", "RC3_FUZZ_SEED": "0"}
BEGIN, END = "<!-- ./run harden writes from here -->", "<!-- to here -->"


@dataclass
class Row:
    title: str
    figures: list[tuple[str, bool]] = field(default_factory=list)  # text, whether it is within its limit
    tests: dict[str, float] = field(default_factory=dict)  # seconds by name
    failed: list[str] = field(default_factory=list)

    def result(self) -> str:
        if self.failed or not all(good for _, good in self.figures):
            return "fail"
        return "pass" if self.figures else "no figure"

    def cells(self) -> tuple[str, ...]:
        first = next((text for text, good in self.figures if not good), self.figures[0][0] if self.figures else "")
        if self.failed:
            first = ", ".join(self.failed) + ": failed" + (f"; {first}" if first else "")
        return self.result(), str(len(self.figures)), first, f"{sum(self.tests.values()):.0f}"


def titles(page: str) -> dict[str, str]:
    return dict(re.findall(r"^\| (T\d+) \| (.*?) \|", page.split(BEGIN)[0], re.M))


def labels_of(listing: dict) -> dict[str, list[str]]:
    """Labels of each test that belongs to the table, from ctest --show-only=json-v1."""
    labels = {t["name"]: next((p["value"] for p in t["properties"] if p["name"] == "LABELS"), []) for t in listing["tests"]}
    return {name: all_ for name, all_ in labels.items() if any(re.match(LABELS, label) for label in all_)}


def collect(rows: dict[str, Row], labels: dict[str, list[str]], junit: xml.Element) -> None:
    for case in junit.iter("testcase"):
        name, seconds, status = case.get("name", ""), float(case.get("time", "0")), case.get("status", "")
        if name not in labels:
            continue
        output = case.findtext("system-out") or ""
        codes = set()
        for line in output.splitlines():
            if (match := LINE.match(line)) and match[1] in rows:
                codes.add(match[1])
                rows[match[1]].figures.append((f"{match[2]}: {match[3]} ({match[4]} {match[5]})", match[6] == "pass"))
        for code in (label for label in labels[name] if label in rows):
            codes.add(code)
            runs = RUNS.search(output)
            what = f"{name}: {int(runs[1]):,} inputs" if runs else f"{name}: {status}"
            rows[code].figures.append((what, status == "run"))
        for code in codes:
            rows[code].tests[name] = seconds
            if status != "run":
                rows[code].failed.append(name)
        if status != "run" and not codes:  # it ended before its first line: all that it would print is missing
            print(f"{name}: {status}", file=sys.stderr)


def table(rows: dict[str, Row]) -> list[str]:
    lines = ["| code | result | figures | the first, or the first that fails | s |", "|---|---|---|---|---|"]
    return lines + [f"| {code} | " + " | ".join(row.cells()) + " |" for code, row in rows.items()]


def write(page: Path, rows: dict[str, Row]) -> None:
    text = page.read_text("utf-8")
    machine = f"{date.today().isoformat()}, {platform.machine()}, {os.cpu_count()} processors, {platform.system()} {platform.release()}."
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    page.write_text("\n".join([before + BEGIN, machine, "", *table(rows), END + after]), "utf-8")


def self_test() -> None:
    """Each result that a row may have, from a result of ctest that has them all."""
    case = '<testcase name="{}" time="{}" status="{}"><system-out>{}</system-out></testcase>'
    junit = "<testsuite>" + "".join(
        case.format(*row)
        for row in (
            ("a.light", 2, "run", "T1 bytes: 0 (&lt;= 0) pass\nT2 ranks: 1 (&gt;= 2) fail\nT9 nothing of this table: 0 (&lt;= 0) pass"),
            ("b.light", 3, "fail", "T1 more bytes: 1e-3 (&lt;= 1) pass"),
            ("fuzz.x", 5, "run", "stat::number_of_executed_units: 1234"),
            ("fuzz.y", 1, "fail", ""),
            ("other", 1, "run", "T1 not asked for: 5 (&lt;= 0) fail"),
        )
    )
    labels = {"a.light": ["light", "harden"], "b.light": ["harden"], "fuzz.x": ["T4"], "fuzz.y": ["T5"]}
    rows = {code: Row(code) for code in ("T1", "T2", "T3", "T4", "T5")}
    collect(rows, labels, xml.fromstring(junit + "</testsuite>"))
    cells = {code: row.cells() for code, row in rows.items()}
    assert cells["T1"] == ("fail", "2", "b.light: failed; bytes: 0 (<= 0)", "5"), cells
    assert cells["T2"] == ("fail", "1", "ranks: 1 (>= 2)", "2"), cells
    assert cells["T3"] == ("no figure", "0", "", "0"), cells
    assert cells["T4"] == ("pass", "1", "fuzz.x: 1,234 inputs", "5"), cells
    assert cells["T5"][0] == "fail", cells
    assert titles("| code | test |\n| T1 | a | b |\n" + BEGIN + "\n| T2 | c | d |") == {"T1": "a"}
    listing = {"tests": [{"name": "x", "properties": [{"name": "LABELS", "value": ["light", "T21"]}]}, {"name": "y", "properties": []}]}
    assert labels_of(listing) == {"x": ["light", "T21"]}


def main() -> None:
    if "--self-test" in sys.argv:
        return self_test()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--page", type=Path, default=Path(__file__).parents[1] / "docs/reliability.md")
    parser.add_argument("--junit", type=Path, help="the result of a ctest run: runs nothing, and shows what it holds")
    parser.add_argument("--long", action="store_true", help="200 kills, ten minutes for each fuzz target; writes the page")
    parser.add_argument("--jobs", default="1")
    args = parser.parse_args()

    ctest = ["ctest", "--test-dir", str(args.build)]
    listing = subprocess.run([*ctest, "--show-only=json-v1"], check=True, capture_output=True, text=True).stdout
    labels = labels_of(json.loads(listing))
    page = args.page.read_text("utf-8")
    rows = {code: Row(title) for code, title in titles(page).items()}
    junit = args.junit
    if junit is None:
        junit = args.build.resolve() / "harden.xml"
        junit.unlink(missing_ok=True)
        run = [*ctest, "-L", LABELS, "-j", args.jobs, "--output-junit", str(junit), "--test-output-size-passed", "1000000"]
        subprocess.run(run, env={**os.environ, **(LONG if args.long else {})}, check=False)
    collect(rows, labels, xml.parse(junit).getroot())
    shown = {code: row for code, row in rows.items() if row.tests or args.junit is None}
    for code, row in shown.items():
        result, count, first, seconds = row.cells()
        print(f"{code:4}{result:10}{count:>4} figures {seconds:>6} s  {row.title}\n{'':14}{first}")
    missing = [code for code, row in shown.items() if row.result() == "no figure"]
    if missing:
        print("without a figure, since no test that was built gives one: " + ", ".join(missing), file=sys.stderr)
    if args.long:
        write(args.page, rows)
        print(f"{args.page} is written")
    sys.exit(0 if all(row.result() == "pass" for row in shown.values()) else 1)


if __name__ == "__main__":
    main()
