"""How cost grows with the size of the work: rc3 alone, on one machine, as curves with the fitted exponent.

The section between the marks of docs/scaling.md, and the plots docs/results/growth-*.svg, are made of the JSON here.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import statistics
from pathlib import Path

import scaling

from .common import Context
from .curves import Panel, power, regression, svg
from .page import number, where, wrapped

SMALL = {"width": 128, "layers": 4, "heads": 4, "fusion": 2, "vocabulary": 8000, "features": 256}
# As multilingual-e5-small with six layers of fusion, and a detector's 16 regions of 2,048 numbers.
E5 = {"width": 384, "layers": 12, "heads": 12, "fusion": 6, "vocabulary": 250_000, "features": 2048, "regions": 16}
TINY = {"width": 16, "layers": 1, "heads": 2, "fusion": 1, "vocabulary": 50, "features": 8, "tokens": 4, "regions": 2}


@dataclasses.dataclass(frozen=True)
class Curve:
    """Time, and of a step peak memory, against one size; the others stay."""

    key: str
    against: str  # in the tables and under the axis
    work: str  # a line for rc3_bench growth, without the size
    name: str  # of the size
    sizes: tuple[int, ...]
    fixed: dict[str, int]
    time: str = ""  # a sentence: why the time grows so; no row without it
    memory: str = ""


BATCH = (8, 12, 16, 24, 32, 48, 64, 96, 128)
CURVES = [
    Curve(
        "step.batch",
        "images in a batch",
        "step",
        "batch",
        BATCH,
        SMALL | {"tokens": 16, "regions": 16},
        "Every sample passes all layers once; the matrix of similarities is small.",
        "Activations of every sample stay until the backward pass.",
    ),
    Curve(
        "step.tokens",
        "tokens of a text",
        "step",
        "tokens",
        (8, 12, 16, 24, 32, 48, 64, 96, 128),
        SMALL | {"batch": 16, "regions": 16},
        "Layers grow with tokens, attention with their square; regions do not.",
        "Attention's square is small beside the activations of layers.",
    ),
    Curve(
        "step.regions",
        "regions of an image",
        "step",
        "regions",
        (2, 4, 8, 12, 16, 24, 32, 48, 64),
        SMALL | {"batch": 32, "tokens": 16},
        "Only fusion reads regions; the text encoder's time is constant.",
        "Only fusion keeps activations of regions.",
    ),
    Curve(
        "step.languages",
        "languages of an image",
        "step",
        "languages",
        (2, 4, 6, 8, 12, 16, 24, 32),
        SMALL | {"batch": 8, "tokens": 16, "regions": 16},
        "A sample has two texts: an image of L languages is L / 2 samples.",
        "Its samples keep their activations, each with the regions again.",
    ),
    Curve(
        "texts.batch",
        "texts in a batch",
        "texts",
        "batch",
        (1, 2, 4, 8, 16, 32, 64),
        E5 | {"vocabulary": 8000, "tokens": 16},
        "A large product runs at the processor's full rate, a small one does not.",
    ),
    Curve(
        "texts.tokens",
        "tokens of a text",
        "texts",
        "tokens",
        (16, 32, 64, 128, 192, 256, 384, 512),
        E5 | {"vocabulary": 8000, "batch": 2},
        "Between 1 of the layers and 2 of attention, which is a fifth of the products at 512.",
    ),
    Curve("fit.direct", "samples in a batch", "step", "batch", (4, 8, 16), E5 | {"tokens": 24}),
    Curve(
        "fit.cached",
        "samples in a batch",
        "cached",
        "batch",
        (16, 32, 64),
        E5 | {"tokens": 24, "chunk": 8},
    ),
]
CURVE = {curve.key: curve for curve in CURVES}
SEARCH = {
    "search.one": (
        "exact/0/1",
        "exact, one query",
        "A query reads every vector once; a small index stays in the cache.",
    ),
    "search.many": ("exact/0/64", "exact, 64 queries", "Every vector is multiplied by every query."),
    "search.hnsw": ("hnsw/0/128", "HNSW, one query", "A search visits a part of the graph that grows slowly."),
}
INDEX = (10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
GRAPH = (1_000, 2_000, 4_000, 8_000, 16_000)
RANKS = (1, 2, 4)
PLOTS = {
    "step": "Time of a training step",
    "memory": "Memory of a training step",
    "texts": "Time of a text encoder",
    "search": "Time of a search",
    "ranks": "What ranks add to a step",
}
LIMIT = 24  # GB, of which one machine is said to end
FAR = 50  # times the largest batch that was measured: how far its line is continued


# --- Measurement ------------------------------------------------------------------------------------------------------


def line(curve: Curve, size: int, quick: bool) -> str:
    once = quick or curve.key.startswith("fit.")  # of memory, which does not vary
    sizes = curve.fixed | (TINY | {"batch": 2, "chunk": 2} if quick else {}) | {curve.name: size}
    sizes |= {"steps": 1 if once else 3, "warm_up": 0 if once else 1, "threads": 1}
    return " ".join([curve.work, *(f"{key}={value}" for key, value in sizes.items())])


def growth(c: Context) -> dict[str, dict]:
    """Points of each curve: x, seconds and MB. A process for each point, since memory that it freed would count."""
    points: dict[str, dict] = {}
    with c.ours("growth") as shared:
        for curve in CURVES:
            sizes = (2, 4) if c.quick else curve.sizes
            if curve.key == "fit.direct":
                c.needs_memory(5)
            rounds: list[list[dict]] = [[] for _ in sizes]
            for _ in range(1 if curve.key.startswith("fit.") else c.rounds):
                for k, size in enumerate(sizes):
                    if c.quick:
                        rounds[k].append(shared.ask(line(curve, size, True)))
                        continue
                    with c.ours("growth") as worker:
                        rounds[k].append(worker.ask(line(curve, size, False)))
            points[curve.key] = {
                "x": list(sizes),
                "seconds": [min(r["seconds"] for r in all_of) for all_of in rounds],  # other work only adds
                "mb": [statistics.median(r["peak_mb"] for r in all_of) for all_of in rounds],
                "resident_mb": [statistics.median(r["resident_mb"] for r in all_of) for all_of in rounds],
            }
            print(f"  {curve.key}: {[round(s, 3) for s in points[curve.key]['seconds']]} s", flush=True)
    return points | searches(c) | ranks(c)


def searches(c: Context) -> dict[str, dict]:
    """One pass: Google's benchmarks repeat a search for half a second, and an index takes longer to fill."""
    points = {key: {"x": [], "seconds": []} for key in SEARCH}

    def add(key: str, size: int, found: dict[str, dict]) -> None:
        if (name := SEARCH[key][0]) in found:  # hnswlib may not be there
            points[key]["x"].append(size)
            points[key]["seconds"].append(found[name]["real_time"] / 1e3)

    if not c.quick:
        c.needs_memory(3)
    for size in (100, 200) if c.quick else INDEX:
        found = c.google_benchmark("exact/0/", 0.5, RC3_SEARCH_VECTORS=str(size))
        add("search.one", size, found), add("search.many", size, found)
    for size in () if c.quick else GRAPH:
        environment = {"RC3_SEARCH_VECTORS": "1000", "RC3_SEARCH_GRAPH": str(size)}
        add("search.hnsw", size, c.google_benchmark("exact/0/1/|hnsw/0/128/", 0.5, **environment))
    return {key: found for key, found in points.items() if found["x"]}


