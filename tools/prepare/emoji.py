#!/usr/bin/env python3
"""Makes the emoji data set: glyph images, their names and keywords by language, and the split.

Images come from Noto Color Emoji (CBDT bitmaps; sequences through the GSUB ligatures), texts and
list patterns from Unicode CLDR. Both are Debian packages, so every machine can have them. The
output is a function of those two packages and the seed alone, byte for byte.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prepare_io import atomic_dir, fail, need_dir, need_file, write_json

try:
    from fontTools.ttLib import TTFont
except ImportError:
    fail("fontTools is missing: pip install -r requirements.txt")

Sequence = tuple[int, ...]  # code points of one emoji, without variation selectors

DEFAULT_FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
DEFAULT_CLDR = Path("/usr/share/unicode/cldr/common")
DOC = Path("/usr/share/doc")

LANGUAGES = {
    "strict": ["en", "de", "fr", "cs", "ja", "zh"],
    "weak": ["id", "es", "it", "pl", "pt", "nl", "sv", "tr", "uk", "da", "ro", "hu"],
    "unseen": ["sw", "ta", "th", "hi", "ar", "el", "he", "fa", "vi", "ko", "ru", "fi"],
    # For a longer training: names only. Relatives of the unseen languages, never these themselves.
    "extra": (
        "af am as az be bg bn bs ca cy et eu fil ga gl gu hr hy is ka kk km kn ky lo lt lv mk ml mn mr ms my ne no pa ps "
        "sd si sk sl so sq sr te ur uz zu"
    ).split(),
}
REQUIRED = [*LANGUAGES["strict"], "id"]  # a glyph without a name in all of these is left out
ALL_LANGUAGES = [language for group in LANGUAGES.values() for language in group]

TEST_GLYPHS = 341
VALIDATION_GLYPHS = 300

VARIATION_SELECTOR = 0xFE0F
ZWJ = 0x200D
SKIN_TONES = range(0x1F3FB, 0x1F400)
IGNORED_IN_FAMILIES = {VARIATION_SELECTOR, ZWJ, 0x2640, 0x2642, *SKIN_TONES}

PERSON = 0x1F9D1
PAIR = (PERSON, 0x1F91D, PERSON)  # people holding hands
KISS = (PERSON, 0x2764, 0x1F48B, PERSON)
COUPLE = (PERSON, 0x2764, PERSON)
# Gendered code points to the neutral emoji that draws the same thing.
NEUTRAL: dict[int, Sequence] = {
    0x1F468: (PERSON,), 0x1F469: (PERSON,),  # man, woman
    0x1F474: (0x1F9D3,), 0x1F475: (0x1F9D3,),  # old man, old woman: older person
    0x1F466: (0x1F9D2,), 0x1F467: (0x1F9D2,),  # boy, girl: child
    0x1F385: (PERSON, 0x1F384), 0x1F936: (PERSON, 0x1F384),  # Santa, Mrs Claus: Mx Claus
    0x1F934: (0x1FAC5,), 0x1F478: (0x1FAC5,),  # prince, princess: person with crown
    0x1F930: (0x1FAC4,), 0x1FAC3: (0x1FAC4,),  # pregnant woman, man: pregnant person
    0x1F57A: (0x1F483,),  # man dancing, woman dancing: there is no neutral one
    0x1F46B: PAIR, 0x1F46C: PAIR, 0x1F46D: PAIR,  # couples holding hands
    0x1F48F: KISS, 0x1F491: COUPLE,
}  # fmt: skip


@dataclass(frozen=True)
class Annotation:
    name: str
    keywords: list[str]


@dataclass(frozen=True)
class Glyph:
    id: str
    sequence: Sequence
    png: bytes
    texts: dict[str, Annotation]


def glyph_id(sequence: Iterable[int]) -> str:
    return "-".join(f"{code_point:x}" for code_point in sequence)


# ---------------------------------------------------------------- images


def ligatures(font: TTFont) -> dict[tuple[str, ...], str]:
    """Glyph-name sequences to the glyph that replaces them, of every ligature lookup.

    Variation selectors are dropped, because CLDR's keys have none either.
    """
    selector = font.getBestCmap().get(VARIATION_SELECTOR)
    found: dict[tuple[str, ...], str] = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            for first, candidates in getattr(table, "ligatures", {}).items():
                for ligature in candidates:
                    key = tuple(n for n in (first, *ligature.Component) if n != selector)
                    found.setdefault(key, ligature.LigGlyph)
    return found


class Images:
    """PNG bytes of an emoji, as a text renderer would choose its glyph."""

    def __init__(self, path: Path) -> None:
        font = TTFont(path, lazy=True)
        if "CBDT" not in font or "GSUB" not in font:
            fail(f"{path} has no colour bitmaps (CBDT) with ligatures (GSUB)")
        self._cmap: dict[int, str] = font.getBestCmap()
        self._ligatures = ligatures(font)
        self._bitmaps: dict[str, Any] = font["CBDT"].strikeData[0]

    def find(self, sequence: Sequence) -> bytes | None:
        names = tuple(self._cmap.get(code_point, "") for code_point in sequence)
        name = names[0] if len(names) == 1 else self._ligatures.get(names)
        bitmap = self._bitmaps.get(name or "")
        png = getattr(bitmap, "imageData", None)
        return png if png and png.startswith(b"\x89PNG\r\n\x1a\n") else None


# ---------------------------------------------------------------- texts


def parse_xml(path: Path) -> ET.Element:
    try:
        return ET.parse(path).getroot()
    except ET.ParseError as error:
        fail(f"{path}: {error}")


def locale_chain(language: str) -> list[str]:
    """A locale and its parents. Every language here is a bare one, whose parent is root."""
    return [language] if language == "root" else [language, "root"]


def read_annotations(cldr: Path, language: str) -> dict[Sequence, Annotation]:
    """Names and keywords; `annotations` wins over `annotationsDerived`.

    CLDR writes three upward arrows where a locale says "as my parent does". The parent of a bare
    language is root, whose names are codes and not words, so such entries count as absent.
    """
    names: dict[Sequence, str] = {}
    keywords: dict[Sequence, list[str]] = {}
    for folder in ("annotations", "annotationsDerived"):
        path = cldr / folder / f"{language}.xml"
        if not path.is_file():
            continue
        for element in parse_xml(path).iter("annotation"):
            text = (element.text or "").strip()
            sequence = tuple(ord(c) for c in element.get("cp", "") if ord(c) != VARIATION_SELECTOR)
            if not sequence or not text or "↑↑↑" in text:
                continue
            if element.get("type") == "tts":
                names.setdefault(sequence, text)
            else:
                words = [word.strip() for word in text.split("|")]
                keywords.setdefault(sequence, [word for word in words if word])
    return {key: Annotation(name, keywords.get(key, [])) for key, name in names.items()}


def read_list_pattern(cldr: Path, language: str) -> dict[str, str]:
    """The standard list pattern (the one without a type); parts a locale lacks come from root."""
    parts: dict[str, str] = {}
    for locale in locale_chain(language):
        path = need_file(cldr / "main" / f"{locale}.xml", "apt install unicode-cldr-core")
        for pattern in parse_xml(path).iterfind("listPatterns/listPattern"):
            if pattern.get("type") is not None:
                continue
            for part in pattern.iterfind("listPatternPart"):
                if part.text and "↑↑↑" not in part.text:
                    parts.setdefault(part.get("type", ""), part.text)
    wanted = ("2", "start", "middle", "end")
    for name in wanted:
        if "{0}" not in parts.get(name, "") or "{1}" not in parts[name]:
            fail(f"CLDR has no usable list pattern '{name}' for '{language}'")
    return {name: parts[name] for name in wanted}


def collect_glyphs(images: Images, annotations: dict[str, dict[Sequence, Annotation]]) -> list[Glyph]:
    """Every emoji with an image and a name in each required language, without skin tones."""
    named = set.intersection(*(set(annotations[language]) for language in REQUIRED))
    glyphs = []
    for sequence in named:
        if any(code_point in SKIN_TONES for code_point in sequence):
            continue
        if png := images.find(sequence):
            texts = {lang: table[sequence] for lang, table in annotations.items() if sequence in table}
            glyphs.append(Glyph(glyph_id(sequence), sequence, png, texts))
    return sorted(glyphs, key=lambda glyph: glyph.id)


# ---------------------------------------------------------------- families and split


def neutral_form(sequence: Sequence) -> Sequence:
    """The sequence without skin tone, gender signs, joiners and gendered persons."""
    kept = [c for c in sequence if c not in IGNORED_IN_FAMILIES] or list(sequence)
    return tuple(n for code_point in kept for n in NEUTRAL.get(code_point, (code_point,)))


def find_families(glyphs: list[Glyph]) -> dict[str, str]:
    """Glyph id to family label (the smallest id in the family), by union-find.

    Two glyphs are relatives when they share the first code point, the neutral form, or the very
    same image (several territories fly one flag).
    """
    parent = {glyph.id: glyph.id for glyph in glyphs}

    def root(node: str) -> str:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    owner: dict[tuple[str, Any], str] = {}
    for glyph in glyphs:
        neutral = neutral_form(glyph.sequence)
        for key in (
            ("first", glyph.sequence[0]),
            ("neutral", neutral),
            ("image", hashlib.sha256(glyph.png).digest()),
        ):
            a, b = root(owner.setdefault(key, glyph.id)), root(glyph.id)
            parent[max(a, b)] = min(a, b)
    return {glyph.id: root(glyph.id) for glyph in glyphs}


def take_families(families: list[str], size: Counter[str], target: int) -> list[str]:
    """The first families, in the given order, that still fit into `target` glyphs."""
    taken, total = [], 0
    for family in families:
        if total + size[family] <= target:
            taken.append(family)
            total += size[family]
    return taken


def make_split(family_of: dict[str, str], seed: int) -> dict[str, Any]:
    size = Counter(family_of.values())
    largest = min(size, key=lambda family: (-size[family], family))
    # sha256 and not a library's shuffle: the order must not depend on a version of anything.
    order = sorted(
        (family for family in size if family != largest),
        key=lambda family: hashlib.sha256(f"{seed}:{family}".encode()).hexdigest(),
    )
    test = set(take_families(order, size, TEST_GLYPHS))
    rest = [family for family in order if family not in test]
    validation = set(take_families(rest, size, VALIDATION_GLYPHS))

    members: dict[str, list[str]] = defaultdict(list)
    for glyph, family in sorted(family_of.items()):
        members["test" if family in test else "train"].append(glyph)
        if family in validation:
            members["validation"].append(glyph)
    return {
        "version": 1,
        "seed": seed,
        "rule": (
            "families sorted by the hex digest of sha256('<seed>:<family>'), without the largest family "
            f"({largest}: people, {size[largest]} near-duplicates, always train); test takes each family in "
            f"that order that still fits into {TEST_GLYPHS} glyphs; train is the rest; validation, a part of "
            f"train for choosing recipes only, takes each remaining family that still fits into "
            f"{VALIDATION_GLYPHS} glyphs."
        ),
        "train": members["train"],
        "validation": members["validation"],
        "test": members["test"],
        "languages": LANGUAGES,
    }


# ---------------------------------------------------------------- output

LICENCES = """\
Files of this data set and their licences

