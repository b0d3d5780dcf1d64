#!/usr/bin/env python3
"""Tables, plots and a plain statement for each claim, from the study's results.

    tools/study/report.py docs/results/study.jsonl --out docs/results

Writes OUT/study.md, OUT/study-differences.svg and OUT/study-recall.svg. Needs Python's standard library only.
Differences are paired by seed. Intervals are 95 % bootstrap intervals over seeds (for entailment over seeds and
examples); p-values are of the paired t-test over seeds, with Holm's correction over the named claims.
"""

import argparse
import html
import json
import math
import pathlib
import random
import sys
import textwrap
from collections import defaultdict

TRAINED = ("en", "de", "fr", "cs", "zh")
ENOUGH = 5  # seeds, below which a claim is not judged to fail


# Measures, chosen before the runs: name, unit, value of a line (None where the line has it not).
def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else None


def over_languages(lines, of):
    languages = [name for name in TRAINED if name in lines] or list(lines)
    return 100 * mean(of(lines[name]) for name in languages)


def at(line, *path):
    for key in path:
        if not isinstance(line, dict) or key not in line:
            return None
        line = line[key]
    return line


def recall_at_1(line):
    return over_languages(line["retrieval"], lambda r: r["to_image"][0]) if "retrieval" in line else None


def reranked(line):
    return over_languages(line["rerank"], lambda r: r["after"][0]) if "rerank" in line else None


def rerank_gain(line):
    if "rerank" not in line:
        return None
    return over_languages(line["rerank"], lambda r: r["after"][0] - r["before"][0])


def accuracy(kind, by="entailment"):
    """@param by  the tuned head ("entailment") or the probe"""
    return lambda line: None if at(line, by, kind) is None else 100 * line[by][kind]["accuracy"]


def seconds_of_a_step(line):
    seconds = at(line, "seconds", "fuse_processor")
    return None if seconds is None else seconds / line["run"]["fuse"]["steps"]


def margin(line, by="entailment"):
    both, shuffled = accuracy("both", by)(line), accuracy("shuffled", by)(line)
    return None if both is None else both - shuffled


def caption(line):
    value = at(line, "mechanism", "caption", "by_z")
    return None if value is None else 100 * value


def correlation(line):
    return at(line, "mechanism", "correlation")


def transfer(line):
    """None for an arm whose second stage reads all languages."""
    seen = at(line, "run", "fuse", "languages")
    unseen = [name for name in TRAINED if name in line.get("rerank", {}) and name not in (seen or ())]
    return 100 * mean(line["rerank"][name]["after"][0] for name in unseen) if seen and unseen else None


MEASURES = {
    "recall": ("text to image R@1 by embeddings, mean over the languages of training, percent", recall_at_1),
    "reranked": ("text to image R@1 after ITM re-ranking, mean over the languages, percent", reranked),
    "transfer": ("text to image R@1 after ITM re-ranking, mean over the languages that the fusion encoder never saw, "
                 "percent", transfer),
    "gain": ("what re-ranking adds to R@1, points", rerank_gain),
    "entailment": ("entailment, English, percent", accuracy("both")),
    "shuffled": ("entailment with shuffled photographs, percent", accuracy("shuffled")),
    "margin": ("entailment above shuffled photographs, points", margin),
    "caption": ("captions of one photograph told apart by z, percent", caption),
    "correlation": ("correlation of cos(z^a, z^b) with relevance", correlation),
}

# Claims that got seeds 6 to 10 when the first five had been seen.
REPLICATED = ("Weak texts help search", "The regularizer makes z follow relevance",
              "With shuffled relevance z follows relevance less")

HIDDEN = 5  # first seed that judges claims on hidden images: the arms were chosen on seed 3, and seed 4 was seen

