#!/usr/bin/env python3
"""Compiles every C++ block of the documentation from the page's own text. Fails with page and line.

A block says by an HTML comment just above its fence how it compiles; without one it is a whole file:

    <!-- cpp: file [light] [with PREAMBLE...] -->          a program, or declarations with their own #includes
    <!-- cpp: statements [light] [with PREAMBLE...] -->    the body of a function
    <!-- cpp: ... fails: REGEX -->                         a wrong use: one error at least, whose message matches

PREAMBLE names preambles/<name>.hpp, which declares what the block assumes in `namespace preamble::<name>`. `light`: without
LibTorch. A block with main(), a light block and a wrong use are compiled alone; the other LibTorch blocks share one
translation unit, each in a namespace, because LibTorch takes half a minute to parse. So does a main() with a preamble.

g++ compiles wrong uses. clang++, where there is one, compiles the others, with the precompiled headers of
tests/headers/alone.py: in a third of the time.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from pages import Block, blocks, judge, pages

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "headers"))
import alone  # noqa: E402
MARKER = re.compile(r"cpp: (?P<kind>file|statements)(?P<light> light)?(?: with (?P<with>[a-z0-9_ ]+?))?(?: fails: (?P<fails>.+))?")


@dataclasses.dataclass(frozen=True)
class Snippet:
    block: Block
    where: str
    kind: str = "file"
    light: bool = False
    preambles: tuple[str, ...] = ()
    fails: str = ""

    def alone(self) -> bool:
        program = self.kind == "file" and not self.preambles and re.search(r"^int main\(", self.block.text, re.M)
        return bool(self.light or self.fails or program)


def snippet(block: Block, root: Path, preambles: Path) -> Snippet:
    where = block.where(root)
    if not block.marker.startswith("cpp"):
        return Snippet(block, where)
    match = MARKER.fullmatch(block.marker)
    if not match:
        raise ValueError(f"{where}: no valid marker: <!-- {block.marker} -->; see tests/docs/check_cpp.py")
    names = tuple((match["with"] or "").split())
    for name in names:
        if not (preambles / f"{name}.hpp").exists():
            raise ValueError(f"{where}: no preamble {name}.hpp in tests/docs/preambles")
    return Snippet(block, where, match["kind"], bool(match["light"]), names, match["fails"] or "")


def source(part: list[Snippet], root: Path) -> str:
    """One translation unit. #include lines of grouped blocks move to its top, everything else keeps page and line."""
    top, bodies = [], []
    for number, s in enumerate(part):
        top += [f'#include "preambles/{name}.hpp"' for name in s.preambles]
        lines = s.block.text.split("\n")
        if len(part) > 1 or s.kind == "statements" or s.preambles:
            for i, line in enumerate(lines):
                if line.startswith("#include"):
                    top += [f'#line {s.block.line + i} "{s.where.rsplit(":", 1)[0]}"', line]
                    lines[i] = ""
        used = [f"using namespace preamble::{name};" for name in s.preambles]
        open_, close = ([], []) if len(part) == 1 and s.kind == "file" and not used else ([f"namespace block_{number} {{"], ["}"])
        if s.kind == "statements":
            open_, close = [*open_, "inline void body() {", *used], ["}", *close]
        else:
            open_ += used
        bodies += [*open_, f'#line {s.block.line} "{s.where.rsplit(":", 1)[0]}"', *lines, *close]
    return "\n".join([*top, *bodies]) + "\n"