def ranks(c: Context) -> dict[str, dict]:
    """Ranks of one thread each, joined by c10d over the loopback device."""
    runs = []
    for n in (1,) if c.quick else RANKS:
        sizes = scaling.MODELS["deep"] | {"batch": 4, "steps": 3, "warm_up": 1}
        if c.quick:
            sizes = TINY | {"batch": 2, "steps": 1, "warm_up": 0}
        try:
            run = scaling.on_loopback(str(c.program("rc3_bench")), n, sizes)
        except SystemExit as error:
            if "unrecognized" in str(error):  # built without Gloo
                return {}
            raise RuntimeError(str(error)) from None
        sent = sum(kind["wire_bytes"] for kind in run.get("sent", {}).values())
        runs.append(
            {
                "ranks": n,
                "seconds": run["seconds_per_step"],
                "alone": run["compute_seconds"],
                "mb": sent / 1e6,
            }
        )
    return {"ranks": {"runs": runs}}


# --- Page -------------------------------------------------------------------------------------------------------------

BEGIN = "<!-- growth: made by benchmarks/compare.py of results/performance.json: change benchmarks/rows/growth.py -->"
END = "<!-- growth ends -->"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(row) + " |" for row in rows]


@functools.cache
def rank_series() -> list[tuple[str, list[int], list[float], list[float]]]:
    """Of the runs of scaling.json at two settings: name, ranks, seconds that they add to a step, and by the model."""
    runs = scaling.medians(json.loads(scaling.RUNS.read_text())["runs"])
    fitted = scaling.fit(runs)
    series = []
    for model, mbit in (("words", 500), ("deep", 1000)):
        chosen = [r for r in runs if not r["alone"] and r["model"] == model and r["batch"] == 4]
        chosen = sorted((r for r in chosen if r["bandwidth_mbit"] == mbit), key=lambda r: r["ranks"])
        parts = [scaling.predicted(r, fitted) for r in chosen]
        series.append(
            (
                f"{model}, {mbit:,} Mbit/s",
                [r["ranks"] for r in chosen],
                [r["seconds_per_step"] - r["compute_seconds"] for r in chosen],
                [sum(p.values()) - p["compute"] for p in parts],
            )
        )
    return series


