#!/usr/bin/env python3
"""Peer of rc3_bench's loader: PyTorch's DataLoader on the same shards.

It reads WebDataset shards with tarfile, decodes, crops, resizes and colours with Pillow (random resized crop, bicubic;
brightness, contrast, saturation), tokenizes two texts an image with transformers' tokenizer, and pads them in its
collate function: what benchmarks/loader.cpp does, with as many workers.

    loader.py <directory of the tokenizer> <shards> <workers>      each line: one epoch; the value is samples a second
"""

from __future__ import annotations

import io
import json
import math
import random
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from transformers import AutoTokenizer
from worker import serve

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


def rate(shards: list[Path], tokenizer: Path, workers: int) -> float:
    loader = DataLoader(Shards(shards, tokenizer), batch_size=64, num_workers=workers, collate_fn=collate, prefetch_factor=4)
    done, start = 0, None
    for pixels, _, _ in loader:
        if start is None:  # the workers' start is not counted
            start = time.perf_counter()
            continue
        done += len(pixels)
    return done / (time.perf_counter() - start)


if __name__ == "__main__":
    tokenizer, shards, workers = sys.argv[1:]
    serve({}, lambda _: rate(sorted(Path(shards).glob("*.tar")), Path(tokenizer), int(workers)))
