#!/usr/bin/env python3
"""Runs bench_encoders and the same work in Python, alternately, and prints the ratio of their rates.

The peer is transformers' BertModel and the EfficientNet-Lite0 of benchmarks/peers/frozen_infonce.py, in PyTorch with as many threads.
The two take turns, and the medians are compared, because the machine is never quiet. The last number of a name is 1 for
bfloat16 (autocast).

    python encoders.py --program build/release/benchmarks/bench_encoders --cache ~/.cache/rc3
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

import torch
from frozen_infonce import EfficientNetLite0, efficientnet_weights
from transformers import BertModel


def rate(work: Callable[[], object], items: int, seconds: float = 2.0) -> float:
    work()
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        work()
        done += items
    return done / (time.perf_counter() - start)


def ours(program: Path, cache: Path) -> dict[str, float]:
    command = [program, "--benchmark_format=json", "--benchmark_min_time=2"]
    out = subprocess.run(command, env=os.environ | {"RC3_CACHE": str(cache)}, capture_output=True, text=True, check=True)
    rows = json.loads(out.stdout)["benchmarks"]
    return {row["name"].removesuffix("/real_time"): row["items"] for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()

    torch.set_grad_enabled(False)
    bert = BertModel.from_pretrained(args.cache / "weights/multilingual-e5-small", add_pooling_layer=False).eval()
    network = EfficientNetLite0(efficientnet_weights(args.cache / "weights/efficientnet-lite0")).eval()
    images = (torch.randint(0, 256, (32, 3, 224, 224)).float() - 127) / 128

    def in_precision(work: Callable[[], object], bfloat16: bool) -> Callable[[], object]:
        def run() -> object:
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                return work()

        return run

    def texts(batch: int, length: int) -> Callable[[], object]:
        ids = torch.randint(4, 200_000, (batch, length))
        mask = torch.ones(batch, length, dtype=torch.long)
        return lambda: bert(ids, attention_mask=mask).last_hidden_state.mean(1)

    peers = {}
    for bfloat16 in (False, True):
        for batch, length in ((1, 12), (128, 8), (32, 64)):
            peers[f"bert/{batch}/{length}/{int(bfloat16)}"] = (in_precision(texts(batch, length), bfloat16), batch)
        peers[f"efficientnet_lite0/32/{int(bfloat16)}"] = (in_precision(lambda: network(images), bfloat16), 32)
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in peers}
    for _ in range(args.rounds):
        mine = ours(args.program, args.cache)
        for name, (work, items) in peers.items():
            rates[name].append((mine[name], rate(work, items)))
    print(f"{'items a second':24} {'rc3':>9} {'Python':>9} {'ratio':>7}   (medians of {args.rounds} rounds, {torch.get_num_threads()} threads)")
    for name, pairs in rates.items():
        mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratios = sorted(a / b for a, b in pairs)
        print(f"{name:24} {mine:9.1f} {theirs:9.1f} {statistics.median(ratios):7.2f}   {ratios[0]:.2f} to {ratios[-1]:.2f}")


if __name__ == "__main__":
    main()
