#!/usr/bin/env python3
"""Writes what Python makes of 12,000 lines: ids of sentencepiece and of transformers' XLMRobertaTokenizer, offsets, pairs.

Lines are drawn from the CLDR of Debian (names of languages, places, units and emoji in many languages) and from mixes of the
world's scripts, emoji and combining characters. The two Python libraries do not agree on every line; where they differ both
are kept, so that the test counts how often.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import unicodedata
import xml.etree.ElementTree as xml
from pathlib import Path

import sentencepiece
from transformers import AutoTokenizer

CLDR = Path("/usr/share/unicode/cldr/common")
MODEL = Path(os.environ.get("RC3_CACHE", Path.home() / ".cache/rc3")) / "weights/multilingual-e5-small"
LANGUAGES = (
    "am ar as bg bn cs da de el en es fa fi fr gu he hi hu hy id it ja ka kk km kn ko lo ml mn mr my ne or pa pl pt ro ru si "
    "sv sw ta te th tr ug uk ur vi yue zh zh_Hant"
).split()
NAMES = ("<s>", "</s>", "<pad>", "<unk>", "<mask>")
REPEATED = "M ha E z la no o ! ? . ー ㅋ ха - = 0 😂 哈 L na 1 hi lol".split()
OTHERS = ("mixed", "names", "repeats")  # what is no language among the kinds of lines
LINES = 12_000  # 10,000 of languages, 2,000 that are meant to be hard


def cldr(language: str) -> list[str]:
    texts: list[str] = []
    for folder in ("main", "annotations"):
        file = CLDR / folder / f"{language}.xml"
        if file.exists():
            texts += [t.strip() for e in xml.parse(file).iter() if (t := e.text) and t.strip() and "↑" not in t]
    # Letters, and not the patterns and codes that are the same in all languages.
    return sorted({t for t in texts if sum(unicodedata.category(c)[0] == "L" for c in t) >= 2 and len(t) < 400})


def mixed(rng: random.Random, pools: dict[str, list[str]], everything: list[int]) -> str:
    kind = rng.randrange(6)
    if kind == 0:  # scripts in one line
        return " ".join(rng.choice(pools[rng.choice(LANGUAGES)]) for _ in range(rng.randint(2, 8)))
    if kind == 1:  # any characters of Unicode
        return "".join(chr(rng.choice(everything)) for _ in range(rng.randint(1, 30)))
    if kind == 2:  # emoji with modifiers and joiners
        faces = "👩👨🧑👧🐸🍀🌧❤✊👍🏴🇩🇪🇯🇵☺"
        parts = [rng.choice(faces) + rng.choice(["", "\ufe0f", "🏽", "\u200d" + rng.choice(faces), "\u20e3"]) for _ in range(rng.randint(1, 9))]
        return "".join(p + rng.choice(["", " ", " ok "]) for p in parts)
    if kind == 3:  # combining characters, composed or not
        text = rng.choice(pools[rng.choice(LANGUAGES)])
        text = unicodedata.normalize(rng.choice(["NFC", "NFD", "NFKC", "NFKD"]), text)
        return "".join(c + (chr(rng.randint(0x300, 0x36F)) if rng.random() < 0.1 else "") for c in text)
    if kind == 4:  # blanks of all kinds, control characters, wide and narrow forms
        blanks = " \t\n\r\u00a0\u2003\u200b\u200c\u200d\u3000\ufeff\u2028\x01\x7f▁  "
        words = [rng.choice(["frog", "Ｆｒｏｇ", "①②", "½", "㎏", "ｶｴﾙ", "ﷺ", "ﬁsh", "…", "100", "№5"]) for _ in range(rng.randint(1, 9))]
        return "".join(rng.choice(blanks) * rng.randint(0, 3) + w for w in words) + rng.choice(["", " ", "\n"])
    text = rng.choice(pools[rng.choice(LANGUAGES)])  # long, without blanks or with
    return (text + rng.choice(["", " ", "  "])) * rng.randint(10, 60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    rng = random.Random(7)
    pools = {language: cldr(language) for language in LANGUAGES}
    small = [language for language, pool in pools.items() if len(pool) < 200]
    assert not small, f"{CLDR}: less than 200 texts for {small}"
    everything = [c for c in range(0x20, 0x20000) if unicodedata.category(chr(c)) not in ("Cs", "Cn", "Co")]

    pieces = sentencepiece.SentencePieceProcessor(model_file=str(MODEL / "sentencepiece.bpe.model"))
    fast = AutoTokenizer.from_pretrained(MODEL)
    assert fast.is_fast and len(fast) == pieces.get_piece_size() + 2

    def ids(text: str) -> list[int]:
        return [0] + [3 if i == 0 else i + 1 for i in pieces.encode(text)] + [2]

    lines: list[tuple[str, str]] = []
    while len(lines) < 10_000:
        language = LANGUAGES[len(lines) % len(LANGUAGES)]
        lines.append((language, rng.choice([" ", ", ", " – "]).join(rng.choice(pools[language]) for _ in range(rng.randint(1, 9)))))
    while len(lines) < LINES - 400:
        if ids(text := mixed(rng, pools, everything)) != [0, 2]:  # an empty text is an error here
            lines.append(("mixed", text))
    words = [word for _, text in lines for word in text.split()]
    while len(lines) < LINES - 200:
        word = rng.choice(["", "x", "é"]) + rng.choice(REPEATED) * rng.randint(2, 14)
        lines.append(("repeats", " ".join([*rng.choices(words, k=rng.randint(0, 20)), word, *rng.choices(words, k=rng.randint(0, 3))])))
    while len(lines) < LINES:
        text = rng.choice(pools[rng.choice(LANGUAGES)])
        at = rng.randrange(len(text) + 1)
        lines.append(("names", text[:at] + rng.choice(["", " "]) + rng.choice(NAMES) + rng.choice(["", " "]) + text[at:]))

    rows = []
    theirs = fast([text for _, text in lines], return_offsets_mapping=True, truncation=False)
    for i, (kind, text) in enumerate(lines):
        row = {"kind": kind, "text": text, "ids": ids(text)}
        row["fast"] = theirs.input_ids[i] if theirs.input_ids[i] != row["ids"] else None
        if i % 5 == 0:
            row["offsets"] = theirs.offset_mapping[i]
            row["decoded"] = pieces.decode([p for p in pieces.encode(text)])
            row["fast_decoded"] = fast.decode(row["ids"], skip_special_tokens=True)
        rows.append(row)

    same = [row["text"] for row in rows if row["fast"] is None and row["kind"] not in OTHERS]
    pairs = []
    for _ in range(600):
        a, b = rng.choice(same), rng.choice(same)
        how = rng.choice(["longest_first", "longest_first", "only_first", "only_second"])
        least = {"only_first": len(ids(b)), "only_second": len(ids(a))}.get(how, 0) - 2 + 5
        length = rng.randint(max(6, least), max(6, least) + 40)
        pair = fast(a, b, truncation=how, max_length=length, return_offsets_mapping=True)
        sources = [-1 if s is None else s for s in pair.sequence_ids()]
        pairs.append({"a": a, "b": b, "truncation": how, "max_length": length, "ids": pair.input_ids, "offsets": pair.offset_mapping, "sources": sources})

    batches = []
    for multiple in (1, 8, 64):
        texts = rng.sample(same, 9)
        batch = fast(texts, padding=True, pad_to_multiple_of=multiple, truncation=True, max_length=64)
        batches.append({"texts": texts, "multiple": multiple, "ids": batch.input_ids, "mask": batch.attention_mask})

    out.mkdir(parents=True, exist_ok=True)
    truth = {"languages": len(LANGUAGES), "lines": rows, "pairs": pairs, "batches": batches}
    fast.save_pretrained(out / "five")  # transformers 5 writes tokenizer.json and no SentencePiece model
    assert not list((out / "five").glob("*.model"))
    (out / "truth.json").write_text(json.dumps(truth, ensure_ascii=False), "utf-8")
    print(f"{len(rows)} lines in {len(LANGUAGES)} languages, {sum(len(r['ids']) for r in rows)} ids, {len(pairs)} pairs")
    for kind in (*OTHERS, None):
        some = [r for r in rows if (r["kind"] == kind if kind else r["kind"] not in OTHERS)]
        print(f"  {kind or 'CLDR'}: sentencepiece and tokenizers differ on {sum(r['fast'] is not None for r in some)} of {len(some)}")


if __name__ == "__main__":
    main()
