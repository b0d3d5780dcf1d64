#!/usr/bin/env python3
"""small_e5.py WEIGHTS OUT: a folder of weights for tests, with four layers of multilingual-e5-small cut to a width of 48.

Its tokenizer is whole. Trainings of a few steps load, encode and save it in a fraction of the time. Needs the package
safetensors.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from safetensors import safe_open
from safetensors.numpy import save_file

SIZES = {384: 48, 1536: 96}
LAYERS = 4


def main() -> None:
    weights, out = Path(sys.argv[1]), Path(sys.argv[2])
    name = "multilingual-e5-small"
    shutil.rmtree(out, ignore_errors=True)
    (out / name).mkdir(parents=True)
    for other in weights.iterdir():
        if other.name != name:
            (out / other.name).symlink_to(other)
    for file in (weights / name).iterdir():
        if file.suffix != ".safetensors":
            shutil.copy(file, out / name)
    tensors = {}
    with safe_open(weights / name / "model.safetensors", "numpy") as whole:
        for key in whole.keys():
            if ".layer." not in key or int(key.split(".layer.")[1].split(".")[0]) < LAYERS:
                part = whole.get_slice(key)
                tensors[key] = part[tuple(slice(SIZES.get(n, n)) for n in part.get_shape())].copy()
    save_file(tensors, out / name / "model.safetensors")
    config = out / name / "config.json"
    sizes = {"hidden_size": SIZES[384], "intermediate_size": SIZES[1536], "num_hidden_layers": LAYERS}
    config.write_text(json.dumps(json.loads(config.read_text()) | sizes))


if __name__ == "__main__":
    main()
