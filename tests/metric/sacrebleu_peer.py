"""sacrebleu_peer.py OUT: what sacreBLEU and Python make of 700 sentence pairs, as OUT/truth.json, and of every character.

Texts are of Debian's CLDR (names and keywords of emoji, in ten languages), put together to sentences; hypotheses are
references with words left out, swapped and doubled, other punctuation, numbers, entities and hyphens.
"""

from __future__ import annotations

import json
import logging
import random
import sys
import unicodedata
import xml.etree.ElementTree as xml
from pathlib import Path

import regex
import sacrebleu
from sacrebleu.metrics import BLEU, CHRF

CLDR = Path("/usr/share/unicode/cldr/common/annotations")
LANGUAGES = "en de fr cs ja zh id ar hi el".split()
TOKENIZERS = ("none", "13a", "intl", "zh", "char")
SMOOTHINGS = (("none", None), ("floor", None), ("floor", 0.034), ("add-k", None), ("add-k", 0.5), ("exp", None))
MARKS = (
    ", . ; : ! ? … - – — ( ) [ ] / \\ @ # % & * + = < > | ~ ^ _ ` { } \" ' ’ “ ” « » „ ‹ › ‐ ‑ · • † § ° € $ £ ¥ ₹ © ™ → ∑ ½ № "
    "、 。 「 」 ・ ！ ？ ： ； （ ） ， 《 》 ～ ー ， ، ؛ ؟ ٪ । ॥ ﴾ 😀 👩‍💻 ❤️ 🇩🇪 𠀀 𪛖 ⼀ ㈱ ㍿ Ａ １ ｶ ﷺ ﬁ ⺀ ㄅ ⿰ ㇀ ﹁ ︵ ☀ ✂ 々 〇 가 𝟗 ១"
).split()
NUMBERS = "1,234.5 3.14 .5 5. 7, ,7 1-2 10-year 2024. 1.234,50 1.2.3 -4 9:30 50% $5 €1.000 1/2 ١٬٢٣٤٫٥ ١٢٣ १,२३४.५ १२. ４，５ ½.½ 3’000 x-1 1-x 2–3 12th-13th".split()
ENTITIES = ["&quot;", "&amp;", "&lt;", "&gt;", "&apos;", "&amp;lt;", "&amp;amp;quot;", "&quot", "&lt;b&gt;", "<skipped>", "<skip<skipped>ped>", "AT&T", "-\n", "\n", "\r\n", "-"]
BLANKS = [" ", " ", " ", "  ", "\t", "\u00a0", "\u3000", "\u2003", "\u2028", "\x1c", "\x1f", "\x85", "\u200b", "\ufeff", "\n", "-\n"]
CASED = "ΑΣ ΌΔΟΣ ΣΑΣ Σ ΑΣ. ΑΣ'Β Α\u0301Σ\u0301Β ΑΣ:Α 1Σ ʰΣ ΑΣ\u00adΣ İSTANBUL DŽ ǅ ẞ ß ÀÉ ЁЖ ԱԲ Ⴀ Ꭰ Ⅷ Ⓐ Ａ 𐐀 ΟΔΥΣΣΕΥΣ".split()


def texts(language: str) -> list[str]:
    found = [e.text for e in xml.parse(CLDR / f"{language}.xml").iter("annotation") if e.text]
    return sorted({part.strip() for text in found for part in text.split("|") if "↑" not in part and part.strip()})


def sentence(rng: random.Random, pool: list[str], blank: str, parts: int) -> str:
    return blank.join(rng.choice(pool) for _ in range(parts))


