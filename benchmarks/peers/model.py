#!/usr/bin/env python3
"""Peer of rc3_bench's model: the same model, step and evaluation in PyTorch, with transformers' BertModel.

    model.py input <folder> <images> <texts> <length> <regions>     step.safetensors and evaluation.safetensors
    model.py step|evaluation <folder of weights> <safetensors> <form> <fusion layers> <top>

The form is straight_bfloat16, tuned_bfloat16 or tuned_float32. Straight is eager attention and the usual AdamW; tuned
has SDPA, fused AdamW and torch.compile of encoders and fusion. bfloat16 is autocast. Objectives are those of rc3
(include/rc3/objective): ITC, XTCL, R-XVtCL with a ceiling and negatives of the same image, ITM, MLM at masked
positions, MRM with classes. The image network is frozen and runs once a step. Each line is a step or an evaluation.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from worker import serve

WIDTH = 384  # of texts and fusion; main() takes it from the weights
SHARED, HEADS, DROPOUT, MASK_ID, SPECIAL = 384, 6, 0.1, 250001, 4  # SHARED: of the embeddings for search


def write_inputs(folder: Path, images: int, texts: int, length: int, regions: int) -> None:
    torch.manual_seed(1)

    def random_images(count: int) -> dict[str, Tensor]:
        low = torch.rand(count, regions, 2) * 100
        return {
            "pixels": torch.randint(0, 256, (count, 3, 224, 224), dtype=torch.uint8),
            "regions": torch.randn(count, regions, 2048).abs(),
            "boxes": torch.cat([low, low + 20 + torch.rand(count, regions, 2) * 100], 2),
            "sizes": torch.full((count, 2), 224.0),
        }

    def words(count: int, side: str) -> dict[str, Tensor]:
        lengths = torch.randint(max(3, length // 4), length + 1, (count,))
        lengths[0] = length
        mask = torch.arange(length) < lengths[:, None]
        ids = torch.randint(SPECIAL + 1, 200_000, (count, length))
        ids[:, 0] = 0
        ids[torch.arange(count), lengths - 1] = 2
        return {f"ids_{side}": torch.where(mask, ids, 1), f"mask_{side}": mask}

    step = random_images(images) | words(images, "a") | words(images, "b")
    step["region_classes"] = torch.randn(images, regions, 1600).softmax(2)
    step["strict"] = torch.arange(images) % 2 == 0
    save_file(step, folder / "step.safetensors")
    searched = max(2, texts // 5)
    save_file(random_images(searched) | words(texts, "a"), folder / "evaluation.safetensors")


class Attention(nn.Module):
    def __init__(self, tuned: bool) -> None:
        super().__init__()
        self.tuned = tuned
        self.query, self.key, self.value, self.output = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        b, n, _ = x.shape
        q, k, v = (layer(x).view(b, n, HEADS, -1).transpose(1, 2) for layer in (self.query, self.key, self.value))
        p = DROPOUT if self.training else 0.0
        if self.tuned:
            mixed = F.scaled_dot_product_attention(q, k, v, mask, p)
        else:
            scores = (q @ k.transpose(2, 3) / math.sqrt(q.size(3))).masked_fill(~mask, -1e9)
            mixed = F.dropout(scores.softmax(3), p) @ v
        return self.output(mixed.transpose(1, 2).reshape(b, n, WIDTH))


class Layer(nn.Module):
    def __init__(self, tuned: bool) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, 1e-6), nn.LayerNorm(WIDTH, 1e-6)
        self.attention = Attention(tuned)
        self.inner, self.outer = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.norm1(x), mask))
        return x + self.dropout(self.outer(F.gelu(self.inner(self.norm2(x)))))


class Fusion(nn.Module):
    def __init__(self, layers: int, tuned: bool) -> None:
        super().__init__()
        self.first, self.kind = (
            nn.Parameter(torch.randn(1, 1, WIDTH) * 0.02),
            nn.Parameter(torch.randn(2, WIDTH) * 0.02),
        )
        self.layers = nn.ModuleList(Layer(tuned) for _ in range(layers))
        self.norm = nn.LayerNorm(WIDTH, 1e-6)

    def forward(self, visual: Tensor, text: Tensor, text_mask: Tensor) -> Tensor:
        """States of [first; visual; text]; all visual tokens are there."""
        b, v = visual.shape[:2]
        x = torch.cat([self.first.expand(b, 1, WIDTH), visual + self.kind[0], text + self.kind[1]], 1)
        mask = torch.cat([text_mask.new_ones(b, 1 + v), text_mask], 1)[:, None, None]
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)


class Regions(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.feature, self.location = nn.Linear(features, WIDTH), nn.Linear(5, WIDTH)
        self.norm, self.dropout = nn.LayerNorm(WIDTH), nn.Dropout(DROPOUT)

    def forward(self, features: Tensor, boxes: Tensor, sizes: Tensor) -> Tensor:
        where = boxes / torch.cat([sizes, sizes], 1)[:, None]
        area = (where[..., 2] - where[..., 0]) * (where[..., 3] - where[..., 1])
        return self.dropout(self.norm(self.feature(features) + self.location(torch.cat([where, area[..., None]], 2))))


class Patches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.feature, self.norm, self.dropout = nn.Linear(1280, WIDTH), nn.LayerNorm(WIDTH), nn.Dropout(DROPOUT)
        self.position = nn.Parameter(torch.randn(1, WIDTH, 7, 7) * 0.02)

    def forward(self, map: Tensor) -> Tensor:
        x = self.feature(map.flatten(2).transpose(1, 2)) + self.position.flatten(2).transpose(1, 2)
        return self.dropout(self.norm(x))


class Vlm(nn.Module):
    def __init__(self, weights: Path, features: int, layers: int, tuned: bool) -> None:
        super().__init__()
        from frozen_infonce import EfficientNetLite0, efficientnet_weights
        from transformers import BertModel

        self.network = EfficientNetLite0(efficientnet_weights(weights / "efficientnet-lite0")).requires_grad_(False)
        attention = "sdpa" if tuned else "eager"
        self.text = BertModel.from_pretrained(
            weights / "multilingual-e5-small", add_pooling_layer=False, attn_implementation=attention
        )
        self.regions, self.patches = Regions(features), Patches()
        self.modality = nn.Parameter(torch.randn(2, WIDTH) * 0.02)
        self.fusion = Fusion(layers, tuned)
        self.image_hidden, self.image_head = nn.Linear(2 * 1280, 1024), nn.Linear(1024, SHARED)
        self.text_head, self.itm_head = nn.Linear(WIDTH, SHARED), nn.Linear(WIDTH, 1)

    def train(self, mode: bool = True) -> Vlm:
        super().train(mode)
        self.network.eval()
        return self

    @torch.no_grad()
    def map(self, pixels: Tensor) -> Tensor:
        return self.network((pixels.float() - 127) / 128).float()

    def visual(self, map: Tensor, x: dict[str, Tensor], regions: Tensor) -> Tensor:
        return torch.cat(
            [self.regions(regions, x["boxes"], x["sizes"]) + self.modality[0], self.patches(map) + self.modality[1]], 1
        )

    def words(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.text(input_ids=ids, attention_mask=mask.long()).last_hidden_state * mask[..., None]

    def image_embedding(self, map: Tensor) -> Tensor:
        p = 0.5 if self.training else 0.0
        summary = torch.cat([map.mean((2, 3)), map.amax((2, 3))], 1)
        hidden = F.gelu(self.image_hidden(F.dropout(summary, p)))
        return F.normalize(self.image_head(F.dropout(hidden, p)).float(), dim=1)

    def text_embedding(self, states: Tensor, mask: Tensor) -> Tensor:
        mean = states.sum(1) / mask.sum(1, keepdim=True)
        return F.normalize(self.text_head(F.dropout(mean, 0.2 if self.training else 0.0)).float(), dim=1)

    def z(self, visual: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        return self.fusion(visual, text, mask)[:, 0]


class Objectives(nn.Module):
    def __init__(self, vocabulary: int, classes: int) -> None:
        super().__init__()
        self.scales = nn.Parameter(torch.full((3,), -math.log(0.07)))  # of ITC, XTCL, R-XVtCL
        self.mlm_dense, self.mlm_norm = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH, 1e-6)
        self.mlm_bias = nn.Parameter(torch.zeros(vocabulary))
        self.mrm = nn.Linear(WIDTH, classes)

    def scale(self, k: int) -> Tensor:
        return self.scales[k].clamp_max(math.log(100.0)).exp()

    def forward(self, model: Vlm, x: dict[str, Tensor]) -> Tensor:
        n = len(x["pixels"])
        one = torch.arange(n)
        map = model.map(x["pixels"])
        visual = model.visual(map, x, x["regions"])
        a, b = model.words(x["ids_a"], x["mask_a"]), model.words(x["ids_b"], x["mask_b"])
        image, text_a, text_b = (
            model.image_embedding(map),
            model.text_embedding(a, x["mask_a"]),
            model.text_embedding(b, x["mask_b"]),
        )
        z_a, z_b = model.z(visual, a, x["mask_a"]), model.z(visual, b, x["mask_b"])

        def both_ways(p: Tensor, q: Tensor, scale: Tensor) -> Tensor:
            logits, partner = p @ q.T * scale, torch.arange(len(p))
            return F.cross_entropy(logits, partner) + F.cross_entropy(logits.T, partner)

        itc = (both_ways(image, text_a, self.scale(0)) + both_ways(image, text_b, self.scale(0))) / 4
        strict = x["strict"].nonzero()[:, 0]
        xtcl = both_ways(text_a[strict], text_b[strict], self.scale(1)) / 2

        # R-XVtCL: the same image with another sample's text is a further candidate; a ceiling above relevance.
        other = (one + 1) % n
        extra_a = F.normalize(model.z(visual, b[other], x["mask_b"][other]).float(), dim=1)
        extra_b = F.normalize(model.z(visual, a[other], x["mask_a"][other]).float(), dim=1)
        u, v = F.normalize(z_a.float(), dim=1), F.normalize(z_b.float(), dim=1)

        def among(p: Tensor, q: Tensor, own: Tensor) -> Tensor:
            return F.cross_entropy(torch.cat([p @ q.T, (p * own).sum(1, keepdim=True)], 1) * self.scale(2), one)

        relevance = torch.where(x["strict"], 1.0, 0.3)
        penalty = ((u * v).sum(1) - relevance).clamp_min(0).square().mean()
        rxvtcl = (among(u, v, extra_a) + among(v, u, extra_b)) / 2 + penalty

        likeness = (20 * image.detach() @ text_a.detach().T).fill_diagonal_(-math.inf)
        texts, images = (torch.multinomial(s.softmax(1), 1)[:, 0] for s in (likeness, likeness.T))
        matched = model.itm_head(z_a)[:, 0].float()
        wrong = [model.z(visual, a[texts], x["mask_a"][texts]), model.z(visual[images], a, x["mask_a"])]
        wrong = model.itm_head(torch.cat(wrong))[:, 0].float()
        itm = (F.softplus(-matched).mean() + F.softplus(wrong).mean()) / 2

        ids, words = x["ids_a"].clone(), x["ids_a"] >= SPECIAL
        places = words & (torch.rand(ids.shape) < 0.15)
        targets = ids[places]
        what = torch.rand(targets.shape)
        ids[places] = torch.where(
            what < 0.8, MASK_ID, torch.where(what < 0.9, torch.randint(SPECIAL, MASK_ID, targets.shape), targets)
        )
        fused = model.fusion(visual, model.words(ids, x["mask_a"]), x["mask_a"])
        hidden = self.mlm_norm(F.gelu(self.mlm_dense(fused[:, 1 + visual.size(1) :][places])))
        mlm = F.cross_entropy(
            F.linear(hidden, model.text.embeddings.word_embeddings.weight, self.mlm_bias).float(), targets
        )

        hide = torch.rand(x["regions"].shape[:2]) < 0.15
        hide[0, 0] = True
        hidden_regions = model.visual(map, x, x["regions"] * ~hide[..., None])
        fused = model.fusion(hidden_regions, a, x["mask_a"])
        said, target = self.mrm(fused[:, 1 : 1 + hide.size(1)][hide]).float(), x["region_classes"][hide]
        mrm = F.kl_div(said.log_softmax(1), target, reduction="batchmean")
        return itc + xtcl + rxvtcl + itm + mlm + mrm


def counts(*modules: nn.Module) -> dict[str, object]:
    parameters = [p for module in modules for p in module.parameters()]
    return {
        "parameters": sum(p.numel() for p in parameters),
        "learning": sum(p.numel() for p in parameters if p.requires_grad),
    }


def product_rate() -> float:
    """Products of the step's shape a second, in TFLOP/s: the best of five, in the faster of two precisions."""
    best = math.inf
    for dtype in (torch.float32, torch.bfloat16):
        x, w = torch.randn(1024, WIDTH).to(dtype), torch.randn(4 * WIDTH, WIDTH).to(dtype)
        for _ in range(6):
            begin = time.perf_counter()
            for _ in range(20):
                F.linear(x, w)
            best = min(best, (time.perf_counter() - begin) / 20)
    return 2 * 1024 * WIDTH * 4 * WIDTH / best / 1e12


