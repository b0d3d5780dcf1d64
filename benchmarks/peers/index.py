#!/usr/bin/env python3
"""Rates of indexing JPEG files: `rc3 index`, and Pillow with the same EfficientNet-Lite0 in Python, alternately.

Each round times both on the same new files. The time of `rc3 index` on few files is taken off that on many, so that the start does
not count; Python's clock starts when the network is loaded. Python prepares images in two threads ahead of the network.

    python index.py --tool build/release/examples/rc3 --model out/demo/model --cache ~/.cache/rc3 [--images 320] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from frozen_infonce import EfficientNetLite0, efficientnet_weights
from PIL import Image

BATCH, THREADS, FEW = 32, 2, 16


def photographs(folder: Path, count: int) -> list[Path]:
    """Smooth random JPEG files of 640 x 480, about as large as photographs of this size."""
    random = np.random.default_rng(1)
    folder.mkdir()
    for i in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (60, 80, 3), dtype=np.uint8)).resize((640, 480), Image.Resampling.BICUBIC)
        coarse.save(folder / f"{i}.jpg", quality=90)
    return sorted(folder.iterdir())


def ours(tool: str, model: str, folder: Path, precision: str) -> float:
    out = folder.parent / "photos.index"
    out.unlink(missing_ok=True)
    begin = time.perf_counter()
    subprocess.run([tool, "index", folder, "--model", model, "--out", out, "--threads", str(THREADS), "--precision", precision], check=True, capture_output=True)
    return time.perf_counter() - begin


def prepared(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB").resize((224, 224), Image.Resampling.BICUBIC))


@torch.inference_mode()
def peer(network: torch.nn.Module, paths: list[Path], precision: str) -> float:
    begin = time.perf_counter()
    with ThreadPoolExecutor(2) as pool, torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        chunks = [paths[i : i + BATCH] for i in range(0, len(paths), BATCH)]
        coming = [pool.submit(lambda chunk: [prepared(p) for p in chunk], chunk) for chunk in chunks]
        for batch in coming:
            pixels = torch.from_numpy(np.stack(batch.result())).permute(0, 3, 1, 2).float()
            network((pixels.contiguous() - 127) / 128)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--images", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()

    torch.set_num_threads(THREADS)
    network = EfficientNetLite0(efficientnet_weights(args.cache / "weights/efficientnet-lite0")).eval()
    with tempfile.TemporaryDirectory() as temporary:
        many, few = Path(temporary) / "many", Path(temporary) / "few"
        paths = photographs(many, args.images)
        photographs(few, FEW)
        for precision in ("float32", "bfloat16"):
            peer(network, paths[:BATCH], precision)  # warm
            rates = []
            for _ in range(args.rounds):
                mine = ours(args.tool, args.model, many, precision) - ours(args.tool, args.model, few, precision)
                rates.append(((args.images - FEW) / mine, args.images / peer(network, paths, precision)))
            ratios = sorted(a / b for a, b in rates)
            print(
                f"{precision:9} rc3 index {statistics.median(a for a, _ in rates):.1f} images/s, Pillow and PyTorch "
                f"{statistics.median(b for _, b in rates):.1f}, ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
