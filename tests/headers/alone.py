#!/usr/bin/env python3
"""Compiles every header alone, with nothing before it: clang++ -fsyntax-only, with warnings as errors.

LibTorch is not parsed anew for each of hundreds of headers, by two means that hide no missing #include:

- A header is read with a precompiled one, the first of the list whose #includes it reaches, all of them, through our
  headers and under no #if. Such a precompiled header adds no declaration to what the header sees alone.
- Headers that are read with the same precompiled one share a source, A before B, if B reaches A. B sees no more than
  alone, since it includes A itself. The least number of such chains is found by matching (Dilworth).

A header that compiled is not compiled again until it, or what it reaches, changes. Needs Python's standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Precompiled:
    """Read before a header that reaches all of it."""

    name: str
    base: str  # the one it is on top of; "": none
    includes: tuple[str, ...]


# What most headers include, the largest first. Ours are among them: LibTorch is half of what is parsed, JSON, safetensors
# and the training loop are the other half. A base is read from its own file, so that one on top of it takes seconds.
LIGHT = [
    Precompiled("json", "", ("filesystem", "nlohmann/json.hpp")),
    Precompiled("files", "", ("filesystem", "sstream")),
    Precompiled("texts", "", ("sstream", "string")),
]
TORCH = [
    Precompiled("tasks", "train", ("rc3/task/task.hpp",)),
    Precompiled("pretraining", "train", ("rc3/experiment/pretraining.hpp",)),
    Precompiled("train", "features", ("rc3/train/run.hpp",)),
    Precompiled("task", "features", ("rc3/task/cached_examples.hpp",)),
    Precompiled("features", "safetensors", ("rc3/features/feature_cache.hpp",)),
    Precompiled("checkpoint", "safetensors", ("rc3/train/checkpoint.hpp",)),
    Precompiled("bert", "transformer", ("rc3/text/detail/bert_impl.hpp",)),
    Precompiled("transformer", "pretrained", ("rc3/core/nn/transformer_layer.hpp",)),
    Precompiled("pretrained", "layers", ("rc3/io/hf.hpp",)),
    Precompiled("layers", "module", ("torch/nn/modules/linear.h", "torch/nn/modules/normalization.h")),
    Precompiled("pipeline", "safetensors", ("rc3/pipeline/pipeline.hpp",)),
    Precompiled("directory", "safetensors", ("rc3/pipeline/directory.hpp",)),
    Precompiled("safetensors", "module", ("rc3/io/safetensors.hpp",)),
    Precompiled("module", "", ("torch/nn/module.h",)),
    Precompiled("json_batch", "operators", ("nlohmann/json.hpp", "rc3/core/batch.hpp")),
    Precompiled("json_tensor", "tensor", ("nlohmann/json.hpp",)),
    Precompiled("operators", "", ("ATen/TensorOperators.h",)),
    Precompiled("tensor", "", ("ATen/core/Tensor.h",)),
]


def included(text: str) -> list[str]:
    """Names of the #include lines of a header that stand under no #if."""
    names, depth = [], 0
    for line in text.splitlines():
        if re.match(r"\s*#\s*if", line):
            depth += 1
        elif re.match(r"\s*#\s*endif", line):
            depth -= 1
        elif depth == 0 and (match := re.match(r'\s*#\s*include\s*[<"]([^>"]+)', line)):
            names.append(match[1])
    return names


class Headers:
    """Our headers below a folder, and what they reach."""

    def __init__(self, root: Path):
        self.texts = {file.relative_to(root).as_posix(): file.read_text("utf-8") for file in sorted(root.rglob("*.hpp"))}
        self.includes = {name: included(text) for name, text in self.texts.items()}
        self.known: dict[str, frozenset[str]] = {}

    def reached(self, name: str) -> frozenset[str]:
        """With the header itself only if what it includes includes it again."""
        if name not in self.known:
            found, waiting = set(), [name]
            while waiting:
                new = set(self.includes.get(waiting.pop(), [])) - found
                found |= new
                waiting += new
            self.known[name] = frozenset(found)
        return self.known[name]

    def hash_of(self, names: list[str], command: list[str]) -> str:
        ours = sorted({n for name in names for n in (name, *self.reached(name)) if n in self.texts})
        return hashlib.sha256("\0".join([*command, *names, *(f"{n}\n{self.texts[n]}" for n in ours)]).encode()).hexdigest()