# Claims: letter, sentence, arm with, arm without, measure, first seed that counts.
CLAIMS = [
    ("a", "Weak texts help search", "heads, strict+weak", "heads, strict", "recall"),
    ("a", "Weak texts help entailment", "weak, none", "strict, none", "entailment"),
    ("a", "Weak texts help re-ranked search", "weak, none", "strict, none", "reranked"),
    ("b", "The regularizer helps re-ranked search", "weak, ceiling", "weak, none", "reranked"),
    ("b", "The regularizer helps entailment", "weak, ceiling", "weak, none", "entailment"),
    ("b", "The regularizer keeps captions of one photograph apart", "weak, ceiling", "weak, none", "caption"),
    ("b", "Relevance matters: shuffled relevance is worse", "weak, ceiling", "weak, ceiling, shuffled relevance",
     "caption"),
    ("b", "R-XVtCL with its regularizer is better than ITM alone, in entailment", "weak, ceiling", "weak, itm alone",
     "entailment"),
    ("b", "R-XVtCL with its regularizer is better than ITM alone, in re-ranked search", "weak, ceiling",
     "weak, itm alone", "reranked"),
    ("b", "The regularizer makes z follow relevance", "weak, ceiling", "weak, none", "correlation"),
    ("b", "With shuffled relevance z follows relevance less", "weak, ceiling", "weak, ceiling, shuffled relevance",
     "correlation"),
    ("b", "Hidden images: R-XVtCL is better than ITM alone, in entailment", "weak, ceiling, hidden images",
     "weak, itm alone", "entailment", HIDDEN),
    ("b", "Hidden images: R-XVtCL is better than ITM alone, in re-ranked search", "weak, ceiling, hidden images",
     "weak, itm alone", "reranked", HIDDEN),
    ("b", "Hidden images: R-XVtCL keeps captions of one photograph apart", "weak, ceiling, hidden images",
     "weak, itm alone", "caption", HIDDEN),
    ("b", "Hidden images: the regularizer makes z follow relevance", "weak, ceiling, hidden images",
     "weak, none, hidden images", "correlation", HIDDEN),
    ("b", "Hidden images: shuffled relevance is worse", "weak, ceiling, hidden images",
     "weak, ceiling, shuffled relevance, hidden images", "correlation", HIDDEN),
    ("a", "Hidden images: weak texts help entailment", "weak, none, hidden images", "strict, none, hidden images",
     "entailment", HIDDEN),
    *[("c", f"Regions and patches together are better than {other}, in {of}", "regions and patches", arm, measure,
       HIDDEN)
      for of, measure in (("re-ranked search", "reranked"), ("the margin of entailment", "margin"))
      for other, arm in (("patches", "5 x 5 patches"), ("regions", "regions"))],
    *[("d", f"Transfer to languages never fused: better than {other}", "en+de, ceiling, hidden images", arm, "transfer",
       HIDDEN)
      for other, arm in (("translations with MLM and ITM (like UC2)", "en+de, UC2-like"),
                         ("code-switched texts with MLM and ITM (like M3P)", "en+de, M3P-like"),
                         ("contrast without regularizer (like CCLM)", "en+de, CCLM-like"),
                         ("ITM alone", "en+de, itm alone"))],
]


def t_tail(t, df):
    """P(|T| >= |t|) of Student's distribution, by the incomplete beta function's continued fraction."""
    x = df / (df + t * t)
    a, b = df / 2, 0.5
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) \
        if 0 < x < 1 else 0.0
    if x >= 1:
        return 1.0

    def fraction(a, b, x):
        tiny, c, d, h = 1e-300, 1.0, 1 - (a + b) * x / (a + 1), 1.0
        d = 1 / (d if abs(d) > tiny else tiny)
        h = d
        for m in range(1, 500):
            for n in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                      -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
                d = 1 + n * d
                d = 1 / (d if abs(d) > tiny else tiny)
                c = 1 + n / (c if abs(c) > tiny else tiny)
                h *= d * c
            if abs(d * c - 1) < 1e-15:
                break
        return h

    if x < (a + 1) / (a + b + 2):
        return front * fraction(a, b, x) / a
    return 1 - front * fraction(b, a, 1 - x) / b


def p_value(differences):
    """Of the paired t-test that the mean difference is 0; None with fewer than two seeds."""
    n = len(differences)
    if n < 2:
        return None
    m = mean(differences)
    variance = sum((d - m) ** 2 for d in differences) / (n - 1)
    if variance == 0:
        return 1.0 if m == 0 else 0.0
    return t_tail(m / math.sqrt(variance / n), n - 1)


def holm(values):
    """Adjusted p-values; None stays None."""
    order = sorted((p, i) for i, p in enumerate(values) if p is not None)
    adjusted, highest = [None] * len(values), 0.0
    for rank, (p, i) in enumerate(order):
        highest = max(highest, min(1.0, p * (len(order) - rank)))
        adjusted[i] = highest
    return adjusted


