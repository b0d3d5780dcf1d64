#!/usr/bin/env python3
"""Reads the directories that the C++ test parity_text saved with transformers: nothing missing, nothing unknown, same numbers.

Runs after parity.torch; its rows of the table go where the tests put theirs.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file

LIMIT = 1e-5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    folder = parser.parse_args().folder
    transformers.utils.logging.disable_progress_bar()
    rows = []

    def row(what: str, kind: str, figure: str, value: float, limit: float) -> None:
        holds = value <= limit
        print(f"encoders: {what} read by {kind}: {figure}: {value:.3g} (<= {limit}) {'pass' if holds else 'fail'}")
        rows.append({"group": "encoders", "what": what, "with": f"transformers {kind}", "figure": figure, "value": value,
                     "limit": limit, "at_least": False, "holds": holds})  # fmt: skip

    for case in json.loads((folder / "cases.json").read_text("utf-8")):
        truth = load_file(folder / f"{case['name']}.safetensors")
        mask = truth["mask"].unsqueeze(2)
        xlm_r = case["kind"].startswith("XLM")
        kinds = [("", "XLMRobertaModel" if xlm_r else "BertModel", "hidden")]
        kinds += [("-with-head", "XLMRobertaForMaskedLM", "logits")] * (case["kind"] == "XLMRobertaForMaskedLM")
        for suffix, kind, tensor in kinds:
            directory = folder / "written" / (case["name"] + suffix)
            # A body has no pooler; without this argument transformers would make one.
            more = {} if suffix else {"add_pooling_layer": False}
            model, info = getattr(transformers, kind).from_pretrained(
                directory, output_loading_info=True, dtype=torch.float32, local_files_only=True, **more
            )
            model.eval()
            misfits = sum(len(info[key]) for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
            with torch.no_grad():
                output = model(truth["ids"], attention_mask=truth["mask"].long())
            ours = output.logits if suffix else output.last_hidden_state
            what = f"{case['name']}{suffix}, saved by rc3"
            row(what, kind, "missing, unexpected and mismatched names", misfits, 0)
            row(what, kind, "max abs difference", ((ours - truth[tensor]) * mask).abs().max().item(), LIMIT)
    if not rows:
        sys.exit(f"{folder}: nothing to read")
    table = folder.parent / "rows" / "encoders.jsonl"
    table.parent.mkdir(parents=True, exist_ok=True)
    with table.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(r) + "\n" for r in rows)
    if bad := sum(not r["holds"] for r in rows):
        sys.exit(f"{bad} of {len(rows)} figures are beyond their limit")


if __name__ == "__main__":
    main()
