#!/usr/bin/env python3
"""tools/study/report.py against values computed by hand. study_report_test.py REPORT.PY"""

import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
script = sys.argv[1]
spec = importlib.util.spec_from_file_location("report", script)
report = importlib.util.module_from_spec(spec)
spec.loader.exec_module(report)


def line(arm, seed, r1=None, after=None, right=None, part="validation", steps=10):
    out = {"run": {"arm": arm, "seed": seed, "part": part, "set": "photos", "align": {"steps": steps, "batch": 2}}}
    if r1 is not None:
        recall = {"images": 10, "texts": 10, "to_image": [r1, 0.5, 0.6], "to_text": [0, 0, 0]}
        out["retrieval"] = {"en": recall, "ar": {**recall, "to_image": [0.9, 1, 1]}}
    if after is not None:
        out["rerank"] = {"en": {"texts": 5, "before": [0.1, 0.2, 0.3], "after": [after, 0.2, 0.3]}}
    if right is not None:
        out["entailment"] = {"both": {"accuracy": right.count("1") / len(right), "right": right},
                             "shuffled": {"accuracy": 0.5, "right": right}}
        out["probe"] = {"both": {"accuracy": 0.65}, "shuffled": {"accuracy": 0.4}}
        out["seconds"] = {"fuse_processor": 6}
        out["run"]["fuse"] = {"steps": 10, "batch": 2}
        out["mechanism"] = {"correlation": 0.5, "caption": {"by_z": 0.25}, "strict": {"cosine": 0.9},
                            "weak": {"cosine": 0.8}, "uniformity": -2}
    return out


