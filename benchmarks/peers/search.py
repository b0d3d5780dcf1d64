#!/usr/bin/env python3
"""Peer of rc3_bench's search: exact search of faiss and of usearch among random vectors of 384 float32, on 2 threads.

    search.py <vectors>      each line: faiss or usearch, queries and seconds; the value is the median in milliseconds
"""

from __future__ import annotations

import statistics
import sys
import time

import faiss
import numpy as np
from usearch.index import MetricKind
from usearch.index import search as usearch
from worker import serve

THREADS, DIMENSION, TOP = 2, 384, 10

faiss.omp_set_num_threads(THREADS)
random = np.random.default_rng(1)


def unit_vectors(count: int) -> np.ndarray:
    vectors = random.standard_normal((count, DIMENSION), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


stored, queries = unit_vectors(int(sys.argv[1])), unit_vectors(64)
index = faiss.IndexFlatIP(DIMENSION)
index.add(stored)
SEARCH = {
    "faiss": lambda q: index.search(q, TOP),
    "usearch": lambda q: usearch(stored, q, TOP, MetricKind.IP, exact=True, threads=THREADS),
}


def milliseconds(line: str) -> float:
    name, count, least = line.split()
    asked = queries[: int(count)]
    SEARCH[name](asked)
    times: list[float] = []
    start = time.perf_counter()
    while not times or time.perf_counter() - start < float(least):
        begin = time.perf_counter()
        SEARCH[name](asked)
        times.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(times)


serve({}, milliseconds)
