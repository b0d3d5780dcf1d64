"""Writes a SentencePiece unigram model (a ModelProto) without the sentencepiece package.

Three small parts: the character map of XLM-R completed with Unicode's compositions, the
double-array trie ("precompiled charsmap") the library looks it up in, and the protobuf encoding.
"""

from __future__ import annotations

import itertools
import struct
import unicodedata
from collections.abc import Iterable

CodePoints = tuple[int, ...]
CharacterMap = dict[CodePoints, CodePoints]

# Compositions of scripts encoded after XLM-R was trained; leaving them out also makes the result
# independent of the Unicode version of the Python that runs this.
FIRST_NEWER_COMPOSITION = 0x11900


# ---------------------------------------------------------------- character map


def _nfkd(code_point: int) -> CodePoints:
    return tuple(map(ord, unicodedata.normalize("NFKD", chr(code_point))))


def _is_canonical_composition(code_point: int) -> bool:
    character = chr(code_point)
    decomposed = unicodedata.normalize("NFD", character)
    return decomposed != character and unicodedata.normalize("NFC", decomposed) == character


def normalise(text: CodePoints, table: CharacterMap, longest: int) -> CodePoints:
    """What the library does: the longest key at each position is replaced."""
    out: list[int] = []
    position = 0
    while position < len(text):
        for length in range(min(longest, len(text) - position), 0, -1):
            value = table.get(text[position : position + length])
            if value is not None:
                out.extend(value)
                position += length
                break
        else:
            out.append(text[position])
            position += 1
    return tuple(out)


def complete_map(single: dict[int, CodePoints]) -> CharacterMap:
    """Adds to a map of single code points the sequences that compose ("e" + acute to "é").

    This is SentencePiece's construction of nmt_nfkc (every spelling of a decomposition gives what
    its composition gives; a key that shorter ones already explain is dropped), but over the given
    map, so that where XLM-R's map differs from today's nmt_nfkc, XLM-R's wins.
    """
    # Only canonical compositions are spelt out: "kcal" stays four letters although U+3389 exists.
    canonical = [c for c in range(0xA0, FIRST_NEWER_COMPOSITION) if _is_canonical_composition(c)]
    same_as: dict[int, list[int]] = {}  # a decomposed code point to those it may be written as
    for code_point in sorted({*canonical, *single}):
        decomposed = _nfkd(code_point)
        if len(decomposed) == 1 and decomposed != (code_point,):
            same_as.setdefault(decomposed[0], []).append(code_point)

    longer: CharacterMap = {}
    for code_point in canonical:
        value = tuple(map(ord, unicodedata.normalize("NFKC", chr(code_point))))
        for spelling in itertools.product(*([c, *same_as.get(c, [])] for c in _nfkd(code_point))):
            if len(spelling) > 1:
                longer[spelling] = value

    table: CharacterMap = {(code_point,): value for code_point, value in single.items()}
    for key in sorted(longer, key=lambda k: (len(k), k)):
        if normalise(key, table, len(key) - 1) != longer[key]:
            table[key] = longer[key]
    return table


# ---------------------------------------------------------------- double-array trie (darts-clone)

_LEAF = 1 << 31  # marks a value; a label never matches it, so it also fills unused units
_HAS_LEAF = 1 << 8
_BLOCK = 256  # a base and its children lie in one block: lookups stay in bounds without a check


