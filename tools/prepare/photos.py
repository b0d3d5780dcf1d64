#!/usr/bin/env python3
"""Manifests of photographs with strictly and weakly aligned texts, from the files as their authors publish them.

Reads Flickr8k (its images and captions.txt, or Flickr8k.token.txt; the lists of its split), Multi30K's repository
(tasks 1 and 2), Flickr8k-CN and Arabic Flickr8k; optionally SNLI. Writes OUT/train.jsonl, validation.jsonl and
test.jsonl, and of SNLI entailment_{train,validation,test}.jsonl. Needs Python's standard library only.

The photographs are for non-commercial research, and the texts have their authors' terms: nothing of them may go into a
repository.

  strict  English captions with their translations: Multi30K task 1 (de, fr, cs), Flickr8k-CN's translations (zh)
  weak    texts written by people who saw the photograph only: Multi30K task 2 (de), Flickr8k-CN's captions (zh)
  ar      of the test alone; their English source is not recorded, so each is a group of its own
"""

import argparse
import csv
import gzip
import json
import os
import pathlib
import re
import sys
import unicodedata
from collections import defaultdict

PARTS = ("train", "validation", "test")


def fail(message):
    sys.exit(f"photos.py: {message}")


def lines_of(path):
    """Lines of a text file, which may be compressed (.gz)."""
    path = pathlib.Path(path)
    if not path.exists():
        fail(f"{path} is missing")
    opened = gzip.open(path, "rt", encoding="utf-8-sig") if path.suffix == ".gz" else open(path, encoding="utf-8-sig")
    with opened as file:
        return [line.rstrip("\r\n") for line in file]


