#!/usr/bin/env python3
"""Writes small random text encoders as transformers saves them, and what transformers computes with them.

OUT/cases.json lists them; OUT/<case>/ is the pretrained directory and OUT/<case>.safetensors holds ids, mask, hidden (float32
[B, L, D], of the body) and, for masked-language models, logits. Weights, biases and norms are all random and large enough that
one that is ignored or swapped shows.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

# name, class, width, layers, heads, vocabulary, more
CASES = [
    ("bert", "BertModel", 48, 3, 4, 131, {}),
    ("bert-old-names", "BertModel", 32, 2, 8, 257, {"old": True}),
    ("bert-sharded", "BertModel", 64, 2, 1, 1009, {"shards": "60KB"}),
    ("bert-bfloat16", "BertModel", 48, 2, 3, 131, {"dtype": torch.bfloat16}),
    ("bert-masked-lm", "BertForMaskedLM", 40, 2, 5, 97, {}),
    ("xlm-roberta", "XLMRobertaModel", 48, 3, 6, 211, {}),
    ("xlm-roberta-deep", "XLMRobertaModel", 24, 12, 2, 53, {}),
    ("xlm-roberta-wide", "XLMRobertaModel", 384, 1, 12, 1013, {"shards": "1MB"}),
    ("xlm-roberta-masked-lm", "XLMRobertaForMaskedLM", 48, 2, 4, 307, {}),
    ("xlm-roberta-masked-lm-sharded", "XLMRobertaForMaskedLM", 36, 3, 3, 1501, {"shards": "80KB", "old": True}),
    ("xlm-roberta-masked-lm-bfloat16", "XLMRobertaForMaskedLM", 48, 2, 4, 307, {"dtype": torch.bfloat16}),
    ("xlm-roberta-classifier", "XLMRobertaForSequenceClassification", 40, 2, 2, 101, {"num_labels": 3}),
]


def randomize(model: torch.nn.Module) -> None:
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "embeddings" in name and p.dim() == 2:
                p.normal_(0, 0.3)
            elif p.dim() == 2:
                p.normal_(0, p.shape[1] ** -0.5)
            elif "norm" in name.lower() and name.endswith("weight"):
                p.normal_(1, 0.2)
            else:
                p.normal_(0, 0.3)


def old_names(folder: Path) -> None:
    """What files of years ago have: gamma and beta, and the buffer of position ids."""
    index = folder / "model.safetensors.index.json"
    weight_map = json.loads(index.read_text())["weight_map"] if index.exists() else {}

    def old(name: str) -> str:
        return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")

    for file in sorted(folder.glob("*.safetensors")):
        tensors = {old(name): tensor for name, tensor in load_file(file).items()}
        first = next((n for n in tensors if n.endswith("word_embeddings.weight")), None)
        if first:
            ids = first.replace("word_embeddings.weight", "position_ids")
            tensors[ids] = torch.arange(64).expand(1, -1).contiguous()
            if weight_map:
                weight_map[ids] = file.name
        save_file(tensors, file, metadata={"format": "pt"})
    if weight_map:
        index.write_text(json.dumps({"metadata": {}, "weight_map": {old(n): f for n, f in weight_map.items()}}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(11)
    cases = []
    for name, kind, width, layers, heads, vocabulary, more in CASES:
        xlm_r = kind.startswith("XLM")
        config = (transformers.XLMRobertaConfig if xlm_r else transformers.BertConfig)(
            vocab_size=vocabulary, hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
            intermediate_size=width * 2 + 10, max_position_embeddings=66 if xlm_r else 64, type_vocab_size=1 if xlm_r else 2,
            layer_norm_eps=1e-5 if xlm_r else 1e-12, pad_token_id=1 if xlm_r else 0, num_labels=more.get("num_labels", 2),
        )  # fmt: skip
        dtype = more.get("dtype", torch.float32)
        model = getattr(transformers, kind)(config).eval()
        randomize(model)
        model.to(dtype).save_pretrained(out / name, **({"max_shard_size": more["shards"]} if "shards" in more else {}))
        if more.get("old"):
            old_names(out / name)
        model.float()  # the stored numbers, computed with in float32

        lengths = [1, 2, 7, 30, 57]
        mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
        ids = torch.randint(2, vocabulary, mask.shape).where(mask, torch.tensor(1))
        with torch.no_grad():
            body = getattr(model, model.base_model_prefix, model)
            truth = {"ids": ids, "mask": mask, "hidden": body(ids, attention_mask=mask.long()).last_hidden_state}
            if dtype is torch.bfloat16:  # how far transformers itself moves when it computes in bfloat16
                low = body.to(dtype)(ids, attention_mask=mask.long()).last_hidden_state.float()
                body.float()
                truth["hidden_low"] = low
            if kind == "XLMRobertaForMaskedLM":
                truth["logits"] = model(ids, attention_mask=mask.long()).logits
        save_file({k: v.contiguous() for k, v in truth.items()}, out / f"{name}.safetensors")
        shards = len(list((out / name).glob("*.safetensors")))
        assert ("shards" in more) == (shards > 1), f"{name}: {shards} files"
        stored = [f"{shards} shards"] * (shards > 1) + ["bfloat16"] * (dtype is torch.bfloat16) + ["old names"] * more.get("old", False)
        what = f"{kind}, {layers} x {width}, {heads} heads, {vocabulary} words" + "".join(f", {s}" for s in stored)
        cases.append({"name": name, "kind": kind, "what": what, "low": dtype is torch.bfloat16, "scale": truth["hidden"].abs().max().item()})
    (out / "cases.json").write_text(json.dumps(cases, indent=1) + "\n", "utf-8")
    print(f"{len(cases)} directories in {out}")


if __name__ == "__main__":
    main()
