#!/usr/bin/env python3
"""The way back: reads the directories that vision_test.cpp saved with transformers, and compares what they compute with
what make_vision.py wrote."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch
import transformers
from make_vision import PROCESSORS, outputs
from rows import Rows
from safetensors.torch import load_file
from transformers.image_processing_base import ImageProcessingMixin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="what make_vision.py was given as --out")
    folder = parser.parse_args().folder
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    rows = Rows(folder.parent / "rows", "encoders")
    for case in json.loads((folder / "cases.json").read_text("utf-8")):
        saved = folder / "saved" / case["name"]
        if not saved.is_dir():
            sys.exit(f"{saved}: missing; the test parity.torch writes it")
        # What was saved is the vision half of a whole model, and the body of a classifier.
        kind = json.loads((saved / "config.json").read_text("utf-8"))["architectures"][0]
        truth = load_file(folder / f"{case['name']}.safetensors")
        bare = kind == "ViTModel" and "pooler.dense.weight" not in load_file(saved / "model.safetensors")
        model, info = getattr(transformers, kind).from_pretrained(
            saved, output_loading_info=True, attn_implementation="eager", **({"add_pooling_layer": False} if bare else {})
        )
        keys = sum(len(info[name]) for name in ("missing_keys", "unexpected_keys", "mismatched_keys"))
        settings, _ = ImageProcessingMixin.get_image_processor_dict(saved)
        processor = PROCESSORS[case["family"]](**settings | {"do_resize": False, "do_center_crop": False})
        last = pooled = 0.0
        for i in range(len(case["images"])):
            pixels = processor(images=list(truth[f"{i}.pixels"].numpy()), input_data_format="channels_first", return_tensors="pt").pixel_values
            values = outputs(model.eval(), pixels)
            last = max(last, (values["last"] - truth[f"{i}.last"]).abs().max().item())
            if f"{i}.pooled" in truth:
                vector = values["last"][:, 0] if bare else values["pooled"]
                pooled = max(pooled, (vector - truth[f"{i}.pooled"]).abs().max().item())
        against = f"transformers, which reads it as {kind}"
        what = f"{case['what']}, saved by rc3"
        rows.at_most(what, against, "missing, unexpected and mismatched keys", keys, 0)
        rows.at_most(what, against, "last hidden state, max abs difference", last, 1e-5)
        if "0.pooled" in truth:
            rows.at_most(what, against, "pooled, max abs difference", pooled, 1e-5)
    sys.exit(1 if rows.failed else 0)


if __name__ == "__main__":
    main()