def plots(points: dict[str, dict]) -> dict[str, str]:
    """Each SVG by its name."""

    def of(key: str, column: str, factor: float = 1) -> tuple[list[float], list[float]]:
        return points[key]["x"], [factor * v for v in points[key][column]]

    def panels(group: str, column: str, unit: str, factor: float = 1) -> list[Panel]:
        chosen = [curve for curve in CURVES if curve.key.startswith(group) and curve.key in points]
        return [Panel(unit, k.against, [("", *of(k.key, column, factor))]) for k in chosen]

    drawn = {
        "step": panels("step.", "seconds", "Seconds of a step"),
        "memory": panels("step.", "rise_mb", "Memory of a step, MB"),
        "texts": panels("texts.", "seconds", "Milliseconds of a pass", 1e3),
    }
    exact = [(SEARCH[key][1], *of(key, "seconds", 1e3)) for key in ("search.one", "search.many") if key in points]
    graph = [(SEARCH[key][1], *of(key, "seconds", 1e3)) for key in ("search.hnsw",) if key in points]
    drawn["search"] = [
        Panel(f"Milliseconds of a search, {kind}", "vectors in the index", series)
        for kind, series in (("exact", exact), ("approximate", graph))
        if series
    ]
    drawn["ranks"] = [Panel("Seconds added to a step", "ranks", [line[:3] for line in rank_series()])]
    return {f"growth-{name}": svg(PLOTS[name], drawn[name]) for name in PLOTS}


def with_rise(points: dict[str, dict]) -> dict[str, dict]:
    """Memory of activations: the peak, less what two samples leave resident."""
    def rise(p: dict) -> dict:
        pairs = zip(p["mb"], p["resident_mb"], strict=True)
        return p | {"rise_mb": [max(peak - before, 0.01) for peak, before in pairs]}

    return {key: rise(p) if "mb" in p else p for key, p in points.items()}


