#!/usr/bin/env python3
"""Runs bench_search and exact search of faiss and usearch, alternately, and prints the ratio of their times.

All search the ten best of as many random float32 vectors of 384 numbers, on 2 threads. The share of the memory's speed is that of
bench_search's own reading of as many bytes, in the same round.

    pip install -r tools/prepare/requirements-bench.txt
    python search.py --program build/release/benchmarks/bench_search [--vectors 1000000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
from usearch.index import MetricKind
from usearch.index import search as usearch

THREADS = 2
DIMENSION = 384
TOP = 10


def milliseconds(work: Callable[[], object], least: float = 1.0) -> float:
    work()
    times, start = [], time.perf_counter()
    while not times or time.perf_counter() - start < least:
        begin = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(times)


def ours(program: Path, vectors: int) -> dict[str, float]:
    command = [program, "--benchmark_format=json", "--benchmark_min_time=1", "--benchmark_filter=exact|memory"]
    environment = os.environ | {"RC3_SEARCH_VECTORS": str(vectors)}
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return {row["name"].removesuffix("/real_time"): row["real_time"] for row in json.loads(out.stdout)["benchmarks"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()

    faiss.omp_set_num_threads(THREADS)
    random = np.random.default_rng(1)
    stored = random.standard_normal((args.vectors, DIMENSION), dtype=np.float32)
    stored /= np.linalg.norm(stored, axis=1, keepdims=True)
    queries = random.standard_normal((64, DIMENSION), dtype=np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    index = faiss.IndexFlatIP(DIMENSION)
    index.add(stored)

    peers: dict[str, Callable[[np.ndarray], object]] = {
        "faiss IndexFlatIP": lambda q: index.search(q, TOP),
        "usearch exact": lambda q: usearch(stored, q, TOP, MetricKind.IP, exact=True, threads=THREADS),
    }
    rounds: list[dict[str, float]] = []
    for _ in range(args.rounds):
        row = ours(args.program, args.vectors)
        for name, search in peers.items():
            for count in (1, 64):
                row[f"{name}/{count}"] = milliseconds(lambda search=search, count=count: search(queries[:count]))
        rounds.append(row)
    print(f"{args.vectors} x {DIMENSION}, {THREADS} threads, medians of {args.rounds} rounds, ms; ratio of each round: median (range)")
    for count in (1, 64):
        for storage, label in enumerate(("float32", "bfloat16", "int8")):
            key = f"exact/{storage}/{count}"
            line = f"{count:3} queries  rc3 {label:9} {statistics.median(r[key] for r in rounds):9.1f}"
            for name in peers:
                ratios = sorted(r[f"{name}/{count}"] / r[key] for r in rounds)
                line += f"   {name} {statistics.median(r[f'{name}/{count}'] for r in rounds):9.1f}"
                line += f" = {statistics.median(ratios):.2f} x ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            print(line)
    share = [r["memory"] / r["exact/0/1"] for r in rounds]
    read = args.vectors * DIMENSION * 4 / 1e6
    print(f"one query of float32 reads at {statistics.median(share):.0%} of the memory's speed, {read / statistics.median(r['memory'] for r in rounds):.1f} GB/s")


if __name__ == "__main__":
    main()
