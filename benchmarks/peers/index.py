#!/usr/bin/env python3
"""Peer of `rc3 index`: JPEG files by Pillow to the features of EfficientNet-Lite0. Two threads prepare images ahead of the network.

    index.py <folder of weights> <folder> <images>      writes the JPEG files; each line: float32 or bfloat16; the value is images a second
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from frozen_infonce import EfficientNetLite0, efficientnet_weights
from PIL import Image
from worker import serve

BATCH, THREADS = 32, 2


def photographs(folder: Path, count: int) -> list[Path]:
    """Smooth random JPEG files of 640 x 480, about as large as photographs of this size."""
    random = np.random.default_rng(1)
    folder.mkdir(parents=True)
    for i in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (60, 80, 3), dtype=np.uint8)).resize((640, 480), Image.Resampling.BICUBIC)
        coarse.save(folder / f"{i}.jpg", quality=90)
    return sorted(folder.iterdir())


def prepared(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB").resize((224, 224), Image.Resampling.BICUBIC))


@torch.inference_mode()
def rate(network: torch.nn.Module, paths: list[Path], precision: str) -> float:
    begin = time.perf_counter()
    with ThreadPoolExecutor(2) as pool, torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        chunks = [paths[i : i + BATCH] for i in range(0, len(paths), BATCH)]
        coming = [pool.submit(lambda chunk: [prepared(p) for p in chunk], chunk) for chunk in chunks]
        for batch in coming:
            pixels = torch.from_numpy(np.stack(batch.result())).permute(0, 3, 1, 2).float()
            network((pixels.contiguous() - 127) / 128)
    return len(paths) / (time.perf_counter() - begin)


torch.set_num_threads(THREADS)
network = EfficientNetLite0(efficientnet_weights(Path(sys.argv[1]) / "efficientnet-lite0")).eval()
paths = photographs(Path(sys.argv[2]), int(sys.argv[3]))
for precision in ("float32", "bfloat16"):  # not the first call
    rate(network, paths[:BATCH], precision)
serve({}, lambda precision: rate(network, paths, precision))
