#!/usr/bin/env python3
"""Small random models of open_clip on XLM-R as it writes them, and what it computes of texts and of an image file, for
open_clip_test.cpp."""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
import os
import random
import shutil
import sys
import types
from pathlib import Path

import numpy as np
import sentencepiece
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file
from transformers import XLMRobertaConfig
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from make_dual import lines_of, sentences
from make_vision import randomize

OPENAI = dict(image_mean=[0.48145466, 0.4578275, 0.40821073], image_std=[0.26862954, 0.26130258, 0.27577711])


@functools.cache
def open_clip():
    """open_clip's model code alone. Its package imports torchvision, whose wheel would replace the installed torch; of
    it the models take one class, for networks that are not used here."""
    package = types.ModuleType("open_clip")
    package.__path__ = list(importlib.util.find_spec("open_clip").submodule_search_locations)
    misc = types.ModuleType("torchvision.ops.misc")
    misc.FrozenBatchNorm2d = type("FrozenBatchNorm2d", (torch.nn.Module,), {})
    sys.modules.update({"open_clip": package, "torchvision": types.ModuleType("torchvision"), "torchvision.ops": types.ModuleType("torchvision.ops"), "torchvision.ops.misc": misc})
    from open_clip.model import CustomTextCLIP

    return CustomTextCLIP


def xlm_r_ids(pieces, text: str) -> list[int]:
    """Ids of XLM-R's tokenizer with open_clip's length of 77, padded."""
    ids = [0] + [3 if i == 0 else i + 1 for i in pieces.encode(text)][:75] + [2]
    return ids + [1] * (77 - len(ids))


# name, text config, model_cfg, preprocess_cfg (None: the file has none), image processor
CASES = [
    ("mlp", dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=1, intermediate_size=100),
     dict(embed_dim=24, vision_cfg=dict(image_size=32, layers=2, width=64, patch_size=8), text_cfg={}), None, {}),
    ("linear", dict(hidden_size=128, num_hidden_layers=3, num_attention_heads=2, intermediate_size=70),
     dict(embed_dim=17, quick_gelu=True, vision_cfg=dict(image_size=30, layers=3, width=48, head_width=16, mlp_ratio=2.5, patch_size=10), text_cfg=dict(hf_proj_type="linear")),
     dict(size=[30, 30], mode="RGB", mean=[0.5, 0.4, 0.3], std=[0.2, 0.3, 0.4], interpolation="bicubic", resize_mode="shortest", fill_color=0),
     dict(image_mean=[0.5, 0.4, 0.3], image_std=[0.2, 0.3, 0.4])),
    ("squash", dict(hidden_size=64, num_hidden_layers=1, num_attention_heads=1, intermediate_size=64),
     dict(embed_dim=8, vision_cfg=dict(image_size=32, layers=1, width=64, patch_size=16), text_cfg=dict(hf_pooler_type="mean_pooler", hf_proj_type="mlp")),
     dict(size=32, interpolation="bilinear", resize_mode="squash"), dict(do_center_crop=False, resample=2, size=dict(height=32, width=32))),
]  # fmt: skip


@torch.no_grad()
def case(out: Path, pieces, image: Path, texts: list[str], seed: int, name: str, text: dict, model_cfg: dict, preprocess, processor: dict) -> dict:
    folder = out / name
    folder.mkdir()
    named = out / "models" / name / "xlm-roberta-base"  # open_clip's configuration names the text model
    XLMRobertaConfig(vocab_size=pieces.get_piece_size() + 2, max_position_embeddings=82, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1, bos_token_id=0, eos_token_id=2, **text).save_pretrained(named)
    model_cfg["text_cfg"] = dict(hf_model_name="xlm-roberta-base", hf_tokenizer_name="xlm-roberta-base") | model_cfg["text_cfg"]
    torch.manual_seed(seed)
    os.chdir(named.parent)
    model = open_clip()(**{k: dict(v) if isinstance(v, dict) else v for k, v in model_cfg.items()} | {"text_cfg": model_cfg["text_cfg"] | {"hf_model_pretrained": False}}).eval()
    randomize(model, torch.Generator().manual_seed(seed))
    model.logit_scale.fill_(3.2)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    config = {"model_cfg": model_cfg} | ({"preprocess_cfg": preprocess} if preprocess else {})
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2))
    shutil.copy(out / "trained/unigram.model", folder / "sentencepiece.bpe.model")

    side = model_cfg["vision_cfg"]["image_size"]
    steps = CLIPImageProcessorPil(**(dict(size={"shortest_edge": side}, crop_size={"height": side, "width": side}) | OPENAI | processor))
    pixels = steps(images=Image.open(image).convert("RGB"), return_tensors="pt").pixel_values
    ids = torch.tensor([xlm_r_ids(pieces, t) for t in texts])
    images, embedded = model.encode_image(pixels, normalize=True), model.encode_text(ids, normalize=True)
    logits = model.logit_scale.exp() * images @ embedded.T
    save_file({"image": images.contiguous(), "texts": embedded.contiguous(), "logits": logits.contiguous(), "ids": ids}, out / f"{name}.safetensors")
    return {"name": name, "class": "OpenCLIP", "texts": texts, "what": f"open_clip on XLM-R, {name}: an image file and {len(texts)} texts"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    plain, _ = lines_of(random.Random(5), 1200)
    model = sentences(out / "trained", plain, 2600, "unigram", unk_id=0, bos_id=1, eos_id=2, pad_id=-1, character_coverage=0.99)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(model))
    image = out / "image.png"
    Image.fromarray(np.random.default_rng(4).integers(0, 256, (9, 13, 3), dtype=np.uint8)).resize((120, 84), Image.Resampling.BICUBIC).save(image)
    texts = [plain[0], plain[7], plain[30], "A dog's life, in the SNOW!", "ein Hund im Schnee", " ".join(plain[:40])]
    cases = [case(out, pieces, image, texts, seed, *c) for seed, c in enumerate(CASES)]
    (out / "cases.json").write_text(json.dumps(cases), "utf-8")
    print(f"{len(cases)} models of open_clip")


if __name__ == "__main__":
    main()
