#!/usr/bin/env python3
"""Cost of training on many ranks: a model, runs that it is fitted to, and what it says of larger machines.

    python benchmarks/scaling.py model                     the tables of docs/scaling.md, from benchmarks/scaling.json
    python benchmarks/scaling.py run --program build/release/benchmarks/rc3_bench --out FILE   (as root: network namespaces)
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
import socket
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
RUNS = HERE / "scaling.json"
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
    hidden: int = 1024  # of the image head
    backbone_flop: float = 0  # of a frozen visual backbone, an image, forward only

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

    def layer_flop(self, length: int, inner: int) -> float:
        return 2 * length * (4 * self.width**2 + 2 * self.width * inner) + 4 * length**2 * self.width

    def text_flop(self) -> float:
        """Of both texts of a sample, forward and backward."""
        return 3 * 2 * self.layers * self.layer_flop(self.tokens, self.feed_forward)

    def flop(self, whole_batch: int) -> float:
        """FLOP of a training step a sample: forward once, backward twice that. Each sample has an image and two texts."""
        d = self.width
        fused = 2 * self.fusion * self.layer_flop(self.visual + self.tokens + 1, 2 * d)
        heads = 2 * (2 * d * self.hidden + self.hidden * self.embedding) + 4 * d * self.embedding
        contrast = 2 * whole_batch * (2 * d + 4 * self.embedding)  # a row of each matrix of similarities
        return self.text_flop() + 3 * (fused + heads + contrast + 2 * self.visual * self.features * d) + self.backbone_flop

    def buckets(self, bucket_bytes: int = 25 << 20) -> list[tuple[int, float]]:
        """Numbers in each of GradientSum's buckets, and by what share of a step it leaves before the backward pass ends.

        Both texts go through one encoder: a layer's gradient is complete when the second text has come back to it, so only the
        backward pass of one of two texts hides anything. Buckets are filled from the last parameter to the first.
        """
        d, f = self.width, self.feed_forward
        text_share = self.text_flop() / self.flop(1) * (2 / 3) / 2
        layers = range(self.layers - 1, -1, -1)
        tensors = [(d * self.embedding, text_share), (self.hidden * self.embedding, text_share), (2 * d * self.hidden, text_share)]
        tensors += self.fusion * [(n, text_share) for n in (2 * d * d, 2 * d * d, d * d, d * d, d * d, d * d)]
        tensors += [(n, text_share * k / self.layers) for k in layers for n in (d * f, d * f, d * d, d * d, d * d, d * d)]
        tensors += [(self.positions * d, 0.0), (self.word_embedding(), 0.0), (self.features * d, 0.0)]
        full: list[tuple[int, float]] = []
        for number, lead in tensors:
            if not full or 4 * full[-1][0] >= bucket_bytes:
                full.append((0, 1.0))
            full[-1] = (full[-1][0] + number, min(full[-1][1], lead))
        return full

    def representations(self) -> int:
        """Bytes that a sample gives to the gather: z^a, z^b, the image's vector and both texts', float32."""
        return 4 * (2 * self.width + 3 * self.embedding)


XLM_R_BASE = Sizes(250002, 768, 12, 3072, fusion=2, visual=49, features=1280, tokens=32, embedding=384, positions=514, backbone_flop=0.8e9)


@dataclasses.dataclass(frozen=True)
class Machine:
    """What the cost depends on beside model and ranks: fitted, or of machines that are not here assumed."""

    flops: float  # FLOP/s of a rank
    parameter_seconds: float  # a parameter and step: optimizer, norm, copies into buckets and out
    byte_seconds: float = 0  # a byte on the wire, beside the bandwidth: copies, the kernel, additions
    wire_share: float = 1  # of the nominal bandwidth that is reached, in (0, 1]
    overlap: float = 1  # of the time between a bucket's leaving and the end of the backward pass, what hides its sum, in [0, 1]
    hop: float = 0  # latency of one message, s
    bandwidth: float = math.inf  # nominal, of the slowest link of the ring, a direction
    contention: float = 1  # by what ranks that share processors, and whoever else does, slow down compute and copies


@dataclasses.dataclass(frozen=True)
class Work:
    """What a rank has to do in a step."""

    ranks: int
    flop: float
    parameters: float  # that its optimizer updates
    buckets: list[tuple[float, float]]  # wire bytes of the gradients, share of compute that is left when they leave
    gather: float  # wire bytes that are waited for: representations, their gradients, texts as ids
    hops: float  # messages of a step that follow one another


def ring(ranks: int, size: float) -> float:
    """Bytes that a rank sends so that all have the sum of `size` bytes: reduce-scatter, then all-gather."""
    return 2 * (ranks - 1) / ranks * size


COLLECTIVES = {"all_gather": 14, "all_reduce": 7}  # of a step with R-XVtCL and ITC beside the buckets, as rc3_bench counts them


def work(sizes: Sizes, ranks: int, batch: int) -> Work:
    """Of a step with `batch` samples on each rank."""
    buckets = [(ring(ranks, 4 * numbers), lead) for numbers, lead in sizes.buckets()]
    representations = batch * sizes.representations()
    # Forward every rank gets all rows; backward the gradient of all rows is summed. Texts: ids and masks of a and b.
    gather = (ranks - 1) * (representations + batch * (18 * sizes.tokens + 12)) + ring(ranks, ranks * representations)
    hops = (ranks - 1) * (COLLECTIVES["all_gather"] + 2 * COLLECTIVES["all_reduce"] + 2 * len(buckets))
    return Work(ranks, batch * sizes.flop(ranks * batch), sizes.parameters(), buckets, gather, hops)


def parts(w: Work, m: Machine) -> dict[str, float]:
    """Seconds of a step, by what they go into."""
    compute = m.contention * (w.flop / m.flops + w.parameters * m.parameter_seconds)
    # The wire and the copies work side by side, in part: of a sum, the larger and a root of squares the last fitted best.
    byte = 0.0 if w.ranks == 1 else math.hypot(1 / (m.wire_share * m.bandwidth), m.contention * m.byte_seconds)
    end = -math.inf  # of the sums so far; 0 is the end of the backward pass
    for size, lead in w.buckets:
        end = max(end, -m.overlap * lead * compute) + size * byte
    return {"compute": compute, "gradients": max(0.0, end), "gather": w.gather * byte, "latency": w.hops * m.hop}


def step_seconds(w: Work, m: Machine) -> float:
    return sum(parts(w, m).values())


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
                 run["tokens"], embedding=run["width"], positions=run["tokens"])


def predicted(run: dict, machine: Machine) -> dict[str, float]:
    """What several ranks add is predicted; compute, of which a shared machine has now more and now less to give, is what the ranks
    took for it each for itself in turns with these steps."""
    w = work(sizes_of(run), run["ranks"], run["batch"])
    limit = run["bandwidth_mbit"] * MBIT if run.get("bandwidth_mbit") else math.inf
    contention = run["compute_seconds"] / parts(w, machine)["compute"] if "compute_seconds" in run else 1.0
    return parts(w, dataclasses.replace(machine, bandwidth=limit, contention=contention))


def total(run: dict, machine: Machine) -> float:
    return sum(predicted(run, machine).values())


def fit(runs: Sequence[dict]) -> Machine:
    """Compute from runs of one rank, latency from sums of 8 bytes, and the rest from the steps of several ranks. Runs that are held
    out are not looked at."""
    runs = [run for run in runs if not run.get("held_out")]
    alone, several = ([run for run in runs if bool(run["alone"]) == which] for which in (True, False))

    def computing(x: Sequence[float]) -> Machine:
        return Machine(flops=math.exp(x[0]), parameter_seconds=math.exp(x[1]))

    x = minimize(lambda x: squares([(total(r, computing(x)), r["seconds_per_step"]) for r in alone]), [math.log(3e10), math.log(5e-9)])
    hop = statistics.median(run["probe"]["seconds_8_bytes"] / (2 * (run["ranks"] - 1)) for run in several)
    machine = dataclasses.replace(computing(x), hop=hop)

    def sending(x: Sequence[float]) -> Machine:
        share, overlap = (1 / (1 + math.exp(-value)) for value in x[1:])
        return dataclasses.replace(machine, byte_seconds=math.exp(x[0]), wire_share=share, overlap=overlap)

    x = minimize(lambda x: squares([(total(r, sending(x)), r["seconds_per_step"]) for r in several]), [math.log(1e-9), 2.0, 0.0])
    return sending(x)


# --- Runs --------------------------------------------------------------------------------------------------------------

MODELS = {
    # Most of its parameters are words: nothing to hide their gradient behind.
    "words": {"vocabulary": 24000, "width": 256, "layers": 2, "fusion": 1, "heads": 4, "features": 64, "regions": 9, "tokens": 16},
    # Most are layers: buckets leave during the backward pass.
    "deep": {"vocabulary": 4000, "width": 384, "layers": 8, "fusion": 2, "heads": 6, "features": 64, "regions": 9, "tokens": 16},
}
# (model, ranks, Mbit/s of each rank's link or 0 for no limit, batch of a rank, held out of the fit)
PLAN = [("words", n, rate, 4, False) for n, rate in [(2, 200), (2, 500), (2, 1000), (2, 4000), (2, 0), (3, 500), (3, 2000), (4, 500), (4, 2000)]]
PLAN += [("deep", n, rate, 4, False) for n, rate in [(2, 500), (2, 1000), (2, 4000), (2, 0), (3, 1000), (4, 1000)]]
PLAN += [("words", 3, 1000, 4, True), ("words", 4, 1000, 8, True), ("deep", 2, 2000, 4, True), ("deep", 3, 500, 8, True), ("deep", 4, 2000, 4, True)]
ALONE = [(model, batch) for model in MODELS for batch in (2, 4, 8)]


def call(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, text=True)


@contextmanager
def network(ranks: int, mbit: float):
    """A namespace for each rank, joined by a bridge in one more; tbf limits what a rank sends. @return their names"""
    prefix = f"rc3s{os.getpid()}"
    switch, names = f"{prefix}-sw", [f"{prefix}-{rank}" for rank in range(ranks)]
    try:
        call("ip", "netns", "add", switch)
        call("ip", "-n", switch, "link", "add", "br0", "type", "bridge")
        call("ip", "-n", switch, "link", "set", "br0", "up")
        for rank, name in enumerate(names):
            call("ip", "netns", "add", name)
            call("ip", "-n", name, "link", "set", "lo", "up")
            call("ip", "-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", f"port{rank}", "netns", switch)
            call("ip", "-n", switch, "link", "set", f"port{rank}", "master", "br0", "up")
            call("ip", "-n", name, "addr", "add", f"10.77.0.{rank + 1}/24", "dev", "eth0")
            call("ip", "-n", name, "link", "set", "eth0", "up")
            # BBR measures bandwidth by the pauses that a token bucket makes between bursts.
            call("ip", "netns", "exec", name, "sysctl", "-q", "-w", "net.ipv4.tcp_congestion_control=reno")
            if mbit:
                call("tc", "-n", name, "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", f"{mbit}mbit", "burst", "256kb", "limit", "16mb")
        yield names
    finally:
        for name in [switch, *names]:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


@contextmanager
def lock(path: str):
    """Others on this machine who time things wait for each other here."""
    if not path:
        yield
        return
    with open(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def wait_for(programs: list[subprocess.Popen]) -> list[dict]:
    lines = []
    for program in programs:
        out, error = program.communicate(timeout=600)
        if program.returncode != 0:
            sys.exit(f"rc3_bench scaling ended with {program.returncode}: {error}")
        lines += [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return lines


def start(command: list[str], **environment: str) -> subprocess.Popen:
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1", **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def on_loopback(program: str, ranks: int, sizes: dict[str, int]) -> dict:
    """A run of ranks that the loopback device joins; no rights are needed."""
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        port = str(any_port.getsockname()[1])
    command = [program, "scaling", "hostname=127.0.0.1", *(f"{k}={v}" for k, v in sizes.items())]
    (run,) = wait_for([start(command, RANK=str(rank), WORLD_SIZE=str(ranks), MASTER_ADDR="127.0.0.1", MASTER_PORT=port) for rank in range(ranks)])
    return run


def run_alone(program: str, model: str, batch: int, steps: int) -> dict:
    command = [program, "scaling", "alone=1", f"batch={batch}", f"steps={steps}", *(f"{k}={v}" for k, v in MODELS[model].items())]
    (line,) = wait_for([start(command)])
    return {"model": model, **line}


def run_ranks(program: str, model: str, ranks: int, mbit: float, batch: int, steps: int) -> dict:
    with network(ranks, mbit) as names:
        programs = []
        for rank, name in enumerate(names):
            command = ["ip", "netns", "exec", name, program, "scaling", f"hostname=10.77.0.{rank + 1}", "interface=eth0", "probes=5", f"batch={batch}"]
            command += [f"steps={steps}", *(f"{k}={v}" for k, v in MODELS[model].items())]
            programs.append(start(command, RANK=str(rank), WORLD_SIZE=str(ranks), MASTER_ADDR="10.77.0.1", MASTER_PORT="29500"))
        (line,) = wait_for(programs)
    return {"model": model, "bandwidth_mbit": mbit, **line}


def run_all(arguments: argparse.Namespace) -> None:
    out = Path(arguments.out)
    known = json.loads(out.read_text()) if out.exists() else {"runs": []}
    known |= {"date": datetime.date.today().isoformat(), "processors": os.cpu_count()}
    runs = known["runs"]

    def keep(run: dict, load: float) -> None:
        runs.append({**run, "load_before": load})
        out.write_text(json.dumps(known, indent=None).replace('{"model"', '\n{"model"') + "\n")
        print(run["model"], run["ranks"], run.get("bandwidth_mbit"), run["batch"], f"{run['seconds_per_step']:.3f} s", run.get("compute_seconds"), flush=True)

    def made(**what: object) -> int:
        return sum(all(run.get(key) == value for key, value in what.items()) for run in runs)

    for _ in range(arguments.rounds):
        for model, batch in ALONE:
            if made(model=model, alone=1, batch=batch) < arguments.rounds:
                with lock(arguments.lock):
                    load = os.getloadavg()[0]
                    keep(run_alone(arguments.program, model, batch, arguments.steps), load)
        for model, ranks, mbit, batch, held_out in PLAN:
            if made(model=model, alone=0, ranks=ranks, bandwidth_mbit=mbit, batch=batch) < arguments.rounds:
                with lock(arguments.lock):
                    load = os.getloadavg()[0]
                    keep({**run_ranks(arguments.program, model, ranks, mbit, batch, arguments.steps), "held_out": held_out}, load)


def medians(runs: Sequence[dict]) -> list[dict]:
    """One for each configuration: of its rounds the one whose step against its own compute is the median."""
    groups: dict[tuple, list[dict]] = {}
    for run in runs:
        groups.setdefault((run["model"], run["alone"], run["ranks"], run.get("bandwidth_mbit"), run["batch"]), []).append(run)

    def relative(run: dict) -> float:
        return run["seconds_per_step"] / run.get("compute_seconds", 1.0)

    return [sorted(group, key=relative)[(len(group) - 1) // 2] for group in groups.values()]


# --- Machines that are not here ------------------------------------------------------------------------------------------

# H100 SXM: 989 TFLOP/s in bfloat16 (dense), of which 40 % are taken to be reached; 3.35 TB/s of memory, 80 %. A parameter and step:
# fused AdamW 28 bytes, norm 4, into a bucket and out of it 16.
GPU_FLOPS = 0.4 * 989e12
ADAMW_BYTES, COPY_BYTES, MEMORY = 32, 16, 0.8 * 3.35e12


@dataclasses.dataclass(frozen=True)
class Cluster:
    name: str
    bandwidth: float  # bytes/s of a GPU's link between nodes, a direction
    hop: float  # latency of a message between nodes, s
    within: float = 450 * GB  # between the 8 GPUs of a node
    hop_within: float = 3e-6
    wire_share: float = 0.8
    node: int = 8


FAST = Cluster("50 GB/s a GPU", 50 * GB, 6e-6)
SLOW = Cluster("100 Gbit/s", 12.5 * GB, 15e-6)


@dataclasses.dataclass(frozen=True)
class Change:
    """What could be done otherwise than the library does it now."""

    name: str = "as it is"
    number_bytes: float = 4  # of a gradient's number on the wire
    sharded: bool = False  # each rank updates its share of the parameters: reduce-scatter, update, all-gather
    distinct: float = 0  # rows of the word embedding that a rank's tokens touch, a token; 0: its gradient is dense
    packed: bool = False  # one gather and one sum of the representations instead of one for each
    tree: bool = False  # latency grows with log2 of the ranks
    rails: int = 1  # rings side by side, each over another GPU's link between nodes


def cluster_parts(sizes: Sizes, ranks: int, whole_batch: int, cluster: Cluster, change: Change = Change()) -> dict[str, float]:
    """Seconds of a step on `ranks` GPUs; the batch is that of all ranks together."""
    batch = whole_batch / ranks
    inside = ranks <= cluster.node
    bandwidth = cluster.within if inside else min(cluster.within, change.rails * cluster.bandwidth)
    w = work(sizes, ranks, batch)
    scaled = [(size * change.number_bytes / 4, lead) for size, lead in w.buckets]
    if change.distinct:
        rows = min(change.distinct * 2 * sizes.tokens * batch, sizes.vocabulary)
        sparse = (ranks - 1) * rows * (change.number_bytes * sizes.width + 8)
        dense = ring(ranks, change.number_bytes * sizes.word_embedding())
        k = max(range(len(scaled)), key=lambda k: scaled[k][0])
        scaled[k] = (scaled[k][0] - dense + min(sparse, dense), scaled[k][1])
    rounds = math.log2(ranks) if change.tree else ranks - 1
    all_gather, all_reduce = (3, 3) if change.packed else (COLLECTIVES["all_gather"], COLLECTIVES["all_reduce"])
    hops = rounds * (all_gather + 2 * all_reduce + 2 * len(scaled))
    memory = ADAMW_BYTES / (ranks if change.sharded else 1) + (COPY_BYTES if ranks > 1 else 0)
    machine = Machine(GPU_FLOPS, memory / MEMORY, wire_share=cluster.wire_share, hop=cluster.hop_within if inside else cluster.hop, bandwidth=bandwidth)
    return parts(dataclasses.replace(w, buckets=scaled, hops=hops), machine)


def efficiency(sizes: Sizes, ranks: int, whole_batch: int, cluster: Cluster, change: Change = Change()) -> float:
    """Of one GPU's time a n-th, over what n take; of one GPU with the same change, that sees the whole batch (by gradient caching)."""
    one = sum(cluster_parts(sizes, 1, whole_batch, cluster, change).values())
    return one / (ranks * sum(cluster_parts(sizes, ranks, whole_batch, cluster, change).values()))