def exponents(points: dict[str, dict]) -> list[list[str]]:
    rows = []

    def add(cost: str, against: str, x: list[float], y: list[float], unit: str, why: str) -> None:
        low, high = (k for k in (min(v for v in x if v > 0), max(x)))
        span = f"{number(y[x.index(low)])} to {number(y[x.index(high)])} {unit}"
        rows.append([cost, against, f"{low:,} to {high:,}", span, power(x, y).in_words(), why])

    for curve in CURVES:
        p = points.get(curve.key)
        if p and curve.time:
            unit, factor = ("s", 1) if curve.work == "step" else ("ms", 1e3)
            what = "step, time" if curve.work == "step" else "text encoder, time"
            add(what, curve.against, p["x"], [factor * s for s in p["seconds"]], unit, curve.time)
        if p and curve.memory:
            add("step, memory", curve.against, p["x"], p["rise_mb"], "MB", curve.memory)
    for key, (_, name, why) in SEARCH.items():
        if p := points.get(key):
            add(f"search, {name}", "vectors", p["x"], [1e3 * s for s in p["seconds"]], "ms", why)
    for name, x, y, model in rank_series():
        why = (
            f"The model below gives {power(x, model).exponent:.2f}: sums send 2 (n - 1) / n of the gradients, "
            "and ranks that share a core copy more slowly."
        )
        add(f"added by ranks, {name}", "ranks", x, y, "s", why)
    return rows


def fits(points: dict[str, dict]) -> list[list[str]]:
    """Lines of memory, and the batch at which they reach the limit."""
    rows = []
    for key, name in (("fit.direct", "directly"), ("fit.cached", "gradient caching, chunks of 8")):
        p = points.get(key)
        if not p:
            continue
        a, b, error = regression(p["x"], p["mb"])
        off = max(abs((a + b * x) / y - 1) for x, y in zip(p["x"], p["mb"], strict=True))
        # A slope that is not above its error gives no batch, and a line is not continued far beyond its points.
        most, far = (LIMIT * 1e9 / 2**20 - a) / b if b > 2 * (error or 0) else None, FAR * p["x"][-1]
        cell = "b is within its error" if most is None else f"{most:,.0f}" if most <= far else f"above {far:,}"
        rows.append(
            [name, f"{p['x'][0]} to {p['x'][-1]}", f"{number(p['mb'][0])} to {number(p['mb'][-1])} MB", f"{a:,.0f} MB",
             f"{b:.2f} MB", f"{100 * off:.1f} %", cell]
        )  # fmt: skip
    return rows


def cost_of_ranks(runs: list[dict]) -> list[str]:
    rows = [
        [
            str(r["ranks"]),
            f"{r['seconds']:.2f}",
            f"{r['alone']:.2f}",
            f"{100 * (r['seconds'] / r['alone'] - 1):+.0f} %",
            f"{r['mb']:.0f} MB",
        ]
        for r in runs
    ]
    about = (
        "The model *deep* of the runs below, a batch of 4 for each rank and one thread each, joined by Gloo over "
        "the loopback device. *Alone* is a step of the slowest rank for itself, while the others do the same."
    )
    measured = table(["ranks", "step, s", "alone, s", "added", "sent by a rank"], rows)
    return ["### Cost of c10d", "", wrapped(about), "", *(measured if rows else ["Not measured: built without Gloo."])]


