"""What all rows share: processes that work on demand, turns, the machine.

Standard library only, and the driver stays small: a peer's imports belong to the peer's process.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PEERS = Path(__file__).resolve().parent.parent / "peers"
E5 = "multilingual-e5-small"
SMALL_E5 = PEERS.parent.parent / "examples/support/small_e5.py"
THREADS = 2


class Missing(Exception):
    """Something that a row needs is not there; the text says what, and how to get it."""


class MissingPackage(Missing):
    """A peer is not installed."""


class MissingData(Missing):
    """Weights or data are not in the cache folder."""


@dataclass
class Measured:
    """One number of each round for both sides."""

    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    def add(self, ours: float, theirs: float) -> None:
        self.ours.append(ours)
        self.theirs.append(theirs)


@dataclass
class Context:
    """What a row is measured with."""

    build: Path  # CMake's build folder
    cache: Path  # weights and data
    work: Path  # files of this run
    python: str  # of the peers
    rounds: int
    quick: bool
    missing: dict[str, MissingPackage] = field(default_factory=dict)  # of single rows, by key

    def program(self, name: str) -> Path:
        for folder in ("benchmarks", "examples"):
            path = self.build / folder / name
            if path.is_file():
                return path
        raise Missing(f"the program {name} is not built: ./run bench, or cmake --build BUILD --target {name}")

    def weights(self, *names: str) -> Path:
        """The folder of weights, with those of @p names. In the quick form E5 is one that is loaded in no time."""
        folder = self.cache / "weights"
        for name in names:
            if not (folder / name).is_dir():
                raise MissingData(f"{folder / name} is missing: call ./run setup")
        if not self.quick or E5 not in names:
            return folder
        small = self.work / "weights"
        if not small.is_dir():
            finished([self.python, "-B", SMALL_E5, folder, small], self.environment())
        return small

    def needs_memory(self, gb: int) -> None:
        """@throws Missing where less is free, so that a run on a small machine ends this row and not another program"""
        free = re.search(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text())
        if not self.quick and free and int(free[1]) < gb * 2**20:
            raise Missing(f"{gb} GB of free memory are needed, {int(free[1]) / 2**20:.0f} GB are there")

    def environment(self, **more: str) -> dict[str, str]:
        # One thread where no time counts: beside other tests, threads that wait for each other take seconds.
        threads = "1" if self.quick else str(THREADS)
        compiler = {"RC3_BENCH_COMPILER": "eager"} if self.quick else {}  # Inductor takes minutes
        fixed = {"RC3_CACHE": str(self.cache), "OMP_NUM_THREADS": threads, "HF_HUB_OFFLINE": "1"}
        return os.environ | fixed | compiler | more

    def peer(self, script: str, *arguments: object) -> Worker:
        return Worker([self.python, "-B", PEERS / script, *arguments], self.environment())

    def ours(self, name: str, *arguments: object) -> Worker:
        return Worker([self.program("rc3_bench"), name, *arguments], self.environment())

    def google_benchmark(self, pattern: str, seconds: float, **environment: str) -> dict[str, dict]:
        """Results of Google's benchmarks by name. @param seconds  least time of each"""
        seconds = 0.01 if self.quick else seconds
        command = [
            self.program("rc3_bench"),
            f"--benchmark_filter={pattern}",
            "--benchmark_format=json",
            f"--benchmark_min_time={seconds}",
        ]
        out = finished(command, self.environment(**environment))
        return {row["name"].removesuffix("/real_time"): row for row in json.loads(out)["benchmarks"]}


def finished(command: Sequence[object], environment: dict[str, str] | None = None) -> str:
    """Output of a process that ends well."""
    out = subprocess.run([str(c) for c in command], env=environment, capture_output=True, text=True, check=False)
    if out.returncode != 0:
        raise failure(command, out.stderr)
    return out.stdout


def failure(command: Sequence[object], errors: str) -> Exception:
    lines = errors.strip().splitlines() or ["no message"]
    if absent := re.search(r"No module named '([^']+)'", lines[-1]):
        return MissingPackage(
            f"the Python package {absent[1]} is missing: pip install -r tools/prepare/requirements-bench.txt"
        )
    return RuntimeError(f"{' '.join(str(c) for c in command)} failed:\n" + "\n".join(lines[-8:]))


class Worker:
    """A process that loads everything, prints a JSON object about itself, and does one piece of work for each line."""

    def __init__(self, command: Sequence[object], environment: dict[str, str]) -> None:
        self.command = [str(c) for c in command]
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            self.command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True
        )
        try:
            self.about = self._answer()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.errors.seek(0)
            raise failure(self.command, self.errors.read())
        return json.loads(line)

    def ask(self, work: str) -> dict:
        """{"seconds": ..., "value": ...} of one piece of work."""
        self.process.stdin.write(work + "\n")
        self.process.stdin.flush()
        return self._answer()

    def peak_mb(self) -> float:
        """Highest resident memory so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.errors.close()


def turns(rounds: int, sides: Sequence[Callable[[], float]]) -> list[list[float]]:
    """Numbers of each side, one a round. The sides take turns, and another one begins each round."""
    numbers: list[list[float]] = [[] for _ in sides]
    for turn in range(rounds):
        for k in range(len(sides)):
            side = (turn + k) % len(sides)
            numbers[side].append(sides[side]())
    return numbers


def agree(what: str, ours: float, theirs: float, within: float) -> None:
    if abs(ours - theirs) > within:
        raise RuntimeError(f"{what}: the results differ by more than {within}: {ours} and {theirs}")


def machine() -> dict[str, object]:
    """The machine in words, as far as times depend on it."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    name = re.search(r"model name\s*:\s*(.+)", info)
    flags = set((re.search(r"flags\s*:\s*(.+)", info) or ["", ""])[1].split())
    units = {
        "avx2": "AVX2",
        "avx512f": "AVX-512",
        "avx512_vnni": "VNNI",
        "avx512_bf16": "AVX512-BF16",
        "amx_bf16": "AMX-BF16",
    }
    memory = (
        re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()) if Path("/proc/meminfo").exists() else None
    )
    return {
        "processor": re.sub(r"\((R|TM)\)", "", name[1]).strip() if name else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "instructions": [word for flag, word in units.items() if flag in flags],
        "memory_gb": round(int(memory[1]) / 2**20) if memory else 0,
    }
