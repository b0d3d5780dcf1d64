#!/usr/bin/env python3
"""A checkout in a folder whose name has brackets has the same tests: brackets_test.py ROOT BUILD. It is configured, not built."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

root, build = Path(sys.argv[1]), Path(sys.argv[2])


def tests_of(folder: Path) -> set[str]:
    said = subprocess.run(["ctest", "--test-dir", str(folder), "--show-only=json-v1"], check=True, capture_output=True, text=True).stdout
    return {test["name"] for test in json.loads(said)["tests"]}


cache = (build / "CMakeCache.txt").read_text("utf-8")
options = [f"-D{name}={value}" for name, value in re.findall(r"^(RC3_\w+|CMAKE_BUILD_TYPE|CMAKE_CXX_COMPILER|CMAKE_PREFIX_PATH):\w+=(.+)$", cache, re.M)]
with tempfile.TemporaryDirectory() as name:
    copy = Path(name) / "rc3 [1] ü"
    for part in ("benchmarks", "cmake", "docs", "examples", "include", "packaging", "src", "tests", "tools"):
        shutil.copytree(root / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md"):
        shutil.copy(root / part, copy)
    call = ["cmake", "-S", str(copy), "-B", str(copy / "build"), "-G", "Ninja", *options]
    made = subprocess.run(call, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode != 0:
        sys.exit(made.stdout)
    here, there = tests_of(build), tests_of(copy / "build")
    if here != there:
        sys.exit(f"only without brackets: {sorted(here - there)}; only with them: {sorted(there - here)}")
    print(f"{len(there)} tests, as without brackets")
