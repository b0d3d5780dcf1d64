#!/usr/bin/env python3
"""Ids of SentencePiece for models of each type, with and without byte fallback: pieces_peer.py OUT.

Trains small models on the documentation of this repository. Writes OUT/<name>.model and OUT/<name>.json: a list of
{"text", "pieces": ids of SentencePiece}.
"""
import json
import pathlib
import sys

import sentencepiece

out = pathlib.Path(sys.argv[1])
root = pathlib.Path(__file__).resolve().parents[2]
corpus = [line.strip() for page in sorted((root / "docs").rglob("*.md")) for line in page.read_text("utf-8").splitlines()]
corpus = [line[:300] for line in corpus if line]
lines = corpus[:1500] + [
    "aaaaaaa", "hahahahaha", "ooooh nooooo", "!!!!!!!", "-- --- ----", "1000000 11111", "mississippississippi",
    "ein schönes Haus 漢字 🦊🦊 नमस्ते", "ｆｕｌｌ ｗｉｄｔｈ", "a\u0301e\u0301", "  two   spaces  ", "x" * 100]
for kind in ("bpe", "unigram"):
    for fallback in (False, True):
        name = f"{kind}-{'bytes' if fallback else 'plain'}"
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(corpus), model_prefix=str(out / name), vocab_size=1500, model_type=kind,
            byte_fallback=fallback, character_coverage=0.99 if fallback else 0.9995, minloglevel=2, num_threads=1)
        model = sentencepiece.SentencePieceProcessor(model_file=str(out / f"{name}.model"))
        rows = [{"text": text, "pieces": model.encode(text)} for text in lines]
        (out / f"{name}.json").write_text(json.dumps(rows), "utf-8")