def compile_one(name: str, text: str, command: list[str], out: Path) -> tuple[bool, str]:
    file = out / f"{name}.cpp"
    if not file.exists() or file.read_text("utf-8") != text:
        file.write_text(text, "utf-8")
    done = subprocess.run([*command, str(file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    return done.returncode == 0, done.stdout


def check(root: Path, out: Path, light: list[str], torch: list[str], pending: set[str], preambles: Path = HERE / "preambles",
          clang: dict[bool, alone.Check] | None = None, options: tuple[str, ...] = ()) -> list[str]:  # fmt: skip
    """What is wrong, a message each. @param clang  by whether a block is light: compiles those that are right, with @p options"""
    out.mkdir(parents=True, exist_ok=True)
    problems: list[str] = []
    snippets: list[Snippet] = []
    for page in pages(root):
        if page.relative_to(root).as_posix() in pending:
            continue
        for block in blocks(page):
            if block.language not in ("cpp", "c++", "C++", "cc", "cxx"):
                continue
            try:
                snippets.append(snippet(block, root, preambles))
            except ValueError as error:
                problems.append(str(error))
    parts = [[s] for s in snippets if s.alone()]
    shared = [s for s in snippets if not s.alone()]
    if shared:
        parts.append(shared)
    for number, part in enumerate(parts):
        first, code = part[0], source(part, root)
        command = light if first.light else torch
        if clang and not first.fails:
            command, wrong = clang[first.light].command_for(code, list(options))
            problems += [wrong] if wrong else []
        fine, text = compile_one(f"part_{number}", code, command, out)
        names = ", ".join(s.where for s in part)
        if first.fails:
            errors = re.findall(r"^.*\berror: .*$", text, re.M)
            if fine:
                problems.append(f"{names}: compiles, but is marked as wrong use")
            elif not any(re.search(first.fails, error) for error in errors):
                problems.append(f"{names}: no error matches \"{first.fails}\":\n" + "\n".join(errors))
        elif not fine:
            problems.append(f"does not compile: {names}\n{text}")
        print(f"{'light' if first.light else 'torch'}: {names}: {'wrong, as marked' if first.fails and not fine else 'compiles' if fine else 'does not compile'}", flush=True)
    if not snippets:
        problems.append(f"{root}: no C++ block found")
    return problems


GOOD = "#include <string>\n\nstd::string s;\n"


def self_test(command: list[str]) -> list[str]:
    """Each kind of flaw must be refused, and each kind of right block be taken."""
    wrong = {
        "does not compile": ("<!-- cpp: file light -->\n```cpp\n" + GOOD + "int x = s;\n```\n", r"page\.md:6"),
        "unknown marker": ("<!-- cpp: stuff -->\n```cpp\n" + GOOD + "```\n", "no valid marker"),
        "unknown preamble": ("<!-- cpp: statements light with nothing -->\n```cpp\nint x;\n```\n", "no preamble"),
        "statement without its preamble": ("<!-- cpp: statements light -->\n```cpp\n++given;\n```\n", r"page\.md:3"),
        "right, but marked as wrong": ("<!-- cpp: file light fails: x -->\n```cpp\n" + GOOD + "```\n", "compiles, but"),
        "another error than the marked one": ("<!-- cpp: file light fails: banana -->\n```cpp\nint x = y;\n```\n", "no error matches"),
        "no block at all": ("text\n", "no C\\+\\+ block"),
        "of two shared blocks the second": ("```cpp\n" + GOOD + "```\n\n```cpp\nint x = t;\n```\n", r"page\.md:8"),
    }
    right = {
        "files": "```cpp\n" + GOOD + "```\n\n```cpp\n" + GOOD + "```\n",
        "program": "```cpp\nint main() {}\n```\n",
        "statements": "<!-- cpp: statements light with given -->\n```cpp\n++given;\n```\n",
        "wrong use": "<!-- cpp: file light fails: 'y' was not declared|‘y’ was not declared|undeclared -->\n```cpp\nint x = y;\n```\n",
        "another language": "```cpp\nint x;\n```\n```json\n{}\n```\n",
    }
    problems = []
    for name, (text, expected) in [*wrong.items(), *((n, (t, "")) for n, t in right.items())]:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "root"
            (root / "preambles").mkdir(parents=True)
            (root / "preambles/given.hpp").write_text("#pragma once\nnamespace preamble::given { extern int given; }\n")
            (root / "page.md").write_text(text, "utf-8")
            command_here = [*command, f"-I{root}"]
            found = check(root, Path(folder) / "out", command_here, command_here, set(), root / "preambles")
        problems += judge(name, expected, found)
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, help="folder of the pages")
    parser.add_argument("--out", type=Path, help="where the sources are written")
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--includes", default="", help="folders for every block, with ; between them")
    parser.add_argument("--torch-includes", default="", help="folders for blocks with LibTorch")
    parser.add_argument("--pch", default="", help="header that has been precompiled")
    parser.add_argument("--flags", default="", help="flags of the precompiled header")
    parser.add_argument("--clang", help="clang++ for right blocks")
    for kind in ("light", "torch"):
        parser.add_argument(f"--system-{kind}", default="", help="what headers." + kind + " gives to alone.py as --system")
    parser.add_argument("--work", type=Path, help="folder of clang++'s precompiled headers, light/ and torch/")
    parser.add_argument("--pending", type=Path, help="file with the pages that are left out, a path a line")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    base = [args.compiler, "-std=c++20", "-fsyntax-only", *(f"-I{p}" for p in args.includes.split(";") if p)]
    if args.self_test:
        problems = self_test(base)
    else:
        base.append(f"-I{HERE}")
        torch = [*base, *(x for p in args.torch_includes.split(";") if p for x in ("-isystem", p)), *shlex.split(args.flags)]
        torch += ["-include", args.pch] if args.pch else []
        pending = set(args.pending.read_text().split()) if args.pending and args.pending.exists() else set()
        root, clang = args.root.resolve(), {}
        for kind, folders, pchs in (("light", args.system_light, alone.LIGHT), ("torch", args.system_torch, alone.TORCH)) if args.clang else ():
            light, system = kind == "light", [f"-isystem{folder}" for folder in folders.split(",") if folder]
            clang[light] = alone.Check([args.clang, *system], root / "include", args.work / kind, pchs)
            for file in (HERE / "preambles").glob("*.hpp"):
                clang[light].headers.includes[f"preambles/{file.name}"] = alone.included(file.read_text("utf-8"))
        # -w: a block may leave a value unused.
        problems = check(root, args.out, base, torch, pending, clang=clang, options=("-w", *(w for w in base if w.startswith("-I"))))
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
