#!/usr/bin/env python3
"""Cost of training on many ranks: a model, runs that it is fitted to, and what it says of larger machines.

    python benchmarks/scaling.py model                     the tables of docs/scaling.md, from benchmarks/scaling.json
    python benchmarks/scaling.py run --program build/release/benchmarks/bench_scaling --out FILE   (as root: network namespaces)
    python benchmarks/scaling.py fit FILE                  constants, and measured against predicted
    python benchmarks/scaling.py check                     self-test, without a run: does the fit find constants that are known?

Units: seconds, bytes, bytes a second, FLOP (a multiplication and an addition are 2). Python's standard library is enough.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import fcntl
import json
import math
import os
import random
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
MBIT = 1e6 / 8
GB = 1e9


# --- The model ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Of rc3::Model<Visual, text::Bert, fusion::SingleStream> under R-XVtCL and ITC, negatives in the batch."""

    vocabulary: int
    width: int  # D
    layers: int
    feed_forward: int
    fusion: int  # layers; their inner width is 2 D, as in SingleStreamOptions
    visual: int  # V, visual tokens
    features: int  # numbers that a visual token is made of
    tokens: int  # L, of a text
    embedding: int  # E
    positions: int = 0
    hidden: int = 1024  # of the picture head
    backbone_flop: float = 0  # of a frozen visual backbone, a picture, forward only

    def word_embedding(self) -> int:
        return self.vocabulary * self.width

    def dense(self) -> int:
        """Parameters beside the word embedding; biases and norms are left out where they are below a thousandth."""
        d, f = self.width, self.feed_forward
        text = self.layers * (4 * d * d + 2 * d * f + 9 * d + f) + self.positions * d
        fusion = self.fusion * (4 * d * d + 4 * d * d + 11 * d)
        heads = 2 * d * self.hidden + self.hidden * self.embedding + d * self.embedding
        return text + fusion + heads + self.features * d

    def parameters(self) -> int:
        return self.word_embedding() + self.dense()

    def flop(self, whole_batch: int) -> float:
        """FLOP of a training step a sample: forward once, backward twice that. Each sample has a picture and two texts."""
        d = self.width

        def layer(length: int, inner: int) -> float:
            return 2 * length * (4 * d * d + 2 * d * inner) + 4 * length * length * d

        text = 2 * self.layers * layer(self.tokens, self.feed_forward)
        fused = 2 * self.fusion * layer(self.visual + self.tokens + 1, 2 * d)
        heads = 2 * (2 * d * self.hidden + self.hidden * self.embedding) + 4 * d * self.embedding
        contrast = 2 * whole_batch * (2 * d + 4 * self.embedding)  # a row of each matrix of similarities
        return 3 * (text + fused + heads + contrast + 2 * self.visual * self.features * d) + self.backbone_flop

    def representations(self) -> int:
        """Bytes that a sample gives to the gather: z^a, z^b, the picture's vector and both texts', float32."""
        return 4 * (2 * self.width + 3 * self.embedding)


XLM_R_BASE = Sizes(250002, 768, 12, 3072, fusion=2, visual=49, features=1280, tokens=32, embedding=384, positions=514, backbone_flop=0.8e9)


@dataclasses.dataclass(frozen=True)
class Machine:
    """What the cost depends on beside model and ranks. The first six are fitted or, of machines that are not here, assumed."""

    flops: float  # FLOP/s of a rank
    parameter_seconds: float  # a parameter and step: optimizer, norm, copies into buckets and out
    byte_seconds: float = 0  # a byte on the wire, beside the bandwidth: copies, the kernel, additions
    wire_share: float = 1  # of the nominal bandwidth that is reached, in (0, 1]
    overlap: float = 0  # of a rank's compute, before whose end the first gradients leave
    hop: float = 0  # latency of one message, s
    bandwidth: float = math.inf  # nominal, of the slowest link of the ring, a direction
    contention: Callable[[int], float] = lambda ranks: 1.0  # what compute is slowed down by ranks that share processors