def perturbed(rng: random.Random, text: str, pool: list[str], blank: str, strength: float, odd: float) -> str:
    words = text.split(" ") if blank else list(text)
    out: list[str] = []
    for word in words:
        r = rng.random()
        if r < strength * 0.2:
            continue
        if r < strength * 0.3:
            out.append(word)
        elif r < strength * 0.4:
            word = rng.choice(pool)
        elif r < strength * 0.5:
            word = rng.choice(["(", "«", '"', "“", "-", "'"]) + word
        elif r < strength * 0.6:
            word += rng.choice(MARKS)
        elif r < strength * 0.7:
            word = rng.choice(NUMBERS)
        elif r < strength * 0.75:
            word = rng.choice(ENTITIES) + word
        elif r < strength * 0.8:
            word += "-" + rng.choice(pool)
        elif r < strength * 0.9:
            word = word.upper()
        if rng.random() < odd:
            word += rng.choice(MARKS + NUMBERS + ENTITIES + CASED)
        out.append(word)
    if len(out) > 3 and rng.random() < strength:
        i = rng.randrange(len(out) - 1)
        out[i], out[i + 1] = out[i + 1], out[i]
    joined = ""
    for word in out:
        joined += word + (rng.choice(BLANKS) if rng.random() < odd else blank)
    return joined + rng.choice(["", "", ".", " .", "!", "。", " ", "\n", " \u3000", "5.", "।"]) if out else ""


def corpora(rng: random.Random) -> list[dict]:
    pools = {language: texts(language) for language in LANGUAGES}
    blanks = {language: "" if language in ("ja", "zh") else " " for language in LANGUAGES}

    def pair(language: str, references: int, parts=(2, 7), odd: float = 0.03) -> tuple[str, list[str]]:
        pool, blank = pools[language], blanks[language]
        text = sentence(rng, pool, blank, rng.randint(*parts)) + rng.choice(["", ".", ". ", "!"])
        make = lambda: perturbed(rng, text, pool, blank, rng.choice([0.1, 0.4, 0.8]), odd)  # noqa: E731
        return make(), [text if k == 0 else make() for k in range(references)]

    def corpus(name: str, pairs: list[tuple[str, list[str]]]) -> dict:
        return {"name": name, "hypotheses": [h for h, _ in pairs], "references": [r for _, r in pairs]}

    some = lambda: rng.choice(LANGUAGES)  # noqa: E731
    out = [corpus(language, [pair(language, 1) for _ in range(40)]) for language in LANGUAGES]
    out.append(corpus("odd characters", [pair(some(), 1, odd=0.5) for _ in range(100)]))
    out.append(corpus("three references", [pair(some(), 3) for _ in range(60)]))
    out.append(corpus("one to four references", [pair(some(), rng.randint(1, 4), odd=0.2) for _ in range(80)]))
    out.append(corpus("short", [pair(some(), rng.randint(1, 2), (1, 1), 0.1) for _ in range(40)]))
    out.append(corpus("equal", [(r[0], r) for _, r in (pair(some(), 1) for _ in range(10))]))
    out.append(corpus("nothing in common", [("aa bb cc dd ee", ["1 2 3 4 5 6"]), ("ff gg", ["7 8"])]))
    out.append(corpus("no 4-gram", [("a b c x y", ["a b c d e"]), ("k l", ["k l m"])]))
    out.append(corpus("empty hypotheses", [("", ["a b c d e"]), ("", ["f"])]))
    out.append(corpus("empty texts", [("", ["a b c d e"]), ("a b c d e", [""]), ("a b c d e", ["", "a b c d x"]), ("", [""])]))
    out.append(corpus("one word", [("word", ["word"])]))
    out.append(corpus("closest length", [("a b c d e f", ["a b c d", "a b c d e f g h"]), ("a b c d", ["a b c d e", "a b c"])]))
    return out


def transposed(references: list[list[str]]) -> list[list[str | None]]:
    most = max(map(len, references))
    return [[r[k] if k < len(r) else None for r in references] for k in range(most)]


def without_version(signature) -> str:
    return "|".join(part for part in str(signature).split("|") if not part.startswith("version:"))