def key_of(text):
    """A caption without what differs between publications: case, punctuation and spaces."""
    return re.sub(r"[^\w]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def name_of(name):
    """The photograph of "123_abc.jpg#0", "123_abc.jpg" or "123_abc"."""
    return pathlib.PurePosixPath(name.strip().split("#")[0]).name.removesuffix(".jpg")


def english(path):
    """Captions by photograph, from captions.txt (image,caption) or Flickr8k.token.txt (image#k, a tab, caption)."""
    captions = defaultdict(list)
    lines = lines_of(path)
    if lines and lines[0].strip().lower() == "image,caption":
        for number, row in enumerate(csv.reader(lines[1:]), 2):
            if len(row) < 2:
                fail(f"{path}:{number}: an image, a comma and a caption are expected")
            captions[name_of(row[0])].append(",".join(row[1:]).strip())
    else:
        for number, line in enumerate(lines, 1):
            image, tab, caption = line.partition("\t")
            if line and not tab:
                fail(f"{path}:{number}: an image, a tab and a caption are expected")
            if line:
                captions[name_of(image)].append(caption.strip())
    # Captions are in the order of their text, so that the result does not depend on the publication.
    return {image: sorted({c for c in texts if c}) for image, texts in captions.items()}


def chinese(path):
    """Flickr8k-CN: "123_abc.jpg#zhC#0 text" or "123_abc.jpg#zhm#0 text"; by photograph the number and the text."""
    captions = defaultdict(list)
    for number, line in enumerate(lines_of(path), 1):
        if not line.strip():
            continue
        name, _, text = line.strip().partition(" ")
        parts = name.split("#")
        if not text.strip() or len(parts) < 2 or not parts[-1].isdigit():
            fail(f"{path}:{number}: an image, its number and a text are expected, for example 1_a.jpg#zhC#0")
        captions[name_of(parts[0])].append((int(parts[-1]), text.strip()))
    return captions


def arabic(path):
    """Arabic Flickr8k: "123_abc.jpg#0", a tab, the caption."""
    captions = defaultdict(list)
    for number, line in enumerate(lines_of(path), 1):
        if not line.strip():
            continue
        name, tab, text = line.partition("\t")
        if not tab or not text.strip():
            fail(f"{path}:{number}: an image, a tab and a caption are expected")
        captions[name_of(name)].append(text.strip())
    return captions


def photo_id(name):
    """The number that Flickr8k and Flickr30k share: "1000268201" of "1000268201_693b08cb0e"."""
    return name.split("_")[0]


def first_of(folder, names):
    """The first of the files that is there, compressed or not; None if none is."""
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.exists():
                return path
    return None


def multi30k(folder):
    """Of task 1 by photo_id: English text and its translations. Of task 2 by photo_id: German captions."""
    task1, task2 = pathlib.Path(folder) / "data/task1", pathlib.Path(folder) / "data/task2"

    def parallel(images, path):
        lines = lines_of(path)
        if len(lines) < len(images):
            fail(f"{path}: has {len(lines)} lines for {len(images)} images")
        return zip(images, lines)

    def listed(path):
        return [photo_id(name_of(line)) for line in lines_of(path) if line.strip()]

    strict, weak = defaultdict(dict), defaultdict(set)
    for split in ("train", "val", "test_2016_flickr", "test_2017_flickr", "test_2018_flickr"):
        names = first_of(task1 / "image_splits", [f"{split}.txt", f"{split}_images.txt"])
        for language in ("en", "de", "fr", "cs") if names else ():
            path = first_of(task1 / "raw", [f"{split}.{language}"])
            for image, text in parallel(listed(names), path) if path else ():
                strict[image][language] = text.strip()
    for splits in (["train"], ["val"], ["test_2016_flickr", "test_2016", "test"]):
        names = first_of(task2 / "image_splits", [f"{s}{end}.txt" for s in splits for end in ("_images", "")])
        for k in range(1, 6) if names else ():
            path = first_of(task2 / "raw", [f"{s}.{k}.de" for s in splits])
            for image, text in parallel(listed(names), path) if path else ():
                weak[image].add(text.strip())
    if not strict:
        fail(f"{folder}: has no data/task1 with image_splits and raw texts; give a clone of multi30k/dataset")
    return strict, {image: sorted(texts - {""}) for image, texts in weak.items()}


class Record:
    """A photograph with its texts and their groups."""

    def __init__(self, image, captions):
        self.image, self.texts, self.alignment = image, {}, {}
        self.free = 10  # groups from here on hold one text each
        for group, caption in enumerate(captions):
            self.add("en", caption, group)
        self.group_of = {key_of(caption): group for group, caption in enumerate(captions)}

    def add(self, language, text, group=None):
        if not text or text in self.texts.get(language, []):
            return
        if group is None:
            group, self.free = self.free, self.free + 1
        self.texts.setdefault(language, []).append(text)
        self.alignment.setdefault(language, []).append(group)

    def json(self):
        return {"id": self.image, "image": f"images/{self.image}.jpg", "texts": self.texts, "alignment": self.alignment}


def build(args):
    captions = english(args.captions)
    strict, weak = multi30k(args.multi30k)
    translated = [chinese(path) for path in args.chinese_translated or []]
    written = chinese(args.chinese) if args.chinese else {}
    arab = arabic(args.arabic) if args.arabic else {}
    left_out = set(map(name_of, lines_of(args.leave_out))) if args.leave_out else set()
    original = order_in_file(args.captions)
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    images = out / "images"
    if not images.exists():
        images.symlink_to(os.path.abspath(args.images), target_is_directory=True)
    part_of, unmatched = {}, 0
    for part, listed in zip(PARTS, (args.train, args.validation, args.test)):
        count = 0
        with open(out / f"{part}.jsonl.tmp", "w", encoding="utf-8") as file:
            for image in sorted({name_of(line) for line in lines_of(listed) if line.strip()}):
                if image in left_out or image not in captions:
                    continue
                record = Record(image, captions[image])
                source = strict.get(photo_id(image), {})
                group = record.group_of.get(key_of(source.get("en", "")))
                if source and group is None:
                    unmatched += 1  # its English text is no caption of Flickr8k: the translations are left out
                # Flickr8k-CN numbers its translations as the captions' file numbers the captions.
                for captions_zh in translated:
                    for number, text in sorted(captions_zh.get(image, [])):
                        numbered = original.get(image, [])
                        if number < len(numbered):
                            record.add("zh", text, record.group_of.get(key_of(numbered[number])))
                for _, text in sorted(written.get(image, [])):
                    record.add("zh", text)
                if group is not None:
                    for language in ("de", "fr", "cs"):
                        record.add(language, source.get(language), group)
                for text in weak.get(photo_id(image), []):
                    record.add("de", text)
                if part == "test":
                    for text in arab.get(image, []):
                        record.add("ar", text)
                file.write(json.dumps(record.json(), ensure_ascii=False) + "\n")
                part_of[image] = part
                count += 1
        os.replace(out / f"{part}.jsonl.tmp", out / f"{part}.jsonl")
        print(f"{out / part}.jsonl: {count} photographs")
    if unmatched:
        print(f"{unmatched} photographs without translations: their English text is no caption of Flickr8k")
    if args.snli:
        entailment(args.snli, captions, part_of, out)


def order_in_file(path):
    """Captions by photograph in the order of the file, with repetitions."""
    order = defaultdict(list)
    lines = lines_of(path)
    table = bool(lines) and lines[0].strip().lower() == "image,caption"
    rows = csv.reader(lines[1:]) if table else (line.split("\t", 1) for line in lines if line)
    for row in rows:
        order[name_of(row[0])].append(",".join(row[1:]).strip())
    return order


def entailment(paths, captions, part_of, out):
    """SNLI's examples whose premise is a caption of a photograph, in XVNLI's format, as many of each label."""
    image_of = {}
    for image, texts in captions.items():
        for text in texts:
            image_of.setdefault(key_of(text), set()).add(image)
    found = {part: defaultdict(list) for part in PARTS}
    for path in paths:
        for number, line in enumerate(lines_of(path), 1):
            try:
                example = json.loads(line)
            except json.JSONDecodeError as error:
                fail(f"{path}:{number}: {error}")
            images = image_of.get(key_of(example.get("sentence1", "")), ())
            if example.get("gold_label") not in ("entailment", "neutral", "contradiction") or len(images) != 1:
                continue
            (image,) = images
            if image in part_of:
                keys = ("gold_label", "sentence1", "sentence2", "captionID", "pairID")
                record = {key: example.get(key, "") for key in keys} | {"Flikr30kID": f"{image}.jpg"}
                found[part_of[image]][record["gold_label"]].append(record)
    for part, by_label in found.items():
        count = min((len(by_label[label]) for label in ("entailment", "neutral", "contradiction")), default=0)
        records = [r for records in by_label.values() for r in sorted(records, key=lambda r: r["pairID"])[:count]]
        with open(out / f"entailment_{part}.jsonl", "w", encoding="utf-8") as file:
            for record in sorted(records, key=lambda r: r["pairID"]):
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        print(f"{out}/entailment_{part}.jsonl: {len(records)} examples")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", required=True, help="Flickr8k's folder of photographs")
    parser.add_argument("--captions", required=True, help="its captions.txt or Flickr8k.token.txt")
    parser.add_argument("--train", required=True, help="Flickr_8k.trainImages.txt")
    parser.add_argument("--validation", required=True, help="Flickr_8k.devImages.txt")
    parser.add_argument("--test", required=True, help="Flickr_8k.testImages.txt")
    parser.add_argument("--multi30k", required=True, help="a clone of github.com/multi30k/dataset")
    parser.add_argument("--chinese", help="Flickr8k-CN: captions written in Chinese")
    parser.add_argument("--chinese-translated", nargs="*", help="Flickr8k-CN: translations, by machine and by hand")
    parser.add_argument("--arabic", help="Arabic Flickr8k, for the test")
    parser.add_argument("--snli", nargs="*", help="SNLI's JSONL files")
    parser.add_argument("--leave-out", help="a list of photographs that are left out, a name a line")
    parser.add_argument("--out", required=True, help="folder of the manifests")
    build(parser.parse_args())


if __name__ == "__main__":
    main()