glyphs/*.png
    Noto Color Emoji, copyright Google Inc.; SIL Open Font License 1.1 (OFL-1.1).
    Taken unchanged from the CBDT table of {font}.

glyphs.json (names, keywords, list patterns)
    Unicode CLDR, copyright Unicode, Inc.; Unicode licence (Unicode-DFS-2016).
    Taken from {cldr}.

The packages' own copyright files follow, or lie beside this file where they are long.
"""


def write_licences(out: Path, font: Path, cldr: Path) -> None:
    text = LICENCES.format(font=font, cldr=cldr)
    for package in ("fonts-noto-color-emoji", "unicode-cldr-core"):
        copyright_file = DOC / package / "copyright"
        if copyright_file.is_file():
            shutil.copyfile(copyright_file, out / f"{package}.copyright.txt")
            text += f"\n{package}: see {package}.copyright.txt\n"
    (out / "LICENSES.txt").write_text(text, encoding="utf-8")


def glyph_record(glyph: Glyph, family: str) -> dict[str, Any]:
    texts = {
        lang: {"name": t.name, "keywords": [] if lang in LANGUAGES["extra"] else t.keywords}
        for lang, t in glyph.texts.items()
    }
    return {"id": glyph.id, "file": f"glyphs/{glyph.id}.png", "family": family, "texts": texts}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="directory to make (replaced if it exists)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the split (default: %(default)s)")
    parser.add_argument("--font", type=Path, default=DEFAULT_FONT, help="default: %(default)s")
    parser.add_argument("--cldr", type=Path, default=DEFAULT_CLDR, help="CLDR's common folder; default: %(default)s")
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    need_file(args.font, "apt install fonts-noto-color-emoji (or --font)")
    need_dir(args.cldr / "annotations", "apt install unicode-cldr-core (or --cldr)")
    annotations = {language: read_annotations(args.cldr, language) for language in ALL_LANGUAGES}
    for language, table in annotations.items():
        if not table:
            fail(f"CLDR in {args.cldr} has no names for '{language}': apt install unicode-cldr-core")
    patterns = {language: {"list": read_list_pattern(args.cldr, language)} for language in ALL_LANGUAGES}
    glyphs = collect_glyphs(Images(args.font), annotations)
    if not glyphs:
        fail(f"no glyph of {args.font} has a name in all of {' '.join(REQUIRED)}")
    family_of = find_families(glyphs)
    split = make_split(family_of, args.seed)

    with atomic_dir(args.out) as tmp:
        (tmp / "glyphs").mkdir()
        for glyph in glyphs:
            (tmp / "glyphs" / f"{glyph.id}.png").write_bytes(glyph.png)
        records = [glyph_record(glyph, family_of[glyph.id]) for glyph in glyphs]
        write_json(tmp / "glyphs.json", {"version": 1, "languages": patterns, "glyphs": records})
        write_json(tmp / "split.json", split, indent=1)
        write_licences(tmp, args.font, args.cldr)
    print(
        f"{args.out}: {len(glyphs)} glyphs in {len(set(family_of.values()))} families, "
        f"train {len(split['train'])} (validation {len(split['validation'])} of them), "
        f"test {len(split['test'])}, {len(ALL_LANGUAGES)} languages"
    )


if __name__ == "__main__":
    main()
