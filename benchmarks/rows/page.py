"""The page docs/performance.md, made of the JSON and rows/table.py alone."""

from __future__ import annotations

import json
import statistics
import textwrap
from pathlib import Path

from .table import GROUPS, NOTES, OPEN, SPECS, Spec

EARLIER = Path(__file__).resolve().parent / "earlier.txt"


def ratios(spec: Spec, row: dict) -> list[float]:
    """How many times better rc3 is, each round; from the smallest."""
    pairs = zip(row["ours"], row["theirs"], strict=True)
    return sorted((a / b if spec.rate else b / a) if a > 0 and b > 0 else 0.0 for a, b in pairs)


def number(x: float) -> str:
    if x >= 100:
        return f"{x:,.0f}"
    return f"{x:.1f}" if x >= 10 else f"{x:.2f}"


def short(x: float) -> str:
    return f"{x:.0f}" if x >= 10 else f"{x:.2f}"


def in_words(spec: Spec, row: dict) -> str:
    ours, theirs = (statistics.median(row[side]) for side in ("ours", "theirs"))
    r = ratios(spec, row)
    ratio = f"ratio {short(statistics.median(r))} ({short(r[0])} to {short(r[-1])})"
    return f"{spec.key}: {number(ours)} {spec.unit}, {spec.peer} {number(theirs)}, {ratio}"


def line(spec: Spec, row: dict | None, missing: str | None) -> str:
    goal = "" if spec.goal is None else f"{spec.goal:.2f}".rstrip("0").rstrip(".")
    if row is None:
        left = OPEN.get(spec.key) or missing or "Not measured yet."
        return f"| {spec.measure} | not measured | {spec.peer} | | {goal} | {left} |"
    ours, theirs = (number(statistics.median(row[side])) for side in ("ours", "theirs"))
    unit = f" {spec.unit}" if spec.unit else ""
    r = ratios(spec, row)
    middle = statistics.median(r)
    spread = f" ({short(r[0])} to {short(r[-1])})" if len(r) > 1 else ""
    left = "" if spec.goal is None else "Reached." if middle >= spec.goal else spec.left
    return (
        f"| {spec.measure} | {ours}{unit} | {spec.peer}: {theirs}{unit} | {short(middle)}{spread} | {goal} | {left} |"
    )


def where(run: dict, loads: list[float]) -> str:
    """Date, machine and versions in sentences. @param loads  of the machine before each of the rows"""
    low, high = min(loads), max(loads)
    load = f"{low}" if low == high else f"{low} to {high}"
    m = run["machine"]
    instructions = f" ({', '.join(m['instructions'])})" if m["instructions"] else ""
    lines = [
        f"{run['date']}, commit {run['commit']}: {m['cores']} cores of an {m['processor']}{instructions},",
        f"{m['memory_gb']} GB of memory.",
        f"{run['rounds']} round{'s' * (run['rounds'] != 1)}; the load of the machine was {load} before.",
    ]
    if run["versions"]:
        lines.append("Peers: " + ", ".join(f"{name} {version}" for name, version in run["versions"].items()) + ".")
    return wrapped(" ".join(lines))


def wrapped(text: str, width: int = 118) -> str:
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


def of(results: dict) -> str:
    known = {spec.key for spec in SPECS}
    rows = {key: row for key, row in results["rows"].items() if key in known}  # not those of an earlier table
    out = [
        "# Performance",
        "",
        "<!-- Made by benchmarks/compare.py of docs/results/performance.json and benchmarks/rows: change those. -->",
        "",
        "rc3 and its Python peers at the same work, in turns on one machine. "
        "Figures are medians of the rounds. A ratio says",
        "how many times better rc3 is, with its range over the rounds; the goal is the least ratio that is aimed at.",
        "`./run bench` measures all rows and writes this page, `./run bench --only search` some of them. The test",
        "`benchmarks.quick` runs each program and each installed peer once, on tiny input.",
        "",
    ]
    runs: dict[str, list[str]] = {}
    for key, row in rows.items():
        runs.setdefault(json.dumps({k: v for k, v in row["run"].items() if k != "load"}), []).append(key)
    quick = any(row["run"]["quick"] for row in rows.values())
    if quick:
        out += ["**The quick form made this page: its figures say nothing.**", ""]
    if not rows:
        out += ["No row is measured yet.", ""]
    for keys in runs.values():
        text = where(rows[keys[0]]["run"], [rows[key]["run"]["load"] for key in keys])
        names = sorted({GROUPS[key.split(".")[0]].lower() for key in keys})
        out += ([wrapped(f"{', '.join(names).capitalize()}:")] if len(runs) > 1 else []) + [text, ""]
    for group, title in GROUPS.items():
        note = [wrapped(NOTES[group]), ""] if group in NOTES else []
        out += [
            f"## {title}",
            "",
            *note,
            "| measure | rc3 | peer | ratio | goal | what is left |",
            "|---|---|---|---|---|---|",
        ]
        missing = results.get("missing", {})
        out += [
            line(spec, rows.get(spec.key), missing.get(spec.key) or missing.get(group))
            for spec in SPECS
            if spec.group == group
        ]
        out.append("")
    return "\n".join(out) + "\n" + EARLIER.read_text()