class _DoubleArray:
    """Units as darts-clone reads them: label in bits 0-7, has-leaf in 8, offset in 10-31.

    Equal subtrees are stored once, which the encoding allows because a node refers to its children
    only through their base.
    """

    def __init__(self) -> None:
        self.units: list[int] = []
        self._free: list[set[int]] = []  # free positions of each block
        self._bases: set[int] = set()  # a base taken twice would mix the children of two nodes
        self._open = 0  # blocks before this one are as good as full
        self._shared: dict[tuple[object, ...], int] = {}

    def _add_block(self) -> None:
        start = len(self.units)
        self.units.extend([_LEAF] * _BLOCK)
        self._free.append(set(range(start, start + _BLOCK)))
        # Blocks further back are nearly full: searching them costs more than it saves.
        self._open = max(0, len(self._free) - 16)

    def _find_base(self, labels: list[int]) -> int:
        for block in range(self._open, len(self._free)):
            free = self._free[block]
            if len(free) < len(labels):
                continue
            for position in sorted(free):
                base = position ^ labels[0]
                if base not in self._bases and all(base ^ label in free for label in labels):
                    return base
        self._add_block()
        return len(self.units) - _BLOCK

    def _take(self, position: int, unit: int) -> None:
        self.units[position] = unit
        self._free[position // _BLOCK].discard(position)

    def build(self, trie: dict) -> bytes:
        self._add_block()
        self._take(0, 0)
        self.units[0] = self._place(trie) << 10
        if len(self.units) >= 1 << 21:
            raise ValueError("the character map is too large for short offsets")
        return struct.pack(f"<{len(self.units)}I", *self.units)

    def _place(self, node: dict) -> int:
        """Stores a node's children and returns their base."""
        bases = {label: self._place(child) for label, child in node.items() if label}
        # Whether a child has a value is written in its own unit, so it is part of what must agree.
        children = sorted((label, child_base, 0 in node[label]) for label, child_base in bases.items())
        signature = (node.get(0), *children)
        if signature in self._shared:
            return self._shared[signature]
        labels = sorted(node)
        base = self._find_base(labels)
        self._bases.add(base)
        for label in labels:
            position = base ^ label
            if label == 0:
                self._take(position, _LEAF | node[0])
            else:
                leaf = _HAS_LEAF if 0 in node[label] else 0
                self._take(position, (position ^ bases[label]) << 10 | leaf | label)
        self._shared[signature] = base
        return base


def _utf8(code_points: CodePoints) -> bytes:
    return "".join(map(chr, code_points)).encode()


def compile_charsmap(table: CharacterMap) -> bytes:
    """SentencePiece's precompiled_charsmap: u32 trie bytes, trie, values ended by NUL.

    The trie is a dict of dicts over UTF-8 bytes; key 0 holds the value, the offset of a string.
    """
    values = bytearray()
    offsets: dict[bytes, int] = {}
    trie: dict = {}
    for key, replacement in sorted(table.items()):
        value = _utf8(replacement)
        if value not in offsets:
            offsets[value] = len(values)
            values += value + b"\0"
        node = trie
        for byte in _utf8(key):
            node = node.setdefault(byte, {})
        node[0] = offsets[value]
    blob = _DoubleArray().build(trie)
    return struct.pack("<I", len(blob)) + blob + bytes(values)


# ---------------------------------------------------------------- protobuf

_VARINT, _BYTES, _FLOAT = 0, 2, 5
UNKNOWN, CONTROL, NORMAL = 2, 3, 1  # ModelProto.SentencePiece.Type
_UNIGRAM = 1


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative int32 are written as 64 bits
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(value)) + value


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | _FLOAT) + struct.pack("<f", value)


def model_proto(pieces: Iterable[tuple[str, float, int]], charsmap: bytes) -> bytes:
    """A unigram ModelProto with <unk> 0, <s> 1, </s> 2; field numbers of sentencepiece_model.proto."""
    out = bytearray()
    count = 0
    for piece, score, kind in pieces:
        out += _bytes(1, _bytes(1, piece.encode()) + _float(2, score) + _integer(3, kind))
        count += 1
    ids = ((40, 0), (41, 1), (42, 2), (43, -1))  # unk_id, bos_id, eos_id, pad_id (none)
    trainer = _integer(3, _UNIGRAM) + _integer(4, count) + b"".join(_integer(f, v) for f, v in ids)
    flags = b"".join(_integer(f, 1) for f in (3, 4, 5))  # dummy prefix, trim whitespace, escape it
    normalizer = _bytes(1, b"nmt_nfkc") + _bytes(2, charsmap) + flags
    return bytes(out + _bytes(2, trainer) + _bytes(3, normalizer))