def main():
    # Quantiles of Student's distribution from its tables.
    for t, df in ((12.706, 1), (4.303, 2), (2.776, 4), (2.262, 9)):
        assert abs(report.t_tail(t, df) - 0.05) < 1e-4, (t, df)
    assert abs(report.t_tail(0, 3) - 1) < 1e-12
    assert report.holm([0.01, 0.04, None, 0.03]) == [0.03, 0.06, None, 0.06]

    with tempfile.TemporaryDirectory() as name:
        results = pathlib.Path(name) / "study.jsonl"
        gains = [0.010, 0.012, 0.011, 0.013, 0.009]
        lines = []
        for seed, gain in enumerate(gains, 1):
            lines += [line("heads, strict", seed, r1=0.1 + seed / 100), line("heads, strict+weak", seed, r1=0.1 + seed / 100 + gain)]
            lines += [line("weak, none", seed, after=0.2, right="1100" * 5), line("weak, ceiling", seed, after=0.2 + (-1) ** seed / 100, right="1110" * 5)]
            for arm, fr in (("ceiling, hidden images", 0.2), ("UC2-like", 0.15)):  # from seed 5 on
                lines.append(line(f"en+de, {arm}", seed, after=0.5))
                lines[-1]["run"]["fuse"] = {"steps": 10, "batch": 2, "languages": ["en", "de"]}
                lines[-1]["rerank"] |= {name: {"texts": 5, "before": [0.1], "after": [r]}
                                        for name, r in (("fr", fr), ("zh", 0.3), ("ar", 0.9))}
        for seed, chrf in ((1, 30), (2, 32)):
            lines.append(line("weak, none", seed))
            lines[-1]["run"]["translation_steps"] = 7
            lines[-1]["translation"] = {"both": {"de": {"texts": 5, "bleu": 8, "chrf": chrf}, "fr": {"texts": 5, "bleu": 9, "chrf": 40}},
                                        "shuffled": {"de": {"texts": 5, "bleu": 8, "chrf": chrf}, "fr": {"texts": 5, "bleu": 9, "chrf": 39}}}
            lines[-1]["text_alone"] = {"both": {"de": {"texts": 5, "bleu": 4, "chrf": 20}, "fr": {"texts": 5, "bleu": 6, "chrf": 28}}}
        lines.append(line("heads, strict", 9, r1=0.9, part="test"))  # of another part, not counted
        results.write_text("\n".join(map(json.dumps, lines)) + "\n")
        rows = {(r["with"], r["without"], r["measure"]): r for r in report.judge(report.read(results, "validation"))}
        helps = rows[("heads, strict+weak", "heads, strict", "recall")]
        assert abs(helps["mean"] - 1.1) < 1e-9 and helps["seeds"] == 5, helps
        assert helps["verdict"] == "holds" and 0.9 < helps["interval"][0] < 1.1 < helps["interval"][1] < 1.3
        unclear = rows[("weak, ceiling", "weak, none", "reranked")]
        assert unclear["verdict"] == "not shown" and unclear["interval"][0] < 0 < unclear["interval"][1], unclear
        entails = rows[("weak, ceiling", "weak, none", "entailment")]
        # Equal in all seeds: the interval comes from the examples, five of twenty differ.
        assert abs(entails["mean"] - 25) < 1e-9 and 5 <= entails["interval"][0] < 25 < entails["interval"][1] <= 45
        assert rows[("weak, none", "strict, none", "entailment")]["verdict"] == "not yet enough runs"

        transfers = rows[("en+de, ceiling, hidden images", "en+de, UC2-like", "transfer")]
        assert transfers["seeds"] == 1 and abs(transfers["mean"] - 2.5) < 1e-9, transfers  # of fr and zh alone
        assert report.transfer(line("weak, none", 1, after=0.2)) is None

        done = subprocess.run([sys.executable, "-B", script, results], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        page = (results.parent / "study.md").read_text()
        assert "| heads, strict+weak | 5 |" in page and "holds" in page
        assert report.replication(report.read(results, "validation")) == ""  # of five seeds
        ten = {arm: {s: line(arm, s, r1=0.1 + s * s / 1000 + more * (1 + s / 100)) for s in range(1, 11)}
               for arm, more in (("heads, strict", 0), ("heads, strict+weak", 0.01))}
        assert "- Weak texts help search: 1.0 (p < 0.001), then 1.1 (p < 0.001).\n" in report.replication(ten), report.replication(ten)
        assert "relevance" not in report.replication(ten)  # no run of that claim
        assert "| weak, none | 2 | 31.0 ± 1.4 | 40.0 ± 0.0 | 35.5 ± 0.7 | 8.5 ± 0.0 | 35.0 ± 0.7 | 0.50 ± 0.00 |" in page, page
        assert "| weak, none, text alone | 2 | 20.0 ± 0.0 | 28.0 ± 0.0 | 24.0 ± 0.0 | 5.0 ± 0.0 |  |  |" in page, page
        assert page.count("| heads, strict | 5 | 0.0 / 0.0 / 0.0 | 0.0 / 0.0 / 0.0 | 0.00 ± 0.00 |") == 1, page  # image to text
        # Of "weak, none" the last cells: the probe and its margin, seconds of a step. No arm of the table measured transfer.
        assert "| uniformity | probe |" in page and "| 65.0 ± 0.0 | 25.0 ± 0.0 | 0.60 ± 0.00 |" in page, page
        moved = next(x for x in lines if x["run"]["arm"] == "en+de, UC2-like")
        measured = line("en+de, UC2-like", 1, after=0.5, right="1100" * 5)
        measured["run"]["fuse"], measured["rerank"] = moved["run"]["fuse"], moved["rerank"]
        assert "| uniformity | transfer | probe |" in report.fusion_table({"en+de, UC2-like": {1: measured}})
        test_set = page[page.index("## Test set"):]
        assert "| heads, strict | 1 | 90.0 / 50.0 / 60.0 | 90.0 / 100.0 / 100.0 | 90.0 |" in test_set, test_set
        assert "not been read yet" not in page and "has not been read yet" in report.test_section({})
        assert report.test_section(None) == ""
        assert "--translation-steps 7`" in page, page
        for plot in ("study-differences.svg", "study-recall.svg"):
            assert (results.parent / plot).read_text().startswith("<svg"), plot
        results.write_text(json.dumps(lines[0]) + "\n" + json.dumps(line("heads, strict", 2, r1=0.1, steps=20)) + "\n")
        done = subprocess.run([sys.executable, "-B", script, results], capture_output=True, text=True)
        assert done.returncode == 1 and "different options" in done.stderr
        results.write_text("{}\n")
        done = subprocess.run([sys.executable, "-B", script, results], capture_output=True, text=True)
        assert done.returncode == 1 and "study.jsonl:1" in done.stderr
    print("report.py: passed")


main()