@dataclasses.dataclass(frozen=True)
class Work:
    """What a rank has to do in a step."""

    ranks: int
    compute_flop: float
    parameters: float
    early_bytes: float  # gradients whose bucket leaves while the backward pass goes on: wire bytes
    late_bytes: float  # those that are complete at its end only: the word embedding's and what lies behind it
    gather_bytes: float  # representations and their gradients: wire bytes, waited for
    hops: float  # messages of a step that follow one another


def ring(ranks: int, size: float) -> float:
    """Bytes that a rank sends so that all have the sum of `size` bytes: reduce-scatter, then all-gather."""
    return 2 * (ranks - 1) / ranks * size


def parts(work: Work, machine: Machine) -> dict[str, float]:
    """Seconds of a step, by what they go into."""
    compute = machine.contention(work.ranks) * (work.compute_flop / machine.flops + work.parameters * machine.parameter_seconds)
    byte = 0.0 if work.ranks == 1 else 1 / (machine.wire_share * machine.bandwidth) + machine.byte_seconds
    return {
        "compute": compute,
        "gradients": max(0.0, work.early_bytes * byte - machine.overlap * compute) + work.late_bytes * byte,
        "gather": work.gather_bytes * byte,
        "latency": work.hops * machine.hop,
    }


def step_seconds(work: Work, machine: Machine) -> float:
    return sum(parts(work, machine).values())


# --- The fit -----------------------------------------------------------------------------------------------------------


def minimize(error: Callable[[Sequence[float]], float], start: Sequence[float], rounds: int = 3000) -> list[float]:
    """Nelder and Mead 1965: no derivative, so that the kink of max(0, .) does no harm."""
    n = len(start)
    for _ in range(4):  # started anew where it ended
        simplex = [list(start)] + [[x + (0.5 if i == k else 0.0) for i, x in enumerate(start)] for k in range(n)]
        ranked = sorted((error(x), x) for x in simplex)
        for _ in range(rounds):
            if ranked[-1][0] - ranked[0][0] < 1e-15:
                break
            middle = [sum(x[i] for _, x in ranked[:-1]) / n for i in range(n)]

            def at(t: float) -> tuple[float, list[float]]:
                x = [m + t * (m - w) for m, w in zip(middle, ranked[-1][1])]
                return error(x), x

            reflected = at(1.0)
            if reflected[0] < ranked[0][0]:
                ranked[-1] = min(reflected, at(2.0))
            elif reflected[0] < ranked[-2][0]:
                ranked[-1] = reflected
            elif (inside := at(-0.5 if reflected[0] >= ranked[-1][0] else 0.5))[0] < ranked[-1][0]:
                ranked[-1] = inside
            else:
                best = ranked[0][1]
                ranked = [ranked[0]] + [(error(y), y) for y in ([b + (v - b) / 2 for b, v in zip(best, x)] for _, x in ranked[1:])]
            ranked.sort()
        start = ranked[0][1]
    return start


def squares(pairs: Sequence[tuple[float, float]]) -> float:
    """Of relative errors: a step of 5 s counts as much as one of 0.1 s."""
    return sum(math.log(predicted / measured) ** 2 for predicted, measured in pairs)


def sizes_of(run: dict) -> Sizes:
    return Sizes(run["vocabulary"], run["width"], run["layers"], run["feed_forward"], run["fusion"], run["regions"], run["features"],
                 run["tokens"], run["width"], run["tokens"])


def work_of(run: dict) -> Work:
    """Of a run as bench_scaling prints it: bytes and messages as they were counted, not as the model says."""
    ranks, sent = run["ranks"], run.get("sent", {})
    flop = run["batch"] * sizes_of(run).flop(ranks * run["batch"])
    buckets = run.get("buckets", [])
    # Until the word embedding's bucket leaves nothing behind it may.
    late = next((k for k, bucket in enumerate(buckets) if bucket["bytes"] >= 4 * run["word_embedding"] and k == len(buckets) - 1),
                len(buckets))
    early = ring(ranks, sum(bucket["bytes"] for bucket in buckets[:late]))
    gradients = sent.get("gradients", {}).get("wire_bytes", 0.0)
    gathered = sum(kind["wire_bytes"] for name, kind in sent.items() if name != "gradients")
    return Work(ranks, flop, run["parameters"], early, gradients - early, gathered, sum(kind["hops"] for kind in sent.values()))
