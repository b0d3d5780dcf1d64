#!/usr/bin/env python3
"""What ctest runs: pages of the site in Chromium, at desktop width in light colours and at phone width in dark ones.

A page that is wider than the window, or a serious or critical fault of axe-core, fails the test. Without Chromium, axe-core or
the site (docs.site writes it) it is skipped (exit code 77).

    python try_site.py --site FOLDER/html --chromium chromium [PAGE...]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "serve"))
from chromium import Chromium  # noqa: E402

# Code, wide tables, figures, a class, lists of members, a long name, results of the site's search.
PAGES = ["index", "guides_tasks", "concepts_dataset", "classrc3_1_1ImageIndex", "classrc3_1_1data_1_1Loader-members", "annotated",
         "classrc3_1_1visual_1_1backbone_1_1LinearPatches-members", "search/all_0"]
FORMS = {"desktop, light": (1280, 900, False, False), "phone, dark": (390, 844, True, True)}
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FAULTS = "axe.run({preload: false}).then((r) => r.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => v.id + ': ' + v.nodes[0].html))"


def skip(reason: str) -> None:
    print(f"skipped: {reason}")
    sys.exit(77)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--chromium", default="")
    parser.add_argument("pages", nargs="*", default=PAGES)
    args = parser.parse_args()
    if not args.chromium or "NOTFOUND" in args.chromium:
        skip("there is no Chromium (Debian: apt-get install chromium)")
    package = importlib.util.find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        skip("axe-core is of the Python package axe-playwright-python (tools/prepare/requirements-alone.txt)")
    if not (args.site / "index.html").exists():
        skip(f"there is no site in {args.site}: the test docs.site writes it")
    axe = (Path(package.origin).parent / "axe.min.js").read_text("utf-8")
    problems = []
    with Chromium(args.chromium) as page:
        for form, how in FORMS.items():
            page.emulate(*how)
            for name in args.pages:
                page.open((args.site / f"{name}.html").resolve().as_uri())
                wide = page.run(WIDE)
                page.run(axe)
                found = page.run(FAULTS) + ([f"{wide} pixels wider than the window"] if wide > 0 else [])
                problems += [f"{name}, {form}: {fault}" for fault in found]
    print(json.dumps(problems, indent=1) if problems else f"{len(args.pages)} pages in {len(FORMS)} forms: no fault")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
