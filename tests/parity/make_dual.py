#!/usr/bin/env python3
"""Small random text towers and dual encoders of CLIP, SigLIP and SigLIP 2 as transformers writes them, with tokenizers
trained here, and what it computes of texts and of an image file, for dual_test.cpp and dual_tokens_light_test.cpp."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import sentencepiece
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPConfig, CLIPTextConfig, CLIPTokenizer, Siglip2Tokenizer, SiglipConfig, SiglipTextConfig, SiglipTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from make_tokens import LANGUAGES, cldr, mixed
from make_vision import randomize

LENGTHS = [1, 2, 5, 9, 12]


def text(width: int, layers: int, heads: int, vocabulary: int, **more) -> dict:
    return dict(hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=width * 2 + 6,
                vocab_size=vocabulary, max_position_embeddings=12, **more)  # fmt: skip


def vision(width: int, image: int, patch: int, **more) -> dict:
    return dict(hidden_size=width, num_hidden_layers=2, num_attention_heads=4, intermediate_size=width * 2, image_size=image, patch_size=patch, **more)


# name, class, config of a text tower alone, or of a whole model
TOWERS = [
    ("clip", "CLIPTextModel", CLIPTextConfig(**text(24, 2, 3, 91, eos_token_id=90, hidden_act="quick_gelu"))),
    ("clip-projection", "CLIPTextModelWithProjection", CLIPTextConfig(**text(35, 3, 5, 67, eos_token_id=66, hidden_act="gelu", projection_dim=13, layer_norm_eps=1e-3))),
    ("clip-legacy", "CLIPTextModelWithProjection", CLIPTextConfig(**text(16, 1, 1, 51, eos_token_id=2, projection_dim=7))),
    ("clip-whole", "CLIPModel", CLIPConfig(text_config=text(48, 4, 4, 101, eos_token_id=100), vision_config=vision(32, 20, 4), projection_dim=10)),
    ("siglip", "SiglipTextModel", SiglipTextConfig(**text(33, 2, 3, 47))),
    ("siglip-projection", "SiglipTextModel", SiglipTextConfig(**text(20, 3, 2, 61, projection_size=11, hidden_act="gelu", layer_norm_eps=1e-3, pad_token_id=0))),
    ("siglip-whole", "SiglipModel", SiglipConfig(text_config=text(32, 2, 4, 77), vision_config=vision(32, 20, 4))),
]


@torch.no_grad()
def tower(out: Path, name: str, kind: str, config, seed: int) -> dict:
    torch.manual_seed(seed)
    config._attn_implementation = "eager"
    model = getattr(transformers, kind)(config).eval()
    randomize(model, torch.Generator().manual_seed(seed))
    model.save_pretrained(out / name, max_shard_size="40KB" if name == "siglip-whole" else "1GB")
    c = getattr(config, "text_config", config)
    clip = name.startswith("clip")
    last = c.vocab_size - 1
    length = 12 if not clip else max(LENGTHS)
    mask = torch.arange(length) < torch.tensor(LENGTHS).unsqueeze(1)
    ids = torch.randint(2, last, mask.shape)
    if clip:  # an end token in the middle too: the first one counts
        ids[torch.arange(len(LENGTHS)), torch.tensor(LENGTHS) - 1] = last
        ids[3, 4] = last
        inputs = ids.where(mask, torch.tensor(last))
        values = dict(attention_mask=mask.long())
    else:
        inputs, values = ids.where(mask, torch.tensor(c.pad_token_id)), {}
    body = getattr(model, "text_model", model)
    states = body(inputs, **values)
    shared = states.pooler_output
    if hasattr(model, "text_projection"):
        shared = model.text_projection(shared)
    assert 0.2 < shared.std() < 5, f"{name}: {shared.std()}"
    save_file({"ids": inputs, "mask": mask, "hidden": states.last_hidden_state.contiguous(), "shared": shared.contiguous()}, out / f"{name}.safetensors")
    what = f"{kind}, text tower of {c.num_hidden_layers} layers, {c.num_attention_heads} heads, width {c.hidden_size}"
    return {"name": name, "class": kind, "what": what, "clip": clip}


def lines_of(rng: random.Random, n: int) -> tuple[list[str], list[str]]:
    pools = {language: cldr(language) for language in LANGUAGES}
    everything = [c for c in range(0x20, 0x20000) if unicodedata.category(chr(c)) not in ("Cs", "Cn", "Co")]
    plain = [" ".join(rng.choice(pools[LANGUAGES[i % len(LANGUAGES)]]) for _ in range(rng.randint(1, 5))) for i in range(n)]
    hard = [mixed(rng, pools, everything) for _ in range(n // 4)]
    hard += ["It's a dog's LIFE, isn't it? They'LL we'd 'Sup", "a<|endoftext|>b <|startoftext|>", "x</s>y <pad> <unk> z", "ΟΔΟΣ ΣΑΣ Σ İstanbul", "１２３ ½ ②", "a\x00b\x01c", "á e\u0301 \u1e9b\u0323 가 \u1100\u1161\u11a8",
             "\u0344 \u2126 \u212b \u0958 \ufb1d", "q\u0323\u0307 q\u0307\u0323 a\u0315\u0300\u05ae\u0062", "👩‍👩‍👧‍👦🏽 ❤️ 🇩🇪", "tab\tnew\nline\r\n  two\u3000wide\u00a0nbsp\u2028ls\x85nel\x1cfs", "don''t ''s 's's ' s", "!!!???...---___", "\n\n\n  \n", "▁a ▁▁b", "ꟑ𞤀 Ა ẞ"]
    return plain, hard


def clip_tokenizer(lines: list[str], size: int) -> CLIPTokenizer:
    """A vocabulary laid out as OpenAI's: bytes, bytes with </w>, merges, special tokens."""
    blank = CLIPTokenizer(vocab={"<|startoftext|>": 0, "<|endoftext|>": 1}, merges=[])
    backend = Tokenizer(models.BPE(end_of_word_suffix="</w>", continuing_subword_prefix=""))
    backend.normalizer, backend.pre_tokenizer = blank.backend_tokenizer.normalizer, blank.backend_tokenizer.pre_tokenizer
    backend.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), end_of_word_suffix="</w>", show_progress=False))
    merges = [tuple(m) for m in json.loads(backend.to_str())["model"]["merges"]]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = list(dict.fromkeys(alphabet + [c + "</w>" for c in alphabet] + [a + b for a, b in merges] + ["<|startoftext|>", "<|endoftext|>"]))
    return CLIPTokenizer(vocab={n: i for i, n in enumerate(names)}, merges=merges, model_max_length=12)


