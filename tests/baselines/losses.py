#!/usr/bin/env python3
"""Every loss, regularizer and gradient-free property in NumPy float64, written from docs/concepts and the cited papers.

It shares no code with the library and knows nothing of it but the formulas. It writes cases (random and edge batches) with
their values as JSON; tests/baselines/losses_test.cpp reads them and computes the same.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

SCALE = 1 / 0.07


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def negatives(case: dict) -> np.ndarray:
    """[N, N]: may sample j push sample i? Not itself, not the same image, not an equal caption on any side."""
    p, a, b = (np.array(case[k]) for k in ("image_ids", "caption_a_ids", "caption_b_ids"))
    same = p[:, None] == p[None]
    for x in (a, b):
        for y in (a, b):
            same |= x[:, None] == y[None]
    return ~(same | np.eye(len(p), dtype=bool))


def terms(logits: np.ndarray, allowed: np.ndarray, more: np.ndarray | None = None, has: np.ndarray | None = None) -> np.ndarray:
    """-log p(partner) of each row; `more` is one further candidate a row, where `has` says so."""
    out = []
    for i in range(len(logits)):
        candidates = [logits[i, i], *logits[i, allowed[i]]]
        if more is not None and has[i]:
            candidates.append(more[i])
        c = np.array(candidates)
        out.append(np.log(np.exp(c - c.max()).sum()) + c.max() - logits[i, i])
    return np.array(out)


def fuse(v: np.ndarray, t: np.ndarray) -> np.ndarray:
    return v + t + v * t  # what the tests' model computes


def itc(c: dict) -> float:
    v, a, b = (unit(np.array(c[k])) for k in ("v", "a", "b"))
    n = negatives(c)
    both = [terms(SCALE * x @ y.T, n) for x, y in ((v, a), (a, v), (v, b), (b, v))]
    return float(np.mean(both))


def sigmoid_itc(c: dict) -> float:
    v, n = unit(np.array(c["v"])), negatives(c)
    total = 0.0
    for k in ("a", "b"):
        logits = SCALE * v @ unit(np.array(c[k])).T + np.log(SCALE)  # the test gives every parameter log(SCALE)
        total += np.logaddexp(0, -np.diag(logits)).sum() + np.logaddexp(0, logits)[n & ~np.eye(len(v), dtype=bool)].sum()
    return float(total / (2 * len(v)))


def xtcl(c: dict) -> float:
    keep = np.array(c["strict"], dtype=bool)
    if not keep.any():
        return 0.0
    a, b = unit(np.array(c["a"]))[keep], unit(np.array(c["b"]))[keep]
    n = negatives(c)[np.ix_(keep, keep)]
    return float(np.mean([terms(SCALE * a @ b.T, n), terms(SCALE * b @ a.T, n)]))


def mismatched(c: dict, texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """g(v_i, x_j) for the next true negative j behind i."""
    v, n = np.array(c["v"]), negatives(c)
    z, has = np.zeros_like(v), np.zeros(len(v), dtype=bool)
    for i in range(len(v)):
        for step in range(1, len(v)):
            j = (i + step) % len(v)
            if n[i, j]:
                z[i], has[i] = fuse(v[i], texts[j]), True
                break
    return z, has


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def omega(name: str, s: np.ndarray, rho: np.ndarray, logits: np.ndarray, rows: np.ndarray) -> float:
    if name in ("None", "Weighted"):
        return 0.0
    if name == "Ceiling":
        return float(np.mean(np.maximum(0, s - (0.2 + 0.8 * rho)) ** 2))
    if name == "HuberToTarget":
        d = np.abs(s - (0.1 + 0.9 * rho))
        return float(np.mean(np.where(d <= 0.3, d**2 / 2, 0.3 * (d - 0.15))))
    if name == "SoftTarget":
        p, q = softmax(rows / 0.2), softmax(logits)
        return float(np.mean((p * (np.log(p) - np.log(q))).sum(1)))
    if name == "Sum":  # 0.5 Ceiling + 2 HuberToTarget, with the weights of Weighted
        return 0.5 * omega("Ceiling", s, rho, logits, rows) + 2 * omega("HuberToTarget", s, rho, logits, rows)
    raise ValueError(name)


def rxvtcl(c: dict, regularizer: str, same_image: bool, lam: float = 0.7) -> float:
    v, a, b = (np.array(c[k]) for k in ("v", "a", "b"))
    raw_a, raw_b = fuse(v, a), fuse(v, b)
    za, zb = unit(raw_a), unit(raw_b)
    n = negatives(c)
    more_a = more_b = has_a = has_b = None
    if same_image:
        (ma, has_a), (mb, has_b) = mismatched(c, b), mismatched(c, a)
        more_a, more_b = SCALE * (za * unit(ma)).sum(1), SCALE * (zb * unit(mb)).sum(1)
        has_a, has_b = has_a & (ma != 0).any(1), has_b & (mb != 0).any(1)
    each = (terms(SCALE * za @ zb.T, n, more_a, has_a) + terms(SCALE * zb @ za.T, n, more_b, has_b)) / 2
    rho = np.array(c["relevance"])
    if regularizer in ("Weighted", "Sum"):
        power = rho**1.5
        each = each * power / max(power.mean(), 1e-12)
    return float(each.mean() + lam * omega(regularizer, (za * zb).sum(1), rho, SCALE * za @ zb.T, np.array(c["relevances"])))


def case(name: str, n: int, rng: np.random.Generator, **changes: object) -> dict:
    c = {"name": name, "image_ids": list(range(n)), "caption_a_ids": list(range(n)), "caption_b_ids": list(range(n, 2 * n)),
         "strict": [bool(x) for x in rng.integers(0, 2, n)], "relevance": rng.random(n).tolist(),
         "relevances": rng.random((n, n)).tolist()}
    for k in ("v", "a", "b"):
        c[k] = rng.standard_normal((n, 4)).tolist()
    c.update(changes)
    c["losses"] = {"Itc": itc(c), "SigmoidItc": sigmoid_itc(c), "Xtcl": xtcl(c)}
    for r in ("None", "Ceiling", "HuberToTarget", "Weighted", "SoftTarget", "Sum"):
        for s in (False, True):
            c["losses"][f"RXvtcl<{r}, {'SameImage' if s else 'InBatch'}>"] = rxvtcl(c, r, s)
    return c


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rng = np.random.default_rng(7)
    zero = [[0.0] * 4] * 5
    same = rng.standard_normal((1, 4)).tolist() * 5
    cases = [
        *(case(f"random {n}", n, rng) for n in (2, 3, 8, 17)),
        case("one item", 1, rng),
        case("all captions equal", 5, rng, caption_a_ids=[0] * 5, caption_b_ids=[0] * 5),
        case("all images equal", 5, rng, image_ids=[3] * 5, v=same),
        case("equal image vectors", 5, rng, v=same),
        case("duplicates", 6, rng, image_ids=[0, 1, 2, 0, 4, 5], caption_a_ids=[0, 1, 2, 3, 1, 5], caption_b_ids=[6, 7, 8, 9, 10, 2]),
        case("zero images", 5, rng, v=zero),
        case("zero texts", 5, rng, a=zero, b=zero),
        case("zero everything", 5, rng, v=zero, a=zero, b=zero),
        case("relevance 0", 5, rng, relevance=[0.0] * 5, relevances=[[0.0] * 5] * 5),
        case("relevance 1", 5, rng, relevance=[1.0] * 5, relevances=[[1.0] * 5] * 5),
        case("all weak", 5, rng, strict=[False] * 5),
        case("all strict", 5, rng, strict=[True] * 5),
    ]
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "losses.json").write_text(json.dumps(cases), encoding="utf-8")
    print(f"{len(cases)} cases, {sum(len(c['losses']) for c in cases)} losses")


if __name__ == "__main__":
    main()