def bootstrap(pairs, measure, resamples=4000):
    """95 % interval of the mean difference over seeds; entailment draws its examples again as well."""
    draw = random.Random(1)
    columns = []
    for with_it, without in pairs:
        right = [(at(line, "entailment", "both", "right") if measure == "entailment" else None)
                 for line in (with_it, without)]
        if all(right):
            columns.append([int(a) - int(b) for a, b in zip(*right)])
        else:
            columns.append(MEASURES[measure][1](with_it) - MEASURES[measure][1](without))
    means = []
    for _ in range(resamples):
        total = 0.0
        examples = None
        for _ in columns:
            column = columns[draw.randrange(len(columns))]
            if isinstance(column, list):
                examples = examples or [draw.randrange(len(column)) for _ in column]
                total += 100 * sum(column[i] for i in examples) / len(column)
            else:
                total += column
        means.append(total / len(columns))
    means.sort()
    return means[int(0.025 * resamples)], means[min(resamples - 1, int(0.975 * resamples))]


def read(path, part, translation=False):
    """Lines by arm and seed: those that measure translation, or all others."""
    by_arm = defaultdict(dict)
    setups = defaultdict(set)
    for number, text in enumerate(pathlib.Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
            run = line["run"]
            arm, seed = run["arm"], run["seed"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            sys.exit(f"report.py: {path}:{number}: no result: {error}")
        if run.get("part") != part or translation != ("translation_steps" in run):
            continue
        if seed in by_arm[arm]:  # repeated elsewhere
            by_arm[arm][seed].setdefault("repeated", []).append(line)
        else:
            by_arm[arm][seed] = line
        setups[arm].add(json.dumps({k: v for k, v in run.items() if k != "seed"}, sort_keys=True))
    mixed = [arm for arm, setup in setups.items() if len(setup) > 1]
    if mixed:
        sys.exit(f"report.py: {path}: runs of \"{mixed[0]}\" have different options; keep them in different files")
    return by_arm


def paired(by_arm, with_it, without, measure, first=0):
    """Both lines of each seed; of repeated runs those of one commit, which one machine ran."""
    value = MEASURES[measure][1]
    seeds = sorted(s for s in set(by_arm.get(with_it, {})) & set(by_arm.get(without, {})) if s >= first)
    pairs = []
    for seed in seeds:
        all_of = [[line, *line.get("repeated", [])] for line in (by_arm[with_it][seed], by_arm[without][seed])]
        choices = [(a, b) for a in all_of[0] for b in all_of[1] if value(a) is not None and value(b) is not None]
        if choices:
            pairs.append(max(choices, key=lambda pair: pair[0].get("commit") == pair[1].get("commit")))
    return pairs


def judge(by_arm):
    """For each claim its seeds, mean difference, interval, adjusted p and verdict."""
    rows = []
    for letter, sentence, with_it, without, measure, *first in CLAIMS:
        pairs = paired(by_arm, with_it, without, measure, *first)
        value = MEASURES[measure][1]
        differences = [value(a) - value(b) for a, b in pairs]
        rows.append({"letter": letter, "sentence": sentence, "with": with_it, "without": without, "measure": measure,
                     "seeds": len(pairs), "mean": mean(differences), "p": p_value(differences),
                     "interval": bootstrap(pairs, measure) if len(pairs) >= 2 else None})
    for row, p in zip(rows, holm([row["p"] for row in rows])):
        row["holm"] = p
        low, high = row["interval"] or (None, None)
        if p is not None and p < 0.05 and low > 0:
            row["verdict"] = "holds"
        elif p is not None and p < 0.05 and high < 0:
            row["verdict"] = "does not hold: the opposite does"
        elif row["seeds"] < ENOUGH:
            row["verdict"] = "not yet enough runs"
        else:
            row["verdict"] = "not shown"
    return rows


def replication(by_arm):
    """What the seeds of the replicated claims say that were seen first, and those that were added, each alone."""
    said = []
    for _, sentence, with_it, without, measure, *_ in (c for c in CLAIMS if c[1] in REPLICATED):
        value = MEASURES[measure][1]
        pairs = paired(by_arm, with_it, without, measure)
        halves = []
        for seeds in (range(1, ENOUGH + 1), range(ENOUGH + 1, 2 * ENOUGH + 1)):
            differences = [value(a) - value(b) for a, b in pairs if a["run"]["seed"] in seeds]
            if p_value(differences) is not None:
                halves.append(f"{number(mean(differences), digits(measure))} (p {probability(p_value(differences))})")
        if len(halves) == 2:
            said.append(f"- {sentence}: {halves[0]}, then {halves[1]}.\n")
    if not said:
        return ""
    return (f"For some claims seeds {ENOUGH + 1} to {2 * ENOUGH} were added when the first five had been seen, and their "
            f"number was fixed then.\nThe first and the second five alone give (t-test, not corrected):\n\n{''.join(said)}\n")


def digits(measure):
    """After the point, of a difference."""
    return 2 if measure == "correlation" else 1


def probability(p):
    return "< 0.001" if p is not None and p < 0.001 else number(p, 3)


def number(x, digits=1):
    return "" if x is None else f"{x:.{digits}f}"


def spread(values):
    values = [v for v in values if v is not None]
    if not values:
        return ""
    digits = 2 if max(map(abs, values)) < 2 else 1
    if len(values) == 1:
        return number(values[0], digits)
    m = mean(values)
    return f"{m:.{digits}f} ± {math.sqrt(sum((v - m) ** 2 for v in values) / (len(values) - 1)):.{digits}f}"


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] +
                     ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def recall_table(by_arm, direction="to_image"):
    arms = [arm for arm, lines in by_arm.items() if any("retrieval" in line for line in lines.values())]
    if not arms:
        return "No run yet.\n"
    languages = list(next(line for line in by_arm[arms[0]].values() if "retrieval" in line)["retrieval"])
    ordered = [name for name in TRAINED if name in languages] + [name for name in languages if name not in TRAINED]
    rows = []
    for arm in arms:
        lines = [line for line in by_arm[arm].values() if "retrieval" in line]
        cells = []
        for language in ordered:
            recalls = [[100 * line["retrieval"][language][direction][k] for line in lines] for k in range(3)]
            cells.append(" / ".join(number(mean(r)) for r in recalls))
        over = [over_languages(line["retrieval"], lambda r: r[direction][0]) for line in lines]
        rows.append([arm, str(len(lines)), *cells, spread(over)])
    return table(["arm", "seeds", *ordered, "mean R@1"], rows)


def fusion_table(by_arm):
    arms = [arm for arm, lines in by_arm.items() if any("mechanism" in line for line in lines.values())]
    if not arms:
        return "No run yet.\n"
    rows = []
    for arm in arms:
        lines = [line for line in by_arm[arm].values() if "mechanism" in line]

        def cell(of):
            return spread([of(line) for line in lines])

        rows.append([arm, str(len(lines)), cell(reranked), cell(rerank_gain), cell(accuracy("both")),
                     cell(accuracy("shuffled")), cell(margin), cell(caption), cell(correlation),
                     cell(lambda line: at(line, "mechanism", "strict", "cosine")),
                     cell(lambda line: at(line, "mechanism", "weak", "cosine")),
                     cell(lambda line: at(line, "mechanism", "uniformity")), cell(transfer),
                     cell(accuracy("both", "probe")), cell(lambda line: margin(line, "probe")), cell(seconds_of_a_step)])
    head = ["arm", "seeds", "R@1 re-ranked", "gain", "entailment", "shuffled", "margin", "captions apart", "correlation",
            "cos, strict", "cos, weak", "uniformity", "transfer", "probe", "its margin", "s a step"]
    measured = [i for i in range(len(head)) if any(row[i] for row in rows)]
    return table([head[i] for i in measured], [[row[i] for i in measured] for row in rows])


def translation_table(by_arm):
    """Mean over the target languages of chrF and BLEU, and chrF in each."""
    rows, languages = [], []

    def over(line, metric, *kind):
        scores = at(line, *kind)
        return None if scores is None else mean(score[metric] for score in scores.values())

    for arm, by_seed in by_arm.items():
        lines = list(by_seed.values())
        languages = languages or list(lines[0]["translation"]["both"])
        for name, kind in (("", ("translation", "both")), (", text alone", ("text_alone", "both"))):
            chrf = [over(line, "chrf", *kind) for line in lines]
            if not any(x is not None for x in chrf):
                continue
            shuffled = [over(line, "chrf", kind[0], "shuffled") for line in lines]
            gains = [a - b for a, b in zip(chrf, shuffled) if a is not None and b is not None]
            each = [spread([at(line, *kind, language, "chrf") for line in lines]) for language in languages]
            rows.append([arm + name, str(sum(x is not None for x in chrf)), *each, spread(chrf),
                         spread([over(line, "bleu", *kind) for line in lines]), spread(shuffled), spread(gains)])
    if not rows:
        return "No run yet.\n"
    return table(["arm", "seeds", *languages, "mean chrF", "mean BLEU", "chrF, shuffled photographs", "margin"], rows)


def steps_of_translation(by_arm):
    return " or ".join(sorted({str(line["run"]["translation_steps"]) for lines in by_arm.values() for line in lines.values()})) or "N"


def claim_table(rows):
    cells = []
    for row in rows:
        low, high = row["interval"] or (None, None)
        places = digits(row["measure"])
        cells.append([f"({row['letter']}) {row['sentence']}", f"{row['with']} − {row['without']}", str(row["seeds"]),
                      number(row["mean"], places), f"{number(low, places)} to {number(high, places)}" if low is not None else "",
                      probability(row["holm"]), row["verdict"]])
    return table(["claim", "difference of", "seeds", "mean", "95 % interval", "p (Holm)", "verdict"], cells)


def svg(width, height, body):
    style = "text{font:13px sans-serif;fill:#222}.s{font-size:11px;fill:#555}line{stroke:#888}"
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
            f"<style>{style}</style><rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>{body}</svg>\n")


