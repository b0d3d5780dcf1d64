#!/usr/bin/env python3
"""Peer of rc3_bench's encoders: transformers' BertModel and the EfficientNet-Lite0 of frozen_infonce.py, in PyTorch.

    encoders.py <folder of weights>      each line: a name in rc3_bench, and seconds; the value is items a second
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import torch
from frozen_infonce import EfficientNetLite0, efficientnet_weights
from transformers import BertModel
from worker import serve

weights = Path(sys.argv[1])
torch.set_grad_enabled(False)
bert = BertModel.from_pretrained(weights / "multilingual-e5-small", add_pooling_layer=False).eval()
network = EfficientNetLite0(efficientnet_weights(weights / "efficientnet-lite0")).eval()


def rate(line: str) -> float:
    name, seconds = line.split()
    kind, *sizes = name.split("/")
    *sizes, bfloat16 = map(int, sizes)
    if kind == "bert":
        ids, mask = torch.randint(4, 200_000, sizes), torch.ones(sizes, dtype=torch.long)
        work = lambda: bert(ids, attention_mask=mask).last_hidden_state.mean(1)  # noqa: E731
    else:
        images = (torch.randint(0, 256, (*sizes, 3, 224, 224)).float() - 127) / 128
        work = lambda: network(images)  # noqa: E731
    with torch.autocast("cpu", torch.bfloat16, enabled=bool(bfloat16)):
        work()
        done, begin = 0, time.perf_counter()
        while done == 0 or time.perf_counter() - begin < float(seconds):
            work()
            done += sizes[0]
        return done / (time.perf_counter() - begin)


serve({}, rate)
