#!/usr/bin/env python3
"""Times from the start of a process to the first text embedding: bench_start, and transformers in Python, alternately.

Both load the same weights and tokenizer, embed one text, and print the first number of its vector, which must agree. Wall time, and
the processor's time of the process, which other programs of the machine disturb less.

    python start.py --program build/release/benchmarks/bench_start --cache ~/.cache/rc3 [--rounds 7]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

PEER = """
import sys
import torch
from transformers import AutoModel, AutoTokenizer
model = AutoModel.from_pretrained(sys.argv[1], add_pooling_layer=False).eval()
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
with torch.inference_mode():
    batch = tokenizer(["query: a dog in the snow"], return_tensors="pt")
    print("%.5f" % model(**batch).last_hidden_state.mean(1)[0, 0].item())
"""


def timed(command: list[str]) -> tuple[float, float, float]:
    """Wall and processor seconds of a process, and the number that it prints."""
    begin, before = time.perf_counter(), os.times()
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    wall, after = time.perf_counter() - begin, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, used, float(out.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()

    folder = str(args.cache / "weights/multilingual-e5-small")
    ours, peer = [args.program, folder], [sys.executable, "-c", PEER, folder]
    rows = []
    timed(ours), timed(peer)  # files into the page cache
    for _ in range(args.rounds):
        mine, theirs = timed(ours), timed(peer)
        if abs(mine[2] - theirs[2]) > 1e-4:
            sys.exit(f"the embeddings differ: {mine[2]} and {theirs[2]}")
        rows.append((mine, theirs))
    for k, what in enumerate(("wall", "processor")):
        ratios = sorted(theirs[k] / mine[k] for mine, theirs in rows)
        print(
            f"{what:9} seconds: rc3 {statistics.median(m[k] for m, _ in rows):.2f}, transformers "
            f"{statistics.median(t[k] for _, t in rows):.2f}, {statistics.median(ratios):.1f} times ({ratios[0]:.1f} to {ratios[-1]:.1f})"
        )


if __name__ == "__main__":
    main()