def all_includes(pch: Precompiled, by_name: dict[str, Precompiled]) -> list[str]:
    return (all_includes(by_name[pch.base], by_name) if pch.base else []) + list(pch.includes)


def chains(names: list[str], headers: Headers) -> list[list[str]]:
    """The least number of chains that hold all of @p names; in a chain each header reaches those before it."""
    above = {low: [n for n in names if low in headers.reached(n) and n not in headers.reached(low)] for low in names}
    below: dict[str, str] = {}  # the header just before one in its chain

    def place(low: str, seen: set[str]) -> bool:
        for high in above[low]:
            if high not in seen:
                seen.add(high)
                if high not in below or place(below[high], seen):
                    below[high] = low
                    return True
        return False

    for name in names:
        place(name, set())
    found = []
    for top in set(names) - set(below.values()):
        chain = [top]
        while chain[0] in below:
            chain.insert(0, below[chain[0]])
        found.append(chain)
    return sorted(found, key=lambda chain: (-len(headers.reached(chain[-1])), chain))  # those that take longest first


class Check:
    """@param compiler  with the folders of other libraries; @param work  for precompiled headers, sources and stamps"""

    def __init__(self, compiler: list[str], root: Path, work: Path, pchs: list[Precompiled]):
        self.compiler = [*compiler, "-std=c++20", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{root}"]
        self.headers, self.work, self.pchs = Headers(root), work, pchs
        self.by_name = {pch.name: pch for pch in pchs}
        self.made: set[str] = set()  # precompiled headers of this run
        folders = [Path(word.removeprefix("-isystem")) for word in compiler if word.startswith("-isystem")]
        version = subprocess.run([compiler[0], "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.others = version + "".join(f"{folder} {folder.stat().st_mtime_ns}\n" for folder in folders)
        work.mkdir(parents=True, exist_ok=True)

    def compile(self, name: str, command: list[str], parts: list[str], source: str, again: bool) -> str:
        """Compiles @p source unless it was with the same headers. @return what the compiler says; empty: nothing is wrong"""
        key = self.headers.hash_of(parts, [*command, source, self.others])
        file, stamp = self.work / f"{name}.cpp", self.work / f"{name}.stamp"
        if not again and stamp.exists() and stamp.read_text() == key:
            return ""
        stamp.unlink(missing_ok=True)
        file.write_text(source)
        done = subprocess.run([*command, str(file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        if done.returncode:
            return done.stdout or f"{command[0]}: status {done.returncode}"
        stamp.write_text(key)
        return ""

    def file_of(self, pch: str) -> Path:
        return self.work / f"{pch}.pch"

    def with_pch(self, pch: str) -> list[str]:
        return ["-include-pch", str(self.file_of(pch))] if pch else []

    def precompile(self, pch: Precompiled) -> str:
        names, file = all_includes(pch, self.by_name), self.file_of(pch.name)
        before = file.stat().st_mtime_ns if file.exists() else 0
        command = [*self.compiler, *self.with_pch(pch.base), "-fpch-instantiate-templates", "-x", "c++-header", "-o", str(file)]
        source = "".join(f"#include <{name}>\n" for name in names)
        wrong = self.compile(f"pch_{pch.name}", command, names, source, not before or pch.base in self.made)
        if not wrong and file.stat().st_mtime_ns != before:
            self.made.add(pch.name)
        return f"the precompiled header {pch.name}:\n{wrong}" if wrong else ""

    def chosen(self, header: str) -> str:
        """The precompiled header that @p header is read with; "": none."""
        return self.first_within(self.headers.reached(header), header)

    def first_within(self, reached: frozenset[str], header: str = "") -> str:
        for pch in self.pchs:
            names = all_includes(pch, self.by_name)
            if reached.issuperset(names) and not any(header == name or header in self.headers.reached(name) for name in names):
                return pch.name
        return ""

    def command_for(self, text: str, options: list[str]) -> tuple[list[str], str]:
        """How a source outside our headers is compiled, and what is wrong with the precompiled header that it reaches, which
        is made here."""
        names = included(text)
        chosen = self.first_within(frozenset(names).union(*map(self.headers.reached, names)))
        order, base = [], chosen
        while base:
            order.insert(0, self.by_name[base])
            base = order[0].base
        wrong = next(filter(None, map(self.precompile, order)), "")
        return [*self.compiler, *options, "-fsyntax-only", *self.with_pch(chosen)], wrong

    def alone(self, chain: list[str], pch: str) -> str:
        source = "".join(f'#include "{name}"\n' for name in chain + chain)  # twice: each has an include guard
        command = [*self.compiler, "-fsyntax-only", *self.with_pch(pch)]
        wrong = self.compile("alone_" + re.sub(r"\W", "_", chain[-1]), command, chain, source, False)
        return f"{', '.join(chain)}: does not compile alone (precompiled header: {pch or 'none'})\n{wrong}" if wrong else ""

    def run(self, names: list[str], jobs: int) -> list[str]:
        """What is wrong, a message each."""
        read_with: dict[str, list[str]] = {}
        for name in names:
            read_with.setdefault(self.chosen(name), []).append(name)
        needed = set(read_with) - {""}
        while more := {self.by_name[name].base for name in needed} - needed - {""}:
            needed |= more
        with ThreadPoolExecutor(jobs) as pool:

            def start(pch: str) -> list:
                return [pool.submit(self.alone, chain, pch) for chain in chains(read_with.get(pch, []), self.headers)]

            results, ready = start(""), {""}
            while needed:
                next_ = [pch for pch in self.pchs if pch.name in needed and pch.base in ready]
                for pch, wrong in zip(next_, pool.map(self.precompile, next_)):
                    if wrong:
                        return [wrong]
                    needed.remove(pch.name)
                    ready.add(pch.name)
                    results += start(pch.name)
            return [result.result() for result in results if result.result()]


def self_test(compiler: list[str]) -> list[str]:
    """A header that lacks an #include must be refused, whatever it is read with and however it is chained."""
    texts = Precompiled("texts", "", ("string", "string_view"))
    pchs = [Precompiled("files", "texts", ("filesystem",)), texts]
    string, regex, files = "#include <string>\n#include <string_view>\n", "#include <regex>\n", "#include <filesystem>\n"
    match = "inline bool f(const char* x) { return std::regex_match(x, std::regex(x)); }\n"
    path = "inline std::filesystem::path g() { return {}; }\n"
    twice = {"rc3/twice.hpp": "#pragma once\ninline int twice(int x) { return 2 * x; }\n"}
    use = "inline int h() { return twice(1); }\n"
    no_regex, no_files, no_twice = "no (member|type|template) named 'regex", "no member named 'filesystem'|'filesystem'", "'twice'"
    none, by_texts, by_files = r"header: none\)", r"header: texts\)", r"header: files\)"
    cases = [
        ({"rc3/a.hpp": regex + match}, ""),
        ({"rc3/a.hpp": match}, none),
        ({"rc3/a.hpp": string + regex + match}, ""),
        ({"rc3/a.hpp": string + match}, f"{by_texts}[^$]*({no_regex})"),
        ({"rc3/a.hpp": string + files + path}, ""),
        ({"rc3/a.hpp": string + files + match}, f"{by_files}[^$]*({no_regex})"),
        # What is included under #if is not reached.
        ({"rc3/a.hpp": string + "#ifdef RC3_NEVER\n" + files + "#endif\n" + path}, f"{by_texts}[^$]*({no_files})"),
        ({"rc3/a.hpp": string + '#include "rc3/twice.hpp"\n' + use, **twice}, ""),
        ({"rc3/a.hpp": string + use, **twice}, f"{by_texts}[^$]*{no_twice}"),
        # a is reached by b, which includes <regex> before it.
        ({"rc3/a.hpp": match, "rc3/b.hpp": regex + '#include "rc3/a.hpp"\n'}, "rc3/a.hpp[^$]*'std'"),
        # b is not helped by a third that includes both.
        ({"rc3/b.hpp": use, "rc3/c.hpp": '#include "rc3/twice.hpp"\n#include "rc3/b.hpp"\n', **twice}, f"rc3/b.hpp[^$]*{no_twice}"),
        # a and b include each other.
        ({"rc3/a.hpp": '#include "rc3/b.hpp"\n', "rc3/b.hpp": '#include "rc3/a.hpp"\n' + match}, "rc3/b.hpp[^$]*'std'"),
        # Without an include guard.
        ({"rc3/a.hpp": "struct A {};\n", "guard": ""}, "redefinition"),
        ({"rc3/a.hpp": "inline int f() { int unused; return 1; }\n"}, "unused-variable"),
        ({"rc3/a.hpp": "inline int f(double x) { return x; }\n"}, "implicit conversion"),
    ]
    problems = []
    for number, (files_, expected) in enumerate(cases):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "include"
            names = sorted(name for name in files_ if name.endswith(".hpp"))
            for name in names:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                guard = "" if "guard" in files_ else "#pragma once\n"
                (root / name).write_text(guard + files_[name].removeprefix("#pragma once\n"))
            found = Check(compiler, root, Path(folder) / "work", pchs).run(names, 2)
            if bool(found) != bool(expected) or (expected and not any(re.search(expected, f) for f in found)):
                problems.append(f"case {number}: expected {expected or 'nothing'}, found {found}")
            if not found:  # nothing is compiled a second time; a change is
                stamps = {s: s.stat().st_mtime_ns for s in (Path(folder) / "work").glob("*.stamp")}
                if Check(compiler, root, Path(folder) / "work", pchs).run(names, 2) or {s: s.stat().st_mtime_ns for s in stamps} != stamps:
                    problems.append(f"case {number}: compiled again without a change")
                (root / names[0]).write_text("#pragma once\nerror\n")
                if not Check(compiler, root, Path(folder) / "work", pchs).run(names, 2):
                    problems.append(f"case {number}: a change is not seen")
    six = {"a": [], "b": ["a"], "c": ["b"], "d": ["a"], "e": ["f"], "f": ["e"]}
    headers = Headers(Path("none"))
    headers.includes = six
    if (found := chains(list(six), headers)) != [["a", "b", "c"], ["e"], ["f"], ["d"]]:
        problems.append(f"chains: {found}")
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", required=True, help="clang++")
    parser.add_argument("--system", default="", help="folders of other libraries' headers, with commas between them")
    parser.add_argument("--root", type=Path, help="folder of our headers")
    parser.add_argument("--work", type=Path, help="folder for precompiled headers and stamps")
    parser.add_argument("--headers", type=Path, help="file with the headers, a path below --root a line")
    parser.add_argument("--kind", choices=("light", "torch"), default="light", help="which precompiled headers are used")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    compiler = [args.compiler, *(f"-isystem{folder}" for folder in args.system.split(",") if folder)]
    if args.self_test:
        problems = self_test(compiler)
    else:
        names = args.headers.read_text().split()
        check = Check(compiler, args.root, args.work, TORCH if args.kind == "torch" else LIGHT)
        problems = check.run(names, args.jobs)
        print(f"{len(names)} headers, {len(problems)} wrong")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
