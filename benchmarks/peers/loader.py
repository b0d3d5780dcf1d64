#!/usr/bin/env python3
"""Runs bench_loader and PyTorch's DataLoader on the same shards, alternately, and prints the ratio of their rates.

The peer reads WebDataset shards with tarfile, decodes, crops, resizes and colours with Pillow (random resized crop, bicubic; brightness, contrast, saturation), tokenizes two texts a
image with transformers' tokenizer, and pads them in its collate function: what benchmarks/loader.cpp does, with as many workers.

    python loader.py --program build/release/benchmarks/bench_loader --cache ~/.cache/rc3 [--shards FOLDER] [--workers 2]
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import random
import statistics
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from transformers import AutoTokenizer

SIZE = 224


def samples(shard: Path) -> Iterator[dict[str, bytes]]:
    sample: dict[str, bytes] = {}
    key = None
    with tarfile.open(shard) as tar:
        for member in tar:
            name, _, extension = member.name.partition(".")
            if name != key and sample:
                yield sample
                sample = {}
            key = name
            sample[extension] = tar.extractfile(member).read()
    if sample:
        yield sample


def augment(image: Image.Image) -> Image.Image:
    """torchvision's RandomResizedCrop and ColorJitter, as the calls of Pillow that they make."""
    width, height = image.size
    share, aspect = random.uniform(0.5, 1), math.exp(random.uniform(-math.log(4 / 3), math.log(4 / 3)))
    w, h = min(width, round(width * math.sqrt(share * aspect))), min(height, round(height * math.sqrt(share / aspect)))
    left, top = random.randint(0, width - w), random.randint(0, height - h)
    image = image.resize((SIZE, SIZE), Image.Resampling.BICUBIC, box=(left, top, left + w, top + h))
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(random.uniform(0.8, 1.2))
    return image


class Shards(IterableDataset):
    def __init__(self, shards: list[Path], tokenizer: Path) -> None:
        self.shards, self.tokenizer = shards, tokenizer

    def __iter__(self) -> Iterator[tuple[torch.Tensor, list[int], list[int]]]:
        tokenizer = AutoTokenizer.from_pretrained(self.tokenizer)
        info = get_worker_info()
        mine = self.shards[info.id :: info.num_workers] if info else self.shards
        for shard in mine:
            for sample in samples(shard):
                image = next(sample[e] for e in ("png", "jpg") if e in sample)
                image = augment(Image.open(io.BytesIO(image)).convert("RGB"))
                texts = json.loads(sample["json"])["texts"]
                all_texts = [t for v in texts.values() for t in ([v] if isinstance(v, str) else v)]
                a, b = random.sample(all_texts, 2)
                pixels = torch.from_numpy(np.asarray(image).transpose(2, 0, 1).copy())
                yield pixels, tokenizer(a)["input_ids"], tokenizer(b)["input_ids"]


def collate(batch: list[tuple[torch.Tensor, list[int], list[int]]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    def pad(rows: list[list[int]]) -> torch.Tensor:
        longest = max(map(len, rows))
        return torch.tensor([row + [1] * (longest - len(row)) for row in rows])

    pixels, a, b = zip(*batch, strict=True)
    return torch.stack(pixels), pad(list(a)), pad(list(b))


def theirs(shards: list[Path], tokenizer: Path, workers: int) -> float:
    loader = DataLoader(Shards(shards, tokenizer), batch_size=64, num_workers=workers, collate_fn=collate, prefetch_factor=4)
    done, start = 0, None
    for pixels, _, _ in loader:
        if start is None:  # the workers' start is not counted
            start = time.perf_counter()
            continue
        done += len(pixels)
    return done / (time.perf_counter() - start)


def ours(program: Path, cache: Path, shards: Path, workers: int) -> float:
    command = [program, f"--benchmark_filter=loader/{workers}/", "--benchmark_format=json"]
    environment = os.environ | {"RC3_CACHE": str(cache), "RC3_BENCH_SHARDS": str(shards)}
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(out.stdout)["benchmarks"][0]["items"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    shards = sorted(args.shards.glob("*.tar"))
    tokenizer = args.cache / "weights/multilingual-e5-small"
    pairs = [(ours(args.program, args.cache, args.shards, args.workers), theirs(shards, tokenizer, args.workers)) for _ in range(args.rounds)]
    mine, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"samples a second, {args.workers} workers: rc3 {mine:.0f}, Python {peer:.0f}, ratio {ratio:.2f} (medians of {args.rounds} rounds)")


if __name__ == "__main__":
    main()
