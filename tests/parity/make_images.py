#!/usr/bin/env python3
"""What Pillow and the image processors of transformers make of images, for images_test.cpp: images in all forms with
their RGBA, images with their resized forms, and processors with what they give. The same bytes in each run."""

from __future__ import annotations

import argparse
import json
import os
import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, features
from safetensors.torch import save_file
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

random = np.random.default_rng(20240)
GLYPHS = sorted((Path(os.environ["RC3_CACHE"]) / "data/emoji/glyphs").glob("*.png"))


# --- Images ------------------------------------------------------------------------------------------------------------


def smooth(width: int, height: int, channels: int = 3) -> np.ndarray:
    """Noise without hard edges, as photographs have it. uint8 [height, width, channels]"""
    coarse = random.integers(0, 256, (height // 12 + 3, width // 12 + 3, channels), dtype=np.uint8)
    planes = [Image.fromarray(coarse[..., c]).resize((width, height), Image.Resampling.BICUBIC) for c in range(channels)]
    return np.stack([np.array(plane) for plane in planes], -1)


def scene(width: int, height: int) -> Image.Image:
    """Emoji on a colour: hard edges."""
    image = Image.new("RGB", (width, height), tuple(int(c) for c in random.integers(0, 256, 3)))
    for _ in range(6):
        glyph = Image.open(GLYPHS[random.integers(len(GLYPHS))]).convert("RGBA")
        side = int(random.integers(16, max(17, min(width, height))))
        glyph = glyph.resize((side, side))
        image.paste(glyph, (int(random.integers(-side // 2, width - side // 2)), int(random.integers(-side // 2, height - side // 2))), glyph)
    return image


# --- PNG in all its forms, which Pillow cannot write ------------------------------------------------------------------------

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
NAMES = {GREY: "grey", RGB: "RGB", PALETTE: "palette", GREY_ALPHA: "grey + alpha", RGBA: "RGBA"}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed_rows(samples: np.ndarray, depth: int) -> bytes:
    """[h, w, c] as PNG's rows, with each of the five filters in turn."""
    height, width, channels = samples.shape
    bits = np.unpackbits(samples.astype(">u2").view(np.uint8).reshape(height, -1, 2), axis=-1)[..., 16 - depth :]
    rows = np.packbits(bits.reshape(height, -1), axis=-1).astype(int)
    step = max(1, depth * channels // 8)
    out, above = bytearray(), np.zeros(rows.shape[1], int)
    for y, row in enumerate(rows):
        left = np.concatenate([np.zeros(step, int), row])[: len(row)]
        corner = np.concatenate([np.zeros(step, int), above])[: len(row)]
        guess = left + above - corner
        distance = np.stack([abs(guess - left), abs(guess - above), abs(guess - corner)])
        paeth = np.choose(distance.argmin(0), [left, above, corner])
        kind = y % 5
        out.append(kind)
        out += ((row - [0 * left, left, above, (left + above) // 2, paeth][kind]) % 256).astype(np.uint8).tobytes()
        above = row
    return bytes(out)


def png(samples: np.ndarray, color: int, depth: int, interlaced: bool, extra: bytes = b"") -> bytes:
    height, width, _ = samples.shape
    passes = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlaced else [samples]
    data = b"".join(packed_rows(part, depth) for part in passes if part.size)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def by_the_specification(samples: np.ndarray, color: int, depth: int, key: np.ndarray | None) -> np.ndarray:
    """RGBA by the PNG specification, upper 8 bits: Pillow departs from it for 16-bit grey and some colour keys."""
    eight = samples >> 8 if depth == 16 else samples * (255 // (2**depth - 1))
    rgb = np.repeat(eight[..., :1], 3, -1) if color in (GREY, GREY_ALPHA) else eight[..., :3]
    if color in (GREY_ALPHA, RGBA):
        alpha = eight[..., -1]
    else:
        alpha = np.full(samples.shape[:2], 255) if key is None else np.where((samples == key).all(-1), 0, 255)
    return np.concatenate([rgb, alpha[..., None]], -1).astype(np.uint8)


class Decoding:
    """Files, and what they must become."""

    def __init__(self, out: Path):
        self.out, self.tensors, self.entries = out, {}, []
        out.mkdir(parents=True, exist_ok=True)

    def add(self, group: str, name: str, file: bytes, truth: np.ndarray | None = None, peer: str = "Pillow") -> None:
        (self.out / name).write_bytes(file)
        if truth is None:
            image = Image.open(BytesIO(file))
            truth = np.array(ImageOps.exif_transpose(image).convert("RGBA"))
        key = f"{group}/{name}"
        self.tensors[key] = torch.from_numpy(np.ascontiguousarray(truth))
        self.entries.append({"group": group, "file": name, "truth": key, "peer": peer})

    def save(self) -> None:
        save_file(self.tensors, self.out / "truth.safetensors")
        (self.out / "list.json").write_text(json.dumps(self.entries, indent=1))


def png_forms(decoding: Decoding) -> None:
    channels = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
    depths = {GREY: [1, 2, 4, 8, 16], RGB: [8, 16], PALETTE: [1, 2, 4, 8], GREY_ALPHA: [8, 16], RGBA: [8, 16]}
    for color, color_depths in depths.items():
        for depth in color_depths:
            for interlaced in (False, True):
                for with_key in (False, True) if color in (GREY, RGB, PALETTE) else (False,):
                    width, height = (37, 23) if depth < 16 else (61, 45)
                    extra, key = b"", None
                    if color == PALETTE:
                        samples = random.integers(0, 2**depth, (height, width, 1))
                        extra = chunk(b"PLTE", random.integers(0, 256, 3 * 2**depth, dtype=np.uint8).tobytes())
                        if with_key:  # of some colours only: the others are opaque
                            extra += chunk(b"tRNS", random.integers(0, 256, max(1, 2**depth * 2 // 3), dtype=np.uint8).tobytes())
                    else:
                        samples = random.integers(0, 2**depth, (height, width, channels[color]))
                        if with_key:
                            key = samples[height // 2, width // 2]
                            extra = chunk(b"tRNS", b"".join(struct.pack(">H", int(k)) for k in key))
                    name = f"{NAMES[color]} {depth}{' key' if with_key else ''}{' interlaced' if interlaced else ''}.png"
                    file = png(samples, color, depth, interlaced, extra)
                    truth = None if color == PALETTE else by_the_specification(samples, color, depth, key)
                    # Pillow 13: 16-bit grey is cut off at 255; a key of 2, 4 or 16 bits is compared with 8-bit values.
                    departs = (color == GREY and depth == 16) or (with_key and color != PALETTE and depth in (2, 4, 16))
                    if departs:
                        decoding.add("png where Pillow departs", name, file, truth, "the PNG specification")
                    else:
                        decoding.add("png", name, file)
                        if truth is not None:
                            decoding.add("png by the specification", name, file, truth, "the PNG specification")
    big = random.integers(0, 65536, (900, 1200, 4))
    decoding.add("png", "RGBA 16 interlaced large.png", png(big, RGBA, 16, True))
    decoding.add("png", "one pixel.png", png(big[:1, :1] >> 8, RGBA, 8, True))
    for i in range(12):
        decoding.add("png", f"glyph {i}.png", GLYPHS[i * len(GLYPHS) // 12].read_bytes())


def saved(image: Image.Image, kind: str, **options) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def exif(orientation: int) -> Image.Exif:
    data = Image.Exif()
    data[0x010F] = "rc3"
    data[0x0112] = orientation
    return data


def jpeg_forms(decoding: Decoding) -> None:
    for (width, height), look in (((160, 120), "smooth"), ((157, 93), "smooth"), ((131, 97), "scene"), ((8, 1), "smooth")):
        image = Image.fromarray(smooth(width, height)) if look == "smooth" else scene(width, height)
        for subsampling, name in ((0, "444"), (1, "422"), (2, "420")):
            for progressive in (False, True):
                file = saved(image, "JPEG", quality=90, subsampling=subsampling, progressive=progressive)
                decoding.add(f"jpeg {name}", f"{look} {width}x{height} {name}{' progressive' if progressive else ''}.jpg", file)
        decoding.add("jpeg grey", f"{look} {width}x{height} grey.jpg", saved(image.convert("L"), "JPEG", quality=90))
        decoding.add("jpeg 420", f"{look} {width}x{height} q30 restart.jpg", saved(image, "JPEG", quality=30, restart_marker_blocks=2))
        decoding.add("jpeg RGB", f"{look} {width}x{height} rgb.jpg", saved(image, "JPEG", quality=90, keep_rgb=True))
    decoding.add("jpeg CMYK", "cmyk.jpg", saved(Image.fromarray(smooth(96, 64, 4), "CMYK"), "JPEG", quality=95))


def oriented_forms(decoding: Decoding) -> None:
    image = Image.fromarray(smooth(48, 31))
    for orientation in range(1, 9):
        data = exif(orientation)
        decoding.add("png EXIF", f"orientation {orientation}.png", saved(image, "PNG", exif=data))
        decoding.add("jpeg EXIF", f"orientation {orientation}.jpg", saved(image, "JPEG", quality=95, subsampling=0, exif=data))
        decoding.add("webp EXIF", f"orientation {orientation}.webp", saved(image, "WEBP", lossless=True, exif=data.tobytes()))


def webp_forms(decoding: Decoding) -> None:
    for width, height in ((160, 120), (57, 33), (1, 1)):
        for lossless in (False, True):
            for channels in (3, 4):
                image = Image.fromarray(smooth(width, height, channels))
                kind = f"{'lossless' if lossless else 'lossy'} {width}x{height} {'RGBA' if channels == 4 else 'RGB'}"
                group = f"webp {'lossless' if lossless else 'lossy'}"
                decoding.add(group, f"{kind}.webp", saved(image, "WEBP", lossless=lossless, exact=True, quality=80))


# --- Resizing --------------------------------------------------------------------------------------------------------------


def resized_forms(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    tensors, entries = {}, []
    for i in range(200):
        width, height = (int(n) for n in random.integers(20, 420, 2))
        to_width, to_height = (int(n) for n in random.choice([16, 64, 97, 128, 224], 2))
        if i % 8 == 0:
            to_height = height  # only one side changes
        image = scene(width, height) if i % 2 else Image.fromarray(smooth(width, height))
        image.save(out / f"{i}.png")
        for name, filter in (("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC)):
            tensors[f"{i}.{name}"] = torch.from_numpy(np.array(image.resize((to_width, to_height), filter)))
        entries.append({"file": f"{i}.png", "look": "scene" if i % 2 else "smooth", "width": to_width, "height": to_height})
    save_file(tensors, out / "truth.safetensors")
    (out / "list.json").write_text(json.dumps(entries, indent=1))


# --- Processors of transformers ----------------------------------------------------------------------------------------------


def processor_forms(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    images = {f"{w}x{h}": scene(w, h) if i % 2 else Image.fromarray(smooth(w, h))
                for i, (w, h) in enumerate([(320, 213), (213, 320), (224, 224), (225, 224), (97, 31), (31, 98), (401, 333), (64, 300)])}
    with_alpha = {
        "RGBA": Image.fromarray(smooth(150, 101, 4)),
        "LA": Image.fromarray(smooth(77, 120, 2), "LA"),
        "palette": Image.open(GLYPHS[7]).convert("RGBA").quantize(64),
        "grey": Image.fromarray(smooth(120, 90, 1)[..., 0]),
    }
    for name, image in {**images, **with_alpha}.items():
        image.save(out / f"{name}.png")

    half, clip_mean = [0.5] * 3, [0.48145466, 0.4578275, 0.40821073]
    clip_std = [0.26862954, 0.26130258, 0.27577711]
    old_clip = {"crop_size": 224, "do_center_crop": True, "do_normalize": True, "do_resize": True, "feature_extractor_type": "CLIPFeatureExtractor",
                "image_mean": clip_mean, "image_std": clip_std, "resample": 3, "size": 224}
    old_vit = {"do_normalize": True, "do_resize": True, "feature_extractor_type": "ViTFeatureExtractor", "image_mean": half, "image_std": half,
               "resample": 2, "size": 192}
    vit, clip, siglip = ViTImageProcessorPil, CLIPImageProcessorPil, SiglipImageProcessorPil
    forms = {  # class, and options or the file as older versions wrote it
        "ViT": (vit, {}, None),
        "ViT, 160 x 96, no normalisation": (vit, {"size": {"height": 96, "width": 160}, "do_normalize": False}, None),
        "ViT, bicubic, old file": (vit, {}, {**old_vit, "resample": 3}),
        "CLIP": (clip, {}, None),
        "CLIP, shorter side 75, crop 76 x 81": (clip, {"size": {"shortest_edge": 75}, "crop_size": {"height": 76, "width": 81}}, None),
        "CLIP, not resized, crop 224 x 101": (clip, {"do_resize": False, "crop_size": {"height": 224, "width": 101}}, None),
        "CLIP, old file": (clip, {}, old_clip),
        "SigLIP": (siglip, {}, None),
        "SigLIP, 97 x 97, factor 1 / 127.5": (siglip, {"size": {"height": 97, "width": 97}, "rescale_factor": 1 / 127.5, "image_mean": [1.0] * 3}, None),
    }
    tensors, entries = {}, []
    for i, (name, (kind, options, file)) in enumerate(forms.items()):
        folder = out / f"processor {i}"
        folder.mkdir(exist_ok=True)
        if file is None:
            kind(**options).save_pretrained(folder)
        else:
            (folder / "preprocessor_config.json").write_text(json.dumps(file, indent=1))
        processor = kind.from_pretrained(folder)
        files = [*images, *(with_alpha if kind is not vit else {})]  # ViT's processor takes RGB images only
        for image in files:
            opened = Image.open(out / f"{image}.png")
            steps = processor(opened, do_rescale=False, do_normalize=False, return_tensors="np")["pixel_values"]
            tensors[f"{i}.{image}.bytes"] = torch.from_numpy(np.ascontiguousarray(steps[0]).astype(np.uint8))
            values = processor(opened, return_tensors="np")["pixel_values"]
            tensors[f"{i}.{image}.values"] = torch.from_numpy(np.ascontiguousarray(values[0]).astype(np.float32))
        entries.append({"name": name, "class": kind.__name__, "folder": folder.name, "images": files})
    save_file(tensors, out / "truth.safetensors")
    (out / "list.json").write_text(json.dumps(entries, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    decoding = Decoding(out / "decoding")
    png_forms(decoding)
    jpeg_forms(decoding)
    oriented_forms(decoding)
    webp_forms(decoding)
    decoding.save()
    resized_forms(out / "resizing")
    processor_forms(out / "processors")
    print(f"{len(decoding.entries)} images; libjpeg-turbo {features.version('libjpeg_turbo')}, libwebp {features.version('webp')}")


if __name__ == "__main__":
    main()