def sentences(out: Path, lines: list[str], size: int, kind: str, **more) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    (out / "lines.txt").write_text("\n".join(lines), "utf-8")
    sentencepiece.SentencePieceTrainer.train(input=str(out / "lines.txt"), model_prefix=str(out / kind), vocab_size=size, model_type=kind,
                                             minloglevel=2, hard_vocab_limit=False, num_threads=1, **more)  # fmt: skip
    return out / f"{kind}.model"


def gemma_tokenizer(lines: list[str], size: int) -> Siglip2Tokenizer:
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    backend = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    backend.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(" ", "▁")])
    backend.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    names = special + [f"<0x{b:02X}>" for b in range(256)]
    backend.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=size, special_tokens=names, show_progress=False))
    model = json.loads(backend.to_str())["model"]
    tokenizer = Siglip2Tokenizer(vocab=model["vocab"], merges=[tuple(m) for m in model["merges"]], add_bos_token=False, add_eos_token=True, padding_side="right", model_max_length=12)
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t in ("\n\n", "\n\n\n", "▁▁", "<h1>")])
    return tokenizer


@torch.no_grad()
def whole(out: Path, name: str, kind: str, config, tokenizer, processor, image: Path, texts: list[str], seed: int, mask: bool = False) -> dict:
    torch.manual_seed(seed)
    config._attn_implementation = "eager"
    model = getattr(transformers, kind)(config).eval()
    randomize(model, torch.Generator().manual_seed(seed))
    model.logit_scale.fill_(3.7)
    folder = out / name
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    processor.save_pretrained(folder)
    if not mask and kind != "CLIPModel":  # as Google publishes them
        file = folder / "tokenizer_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"model_input_names": ["input_ids"]}))
    pixels = processor(images=Image.open(image).convert("RGB"), return_tensors="pt").pixel_values
    padding = True if kind == "CLIPModel" else "max_length"
    inputs = tokenizer(texts, padding=padding, truncation=True, max_length=12, return_tensors="pt", split_special_tokens=True)
    if kind != "CLIPModel" and not mask:
        inputs.pop("attention_mask", None)
    result = model(pixel_values=pixels, input_ids=inputs["input_ids"], **({"attention_mask": inputs["attention_mask"]} if "attention_mask" in inputs else {}))
    save_file({"image": result.image_embeds.contiguous(), "texts": result.text_embeds.contiguous(), "logits": result.logits_per_image.contiguous(), "ids": inputs["input_ids"].contiguous()}, out / f"{name}.safetensors")
    return {"name": name, "class": kind, "texts": texts, "what": f"{kind}, {name}: an image file and {len(texts)} texts"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    towers = [tower(out, *case, seed) for seed, case in enumerate(TOWERS)]

    rng = random.Random(5)
    plain, hard = lines_of(rng, 1600)
    clip = clip_tokenizer(plain, 3000)
    spiece = sentences(out / "trained", plain, 2600, "unigram", unk_id=2, eos_id=1, pad_id=0, bos_id=-1, character_coverage=0.99)
    siglip = SiglipTokenizer(str(spiece), model_max_length=12)
    spieces = siglip.sp_model.get_piece_size()
    siglip2 = gemma_tokenizer(plain, 3000)
    lines = [{"text": t, "hard": i >= len(plain)} for i, t in enumerate(plain + hard)]
    for key, tokenizer in (("clip", clip), ("siglip", siglip), ("siglip2", siglip2)):
        tokenizer.save_pretrained(out / "tokenizers" / key)
        for row in lines:
            row[key] = tokenizer(row["text"], split_special_tokens=True).input_ids
    (out / "tokenizers/clip-files").mkdir()
    model = json.loads(clip.backend_tokenizer.to_str())["model"]
    (out / "tokenizers/clip-files/vocab.json").write_text(json.dumps(model["vocab"]), "utf-8")
    (out / "tokenizers/clip-files/merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in model["merges"]), "utf-8")
    (out / "tokenizers/lines.json").write_text(json.dumps(lines), "utf-8")

    pixels = np.random.default_rng(3).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    image = out / "image.png"
    Image.fromarray(pixels).resize((130, 90), Image.Resampling.BICUBIC).save(image)
    texts = [plain[0], plain[7], plain[30], "A dog's life, in the SNOW!", "ein Hund im Schnee"]

    def towers_of(config, vocabulary: int, act: str, **more):
        return config(text_config=text(32, 2, 4, vocabulary, hidden_act=act, **more.pop("text", {})), vision_config=vision(32, 32, 8), **more)

    clip_size = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    siglip_size = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    end = clip.eos_token_id
    pairs = [
        whole(out, "clip-pair", "CLIPModel", towers_of(CLIPConfig, len(clip), "quick_gelu", projection_dim=17, text={"eos_token_id": end}), clip, clip_size, image, texts, 1),
        whole(out, "clip-legacy-pair", "CLIPModel", towers_of(CLIPConfig, len(clip), "gelu", projection_dim=24, text={"eos_token_id": 2}), clip, clip_size, image, texts, 2),
        whole(out, "siglip-pair", "SiglipModel", towers_of(SiglipConfig, spieces, "gelu_pytorch_tanh"), siglip, siglip_size, image, texts, 3),
        whole(out, "siglip-mask-pair", "SiglipModel", towers_of(SiglipConfig, spieces, "gelu_pytorch_tanh"), siglip, siglip_size, image, texts, 4, mask=True),
        whole(out, "siglip2-pair", "SiglipModel", towers_of(SiglipConfig, len(siglip2), "gelu_pytorch_tanh"), siglip2, siglip_size, image, texts, 5),
    ]
    (out / "cases.json").write_text(json.dumps({"towers": towers, "pairs": pairs}), "utf-8")
    print(f"{len(towers)} text towers, {len(pairs)} dual encoders, {len(lines)} lines")


if __name__ == "__main__":
    main()