def differences_plot(rows):
    """Mean difference and interval of each claim, in the unit of its measure."""
    rows = [row for row in rows if row["interval"]]
    if not rows:
        return svg(640, 40, '<text x="10" y="25">No claim has two seeds yet.</text>')
    factor = lambda row: 100 if row["measure"] == "correlation" else 1  # so that the plot shows it
    limit = max(factor(row) * abs(x) for row in rows for x in row["interval"]) * 1.1 or 1
    left, width, step = 560, 1010, 34
    x = lambda value: left + (value / limit + 1) / 2 * (width - left - 20)
    body = f'<line x1="{x(0)}" y1="10" x2="{x(0)}" y2="{step * len(rows) + 14}"/>'
    for i, row in enumerate(rows):
        y = step * i + 26
        low, middle, high = (factor(row) * v for v in (row["interval"][0], row["mean"], row["interval"][1]))
        unit = MEASURES[row["measure"]][0] + (", in hundredths" if factor(row) > 1 else "")
        colour = {"holds": "#1a7f37", "does not hold: the opposite does": "#b42318"}.get(row["verdict"], "#777")
        body += (f'<text x="10" y="{y}">{html.escape(row["sentence"])}</text>'
                 f'<text class="s" x="10" y="{y + 13}">{html.escape(unit)}, {row["seeds"]} seeds</text>'
                 f'<line x1="{x(low):.1f}" x2="{x(high):.1f}" y1="{y}" y2="{y}" style="stroke:{colour};stroke-width:3"/>'
                 f'<circle cx="{x(middle):.1f}" cy="{y}" r="5" fill="{colour}"/>')
    base = step * len(rows) + 30
    for value in (-limit, 0, limit):
        body += f'<text class="s" x="{x(value):.0f}" y="{base}" text-anchor="middle">{f"{value:+.1f}" if value else "0"}</text>'
    return svg(width, base + 12, body)


