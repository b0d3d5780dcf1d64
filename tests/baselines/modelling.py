#!/usr/bin/env python3
"""Matching, masked words and masked regions in NumPy float64, written from docs/concepts and the cited papers.

It shares no code with the library. The drawing of what is masked and of hard negatives is taken out: everything that is no
special token is masked, and negatives are the most similar ones. tests/baselines/modelling_test.cpp computes the same.
"""

from __future__ import annotations

import argparse
import json
from math import erf
from pathlib import Path

import numpy as np

VOCABULARY, MASK, D, START, HEADS = 12, 11, 6, 2, 2


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def gelu(x: np.ndarray) -> np.ndarray:
    return x * 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2)))


def norm(x: np.ndarray, p: dict, name: str) -> np.ndarray:
    centered = x - x.mean(-1, keepdims=True)
    return centered / np.sqrt((centered**2).mean(-1, keepdims=True) + 1e-6) * p[f"{name}.weight"] + p[f"{name}.bias"]


def linear(x: np.ndarray, p: dict, name: str) -> np.ndarray:
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def masked_mean(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return x[mask].sum(0) / max(mask.sum(), 1)


def fused(v: np.ndarray, v_mask: np.ndarray, t: np.ndarray, t_mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z, visual and text tokens of one pair: what the tests' model computes. Tokens outside the masks are zero."""
    mv, mt = masked_mean(v, v_mask), masked_mean(t, t_mask)
    return mv + mt + mv * mt, (v + mt) * v_mask[:, None], (t + mv * mt) * t_mask[:, None]


def texts(c: dict, masked: bool) -> tuple[np.ndarray, list[tuple[int, int]]]:
    ids = np.array(c["ids"])
    there = np.array(c["text_mask"])
    holes = [(i, j) for i in range(ids.shape[0]) for j in range(ids.shape[1]) if there[i, j] and ids[i, j] not in (*c["special"], MASK)]
    if masked:
        ids = ids.copy()
        for i, j in holes:
            ids[i, j] = MASK
    return c["table"][ids] * there[:, :, None], holes


def itm(c: dict) -> float | None:
    v, vm, t, tm = c["regions"], np.array(c["region_mask"]), texts(c, False)[0], np.array(c["text_mask"])
    n = len(v)
    image = unit(np.stack([masked_mean(v[i], vm[i]) for i in range(n)]))
    text = unit(np.stack([masked_mean(t[i], tm[i]) for i in range(n)]))
    score = lambda i, j: fused(v[i], vm[i], t[j], tm[j])[0].sum()  # noqa: E731
    p, q = np.array(c["image_ids"]), np.array([[a, b] for a, b in zip(c["caption_a_ids"], c["caption_b_ids"])])
    allowed = np.array([[i != j and p[i] != p[j] and not set(q[i]) & set(q[j]) for j in range(n)] for i in range(n)])
    positive = np.mean([np.logaddexp(0, -score(i, i)) for i in range(n)])
    rows = [i for i in range(n) if allowed[i].any()]
    if not rows:
        return float(positive)
    similarity = np.where(allowed, image @ text.T, -np.inf)
    by_image = np.where(allowed.T, (image @ text.T).T, -np.inf)
    if any((np.sort(x[i])[-1] == np.sort(x[i])[-2]) for x in (similarity, by_image) for i in rows):
        return None  # two are equally hard: which one is drawn is open
    negative = [np.logaddexp(0, score(i, int(similarity[i].argmax()))) for i in rows]
    negative += [np.logaddexp(0, score(int(by_image[i].argmax()), i)) for i in rows]
    return float((positive + np.mean(negative)) / 2)


def said(logits: np.ndarray, targets: list[int]) -> float:
    return float(np.mean([np.log(np.exp(x - x.max()).sum()) + x.max() - x[k] for x, k in zip(logits, targets)]))


def mlm(c: dict, p: dict) -> float:
    t, holes = texts(c, True)
    if not holes:
        return 0.0
    v, vm, tm = c["regions"], np.array(c["region_mask"]), np.array(c["text_mask"])
    states = np.stack([fused(v[i], vm[i], t[i], tm[i])[2][j] for i, j in holes])
    logits = norm(gelu(linear(states, p, "head.dense")), p, "head.norm") @ p["embedding"].T + p["head.bias"]
    return said(logits, [c["ids"][i][j] for i, j in holes])


def attend(q: np.ndarray, k: np.ndarray, v: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    size = D // HEADS
    parts = []
    for h in range(HEADS):
        cut = slice(h * size, (h + 1) * size)
        parts.append(softmax(np.where(allowed, q[:, cut] @ k[:, cut].T / np.sqrt(size), -np.inf)) @ v[:, cut])
    return np.concatenate(parts, 1)


def decode(p: dict, ids: list[int], memory: np.ndarray) -> np.ndarray:
    """A pre-norm decoder of two layers over one text; `memory` holds only what is there."""
    x = p["embedding"][ids] + p["position"][: len(ids)]
    causal = np.tril(np.ones((len(ids), len(ids)), dtype=bool))
    for i in range(2):
        q = {k.removeprefix(f"layers.{i}."): w for k, w in p.items() if k.startswith(f"layers.{i}.")}
        n = norm(x, q, "norm")
        x = x + linear(attend(linear(n, q, "query"), linear(n, q, "key"), linear(n, q, "value"), causal), q, "output")
        n = norm(x, q, "cross_norm")
        across = np.ones((len(ids), len(memory)), dtype=bool)
        mixed = attend(linear(n, q, "cross_query"), linear(memory, q, "cross_key"), linear(memory, q, "cross_value"), across)
        x = x + linear(mixed, q, "cross_output")
        x = x + linear(gelu(linear(norm(x, q, "outer_norm"), q, "inner")), q, "outer")
    return norm(x, p, "norm") @ p["embedding"].T + p["bias"]


def mclm(c: dict, p: dict) -> float:
    t, holes = texts(c, True)
    if not holes:
        return 0.0
    v, vm, tm = c["regions"], np.array(c["region_mask"]), np.array(c["text_mask"])
    logits = []
    for i, j in holes:
        _, visual, text = fused(v[i], vm[i], t[i], tm[i])
        memory = np.concatenate([visual[vm[i]], text[tm[i]]])
        logits.append(decode(p, [START, *c["ids"][i][:j]], memory)[-1])
    return said(np.stack(logits), [c["ids"][i][j] for i, j in holes])


def mrm(c: dict, p: dict, classes: bool) -> float:
    vm, t, tm = np.array(c["region_mask"]), texts(c, False)[0], np.array(c["text_mask"])
    places = np.argwhere(vm)
    if len(places) == 0:
        return 0.0
    hidden = np.where(vm[:, :, None], 0, c["regions"])
    states = np.stack([fused(hidden[i], vm[i], t[i], tm[i])[1][r] for i, r in places])
    out = linear(states, p, "head")
    if not classes:
        return float(np.mean((out - c["regions"][vm]) ** 2))
    target, q = c["region_classes"][vm], np.log(softmax(out))
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(np.where(target > 0, target * (np.log(target) - q), 0).sum(1)))


def shapes_decoder() -> dict[str, tuple[int, ...]]:
    s: dict[str, tuple[int, ...]] = {"embedding": (VOCABULARY, D), "bias": (VOCABULARY,), "position": (8, D), "norm.weight": (D,), "norm.bias": (D,)}
    for i in range(2):
        for name in ("query", "key", "value", "output", "cross_query", "cross_key", "cross_value", "cross_output"):
            s |= {f"layers.{i}.{name}.weight": (D, D), f"layers.{i}.{name}.bias": (D,)}
        for name in ("norm", "cross_norm", "outer_norm"):
            s |= {f"layers.{i}.{name}.weight": (D,), f"layers.{i}.{name}.bias": (D,)}
        s |= {f"layers.{i}.inner.weight": (10, D), f"layers.{i}.inner.bias": (10,), f"layers.{i}.outer.weight": (D, 10), f"layers.{i}.outer.bias": (D,)}
    return s


def parameters(shapes: dict[str, tuple[int, ...]], rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def case(name: str, n: int, rng: np.random.Generator, **changes: object) -> dict:
    ids = rng.integers(4, MASK, (n, 5))
    ids[:, 0] = 0
    text_mask = np.ones((n, 5), dtype=bool)
    region_mask = np.ones((n, 3), dtype=bool)
    if n > 1:
        text_mask[0, 3:] = False
        ids[0, 3:] = 1
        region_mask[1, 2] = False
    c: dict = {"name": name, "special": [0, 1, 2, 3], "ids": ids.tolist(), "text_mask": text_mask.tolist(), "region_mask": region_mask.tolist(),
               "regions": rng.standard_normal((n, 3, D)), "region_classes": softmax(2 * rng.standard_normal((n, 3, 4))),
               "table": rng.standard_normal((VOCABULARY, D)),
               "image_ids": list(range(n)), "caption_a_ids": list(range(n)), "caption_b_ids": list(range(n, 2 * n))}
    c.update(changes)
    if n > 0:
        c["region_classes"][0, 0] = [0, 1, 0, 0]  # a detector that is sure
    p = {"Mlm": parameters({"embedding": (VOCABULARY, D), "head.dense.weight": (D, D), "head.dense.bias": (D,), "head.norm.weight": (D,),
                            "head.norm.bias": (D,), "head.bias": (VOCABULARY,)}, rng),
         "Mclm": parameters(shapes_decoder(), rng),
         "Mrm<RegionFeatures>": parameters({"head.weight": (D, D), "head.bias": (D,)}, rng),
         "Mrm<RegionClasses>": parameters({"head.weight": (4, D), "head.bias": (4,)}, rng)}
    c["losses"] = {"Itm": itm(c), "Mlm": mlm(c, p["Mlm"]), "Mclm": mclm(c, p["Mclm"]),
                   "Mrm<RegionFeatures>": mrm(c, p["Mrm<RegionFeatures>"], False), "Mrm<RegionClasses>": mrm(c, p["Mrm<RegionClasses>"], True)}
    c["losses"] = {k: v for k, v in c["losses"].items() if v is not None}
    c["parameters"] = p
    return c


def tensors(value: object) -> object:
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape), "values": value.ravel().tolist()}
    if isinstance(value, dict):
        return {k: tensors(v) for k, v in value.items()}
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rng = np.random.default_rng(11)
    no_regions = [[True, True, True], [False, False, False], [True, False, True], [False, False, False]]
    same_ids = [[0, 5, 6, 7, 2]] * 4
    cases = [
        *(case(f"random {n}", n, rng) for n in (2, 3, 7)),
        case("one item", 1, rng),
        case("another list of special tokens", 3, rng, special=[0, 1, 2, 3, 5, 7, 9]),
        case("no words", 2, rng, ids=[[0, 3, 2, 1, 1]] * 2, text_mask=[[True, True, True, False, False]] * 2),
        case("missing modality", 4, rng, region_mask=no_regions),
        case("no regions at all", 3, rng, region_mask=[[False] * 3] * 3),
        case("all captions equal", 4, rng, ids=same_ids, text_mask=[[True] * 5] * 4, caption_a_ids=[0] * 4, caption_b_ids=[0] * 4),
        case("all images equal", 4, rng, regions=np.repeat(rng.standard_normal((1, 3, D)), 4, 0), image_ids=[2] * 4, region_mask=[[True] * 3] * 4),
        case("duplicates", 6, rng, image_ids=[0, 1, 2, 0, 4, 5], caption_a_ids=[0, 1, 2, 3, 1, 5], caption_b_ids=[6, 7, 8, 9, 10, 2]),
        case("zero images", 3, rng, regions=np.zeros((3, 3, D))),
    ]
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "modelling.json").write_text(json.dumps([tensors(c) for c in cases]), encoding="utf-8")
    print(f"{len(cases)} cases, {sum(len(c['losses']) for c in cases)} losses")


if __name__ == "__main__":
    main()
