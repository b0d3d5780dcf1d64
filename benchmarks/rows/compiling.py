"""Compile time of a ten-line program, against the same with nothing but torch/torch.h."""

from __future__ import annotations

import re
import time
from pathlib import Path

from .common import Context, Measured, Missing, finished, turns

ROOT = Path(__file__).resolve().parent.parent.parent

THEIRS = """#include <torch/torch.h>
int main() {
  torch::nn::Linear layer(4, 2);
  std::cout << layer->forward(torch::ones({1, 4})) << '\\n';
}
"""


def compiling(c: Context) -> dict[str, Measured]:
    cache = c.build / "CMakeCache.txt"
    if not cache.is_file():
        raise Missing(f"{cache} is missing: call ./run bench, or configure with CMake")
    setting = dict(re.findall(r"^([\w-]+):\w+=(.*)$", cache.read_text(), re.M))
    where = [f"-I{ROOT / 'include'}"]
    for path in [*setting["RC3_TORCH_INCLUDE_DIRS"].split(";"), "/usr/include/eigen3"]:
        where += ["-isystem", path]
    command = [setting["CMAKE_CXX_COMPILER"], "-std=c++20", *where, "-fsyntax-only" if c.quick else "-O2"]
    folder = c.work / "compiled"
    folder.mkdir(exist_ok=True)
    # The quick form sees that the compiler finds both sides' headers; other tests compile all of them.
    ours = (
        "#include <rc3/io/file.hpp>\nint main() {}\n" if c.quick else (ROOT / "examples/search_photos.cpp").read_text()
    )
    theirs = "#include <ATen/core/Tensor.h>\nint main() {}\n" if c.quick else THEIRS
    (folder / "ours.cpp").write_text(ours)
    (folder / "theirs.cpp").write_text(theirs)
    instances = "-DRC3_EXTERN_DEFAULT_MODEL"
    for name, more in (() if c.quick else (("all", ()), ("instances", (instances,)))):
        header = folder / f"{name}.hpp"
        header.write_text("#include <rc3/rc3.hpp>\n")
        finished([*command, *more, "-x", "c++-header", header, "-o", f"{header}.gch"], c.environment())

    def seconds(name: str, *more: object) -> float:
        begin = time.perf_counter()
        finished([*command, *more, "-c", folder / f"{name}.cpp", "-o", folder / f"{name}.o"], c.environment())
        return time.perf_counter() - begin

    alone = lambda: seconds("ours")  # noqa: E731
    with_header = lambda: seconds("ours", "-include", folder / "all.hpp")  # noqa: E731
    with_instances = lambda: seconds("ours", instances, "-include", folder / "instances.hpp")  # noqa: E731
    if c.quick:
        return {"compile.alone": Measured(*turns(1, [alone, lambda: seconds("theirs")]))}
    sides = [alone, with_header, with_instances, lambda: seconds("theirs")]
    mine, precompiled, compiled, theirs = turns(c.rounds, sides)
    return {
        "compile.alone": Measured(mine, theirs),
        "compile.precompiled": Measured(precompiled, theirs),
        "compile.instances": Measured(compiled, theirs),
    }