def recall_plot(by_arm):
    """R@1 by language, a bar for each arm, a dot for each seed."""
    arms = [arm for arm, lines in by_arm.items() if any("retrieval" in line for line in lines.values())]
    if not arms:
        return svg(640, 40, '<text x="10" y="25">No run yet.</text>')
    lines_of = {arm: [line for line in by_arm[arm].values() if "retrieval" in line] for arm in arms}
    languages = [name for name in (*TRAINED, "ar") if name in lines_of[arms[0]][0]["retrieval"]]
    highest = max(100 * line["retrieval"][name]["to_image"][0] for lines in lines_of.values() for line in lines
                  for name in languages) * 1.1
    colours = ("#9aa5b1", "#2f6feb", "#1a7f37", "#b42318")
    width, height, base = 90 * len(languages) + 120, 300, 260
    y = lambda value: base - value / highest * 220
    body = f'<line x1="50" y1="{base}" x2="{width - 20}" y2="{base}"/>'
    for tick in range(0, int(highest) + 1, 5):
        body += f'<text class="s" x="44" y="{y(tick) + 4:.0f}" text-anchor="end">{tick}</text>'
    bar = 70 / len(arms)
    for i, language in enumerate(languages):
        for k, arm in enumerate(arms):
            values = [100 * line["retrieval"][language]["to_image"][0] for line in lines_of[arm]]
            left = 60 + 90 * i + bar * k
            top = y(mean(values))
            body += (f'<rect x="{left:.1f}" y="{top:.1f}" width="{bar - 2:.1f}" height="{base - top:.1f}" '
                     f'fill="{colours[k % len(colours)]}" fill-opacity="0.7"/>')
            for value in values:
                body += f'<circle cx="{left + bar / 2:.1f}" cy="{y(value):.1f}" r="2.5" fill="#222"/>'
        body += f'<text x="{60 + 90 * i + 35}" y="{base + 18}" text-anchor="middle">{language}</text>'
    left = 60
    for k, arm in enumerate(arms):
        body += (f'<rect x="{left}" y="282" width="12" height="12" fill="{colours[k % len(colours)]}"/>'
                 f'<text x="{left + 18}" y="293">{html.escape(arm)}</text>')
        left += 40 + 8 * len(arm)
    return svg(max(width, left), height, body)


