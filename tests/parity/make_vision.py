#!/usr/bin/env python3
"""Small random ViT, CLIP and SigLIP directories as transformers writes them, and what it computes of images, for
vision_test.cpp and read_vision.py. For each case of cases.json: the folder <name>, and <name>.safetensors with pixels,
last_hidden_state and pooled vector of each set of images."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPConfig, CLIPVisionConfig, SiglipConfig, SiglipVisionConfig, ViTConfig
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

PROCESSORS = {"vit": ViTImageProcessorPil, "clip": CLIPImageProcessorPil, "siglip": SiglipImageProcessorPil}
HALF = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
ODD = {"image_mean": [0.3, 0.45, 0.6], "image_std": [0.2, 0.3, 0.4]}
TEXT = dict(hidden_size=12, num_hidden_layers=1, num_attention_heads=2, intermediate_size=20, vocab_size=30, max_position_embeddings=8, bos_token_id=0, eos_token_id=1)


def sizes(width: int, layers: int, heads: int, inner: int, image: int, patch: int, **more) -> dict:
    return dict(hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=inner, image_size=image, patch_size=patch, **more)


def whole(config: type, vision: dict, **more):
    return config(text_config=TEXT, vision_config=vision, **more)


# name, family, class, config, the processor's numbers, where they are kept, images (height, width).
# Some epsilons are larger than any checkpoint's: below 1e-4 a wrong one would not show in the sixth digit. 16 x 64 has as
# many patches as 32 x 32, and yet other positions.
CASES = [
    ("vit", "vit", "ViTModel", ViTConfig(**sizes(24, 2, 3, 50, 32, 8)), HALF, "preprocessor", [(32, 32), (48, 32), (16, 64)]),
    ("vit-classifier", "vit", "ViTForImageClassification", ViTConfig(**sizes(35, 3, 5, 61, 20, 4, layer_norm_eps=1e-3, num_labels=7)), ODD, "preprocessor", [(20, 20), (28, 12)]),
    ("vit-pooler", "vit", "ViTModel", ViTConfig(**sizes(27, 1, 1, 40, 64, 16, hidden_act="gelu_pytorch_tanh", pooler_output_size=11)), {"image_mean": [1.0] * 3, "image_std": [1.0] * 3, "rescale_factor": 1 / 127.5}, "preprocessor", [(64, 64), (32, 96)]),
    ("vit-memory-names", "vit", "ViTModel", ViTConfig(**sizes(21, 2, 7, 33, 32, 8, hidden_act="quick_gelu")), HALF, "none", [(32, 32), (40, 24)]),
    ("clip", "clip", "CLIPVisionModel", CLIPVisionConfig(**sizes(30, 2, 5, 44, 32, 8)), {}, "none", [(32, 32), (24, 40), (64, 16)]),
    ("clip-projection", "clip", "CLIPVisionModelWithProjection", CLIPVisionConfig(**sizes(25, 3, 5, 51, 48, 16, hidden_act="gelu", projection_dim=13, layer_norm_eps=1e-3)), {}, "preprocessor", [(48, 48), (80, 32)]),
    ("clip-whole", "clip", "CLIPModel", whole(CLIPConfig, sizes(32, 4, 4, 64, 20, 4), projection_dim=10), ODD, "processor", [(20, 20), (12, 28)]),
    ("siglip", "siglip", "SiglipVisionModel", SiglipVisionConfig(**sizes(33, 2, 3, 47, 22, 7)), HALF, "preprocessor", [(22, 22), (21, 35)]),
    ("siglip-whole", "siglip", "SiglipModel", whole(SiglipConfig, sizes(48, 4, 4, 77, 64, 16, layer_norm_eps=1e-3)), ODD, "processor", [(64, 64), (48, 80), (32, 128)]),
    ("siglip-no-head", "siglip", "SiglipVisionModel", SiglipVisionConfig(**sizes(20, 1, 2, 30, 16, 4, vision_use_head=False)), HALF, "none", [(16, 16), (8, 24)]),
]


@torch.no_grad()
def randomize(model: nn.Module, generator: torch.Generator) -> None:
    """Weights that keep the size of what passes, and biases and norms of a size that shows."""
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        if name.endswith("bias"):
            p.copy_(0.4 * noise)
        elif "norm" in name:
            p.copy_(1 + 0.4 * noise)
        elif p.dim() < 2 or "embeddings.cls" in name or "position" in name or "token" in name or "probe" in name:
            p.copy_(noise)
        else:
            p.copy_(noise / p[0].numel() ** 0.5)


def vision(model: nn.Module) -> nn.Module:
    return next((getattr(model, name) for name in ("vision_model", "vit") if hasattr(model, name)), model)


@torch.no_grad()
def outputs(model: nn.Module, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
    """last_hidden_state, and the vector that the class itself makes of an image."""
    values = vision(model)(pixel_values=pixels, interpolate_pos_encoding=True)
    last, pooled = values.last_hidden_state, values.pooler_output
    if hasattr(model, "visual_projection"):
        pooled = model.visual_projection(pooled)
    if type(model).__name__ == "ViTForImageClassification":
        pooled = last[:, 0]
    return {"last": last} | ({} if pooled is None else {"pooled": pooled})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    shutil.rmtree(out, ignore_errors=True)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    random = np.random.default_rng(11)
    kept = []
    for seed, (name, family, kind, config, numbers, file, images) in enumerate(CASES):
        torch.manual_seed(seed)  # of the constructor; the weights come after
        config._attn_implementation = "eager"  # plain matrix products, where rc3 calls the fused ones
        model = getattr(transformers, kind)(config).eval()
        randomize(model, torch.Generator().manual_seed(seed))
        folder = out / name
        model.save_pretrained(folder, max_shard_size="40KB" if name == "siglip-whole" else "1GB")
        if name == "vit-memory-names":
            save_file(model.state_dict(), folder / "model.safetensors", {"format": "pt"})
        crop = {"do_center_crop": False} if family == "clip" else {}
        processor = PROCESSORS[family](do_resize=False, **crop, **numbers)
        if file == "preprocessor":
            processor.save_pretrained(folder)
        elif file == "processor":  # what CLIPProcessor and SiglipProcessor write, whose other part is a tokenizer
            (folder / "processor_config.json").write_text(json.dumps({"image_processor": processor.to_dict()}), encoding="utf-8")

        tensors = {}
        low = getattr(transformers, kind).from_pretrained(folder, dtype=torch.bfloat16, attn_implementation="sdpa").eval()
        for i, (height, width) in enumerate(images):
            pixels = random.integers(0, 256, (2, 3, height, width), dtype=np.uint8)
            pixels[0] //= 4  # a dark one: each channel's mean shows
            inputs = processor(images=list(pixels), input_data_format="channels_first", return_tensors="pt").pixel_values
            tensors[f"{i}.pixels"] = torch.from_numpy(pixels)
            bfloat16 = outputs(low, inputs.to(torch.bfloat16))
            for key, value in outputs(model, inputs).items():
                deviation = value.std().item()
                assert 0.3 < deviation < 4, f"{name}: the {key} of {height} x {width} has deviation {deviation}"
                tensors[f"{i}.{key}"] = value.contiguous()
                tensors[f"{i}.{key}.bfloat16"] = bfloat16[key].float().contiguous()
        save_file(tensors, out / f"{name}.safetensors")
        seen = ", ".join(f"{width}x{height}" for height, width in images)
        c = vision(model).config
        text = f"{kind}, {c.num_hidden_layers} layers, {c.num_attention_heads} heads, width {c.hidden_size}, patches of {c.patch_size}, images {seen}"
        kept.append({"name": name, "family": family, "class": kind, "what": text, "images": [list(p) for p in images]})
    (out / "cases.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")
    print(f"{len(kept)} directories in {out}")


if __name__ == "__main__":
    main()
