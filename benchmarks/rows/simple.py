"""Rows of the programs with Google Benchmark, and of whole processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from .common import E5, PEERS, THREADS, Context, Measured, Missing, agree, failure, finished, turns

Rows = dict[str, Measured]


def encoders(c: Context) -> Rows:
    seconds = 0.01 if c.quick else 2
    names = ["bert/1/12"] if c.quick else ["bert/1/12", "bert/128/8", "bert/32/64", "efficientnet_lite0/32"]
    rows: Rows = {f"encoders.{name}/{b}".replace("/", "_"): Measured() for name in names for b in (0, 1)}
    with c.peer("encoders.py", c.weights("efficientnet-lite0")) as peer:
        for _ in range(c.rounds):
            mine = c.google_benchmark("|".join(names), seconds)
            for name, row in mine.items():
                rows["encoders." + name.replace("/", "_")].add(row["items"], peer.ask(f"{name} {seconds}")["value"])
    return rows


def search(c: Context) -> Rows:
    vectors, seconds = (2000, 0.01) if c.quick else (1_000_000, 1)
    rows: Rows = {}
    if c.quick:  # also where the peers are not installed
        c.google_benchmark("exact/0/", seconds, RC3_SEARCH_VECTORS=str(vectors))
    with c.peer("search.py", vectors) as peer:
        for _ in range(c.rounds):
            mine = c.google_benchmark("exact/0/", seconds, RC3_SEARCH_VECTORS=str(vectors))
            for name in ("faiss", "usearch"):
                for count in (1, 64):
                    theirs = peer.ask(f"{name} {count} {seconds}")["value"]
                    rows.setdefault(f"search.{name}_{count}", Measured()).add(
                        mine[f"exact/0/{count}"]["real_time"], theirs
                    )
    return rows


def cache(c: Context) -> Rows:
    rows = {"cache.time": Measured(), "cache.memory": Measured()}
    for _ in range(c.rounds):
        pattern = "(cached|direct)/64/" if c.quick else "cached/(64|4096)/|direct/1024/"
        mine = c.google_benchmark(pattern, 0)
        mine = {name.removesuffix("/iterations:1"): row for name, row in mine.items()}
        many, one = mine["cached/64" if c.quick else "cached/4096"], mine["cached/64"]
        direct = mine["direct/64" if c.quick else "direct/1024"]
        rows["cache.time"].add(1e3 / many["pairs_per_s"], 1e3 / direct["pairs_per_s"])
        rows["cache.memory"].add(many["peak_MB"], one["peak_MB"] + many["representations_MB"])
    return rows


def loader(c: Context) -> Rows:
    workers = 2
    shards = c.work / "scenes" if c.quick else c.cache / "bench/scenes"
    settings = {"RC3_BENCH_SHARDS": str(shards), "RC3_BENCH_SCENES": "400" if c.quick else "4000"}
    row = Measured()
    c.google_benchmark(f"loader/{workers}/", 0.01, **settings)  # packs the shards
    with c.peer("loader.py", c.weights(E5) / E5, shards, workers) as peer:
        for _ in range(c.rounds):
            mine = c.google_benchmark(f"loader/{workers}/", 8, **settings)
            row.add(next(iter(mine.values()))["items"], peer.ask("epoch")["value"])
    return {"loader.samples": row}


def tool_and_model(c: Context) -> tuple[Path, Path]:
    """The program rc3, and a directory of the default model with new heads."""
    tool = c.build / "examples/rc3"
    if not tool.is_file():
        raise Missing("the program rc3 is not built: ./run bench, or cmake --build BUILD --target rc3_tool")
    model = c.work / "model"
    if not model.exists():
        weights = c.weights(E5, "efficientnet-lite0")
        finished([c.program("rc3_bench"), "model", "save", weights, model], c.environment())
    return tool, model


def serve(c: Context) -> Rows:
    images, seconds, rate = (500, 1, 5) if c.quick else (100_000, 15, 50)
    tool, model = tool_and_model(c)
    sizes = [
        "--images",
        images,
        "--seconds",
        seconds,
        "--rate",
        rate,
        "--bare",
        3 if c.quick else 100,
        "--rounds",
        c.rounds,
    ]
    precision = ["--precision", "float32" if c.quick else "automatic"]
    out = finished(
        [c.python, "-B", PEERS / "serve.py", "--tool", tool, "--model", model, *sizes, *precision, "--json"],
        c.environment(),
    )
    rows = {"serve.highest": Measured(), "serve.p99": Measured(), "serve.pass": Measured()}
    for found in json.loads(out.splitlines()[-1]):
        rows["serve.highest"].add(found["highest"], rate)
        rows["serve.p99"].add(found["p99"], 200)
        rows["serve.pass"].add(found["median"], found["bare"])
    return rows


def images(c: Context) -> Rows:
    few, many = (2, 4) if c.quick else (16, 208)
    tool, model = tool_and_model(c)
    photos, some = c.work / "many", c.work / "few"
    for folder in (photos, some):
        shutil.rmtree(folder, ignore_errors=True)
    with c.peer("index.py", c.cache / "weights", photos, many) as peer:
        some.mkdir()
        for path in sorted(photos.iterdir())[:few]:
            shutil.copy(path, some)

        def seconds(folder: Path, precision: str) -> float:
            out = c.work / "photos.index"
            out.unlink(missing_ok=True)
            begin = time.perf_counter()
            finished(
                [tool, "index", folder, "--model", model, "--out", out, "--threads", THREADS, "--precision", precision],
                c.environment(),
            )
            return time.perf_counter() - begin

        def rate(precision: str) -> float:  # less the start, which few files show
            return (many - few) / max(seconds(photos, precision) - seconds(some, precision), 1e-3)

        return {
            f"images.{p}": Measured(*turns(c.rounds, [lambda p=p: rate(p), lambda p=p: peer.ask(p)["value"]]))
            for p in ("float32", "bfloat16")
        }


def start(c: Context) -> Rows:
    folder = c.weights(E5) / E5
    rows = {"start.wall": Measured(), "start.processor": Measured()}

    def timed(command: list[object]) -> tuple[float, float, float]:
        begin, before = time.perf_counter(), os.times()
        out = subprocess.run(
            [str(x) for x in command], capture_output=True, text=True, check=False, env=c.environment()
        )
        wall, after = time.perf_counter() - begin, os.times()
        if out.returncode != 0:
            raise failure(command, out.stderr)
        return (
            wall,
            after.children_user + after.children_system - before.children_user - before.children_system,
            float(out.stdout),
        )

    sides = [c.program("rc3_bench"), "start", folder], [c.python, PEERS / "start.py", folder]
    if not c.quick:
        for side in sides:  # files into the page cache
            timed(side)
    for _ in range(c.rounds):
        mine, theirs = (timed(side) for side in sides)
        agree("the first embedding", mine[2], theirs[2], 1e-4)
        for k, key in enumerate(rows):
            rows[key].add(mine[k], theirs[k])
    return rows
