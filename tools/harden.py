#!/usr/bin/env python3
"""The reliability tests T1 to T21 of docs/reliability.md as one table: result, number of figures, first figure, seconds.

ctest knows which tests belong to them: those with the label "harden" print lines "T11 20 kills: 0 (<= 0) pass", and a
label such as "T4" gives all of a test to one code. The titles are the page's. Needs Python's standard library only.

The long form keeps the result of each test in docs/results/harden.json, with a hash of the sources that the test is
compiled from. A test that passed with these sources does not run again. So one long run may take several calls, on
several machines, and goes on after a change with the tests that the change concerns. Ten minutes of a fuzz target are
processor time: calls add up until it has them, each with the corpus of the one before.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

LABELS = r"^(harden|T[0-9]+)$"
LINE = re.compile(r"^(T\d+) (.+): (\S+) \((<=|>=) (\S+)\) (pass|fail)$")
RUNS = re.compile(r"^stat::number_of_executed_units: (\d+)$", re.M)
LONG = {"RC3_KILLS": "200", "RC3_FUZZ_SECONDS": "600", "RC3_FUZZ_SEED": "0"}
# What strangers reach first comes first; then what is not named here.
ORDER = ["train.runs", "train.ranks", *(f"fuzz.{name}" for name in (
    "http_request", "index_file", "image", "tar", "safetensors_header", "record", "annotations", "config_json", "volta_row"))]
BEGIN, END = "<!-- ./run harden writes from here -->", "<!-- to here -->"


ROOT = Path(__file__).resolve().parents[1]


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


def parts_of(junit: xml.Element, labels: dict[str, list[str]]) -> dict[str, dict]:
    """What each test of a ctest run gave: status, seconds, figures as [code, text, within its limit]."""
    parts = {}
    for case in junit.iter("testcase"):
        name, status = case.get("name", ""), case.get("status", "")
        if name not in labels:
            continue
        output = case.findtext("system-out") or ""
        figures = [
            [match[1], f"{match[2]}: {match[3]} ({match[4]} {match[5]})", match[6] == "pass"]
            for match in map(LINE.match, output.splitlines())
            if match
        ]
        for code in (label for label in labels[name] if re.fullmatch(r"T\d+", label)):
            runs = RUNS.search(output)
            what = f"{name}: {int(runs[1]):,} inputs" if runs else f"{name}: {status}"
            figures.append([code, what, status == "run"])
        parts[name] = {"status": status, "seconds": float(case.get("time", "0")), "figures": figures}
    return parts


def collect(rows: dict[str, Row], parts: dict[str, dict]) -> None:
    for name, part in parts.items():
        codes = set()
        for code, text, good in part["figures"]:
            if code in rows:
                codes.add(code)
                rows[code].figures.append((text, good))
        for code in codes:
            rows[code].tests[name] = part["seconds"]
            if part["status"] != "run":
                rows[code].failed.append(name)
        if part["status"] != "run" and not codes:  # it ended before its first line: all that it would print is missing
            print(f"{name}: {part['status']}", file=sys.stderr)


# --- The long form ---------------------------------------------------------------------------------------------------


def command_output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def sources_of(build: Path, command: list[str], root: Path = ROOT) -> set[Path]:
    """Files of the repository that a test is made of: what its program is compiled from, and the scripts it calls."""
    files = {Path(word) for word in command if word.startswith(str(root) + os.sep)}
    objects = []
    for word in command:
        if word.startswith(str(build) + os.sep) and Path(word).is_file():
            program = os.path.relpath(word, build)
            made_of = command_output("ninja", "-C", str(build), "-t", "inputs", program).splitlines()
            files |= {Path(build, line) for line in made_of}
            objects += [program, *(line for line in made_of if line.endswith(".o"))]
    if objects:
        deps = command_output("ninja", "-C", str(build), "-t", "deps", *objects)
        files |= {Path(build, line.strip()) for line in deps.splitlines() if line.startswith("    ")}
    files = {Path(os.path.normpath(file)) for file in files}
    return {file for file in files if file.is_relative_to(root) and not file.is_relative_to(build) and file.is_file()}


def hash_of(files: set[Path], settings: dict[str, str], root: Path = ROOT) -> str:
    """Of contents and names below @p root, so that another checkout of the same sources has the same."""
    whole = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for file in sorted(files):
        whole.update(f"\n{file.relative_to(root)} {hashlib.sha256(file.read_bytes()).hexdigest()}".encode())
    return whole.hexdigest()[:16]


def machine() -> str:
    cpu = next(iter(re.findall(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.M)), platform.machine())
    return f"{cpu}, {os.cpu_count()} processors, {platform.system()} {platform.release()}"


def commit(files: set[Path]) -> str:
    """Of the checkout; with a + if one of @p files is not as it is there."""
    found = command_output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD").strip() or "unknown"
    changed = command_output("git", "-C", str(ROOT), "status", "--porcelain", "--", *map(str, files)) if files else ""
    return found + ("+" if changed.strip() else "")


def in_order(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def load(store: Path) -> dict[str, dict]:
    return json.loads(store.read_text("utf-8")) if store.exists() else {}


def keep(store: Path, name: str, part: dict) -> None:
    parts = load(store) | {name: part}
    store.parent.mkdir(parents=True, exist_ok=True)
    unfinished = store.with_suffix(".tmp")
    unfinished.write_text(json.dumps(parts, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    unfinished.replace(store)


def is_fuzz(name: str) -> bool:
    return name.startswith("fuzz.")


def done(name: str, part: dict | None, sources: str) -> bool:
    if part is None or part["sources"] != sources or part["status"] != "run":
        return False
    return not is_fuzz(name) or part["cpu"] >= 0.95 * float(LONG["RC3_FUZZ_SECONDS"])


def settings_for(name: str, part: dict | None, sources: str) -> dict[str, str]:
    """Of the next run: a fuzz target with part of its processor time, and the same sources, runs for the rest."""
    if not is_fuzz(name) or part is None or part["sources"] != sources or part["status"] != "run":
        return LONG
    rest = float(LONG["RC3_FUZZ_SECONDS"]) - part["cpu"]
    return LONG | {"RC3_FUZZ_SECONDS": str(round(min(600, max(60, 1.25 * rest))))}


def inputs_of(part: dict) -> int:
    found = re.search(r": ([\d,]+) inputs$", part["figures"][0][1]) if part["figures"] else None
    return int(found[1].replace(",", "")) if found else 0


def added(name: str, before: dict | None, part: dict) -> dict:
    """@p part with what a fuzz target did before with the same sources."""
    if not is_fuzz(name) or before is None or before["sources"] != part["sources"] or {before["status"], part["status"]} != {"run"}:
        return part
    code = part["figures"][0][0]
    figure = [code, f"{name}: {inputs_of(before) + inputs_of(part):,} inputs", True]
    return part | {"figures": [figure], "seconds": before["seconds"] + part["seconds"], "cpu": before["cpu"] + part["cpu"]}


def table(rows: dict[str, Row], parts: dict[str, dict], to_do: list[str]) -> list[str]:
    machines = list(dict.fromkeys(part["machine"] for part in parts.values()))
    letter = {name: chr(ord("A") + i) for i, name in enumerate(machines)}
    lines = ["| code | result | figures | the first, or the first that fails | s | ran: day, commit, machine |", "|---|---|---|---|---|---|"]
    for code, row in rows.items():
        ran = dict.fromkeys(f"{parts[name]['day']} {parts[name]['commit']} {letter[parts[name]['machine']]}" for name in sorted(row.tests))
        result, *cells = row.cells() if row.tests else ("to do", "0", "", "")
        if result == "pass" and any(name in to_do for name in row.tests):
            result = "pass so far"
        lines.append(f"| {code} | " + " | ".join([result, *cells, "; ".join(ran)]) + " |")
    if fuzzed := [name for name in parts if name.startswith("fuzz.")]:
        lines += ["", "| target | inputs | s | s of a processor, of 600 | ran |", "|---|---|---|---|---|"]
        for name in in_order(fuzzed):
            part = parts[name]
            inputs = (f"{inputs_of(part):,}" if inputs_of(part) else "not counted") if part["status"] == "run" else "FINDING"
            lines.append(
                f"| {name} | {inputs} | {part['seconds']:.0f} | {part['cpu']:.0f} | "
                f"{part['day']} {part['commit']} {letter[part['machine']]} |"
            )
    return lines + [""] + [f"Machine {letter[name]}: {name}." for name in machines]


def write(page: Path, rows: dict[str, Row], parts: dict[str, dict], to_do: list[str]) -> None:
    text = page.read_text("utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    left = []
    for name in to_do:  # lines of the page have at most 120 characters
        if left and len(left[-1]) + len(name) < 115:
            left[-1] += f", {name}"
        else:
            left.append(name)
    rest = ["", "Still to run with the sources of the last call:", "", "```", *left, "```"] if left else ["", "All of it ran with the same sources."]
    page.write_text("\n".join([before + BEGIN, *table(rows, parts, to_do), *rest, END + after]), "utf-8")


def only_waited(output: str, program: str, folder: Path) -> bool:
    """Whether all that a fuzz target found took long because others used the processor: libFuzzer looks at the wall clock.

    Each input is given to the target again, alone; more than a second of processor time is a finding.
    """
    found = re.findall(r"Test unit written to (\S+)", output)
    if not found or not all(Path(name).name.startswith("timeout-") for name in found):
        return False
    for name in found:
        cpu = children_cpu()
        again = subprocess.run([program, "-timeout=1000", str(folder / name)], capture_output=True, check=False)
        if again.returncode != 0 or children_cpu() - cpu > 1:
            return False
        (folder / name).unlink()
    return True


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_long(args: argparse.Namespace, tests: dict[str, list[str]], labels: dict[str, list[str]], rows_of) -> dict[str, dict]:
    """Runs what is still to run, keeps each result at once. @return all results that are kept"""
    build = args.build.resolve()
    files = {name: sources_of(build, tests[name]) for name in labels}
    sources = {name: hash_of(files[name], LONG) for name in labels}
    begin = time.monotonic()
    for name in in_order([name for name in labels if re.search(args.only, name)]):
        before = load(args.store).get(name)
        if done(name, before, sources[name]):
            print(f"{name}: passed before, with the same sources", flush=True)
            continue
        if args.minutes and time.monotonic() - begin > 60 * args.minutes:
            break
        if not tests[name] or any(word.startswith(str(build) + os.sep) and not Path(word).exists() for word in tests[name]):
            print(f"{name}: is not built", flush=True)
            continue
        print(f"{name} ...", flush=True)
        ran = {"sources": sources[name], "day": date.today().isoformat(), "commit": commit(files[name]), "machine": machine()}
        junit = build / f"harden-{name}.xml"
        junit.unlink(missing_ok=True)
        run = ["ctest", "--test-dir", str(build), "-R", f"^{re.escape(name)}$", "--output-junit", str(junit), "--test-output-size-passed", "1000000"]
        cpu = children_cpu()
        # libFuzzer says last how many inputs it tried.
        run += ["--test-output-size-failed", "1000000", "--test-output-truncation", "middle"]
        settings = settings_for(name, before, sources[name])
        subprocess.run(run, env={**os.environ, **settings}, stdout=subprocess.DEVNULL, check=False)
        ran["cpu"] = round(children_cpu() - cpu, 1)
        if not junit.exists():
            print(f"{name}: ctest was ended before it", flush=True)
            continue
        result = xml.parse(junit).getroot()
        for case in result.iter("testcase"):  # those of its fixtures stand there too
            if case.get("name") == name and is_fuzz(name) and case.get("status") != "run":
                program = next(word for word in tests[name] if word.startswith(str(build) + os.sep))
                if only_waited(case.findtext("system-out") or "", program, Path(program).parent):
                    case.set("status", "run")
        part = parts_of(result, labels).get(name)
        if part is None:
            print(f"{name}: ctest did not run it", flush=True)
            continue
        keep(args.store, name, added(name, before, part | ran))
        print(f"{name}: {'pass' if part['status'] == 'run' else part['status']} after {part['seconds']:.0f} s", flush=True)
        update(args, labels, sources, rows_of)
    update(args, labels, sources, rows_of)
    return {name: part for name, part in load(args.store).items() if name in labels}


def update(args: argparse.Namespace, labels: dict[str, list[str]], sources: dict[str, str], rows_of) -> None:
    parts = {name: part for name, part in load(args.store).items() if name in labels}
    rows = rows_of()
    collect(rows, parts)
    write(args.page, rows, parts, in_order([name for name in labels if not done(name, parts.get(name), sources[name])]))


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
    collect(rows, parts_of(xml.fromstring(junit + "</testsuite>"), labels))
    cells = {code: row.cells() for code, row in rows.items()}
    assert cells["T1"] == ("fail", "2", "b.light: failed; bytes: 0 (<= 0)", "5"), cells
    assert cells["T2"] == ("fail", "1", "ranks: 1 (>= 2)", "2"), cells
    assert cells["T3"] == ("no figure", "0", "", "0"), cells
    assert cells["T4"] == ("pass", "1", "fuzz.x: 1,234 inputs", "5"), cells
    assert cells["T5"][0] == "fail", cells
    assert titles("| code | test |\n| T1 | a | b |\n" + BEGIN + "\n| T2 | c | d |") == {"T1": "a"}
    listing = {"tests": [{"name": "x", "properties": [{"name": "LABELS", "value": ["light", "T21"]}]}, {"name": "y", "properties": []}]}
    assert labels_of(listing) == {"x": ["light", "T21"]}
    assert in_order(["io.light", "fuzz.tar", "train.runs", "fuzz.image"]) == ["train.runs", "fuzz.image", "fuzz.tar", "io.light"]

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one, page, store = folder / "one.cpp", folder / "page.md", folder / "results" / "harden.json"
        one.write_text("int a;")
        first = hash_of({one}, LONG, folder)
        assert hash_of({one}, LONG, folder) == first
        assert hash_of({one}, LONG | {"RC3_KILLS": "3"}, folder) != first
        part = {"status": "run", "seconds": 1.0, "figures": [["T1", "bytes: 0 (<= 0)", True]], "sources": first}
        ran = {"day": "2026-01-02", "commit": "abc", "machine": "M"}
        keep(store, "a.light", part | ran)
        assert done("a.light", load(store).get("a.light"), first)
        one.write_text("int b;")  # a change: to be done again
        assert not done("a.light", load(store).get("a.light"), hash_of({one}, LONG, folder))
        slow = folder / "timeout-1"
        slow.write_text("an input")
        said = f"artifact_prefix='./'; Test unit written to ./{slow.name}\n"
        assert not only_waited(said, "false", folder) and slow.exists()
        assert not only_waited(said + "Test unit written to ./crash-2", "true", folder)
        assert only_waited(said, "true", folder) and not slow.exists()
        assert not done("a.light", part | {"status": "fail"}, first) and not done("a.light", None, first)
        fuzz = {"status": "run", "seconds": 600.2, "cpu": 300, "figures": [["T4", "fuzz.x: 1,234 inputs", True]], "sources": "0"}
        twice = added("fuzz.x", fuzz, fuzz)
        assert settings_for("fuzz.x", fuzz, "0")["RC3_FUZZ_SECONDS"] == "375"  # 300 s are left
        assert settings_for("fuzz.x", fuzz, "1") == settings_for("a.light", fuzz, "0") == LONG
        assert not done("fuzz.x", fuzz, "0") and done("fuzz.x", twice, "0") and inputs_of(twice) == 2468, twice
        assert added("fuzz.x", fuzz, fuzz | {"sources": "1"})["cpu"] == 300
        assert added("fuzz.x", fuzz, fuzz | {"status": "fail"})["status"] == "fail"
        keep(store, "fuzz.x", fuzz | ran | {"day": "2026-02-03", "machine": "N"})
        rows = {code: Row(code) for code in ("T1", "T2", "T4")}
        collect(rows, load(store))
        page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
        write(page, rows, load(store), ["io.light", "fuzz.x"])
        text = page.read_text()
        assert text.startswith(f"before\n{BEGIN}\n") and text.endswith(f"{END}\nafter\n") and "old" not in text, text
        for line in (
            "| T1 | pass | 1 | bytes: 0 (<= 0) | 1 | 2026-01-02 abc A |",
            "| T2 | to do | 0 |  |  |  |",
            "| fuzz.x | 1,234 | 600 | 300 | 2026-02-03 abc B |",
            "| T4 | pass so far | 1 | fuzz.x: 1,234 inputs | 600 | 2026-02-03 abc B |",
            "io.light, fuzz.x",
        ):
            assert line in text.splitlines(), text


def main() -> None:
    if "--self-test" in sys.argv:
        return self_test()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--page", type=Path, default=ROOT / "docs/reliability.md")
    parser.add_argument("--junit", type=Path, help="the result of a ctest run: runs nothing, and shows what it holds")
    parser.add_argument("--long", action="store_true", help="200 kills, ten minutes for each fuzz target; writes the page")
    parser.add_argument("--store", type=Path, default=ROOT / "docs/results/harden.json", help="results of the long form")
    parser.add_argument("--only", default="", metavar="REGEX", help="long form: run these tests only")
    parser.add_argument("--minutes", type=float, metavar="N", help="long form: begin no test after so many minutes")
    parser.add_argument("--jobs", default="1")
    args = parser.parse_args()

    ctest = ["ctest", "--test-dir", str(args.build)]
    listing = json.loads(subprocess.run([*ctest, "--show-only=json-v1"], check=True, capture_output=True, text=True).stdout)
    labels = labels_of(listing)
    tests = {test["name"]: test.get("command", []) for test in listing["tests"]}

    def rows_of() -> dict[str, Row]:
        return {code: Row(title) for code, title in titles(args.page.read_text("utf-8")).items()}

    rows = rows_of()
    if args.long:
        parts = run_long(args, tests, labels, rows_of)
    else:
        junit = args.junit
        if junit is None:
            junit = args.build.resolve() / "harden.xml"
            junit.unlink(missing_ok=True)
            run = [*ctest, "-L", LABELS, "-j", args.jobs, "--output-junit", str(junit), "--test-output-size-passed", "1000000"]
            subprocess.run(run, check=False)
        parts = parts_of(xml.parse(junit).getroot(), labels)
    collect(rows, parts)
    shown = {code: row for code, row in rows.items() if row.tests or args.junit is None}
    for code, row in shown.items():
        result, count, first, seconds = row.cells()
        print(f"{code:4}{result:10}{count:>4} figures {seconds:>6} s  {row.title}\n{'':14}{first}")
    missing = [code for code, row in shown.items() if row.result() == "no figure"]
    if missing:
        print("without a figure, since no test that was built gives one: " + ", ".join(missing), file=sys.stderr)
    if args.long:
        print(f"{args.page} is written; the same command goes on with what is still to run")
    sys.exit(0 if all(row.result() == "pass" for row in shown.values()) else 1)


if __name__ == "__main__":
    main()
