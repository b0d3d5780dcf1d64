#!/usr/bin/env python3
"""Turns VOLTA's LMDB of regions of interest into one safetensors file an image, for a manifest's "features".

The LMDB's values are pickles, which can run code when they are loaded. Here nothing can be loaded from them but
numbers, texts, lists, dicts and NumPy arrays; everything else is refused by name.
"""

from __future__ import annotations

import argparse
import base64
import io
import pickle
import sys
import urllib.parse
from pathlib import Path
from typing import Any

from prepare_io import atomic_dir, fail

try:
    import lmdb
    import numpy as np
    from safetensors.numpy import save_file
except ImportError as error:
    fail(f"{error.name} is missing: pip install -r requirements.txt -r requirements-test.txt")

MAX_VALUE_BYTES = 64 << 20
MAX_REGIONS, MAX_NUMBERS = 1000, 65536  # as include/rc3/data/format/region_file.hpp
MAX_BAD_SHARE = 0.01


def latin1(text: str, encoding: str) -> bytes:
    """What protocol 2 writes bytes with; the codecs module itself is not handed out."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in {encoding}")
    return text.encode("latin1")


ARRAYS = {"numpy.core.multiarray", "numpy._core.multiarray"}
NUMERIC = {"numpy.core.numeric", "numpy._core.numeric"}


class NumbersOnly(pickle.Unpickler):
    """Plain Python values and NumPy arrays."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):
            return latin1
        if module == "numpy" and name in {"ndarray", "dtype"}:
            return getattr(np, name)
        if module in ARRAYS and name in {"_reconstruct", "scalar"}:
            return getattr(np._core.multiarray, name)
        if module in NUMERIC and name == "_frombuffer":
            return np._core.numeric._frombuffer
        raise pickle.UnpicklingError(f"{module}.{name} is refused")


def loads(data: bytes) -> Any:
    if len(data) > MAX_VALUE_BYTES:
        raise ValueError(f"{len(data)} bytes, more than the allowed {MAX_VALUE_BYTES}")
    return NumbersOnly(io.BytesIO(data)).load()


def numbers(item: dict, field: str, rows: int) -> np.ndarray:
    """A field, base64 of little-endian float32 or an array, as float32 [rows, ?]."""
    value = item[field]
    if isinstance(value, (str, bytes)):
        value = np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4")
    array = np.ascontiguousarray(value, dtype="<f4")
    if array.size == 0 or array.size % rows != 0:
        raise ValueError(f"{field}: {array.size} numbers for {rows} boxes")
    array = array.reshape(rows, -1)
    if array.shape[1] > MAX_NUMBERS or not np.isfinite(array).all():
        raise ValueError(f"{field}: more than {MAX_NUMBERS} numbers a box, or one that is not finite")
    return array


def tensors(item: Any) -> dict[str, np.ndarray]:
    """What region_file.hpp reads, and refuses if it were otherwise."""
    if not isinstance(item, dict):
        raise ValueError(f"a dict is expected, is {type(item).__name__}")
    rows, width, height = (int(item[field]) for field in ("num_boxes", "img_w", "img_h"))
    if not 1 <= rows <= MAX_REGIONS or width < 1 or height < 1:
        raise ValueError(f"{rows} boxes in an image of {width} x {height} pixels")
    boxes = numbers(item, "boxes", rows)
    if boxes.shape[1] != 4:
        raise ValueError(f"boxes: {boxes.size} numbers for {rows} boxes")
    x1, y1, x2, y2 = boxes.T
    inside = (0 <= x1) & (x1 < x2) & (x2 <= width) & (0 <= y1) & (y1 < y2) & (y2 <= height)
    if not inside.all():
        bad = int(np.argmin(inside))
        raise ValueError(f"box {bad} {boxes[bad].tolist()} is not inside its image of {width} x {height} pixels")
    out = {"boxes": boxes, "features": numbers(item, "features", rows), "size": np.array([width, height], "<f4")}
    if "cls_prob" in item:
        out["classes"] = numbers(item, "cls_prob", rows)
    return out


def file_name(key: bytes) -> str:
    return urllib.parse.quote(key, safe="") + ".safetensors"


def convert(txn: lmdb.Transaction, out: Path) -> tuple[int, int]:
    """Writes a file for each key; returns how many were good and bad."""
    listed = txn.get(b"keys")
    if listed is None:
        fail('there is no entry "keys": this is not an LMDB of VOLTA')
    try:
        keys = [key if isinstance(key, bytes) else str(key).encode() for key in loads(listed)]
    except Exception as error:
        fail(f'the entry "keys": {error}')
    good, bad = 0, 0
    for key in dict.fromkeys(keys):
        try:
            value = txn.get(key)
            if value is None:
                raise ValueError("is listed but not there")
            save_file(tensors(loads(value)), out / file_name(key))
            good += 1
        except Exception as error:  # a crafted pickle can raise anything
            bad += 1
            print(f"{key.decode(errors='replace')}: left out: {error or type(error).__name__}", file=sys.stderr)
    return good, bad


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lmdb", type=Path, required=True, help="the LMDB: its folder, or its file")
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    arguments = parser.parse_args()
    if not arguments.lmdb.exists():
        fail(f"{arguments.lmdb} is missing")
    try:
        environment = lmdb.open(
            str(arguments.lmdb), subdir=arguments.lmdb.is_dir(), readonly=True, lock=False, readahead=False
        )
    except lmdb.Error as error:
        fail(f"{arguments.lmdb}: {error}")
    with environment, environment.begin() as txn, atomic_dir(arguments.out) as out:
        good, bad = convert(txn, out)
        if good == 0 or bad > MAX_BAD_SHARE * (good + bad) + 10:
            fail(f"{arguments.lmdb}: {bad} of {good + bad} images are damaged")
    print(f"{good} images in {arguments.out}, {bad} left out")


if __name__ == "__main__":
    main()