def section(results: dict) -> list[str]:
    """Lines of the section, between the marks."""
    found = results.get("growth")
    if not found:
        return ["Not measured yet."]
    points, run = with_rise(found["points"]), found["run"]
    quick = ["**The quick form made this section: its figures say nothing.**", ""] if run["quick"] else []
    if run["load"] > 1:
        quick += ["**Other programs ran meanwhile: times, and their exponents, are not reliable.**", ""]
    sizes = lambda s: f"width {s['width']}, {s['layers']} layers, {s['fusion']} of fusion"  # noqa: E731
    out = [
        *quick,
        wrapped(where(run | {"versions": {}}, [run["load"]])),
        "",
        wrapped(
            "A step is R-XVtCL with negatives in the batch and ITC in float32, on one thread, with AdamW. "
            f"Its model has {sizes(SMALL)}. Unless it varies, a batch has 32 images (16 against tokens, 8 against "
            "languages), a text 16 tokens and an image 16 regions. A time is the median of three runs, and the lowest "
            "of the rounds. Memory is the peak of a step, less what stays between steps."
        ),
        "",
        wrapped(
            "The text encoder has the sizes of multilingual-e5-small, random weights, one thread, and texts of 16 "
            "tokens or batches of 2. An index has vectors of 384 random numbers; a search has 2 threads. "
            "The exponent is fitted to the upper half of the range on a logarithmic axis: filled in the plots, dashed "
            "where it is only continued. A standard error follows it."
        ),
        "",
        *table(["cost", "against", "range", "measured", "exponent", "reason"], exponents(points)),
        "",
    ]
    for name, title in PLOTS.items():
        out += [f"![{title}, with fitted lines](results/growth-{name}.svg)", ""]
    out += [
        "### Where one machine ends",
        "",
        wrapped(
            f"A model of {sizes(E5)}, as multilingual-e5-small with a fusion encoder, in float32. Texts have 24 "
            f"tokens, images 16 regions of 2,048 numbers. The line is peak = a + b batch. The last column is the batch "
            f"at which it reaches {LIMIT} GB: the line's, no run, and at most {FAR} times the largest batch."
        ),
        "",
        *table(["method", "batches", "measured", "a", "b", "largest error", f"{LIMIT} GB"], fits(points)),
        "",
        wrapped(
            "Gradient caching keeps of each sample its vectors and its inputs, mostly regions, and the graph of one "
            "chunk. It has R-XVtCL alone. Each sample is encoded twice."
        ),
        "",
        *cost_of_ranks(points.get("ranks", {"runs": []})["runs"]),
    ]  # fmt: skip
    return out


def written(results: dict, page: Path, folder: Path) -> dict[Path, str]:
    """The page with its section renewed, and the plots in @p folder: each file's text. Other pages than docs/scaling.md
    have the section alone."""
    text = page.read_text() if page.name == "scaling.md" else f"# Growth\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{page} has not the marks {BEGIN} and {END}")
    files = {page: f"{before}{BEGIN}\n\n" + "\n".join(section(results)) + f"\n\n{END}{after}"}
    if results.get("growth"):
        drawn = plots(with_rise(results["growth"]["points"]))
        files |= {folder / f"{name}.svg": text for name, text in drawn.items()}
    return files


def self_test() -> None:
    """A section of known numbers: time of a power 1, a line of memory of 1,000 MB and 100 MB a sample."""
    def point(x: tuple[int, ...]) -> dict:
        return {"x": list(x), "seconds": [v / 100 for v in x],
                "mb": [1000 + 100 * v for v in x], "resident_mb": [1000] * len(x)}  # fmt: skip

    points = {curve.key: point(curve.sizes) for curve in CURVES}
    points["fit.cached"]["mb"] = [1000 + v for v in points["fit.cached"]["x"]]
    points |= {key: {"x": list(INDEX), "seconds": [v / 1e6 for v in INDEX]} for key in SEARCH}
    points["ranks"] = {"runs": [{"ranks": 2, "seconds": 1.5, "alone": 1.0, "mb": 10}]}
    run = {"date": "2000-01-01", "commit": "x", "rounds": 3, "load": 0.5, "quick": False, "versions": {}}
    run["machine"] = {"cores": 2, "processor": "P", "instructions": [], "memory_gb": 8}
    text = "\n".join(section({"growth": {"run": run, "points": points}}))
    for wanted in (
        "| step, time | images in a batch | 8 to 128 | 0.08 to 1.28 s | 1.00 ± 0.00 |",
        "| search, exact, one query | vectors | 10,000 to 1,000,000 | 10.0 to 1,000 ms | 1.00 ± 0.00 |",
        "| 1,000 MB | 100.00 MB | 0.0 % | 219 |",  # 24e9 / 2^20 MB, less 1,000, at 100 each
        "| 1,000 MB | 1.00 MB | 0.0 % | above 3,200 |",  # 21,888 by the line
        "| 2 | 1.50 | 1.00 | +50 % | 10 MB |",
    ):
        assert wanted in text, (wanted, text)
    assert re.search(r"exponent 1\.00 ± 0\.00", plots(with_rise(points))["growth-step"])