def test_section(tested):
    """The plan for the test set, and tables of its runs. @param tested  None for a page of that part alone"""
    if tested is None:
        return ""
    plan = """
## Test set

It is read once, after every choice. Arms, seeds and claims were fixed before: all three arms of heads, "weak, ceiling,
hidden images" and "weak, itm alone", seeds 5 to 9, and the claims that compare two of them. Arabic ("ar") occurs in no
training; the mean is of the five other languages.
"""
    if not tested:
        return plan + "\nIt has not been read yet.\n"
    rows = [row for row in judge(tested) if row["seeds"] >= 2]
    return f"""{plan}
{claim_table(rows)}
Text to image, R@1 / R@5 / R@10 in percent:

{recall_table(tested)}
Image to text:

{recall_table(tested, "to_text")}
{fusion_table(tested)}"""


def page(by_arm, translated, tested, rows, source, part):
    lines = [line for runs in by_arm.values() for line in runs.values()]
    commits = sorted({line.get("commit", "unknown")[:12] for line in lines})
    machines = sorted({line.get("machine", {}).get("processor", "unknown") for line in lines})
    sets = sorted({line["run"].get("set", "unknown") for line in lines})
    steps = sorted({(line["run"]["align"]["steps"], line["run"]["align"]["batch"]) for line in lines if "align" in line["run"]})
    fuse = sorted({(line["run"]["fuse"]["steps"], line["run"]["fuse"]["batch"]) for line in lines if "fuse" in line["run"]})
    describe = lambda all_: ", ".join(f"{a} steps of {b}" for a, b in all_) or "none"
    return f"""# Study: which ideas of RC³ help

`tools/study/report.py` writes this page from [{source}]({source}). Every line there is one run: an arm and a seed.
`./run study --data DIR` adds the missing runs, and [photos.py](../../tools/prepare/photos.py) makes `DIR`. A row is
repeated by its names, for example `./run study --data DIR --arm "weak, ceiling" --seeds 1,2,3 --results again.jsonl`;
`--list` prints the names. What the rows say is in [results](../results.md#study-on-photographs).

- Data: {", ".join(sets)}, measured on the part "{part}". {len(lines)} runs.
- Model: frozen EfficientNet-Lite0 and frozen multilingual-e5-small; a fusion encoder 192 wide. It reads 4 x 4 patches,
  but for the arms of (c).
- First stage (heads): {describe(steps)}. Second stage (fusion): {describe(fuse)}.
{textwrap.fill(f"- Commits: {', '.join(commits)}. Processors: {', '.join(machines)}.", 120, subsequent_indent="  ")}

Values are means over seeds, with the standard deviation of a seed.

## Claims

{claim_table(rows)}
Differences are paired by seed: the same batches, initial weights and heads. If a run was repeated, a pair takes that of
its own commit. Arms of one seed that ran on different processors have heads with other roundings. "heads, strict+weak",
seed 5, has a mean R@1 of 14.8 on one and 14.9 on another. A claim holds if its p-value is below 0.05 after Holm's
correction, and its interval is above 0. With fewer than {ENOUGH} seeds no claim is judged to fail. More claims make the
correction stricter.

{replication(by_arm)}The two claims on z and relevance use a measure of the study's plan, but were added when four seeds had been seen.

"Hidden images" is an option of R-XVtCL, `RXvtclOptions::hidden_images`. Negatives of the batch have other images, so
the image alone finds z^b by z^a. After 200 steps the loss is 0.005, and z need not contain the text. The option hides
the image from one input of each pair. It was chosen on runs of seeds 3 and 4, whose entailment was evaluated wrongly;
they are left out. Its claims count seeds from {HIDDEN} on.

Arms and measures of (c) and (d) were fixed before their first run. Both count seeds from {HIDDEN} on.
They re-rank for 300 texts of each language, the other arms for 100.

- (c) The three arms read one map of EfficientNet-Lite0, of 7 x 7 cells. Beside the whole image each has 25 tokens.
  "5 x 5 patches" averages the map. "regions" has RoIAlign of 3 x 3 squares of half the side, which overlap, and of the
  4 x 4 cells. "regions and patches" has the 3 x 3 squares and 4 x 4 patches. The boxes are the same for every image:
  nothing proposes objects. Objectives, heads and batches are those of "weak, ceiling, hidden images".
- (d) The fusion encoder reads English and German texts alone. The measure is R@1 after re-ranking in French, Czech and
  Chinese. All arms share the heads, which read all five languages, so that the images to re-rank are the same.
  Entailment cannot measure transfer: these data have no translated hypotheses.
- "UC2-like" has translations only, MLM and ITM. "M3P-like" has code-switched texts, MLM and ITM: four spans, which
  alternate between a text and its translation. A text without a translation stays as it is. "CCLM-like" has R-XVtCL
  without regularizer, and ITM. They have the parts of these papers that differ from RC³, not their sizes or data.
  "weak, none" is like CCLM with all languages. Steps and samples are equal; the time of a step is not.

![Differences with intervals](study-differences.svg)

## Search by embeddings

Text to image, R@1 / R@5 / R@10 in percent. "Inner stages": beside the last features the heads read those before the
network's head, and mean and maximum of the stage of stride 16 (`EfficientNetLiteOptions::multi_scale`).

{recall_table(by_arm)}
Image to text, the best-ranked of an image's captions, R@1 / R@5 / R@10 in percent.

{recall_table(by_arm, "to_text")}
![R@1 by language](study-recall.svg)

## Fusion

Entailment is tuned on English, by a head that reads z alone. "Captions apart": a caption's z finds the z of its
translation among the captions of the same photograph. "Correlation": of cos(z^a, z^b) with the relevance of the texts.
"Probe": logistic regression on frozen z instead of a tuned head, measured since 2026-12-01. "s a step": seconds of one
thread for a step of the second stage, on processors that differ.
"Constant relevance" is 1 for strict and 0.3 for weak pairs. A number after "weak" is the share of weak pairs, else 0.5.

{fusion_table(by_arm)}
## Translation

`./run study --data DIR --translation-steps {steps_of_translation(translated)}` tunes a new decoder of two layers. It learns from the
translations of the training part. It reads the fused tokens of an English caption and its photograph, and writes
German, French and Czech. "Text alone" is tuned and measured with one grey image. "Shuffled" has another photograph at
the measurement. chrF and BLEU have their scale of 0 to 100.

{translation_table(translated)}{test_section(tested)}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", help="the study's JSONL")
    parser.add_argument("--out", default=None, help="folder of the page and plots; default: that of the results")
    parser.add_argument("--part", default="validation", help="validation or test")
    args = parser.parse_args()
    source = pathlib.Path(args.results)
    out = pathlib.Path(args.out) if args.out else source.parent
    by_arm = read(source, args.part)
    translated = read(source, args.part, translation=True)
    if not by_arm and not translated:
        sys.exit(f"report.py: {source}: has no run on the part {args.part}")
    tested = read(source, "test") if args.part == "validation" else None
    rows = judge(by_arm)
    out.mkdir(parents=True, exist_ok=True)
    (out / "study.md").write_text(page(by_arm, translated, tested, rows, source.name, args.part), encoding="utf-8")
    (out / "study-differences.svg").write_text(differences_plot(rows), encoding="utf-8")
    (out / "study-recall.svg").write_text(recall_plot(by_arm), encoding="utf-8")
    for row in rows:
        print(f"({row['letter']}) {row['sentence']}: {row['verdict']} ({row['seeds']} seeds)")


if __name__ == "__main__":
    main()
