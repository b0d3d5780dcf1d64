#!/usr/bin/env python3
"""What ctest runs: the page in Chromium, used as a person does, and judged by axe-core in each of its states.

At desktop and phone width, in light and dark colours. A serious or critical fault of axe-core, an error in the console or a state
that does not appear fails the test. Without Chromium or axe-core it is skipped (exit code 77).

    python try_accessibility.py --server build/release/tests/serve/serve_colours --chromium chromium [--screenshots FOLDER]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from chromium import Chromium

IMAGES = "[...document.querySelectorAll('.tile img')].slice(0, 4).every((one) => one.complete && one.naturalWidth)"
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


def skip(reason: str) -> None:
    print(f"skipped: {reason}")
    sys.exit(77)


def axe_core() -> str:
    package = importlib.util.find_spec("axe_playwright_python")  # which is not imported: Playwright is not there
    if package is None or package.origin is None:
        skip("axe-core is of the Python package axe-playwright-python (tools/prepare/requirements-alone.txt)")
    return (Path(package.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def states(page: Chromium, url: str, photo: Path) -> Iterator[str]:
    """Brings the page into one state after another, and yields the name of each."""
    page.open(url)
    page.wait("document.getElementById('status').textContent === '64 photographs'")
    yield "start"
    page.open(url + "?q=rot&rerank=1")
    page.wait("document.querySelectorAll('.tile').length === 24 && document.querySelector('.tile .score').textContent.includes('%')")
    assert page.run("document.getElementById('captions').hidden"), "captions of a text"
    page.wait(IMAGES)
    yield "results"
    page.run("document.querySelector('.open').click()")
    page.wait("document.getElementById('viewer').open && document.getElementById('viewer-image').complete")
    yield "viewer"
    page.run("document.getElementById('viewer-words').click()")
    page.wait("!document.getElementById('heat').hidden && document.querySelector('#words button').getAttribute('aria-pressed') === 'true'")
    box = page.run(
        "(() => { const h = document.getElementById('heat'), b = h.getBoundingClientRect(), f = h.parentElement.getBoundingClientRect(), "
        "p = document.getElementById('viewer-image'); "
        "return [h.width, h.height, b.width / b.height - p.naturalWidth / p.naturalHeight, b.left - f.left + b.right - f.right] })()"
    )
    assert box[:2] == [128, 128] and abs(box[2]) < 0.01 and abs(box[3]) < 1, f"the words' overlay is not on the photograph: {box}"
    yield "words"
    page.key("Escape", 27)
    page.wait("!document.getElementById('viewer').open")
    page.choose_file("#file", photo)
    page.wait("document.querySelector('.tile .open').getAttribute('aria-label').startsWith('1: green/3.png, Cosine 1.000')")
    page.wait("document.querySelectorAll('#captions-list button').length === 5 && !document.getElementById('captions').hidden")
    assert page.run("document.querySelector('#captions-list button span').textContent") == "green"
    page.wait(IMAGES)
    assert page.run("document.getElementById('rerank-label').hidden"), "re-ranking of an image"
    yield "image"
    page.run("document.querySelector('#captions-list button').click()")
    page.wait("location.search.startsWith('?q=green') && document.getElementById('captions').hidden")
    wrong = photo.parents[2] / "wrong.jpg"
    wrong.write_text("hello")
    page.choose_file("#file", wrong)
    page.wait("document.getElementById('error').textContent.startsWith('\u201cwrong.jpg\u201d: text; only these are read: JPEG')")
    page.open(url + "?like=0000000000000000")
    page.wait("!document.getElementById('error').hidden")
    page.console = [text for text in page.console if "404" not in text and "400" not in text]  # of these requests
    yield "error"
    assert not page.run("document.documentElement.scrollWidth > innerWidth"), "the page is wider than the window"


def faults(page: Chromium, axe: str) -> list[str]:
    page.run(axe + ";0")
    page.run("Promise.all(document.getAnimations().map((one) => one.effect.getTiming().iterations === Infinity || one.finished)).then(() => 0)")
    found = json.loads(page.run("axe.run(document, {resultTypes: ['violations']}).then((r) => JSON.stringify(r.violations))"))
    lines = []
    for fault in found:
        nodes = "; ".join(" ".join(node["target"]) + " " + node["html"][:120] for node in fault["nodes"][:3])
        lines.append(f"{fault['impact']}: {fault['id']}: {fault['help']}: {nodes}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", type=Path, required=True)
    parser.add_argument("--chromium", required=True)
    parser.add_argument("--screenshots", type=Path)
    args = parser.parse_args()
    if not args.chromium or "NOTFOUND" in args.chromium:
        skip("the page is tested in Chromium, which is not installed (Debian: apt-get install chromium)")
    axe = axe_core()

    bad = seen = 0
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([args.server, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            url = server.stdout.readline().strip()
            with Chromium(args.chromium) as page:
                for size, (width, height) in SIZES.items():
                    for colours in ("light", "dark"):
                        page.emulate(width, height, dark=colours == "dark", touch=size == "phone")
                        for state in states(page, url, Path(folder) / "photos/green/3.png"):
                            where = f"{size}-{colours}-{state}"
                            if args.screenshots:
                                page.screenshot(args.screenshots / f"{where}.png")
                            for line in faults(page, axe):
                                bad += line.startswith(("serious", "critical"))
                                print(f"{where}: {line}")
                            seen += 1
                for text in page.console:
                    bad += 1
                    print(f"console: {text}")
        finally:
            server.stdin.close()
            server.wait(20)
    print(f"{seen} states, {bad} serious faults")
    sys.exit(1 if bad or seen == 0 else 0)


if __name__ == "__main__":
    main()
