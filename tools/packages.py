#!/usr/bin/env python3
"""Builds a small project, which knows nothing of this source tree, against each package of rc3, with each compiler.

Packages: the Debian package (unpacked into a folder), the Conan package, the port of vcpkg where $VCPKG_ROOT names its
folder, FetchContent, add_subdirectory, pkg-config. The project is a program without LibTorch. With the Debian package
examples/search_photos.cpp is compiled too, and searches the drawings of try_model. Compilers: g++, and each clang++ from
16 that is found (14 parses every header in the tests headers.*).
The steps are those of tests/package. Exit status 1: a project failed. Needs Python's standard library only.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "packaging/README.md"
BEGIN, END = "<!-- ./run packages writes from here -->", "<!-- to here -->"
EXPECTED = ("clang++-16", "clang++-19")  # of Debian 12


def compilers(path: str | None = None) -> tuple[list[str], list[str]]:
    """Those that are found, and those of Debian 12 that are not."""
    clangs = dict.fromkeys([*EXPECTED, *(f"clang++-{version}" for version in range(16, 40))])
    names = ["g++", *sorted(clangs, key=lambda name: int(name.rsplit("-", 1)[1]))]
    found = [name for name in names if shutil.which(name, path=path)]
    return found, [name for name in ("g++", *EXPECTED) if name not in found]


def version(compiler: str) -> str:
    said = subprocess.run([compiler, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    match = re.search(r"\d+\.\d+\.\d+", said)
    return match[0] if match else "?"


def cmake(script: str, **definitions: object) -> list[str]:
    values = {"SOURCE": ROOT / "tests/package/project", "RC3": ROOT, **definitions}
    return ["cmake", *(f"-D{name}={value}" for name, value in values.items()), "-P", str(ROOT / "tests/package" / script)]


def vcpkg_folder(environment: Mapping[str, str]) -> Path | None:
    folder = Path(environment.get("VCPKG_ROOT") or "/nowhere")
    return folder.absolute() if shutil.which("vcpkg", path=str(folder)) else None


def projects(compiler: str, work: Path, torch: Path, conan: Path, vcpkg: Path | None, model: Path) -> dict[str, list[str]]:
    """Name of each project and the command that builds and runs it."""
    webp = int(subprocess.run(["pkg-config", "--exists", "libwebp"], check=False).returncode == 0)
    common = {"COMPILER": compiler, "WEBP": webp, "CPACK": shutil.which("cpack")}
    deb = work / "deb"
    port = [str(ROOT / "tests/package/try_vcpkg.sh"), str(vcpkg), str(ROOT), str(work / "vcpkg"), compiler]
    return {
        "Debian": cmake("Package.cmake", KIND="deb", WORK=deb, **common),
        "Conan": [str(ROOT / "tests/package/try_conan.sh"), str(conan), str(ROOT), str(work / "conan"), compiler],
        **({"vcpkg": port} if vcpkg else {}),
        "FetchContent": cmake("Package.cmake", KIND="fetch_content", WORK=work / "fetch_content", **common),
        "add_subdirectory": cmake("Package.cmake", KIND="add_subdirectory", WORK=work / "add_subdirectory", **common),
        # The build tree of the Debian package, so that this comes after it.
        "pkg-config": cmake("PkgConfig.cmake", BUILD=deb / "rc3", WORK=work / "pkg_config", TORCH="", PKG_CONFIG="pkg-config", **common),
        "Debian, with LibTorch": cmake("Package.cmake", KIND="deb_torch", WORK=work / "deb_torch", TORCH=torch, MODEL=model, **common),
    }  # fmt: skip


def table(results: dict[str, dict[str, tuple[bool, float]]], versions: dict[str, str]) -> str:
    """@param results  by project and compiler: whether it passed, and seconds"""
    lines = ["| package | " + " | ".join(f"{name} {number}" for name, number in versions.items()) + " |", "|---" * (len(versions) + 1) + "|"]
    for project, row in results.items():
        cells = (f"{'pass' if row[c][0] else '**fail**'}, {row[c][1]:.0f} s" for c in versions)
        lines.append(f"| {project} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write(page: Path, text: str, absent: list[str], when: str) -> None:
    whole = page.read_text("utf-8")
    before, rest = whole.split(BEGIN)
    after = rest.split(END)[1]
    note = f"\nNot found: {', '.join(absent)}.\n" if absent else ""
    page.write_text(f"{before}{BEGIN}\n{when}:\n\n{text}\n{note}\n{END}{after}", "utf-8")


def self_test() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("g++", "clang++-16"):
            (Path(folder) / name).touch(0o755)
        assert compilers(folder) == (["g++", "clang++-16"], ["clang++-19"]), compilers(folder)
        assert vcpkg_folder({}) is None and vcpkg_folder({"VCPKG_ROOT": folder}) is None
        (Path(folder) / "vcpkg").touch(0o755)
        for vcpkg in (None, vcpkg_folder({"VCPKG_ROOT": folder})):
            names = list(projects("g++", Path("w"), Path("t"), Path("c"), vcpkg, Path("m")))
            assert ("vcpkg" in names) == (vcpkg is not None) and names[-1] == "Debian, with LibTorch", names
        results = {"Debian": {"g++": (True, 4.6), "clang++-16": (False, 2)}}
        text = table(results, {"g++": "12.2.0", "clang++-16": "16.0.6"})
        assert text.splitlines()[-1] == "| Debian | pass, 5 s | **fail**, 2 s |", text
        page = Path(folder) / "page.md"
        page.write_text(f"a\n{BEGIN}\nold\n{END}\nb\n")
        write(page, text, ["clang++-19"], "2026-11-30")
        said = page.read_text()
        assert "old" not in said and said.startswith("a\n") and said.endswith(f"\nNot found: clang++-19.\n\n{END}\nb\n"), said
        write(page, text, [], "2026-11-30")
        assert "Not found" not in page.read_text()
    assert BEGIN in PAGE.read_text("utf-8") and END in PAGE.read_text("utf-8")


def main() -> None:
    if "--self-test" in sys.argv:
        return self_test()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True, help="build tree with the program try_model; packages/ there is replaced")
    parser.add_argument("--conan", type=Path, required=True, help="program of Conan 2")
    parser.add_argument("--compilers", nargs="+", default=[], help="only these; without it, packaging/README.md is written")
    args = parser.parse_args()
    found, absent = compilers()
    for name in absent:
        print(f"skipped: there is no {name}: apt-get install {name.replace('clang++', 'clang')}")
    vcpkg = vcpkg_folder(os.environ)
    if vcpkg is None:
        absent.append("vcpkg")
        print("skipped: there is no vcpkg: set VCPKG_ROOT to its folder")
    chosen = args.compilers or found
    work = args.build.resolve() / "packages"
    include = re.search(r"^RC3_TORCH_INCLUDE_DIR:\w+=(.+)$", (args.build / "CMakeCache.txt").read_text(), re.M)
    if not include:
        sys.exit(f"{args.build}/CMakeCache.txt names no LibTorch: build rc3 there first")
    torch = Path(include[1]).resolve().parent
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    subprocess.run([args.build.resolve() / "examples/try_model", work], check=True)
    results: dict[str, dict[str, tuple[bool, float]]] = {}
    environment = {name: value for name, value in os.environ.items() if name not in ("CC", "CXX", "CXXFLAGS", "CMAKE_PREFIX_PATH")}
    commands = {compiler: projects(compiler, work / compiler, torch, args.conan.absolute(), vcpkg, work) for compiler in chosen}
    for project in commands[chosen[0]]:
        for compiler in chosen:
            command = commands[compiler][project]
            begin = time.monotonic()
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environment)
            passed, seconds = done.returncode == 0, time.monotonic() - begin
            results.setdefault(project, {})[compiler] = (passed, seconds)
            print(f"{project:28}{compiler:12}{'pass' if passed else 'FAIL'} {seconds:6.1f} s", flush=True)
            if not passed:
                log = work / f"{compiler}-{re.sub('[^a-z]+', '-', project.lower())}.log"
                log.write_text(done.stdout, "utf-8")
                print("\n".join(done.stdout.splitlines()[-25:]) + f"\nall of it: {log}", file=sys.stderr)
    text = table(results, {name: version(name) for name in chosen})
    print(text)
    if not args.compilers:
        write(PAGE, text, absent, date.today().isoformat())
        print(f"{PAGE} is written")
    sys.exit(0 if all(passed for row in results.values() for passed, _ in row.values()) else 1)


if __name__ == "__main__":
    main()