def bleu_rows(i: int, corpus: dict) -> list[dict]:
    rows = []
    for tokenizer in TOKENIZERS:
        for smoothing, value in SMOOTHINGS:
            for lowercase in (False, True):
                for effective in (False, True):
                    options = {"tokenize": tokenizer, "smooth_method": smoothing, "smooth_value": value, "lowercase": lowercase}
                    metric = BLEU(**options, effective_order=effective, force=True)
                    score = metric.corpus_score(corpus["hypotheses"], transposed(corpus["references"]))
                    rows.append(
                        {
                            **{"corpus": i, **options, "effective_order": effective, "signature": without_version(metric.get_signature())},
                            **{"score": score.score, "precisions": score.precisions, "bp": score.bp},
                            **{"counts": score.counts, "totals": score.totals, "lengths": [score.sys_len, score.ref_len]},
                        }
                    )
    return rows


def chrf_rows(i: int, corpus: dict) -> list[dict]:
    rows = []
    for characters, words, beta in ((6, 0, 2), (6, 1, 2), (6, 2, 2), (6, 2, 1), (4, 3, 3)):
        for lowercase in (False, True):
            options = {"char_order": characters, "word_order": words, "beta": beta, "lowercase": lowercase}
            metric = CHRF(**options)
            score = metric.corpus_score(corpus["hypotheses"], transposed(corpus["references"]))
            rows.append({"corpus": i, **options, "score": score.score, "signature": without_version(metric.get_signature())})
    return rows


def sentence_rows(i: int, corpus: dict) -> list[dict]:
    metrics = {t: BLEU(tokenize=t, effective_order=True, force=True) for t in TOKENIZERS}
    chrf = [CHRF(), CHRF(word_order=2)]
    rows = []
    for k, (hypothesis, references) in enumerate(zip(corpus["hypotheses"], corpus["references"])):
        bleu = {t: m.sentence_score(hypothesis, references).score for t, m in metrics.items()}
        tokens = {t: m._preprocess_segment(hypothesis).split() for t, m in metrics.items()}
        rows.append({"corpus": i, "sentence": k, "bleu": bleu, "tokens": tokens, "chrf": [m.sentence_score(hypothesis, references).score for m in chrf]})
    return rows


def characters(out: Path) -> None:
    """A letter and a lower case for each character: P, S, N by `regex`, in upper case; by unicodedata where that differs."""
    patterns = {name: regex.compile(rf"\p{{{name}}}") for name in "PSN"}
    everything = [chr(c) for c in range(0x110000)]
    (out / "category").write_text("".join(next((n for n, p in patterns.items() if p.match(c)), "-") for c in everything), "ascii")
    general = [unicodedata.category(c) for c in everything]
    (out / "unicodedata").write_text("".join("?" if g == "Cn" else g[0] if g[0] in "PSN" else "-" for g in general), "ascii")
    (out / "space").write_text("".join("s" if c.isspace() else "-" for c in everything), "ascii")
    lower = {ord(c): c.lower() for c in everything if c.lower() != c}
    rng = random.Random(5)
    alphabet = [*"ΣΣΣΣσςAb ʰ.'·\u0301\u00ad:1-", "\u0345", "ǅ", "İ", "ⅷ", "Ⓐ", "𐐀", "漢"]
    lines = ["".join(rng.choices(alphabet, k=rng.randint(1, 9))) for _ in range(5000)]
    found = {"version": unicodedata.unidata_version, "lower": [*lower.items()], "lines": [[t, t.lower()] for t in lines]}
    (out / "lower.json").write_text(json.dumps(found), "ascii")


def main() -> None:
    out = Path(sys.argv[1])
    logging.getLogger("sacrebleu").setLevel(logging.ERROR)
    characters(out)
    all_corpora = corpora(random.Random(11))
    truth = {"version": sacrebleu.__version__, "corpora": all_corpora, "bleu": [], "chrf": [], "sentences": []}
    for i, corpus in enumerate(all_corpora):
        truth["bleu"] += bleu_rows(i, corpus)
        truth["chrf"] += chrf_rows(i, corpus)
        truth["sentences"] += sentence_rows(i, corpus)
    (out / "truth.json").write_text(json.dumps(truth), "ascii")


if __name__ == "__main__":
    main()
