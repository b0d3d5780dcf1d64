#!/usr/bin/env python3
"""tools/prepare/photos.py on tiny files in the formats that its sources publish. photos_test.py PHOTOS.PY"""

import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

script = sys.argv[1]


def run(folder, *more, expect=0):
    flickr, out = folder / "flickr8k", folder / "out"
    done = subprocess.run(
        [sys.executable, "-B", script, "--images", flickr / "Images", "--captions", more[0] if more else flickr / "captions.txt",
         "--train", flickr / "train.txt", "--validation", flickr / "dev.txt", "--test", flickr / "test.txt",
         "--multi30k", folder / "multi30k", "--chinese", folder / "zh.txt", "--chinese-translated", folder / "zhm.txt",
         "--arabic", folder / "ar.txt", "--snli", folder / "snli.jsonl", "--leave-out", folder / "leave.txt",
         "--out", out], capture_output=True, text=True)
    assert done.returncode == expect, done.stdout + done.stderr
    return out, done.stdout + done.stderr


def records(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def groups(record, language):
    return dict(zip(record["texts"][language], record["alignment"][language]))


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        flickr, task1, task2 = (folder / p for p in ("flickr8k", "multi30k/data/task1", "multi30k/data/task2"))
        for path in (flickr / "Images", task1 / "raw", task1 / "image_splits", task2 / "raw", task2 / "image_splits"):
            path.mkdir(parents=True)
        # Not in alphabetical order, with a comma inside a quoted caption, and one caption twice.
        captions = {"11_aa": ["Two dogs run .", "A dog, brown, runs .", "Two dogs run ."], "22_bb": ["A red car ."],
                    "33_cc": ["A child climbs ."], "44_dd": ["Left out ."]}
        rows = [(f"{image}.jpg", text) for image, texts in captions.items() for text in texts]
        (flickr / "captions.txt").write_text("image,caption\n" + "".join(
            f'{i},"{t}"\n' if "," in t else f"{i},{t}\n" for i, t in rows), encoding="utf-8")
        (flickr / "token.txt").write_text("".join(f"{i}#{k}\t{t}\n" for k, (i, t) in enumerate(rows)), encoding="utf-8")
        for part, images in (("train", ["11_aa", "44_dd"]), ("dev", ["22_bb"]), ("test", ["33_cc"])):
            (flickr / f"{part}.txt").write_text("".join(f"{i}.jpg\n" for i in images))
        (folder / "leave.txt").write_text("44_dd.jpg\n")
        # Multi30K knows Flickr30k's names: the number alone. Its tokens differ in case and punctuation.
        (task1 / "image_splits/train.txt").write_text("99.jpg\n11.jpg\n")
        with gzip.open(task1 / "raw/train.en.gz", "wt", encoding="utf-8") as file:
            file.write("Something else.\nA dog, brown, runs.\n")
        (task1 / "raw/train.de").write_text("Etwas anderes.\nEin Hund rennt.\n", encoding="utf-8")
        (task1 / "raw/train.fr").write_text("Autre chose.\nUn chien court.\n", encoding="utf-8")
        # An English text that is no caption of Flickr8k: its translations cannot be attached to a caption.
        (task1 / "image_splits/val.txt").write_text("22.jpg\n")
        (task1 / "raw/val.en").write_text("A bus.\n")
        (task1 / "raw/val.de").write_text("Ein Bus.\n")
        (task2 / "image_splits/train_images.txt").write_text("99.jpg\n11.jpg\n")
        for k in range(1, 6):
            (task2 / f"raw/train.{k}.de").write_text(f"Anderes {k}\nHunde {min(k, 2)}\n", encoding="utf-8")
        (folder / "zh.txt").write_text("11_aa.jpg#zhC#0 两只狗\n", encoding="utf-8")
        (folder / "zhm.txt").write_text("11_aa.jpg#zhm#0 译文零\n11_aa.jpg#zhm#1 译文一\n", encoding="utf-8")
        (folder / "ar.txt").write_text("33_cc.jpg#0\tطفل\n33_cc.jpg#1\tولد\n11_aa.jpg#0\tكلب\n", encoding="utf-8")
        (folder / "snli.jsonl").write_text("".join(json.dumps(
            {"gold_label": label, "sentence1": premise, "sentence2": label, "captionID": "c", "pairID": f"{label}{k}"}) + "\n"
            for label, premise, k in (("entailment", "two dogs run", 1), ("neutral", "Two dogs run.", 1),
                                      ("contradiction", "Two dogs run .", 1), ("neutral", "Two dogs run .", 2),
                                      ("-", "Two dogs run .", 3), ("entailment", "Unknown.", 4))))

        out, said = run(folder)
        (dogs,) = records(out / "train.jsonl")
        assert dogs["id"] == "11_aa" and dogs["image"] == "images/11_aa.jpg"
        en, de, fr, zh = (groups(dogs, language) for language in ("en", "de", "fr", "zh"))
        assert en == {"A dog, brown, runs .": 0, "Two dogs run .": 1}, en
        assert de["Ein Hund rennt."] == fr["Un chien court."] == en["A dog, brown, runs ."]
        assert zh["译文零"] == en["Two dogs run ."] and zh["译文一"] == en["A dog, brown, runs ."]
        weak = [de["Hunde 1"], de["Hunde 2"], zh["两只狗"]]
        assert len(de) == 3 and len(set(weak)) == 3 and not set(weak) & set(en.values())
        assert "ar" not in dogs["texts"], "Arabic is of the test alone"
        (car,) = records(out / "validation.jsonl")
        assert car["texts"] == {"en": ["A red car ."]}
        assert "1 photographs without translations" in said, said
        (child,) = records(out / "test.jsonl")
        assert len(set(groups(child, "ar").values()) | set(groups(child, "en").values())) == 3
        assert sorted(e["gold_label"] for e in records(out / "entailment_train.jsonl")) == \
            ["contradiction", "entailment", "neutral"]
        assert records(out / "entailment_train.jsonl")[0]["Flikr30kID"] == "11_aa.jpg"
        first = {p.name: p.read_bytes() for p in out.glob("*.jsonl")}
        run(folder, flickr / "token.txt")  # the other publication of the same captions gives the same manifests
        assert first == {p.name: p.read_bytes() for p in out.glob("*.jsonl")}

        (task1 / "raw/train.de").write_text("Etwas anderes.\n")
        assert "1 lines for 2 images" in run(folder, expect=1)[1]
        (folder / "zh.txt").write_text("no number\n")
        (task1 / "raw/train.de").write_text("Etwas anderes.\nEin Hund rennt.\n")
        assert "zh.txt:1" in run(folder, expect=1)[1]
    print("photos.py: passed")


main()