def step(model: Vlm, x: dict[str, Tensor], tuned: bool, bfloat16: bool) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    objectives = Objectives(model.text.config.vocab_size, x["region_classes"].size(2))
    about = counts(model, objectives)
    learning = [p for module in (model, objectives) for p in module.parameters() if p.requires_grad]
    decay = [
        {"params": [p for p in learning if p.dim() > 1]},
        {"params": [p for p in learning if p.dim() <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(decay, 1e-5, (0.9, 0.98), 1e-8, weight_decay=0.01, fused=True if tuned else None)
    model.train()

    def once() -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            loss = objectives(model, x)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    if tuned:
        backend = os.environ.get("RC3_BENCH_COMPILER", "inductor")
        for module in (model.fusion, model.text, model.network):
            module.compile(backend=backend)
    else:  # the compiler hides products from the counter
        with FlopCounterMode(display=False) as counter:
            once()
        about["tflop"] = counter.get_total_flops() / 1e12

    def work(line: str) -> float:
        return product_rate() if line == "rate" else once()

    serve(about, work)


@torch.inference_mode()
def evaluate(model: Vlm, x: dict[str, Tensor], bfloat16: bool, top: int, size: int = 64) -> float:
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        images, texts = [], []
        for begin in range(0, len(x["pixels"]), size):
            part = {name: t[begin : begin + size] for name, t in x.items()}
            map = model.map(part["pixels"])
            images.append((model.visual(map, part, part["regions"]), model.image_embedding(map)))
        for begin in range(0, len(x["ids_a"]), size):
            ids, mask = x["ids_a"][begin : begin + size], x["mask_a"][begin : begin + size]
            longest = int(mask.sum(1).max())
            states = model.words(ids[:, :longest], mask[:, :longest])
            texts.append(
                (F.pad(states, (0, 0, 0, ids.size(1) - longest)), model.text_embedding(states, mask[:, :longest]))
            )
        visual, image = (torch.cat(parts) for parts in zip(*images, strict=True))
        states, text = (torch.cat(parts) for parts in zip(*texts, strict=True))
        with torch.autocast("cpu", enabled=False):  # in bfloat16 different images would tie
            scores = text @ image.T
        best = scores.topk(min(top, scores.size(1)), 1).indices
        match = []
        for begin in range(0, len(scores), 32):
            found = best[begin : begin + 32]
            rows = torch.arange(begin, begin + len(found)).repeat_interleave(found.size(1))
            z = model.z(visual[found.flatten()], states[rows], x["mask_a"][rows])
            match.append(model.itm_head(z)[:, 0].float().sigmoid().view(len(found), -1))
        scores = scores.scatter_add(1, best, scores.max() - scores.min() + 1 + torch.cat(match))
        targets = torch.arange(len(scores)) * scores.size(1) // len(scores)
        return ((scores >= scores.gather(1, targets[:, None])).sum(1) <= 10).double().mean().item()


def main() -> None:
    if sys.argv[1] == "input":
        return write_inputs(Path(sys.argv[2]), *map(int, sys.argv[3:]))
    global WIDTH
    what, weights, file, form, layers, top = sys.argv[1:]
    WIDTH = json.loads((Path(weights) / "multilingual-e5-small/config.json").read_text())["hidden_size"]
    torch.manual_seed(1)
    x = load_file(file)
    tuned, bfloat16 = form.startswith("tuned"), form.endswith("bfloat16")
    model = Vlm(Path(weights), x["regions"].size(2), int(layers), tuned)
    if what == "step":
        return step(model, x, tuned, bfloat16)
    model.eval()
    serve(counts(model), lambda _: evaluate(model, x, bfloat16, int(top)))


if __name__ == "__main__":
    main()