def last_rank(sizes: Sizes, whole_batch: int, cluster: Cluster, change: Change = Change()) -> int:
    """The most GPUs, as whole nodes or a power of two below a node, at an efficiency of half or more."""
    counts = [2, 4, *range(cluster.node, min(whole_batch, 4096) + 1, cluster.node)]
    return max((n for n in counts if efficiency(sizes, n, whole_batch, cluster, change) >= 0.5), default=1)


CHANGES = [
    Change(),
    Change("gradients in bfloat16", number_bytes=2),
    Change("sharded optimizer", sharded=True),
    Change("sparse gradient of the word embedding", distinct=0.5),
    Change("gathers packed into one", packed=True),
    Change("latency of a tree", tree=True),
    Change("8 rings, one for each link of a node", rails=8),
    Change("tree and 8 rings", tree=True, rails=8),
    Change("all of these", 2, True, 0.5, True, True, 8),
]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    return ["| " + " | ".join(str(cell) for cell in row) + " |" for row in (head, ["---"] * len(head), *rows)]


def model_tables() -> dict[str, list[str]]:
    """What docs/scaling.md says of larger machines."""
    sizes, batch = XLM_R_BASE, 4096
    number = f"{sizes.parameters() / 1e6:.0f} M parameters, {sizes.word_embedding() / 1e6:.0f} M of them word embedding"
    costs = []
    for n in (8, 64, 512):
        w = work(sizes, n, batch // n)
        gradients = sum(size for size, _ in w.buckets)
        costs.append((n, batch // n, f"{w.flop / 1e12:.2f}", f"{gradients / GB:.2f}", f"{w.gather / GB:.3f}", f"{w.hops:.0f}"))
    tables = {"work": [f"{number}; {sizes.flop(batch) / GB:.1f} GFLOP per sample.", ""]
              + table(["GPUs", "batch of each", "TFLOP", "gradients, GB sent", "gather, GB sent", "messages in a row"], costs)}
    steps = []
    as_it_is, nccl, everything = CHANGES[0], CHANGES[-2], CHANGES[-1]
    cases = [(FAST, as_it_is, (1, 8, 16, 64, 512)), (SLOW, as_it_is, (16, 64, 512))]
    cases += [(c, change, (64, 512)) for change in (nccl, everything) for c in (FAST, SLOW)]
    for cluster, change, counts in cases:
        for n in counts:
            p = cluster_parts(sizes, n, batch, cluster, change)
            whole = sum(p.values())
            steps.append((change.name, "" if n <= cluster.node else cluster.name, n, *(f"{1000 * p[k]:.1f}" for k in ("compute", "gradients", "gather", "latency")),
                          f"{1000 * whole:.1f}", f"{batch / whole:,.0f}", f"{100 * efficiency(sizes, n, batch, cluster, change):.1f} %"))
    tables["steps"] = table(["what", "between nodes", "GPUs", "compute, ms", "gradients", "gather", "latency", "step", "samples/s", "efficiency"], steps)
    tables["changes"] = table(
        ["change", *(f"batch {b:,}, {c.name}" for b in (4096, 32768) for c in (FAST, SLOW))],
        [(change.name, *(f"{last_rank(sizes, b, c, change)} ({100 * efficiency(sizes, 64, b, c, change):.0f} %)" for b in (4096, 32768) for c in (FAST, SLOW)))
         for change in CHANGES])
    return tables


def fit_tables(known: dict) -> dict[str, list[str]]:
    """Constants, and measured against predicted."""
    runs = medians(known["runs"])
    m = fit(runs)
    constants = [("F, FLOP/s of a rank (1 thread)", f"{m.flops:.2e}"), ("a, s a parameter", f"{m.parameter_seconds:.1e}"), ("c, s a byte", f"{m.byte_seconds:.1e}"),
                 ("eta, share of the bandwidth", f"{m.wire_share:.2f}"), ("omega, share of the lead that hides", f"{m.overlap:.2f}"), ("l, s a message", f"{m.hop:.1e}")]
    rows = {False: [], True: []}
    errors: dict[bool, list[float]] = {False: [], True: []}
    added: dict[bool, list[float]] = {False: [], True: []}  # of what the ranks add to compute, which is an input
    for run in sorted(runs, key=lambda r: (r["model"], r["ranks"], r.get("bandwidth_mbit") or 1e9, r["batch"])):
        if run["alone"]:
            continue
        p, held = predicted(run, m), bool(run["held_out"])
        error = sum(p.values()) / run["seconds_per_step"] - 1
        errors[held].append(abs(error))
        added[held].append(abs((sum(p.values()) - p["compute"]) / (run["seconds_per_step"] - p["compute"]) - 1))
        rows[held].append((run["model"], run["ranks"], run["bandwidth_mbit"] or "none", run["batch"], f"{run['compute_seconds']:.2f}", f"{run['seconds_per_step']:.2f}",
                           f"{sum(p.values()):.2f}", f"{100 * error:+.0f} %"))
    alone = [abs(total(run, m) / run["seconds_per_step"] - 1) for run in runs if run["alone"]]
    sent = [work(sizes_of(r), r["ranks"], r["batch"]) for r in runs if not r["alone"]]
    counted = [sum(kind["wire_bytes"] for kind in r["sent"].values()) / (sum(size for size, _ in w.buckets) + w.gather) - 1
               for r, w in zip([r for r in runs if not r["alone"]], sent)]
    wire = [r["interface_bytes"] / sum(kind["wire_bytes"] for kind in r["sent"].values()) - 1 for r in runs if not r["alone"]]
    deep = [run for run in runs if run["model"] == "deep" and not run["alone"]]
    leads = [statistics.median(run["buckets"][k]["lead_seconds"] / run["compute_seconds"] for run in deep) for k in range(2)]
    head = ["model", "ranks", "Mbit/s", "batch of each", "compute alone, s", "step measured, s", "predicted, s", "error"]
    return {
        "constants": table(["constant", "value"], constants),
        "fitted": table(head, rows[False]),
        "held_out": table(head, rows[True]),
        # A line each, of at most 120 characters: the page has the same.
        "errors": [
            f"- Step time: {100 * statistics.median(errors[False]):.0f} % ({100 * max(errors[False]):.0f} %) of the {len(errors[False])} fitted runs, "
            f"{100 * statistics.median(errors[True]):.0f} % ({100 * max(errors[True]):.0f} %) of the {len(errors[True])} held out; compute is an input.",
            f"- Overhead of several ranks alone: {100 * statistics.median(added[False]):.0f} % ({100 * max(added[False]):.0f} %) and "
            f"{100 * statistics.median(added[True]):.0f} % ({100 * max(added[True]):.0f} %).",
            f"- Compute of one rank, {len(alone)} runs: {100 * statistics.median(alone):.0f} % ({100 * max(alone):.0f} %).",
            f"- Bytes, counted in the communicator against the formula: {100 * min(counted):+.1f} .. {100 * max(counted):+.1f} %.",
            f"- Bytes, sent by rank 0's interface against counted: {100 * min(wire):+.1f} .. {100 * max(wire):+.1f} %.",
            f"- Leads of deep's first two buckets: {leads[0]:.2f} and {leads[1]:.2f} of a step's compute, by the formula "
            f"{sizes_of(deep[0]).buckets()[0][1]:.2f} and {sizes_of(deep[0]).buckets()[1][1]:.2f}.",
        ],
    }


# --- Self-test -----------------------------------------------------------------------------------------------------------


def synthetic(machine: Machine, noise: float) -> list[dict]:
    """Runs as rc3_bench would print them if the model were right."""
    rng = random.Random(3)
    runs = []
    for model, ranks, mbit, batch, held_out in [(m, 1, 0, b, False) for m, b in ALONE] + PLAN:
        sizes = MODELS[model]
        run = {"model": model, "alone": int(ranks == 1), "ranks": ranks, "bandwidth_mbit": mbit, "batch": batch, "held_out": held_out, **sizes}
        run |= {"feed_forward": 4 * sizes["width"], "probe": {"seconds_8_bytes": machine.hop * 2 * (ranks - 1)}}
        if ranks > 1:
            run["compute_seconds"] = parts(work(sizes_of(run), ranks, batch), machine)["compute"] * max(1, ranks / 2)
        run["seconds_per_step"] = total(run, machine) * math.exp(rng.gauss(0, noise))
        runs.append(run)
    return runs


def check_program(program: str) -> None:
    """Two ranks over the loopback device: does the communicator count what the formulas say?"""
    run = on_loopback(program, 2, MODELS["words"] | {"batch": 2, "steps": 1, "warm_up": 1})
    w = work(sizes_of(run), 2, run["batch"])
    sent = {name: kind["wire_bytes"] for name, kind in run["sent"].items()}
    gradients = sum(size for size, _ in w.buckets)
    print(f"parameters {run['parameters']} and {w.parameters}, gradients {sent['gradients']:.0f} and {gradients:.0f} bytes")
    assert abs(run["parameters"] / w.parameters - 1) < 0.01
    assert abs(sent["gradients"] / gradients - 1) < 0.01 and len(run["buckets"]) == len(w.buckets)
    assert sum(kind["hops"] for kind in run["sent"].values()) == w.hops
    assert 1 <= (sum(sent.values()) - sent["gradients"]) / w.gather < 1.1  # the counts of users are not in the formula
    assert sent["gather_backward"] == 2 * (run["batch"] * sizes_of(run).representations())


def check() -> None:
    true = Machine(flops=4e10, parameter_seconds=6e-9, byte_seconds=1.5e-9, wire_share=0.9, overlap=0.6, hop=1e-4)
    for noise, most in ((0.0, 0.01), (0.02, 0.25)):
        found = fit(synthetic(true, noise))
        for name in ("flops", "parameter_seconds", "byte_seconds", "wire_share", "overlap", "hop"):
            error = abs(getattr(found, name) / getattr(true, name) - 1)
            print(f"noise {noise:.0%}: {name} {getattr(found, name):.3g}, true {getattr(true, name):.3g}")
            # Little is hidden in these runs, so noise decides how much; the predictions below hardly change with it.
            assert error <= most or (noise and name == "overlap"), f"{name} is off by {error:.1%}"
        held = [abs(total(run, found) / total(run, true) - 1) for run in synthetic(true, 0) if run["held_out"]]
        print(f"noise {noise:.0%}: held-out steps are off by {max(held):.2%} at most")
        assert max(held) <= 0.05, held
    # What must hold of the model whatever the constants are.
    assert ring(1, 7) == 0 and ring(2, 7) == 7
    alone = parts(work(XLM_R_BASE, 1, 64), true)
    assert alone["gradients"] == alone["gather"] == alone["latency"] == 0
    for n in (8, 64, 512):
        assert 0 < efficiency(XLM_R_BASE, n, 4096, SLOW) < efficiency(XLM_R_BASE, n, 4096, FAST) <= 1 or n <= FAST.node
        for change in CHANGES[1:]:
            assert sum(cluster_parts(XLM_R_BASE, n, 4096, FAST, change).values()) <= sum(cluster_parts(XLM_R_BASE, n, 4096, FAST).values()) + 1e-12, change.name
    # Every line that `model` prints stands in the document.
    document = (HERE.parent / "docs" / "scaling.md").read_text()
    known = json.loads(RUNS.read_text())
    for name, lines in {**model_tables(), **fit_tables(known)}.items():
        for line in lines:
            assert line in document, f"docs/scaling.md, {name}: run `python benchmarks/scaling.py model`: {line}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run")
    run.add_argument("--program", required=True)
    run.add_argument("--out", required=True, help="runs that are in it already are not made again")
    run.add_argument("--steps", type=int, default=5)
    run.add_argument("--rounds", type=int, default=1)
    run.add_argument("--lock", default="", help="file that is locked during each run")
    commands.add_parser("fit").add_argument("file")
    commands.add_parser("model")
    commands.add_parser("check").add_argument("--program", default="", help="rc3_bench: two short runs of it as well")
    arguments = parser.parse_args()
    if arguments.command == "run":
        run_all(arguments)
    elif arguments.command == "check":
        check()
        if arguments.program:
            check_program(arguments.program)
        print("ok")
    else:
        known = json.loads(Path(getattr(arguments, "file", RUNS)).read_text())
        for name, lines in (fit_tables(known) | (model_tables() if arguments.command == "model" else {})).items():
            print(f"\n{name}\n", *lines, sep="\n")


if __name__ == "__main__":
    main()
