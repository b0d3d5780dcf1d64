#!/usr/bin/env python3
"""Runs the Python blocks of docs/guides/python.md, from the page's own text, and compares their vectors with rc3's.

A block's name is in the comment above its fence: <!-- python: NAME [after FIRST] -->; it runs after FIRST, in the same
session. The model is a small random one (try_model), the truth is what `rc3 embed` and `rc3 search` print.
Exit code 77: a package that the block needs is not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from pages import Block, blocks

LIMIT = 1e-5
TEXTS = ["a dog", "two boxes", "x", "Unknown letters: äöü.", "</s> is <mask> text", " ".join(["words"] * 40), "  blanks   within  "]
NEEDS = {"transformers": ["torch", "transformers", "safetensors", "sentencepiece"], "onnx": ["onnx", "onnxscript", "onnxruntime"]}


def named(page: Path) -> dict[str, tuple[Block, str]]:
    found = {}
    for block in blocks(page):
        if block.language == "python":
            match = re.fullmatch(r"python: (\w+)(?: after (\w+))?", block.marker)
            if not match:
                sys.exit(f"{page}:{block.line}: no comment <!-- python: NAME --> above the block")
            found[match[1]] = (block, match[2] or "")
    return found


def run(block: Block, session: dict) -> None:
    exec(compile("\n" * (block.line - 1) + block.text, str(block.page), "exec"), session)


def lines(command: list[str], **more) -> list[dict]:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **more)
    return [json.loads(line) for line in done.stdout.splitlines()]


class Check:
    def __init__(self, rc3: str, session: dict):
        self.rc3, self.session = rc3, session
        truth = lines([rc3, "embed", "--model", "model", "--threads", "1"], input="\n".join(TEXTS).encode())
        self.truth = [row["vector"] for row in truth]
        self.problems: list[str] = []

    def compare(self, name: str, vectors) -> None:
        import torch

        worst = (torch.as_tensor(vectors) - torch.tensor(self.truth)).abs().max().item()
        print(f"{name}: {len(self.truth)} texts, largest difference of an element {worst:.2g} (<= {LIMIT})", flush=True)
        if not worst <= LIMIT:
            self.problems.append(f"{name}: {worst} is more than {LIMIT}")

    def block(self, name: str) -> None:
        import torch

        s = self.session
        ids, mask = s["encoder"].tokens(TEXTS)
        with torch.no_grad():
            if name == "transformers":
                spread = torch.tensor(self.truth).std(0).mean().item()
                if spread < 100 * LIMIT:
                    self.problems.append(f"the vectors of all texts are the same: {spread}")
                self.compare(name, s["encoder"](ids, mask))
            elif name == "torchscript":
                self.compare(name, s["script"](ids, mask))
            elif name == "export":
                self.compare(name, s["exported"](ids, mask))
            elif name == "onnx":
                self.compare(name, s["session"].run(None, {"ids": ids.numpy(), "mask": mask.numpy()})[0])
            elif name == "index":
                self.index()
            else:
                self.problems.append(f"no check for the block {name}")

    def index(self) -> None:
        """The first hits are those of `rc3 search`, whichever the storage. The small model's images are all alike, so
        that the rows are replaced by random ones."""
        import torch
        from safetensors import safe_open
        from safetensors.torch import load_file, save_file

        page_block = self.session["index_block"]
        for storage in ("float32", "bfloat16", "int8"):
            Path("photos.index").unlink(missing_ok=True)
            lines([self.rc3, "index", "photos", "--model", "model", "--out", "photos.index", "--storage", storage, "--threads", "1"])
            tensors = load_file("photos.index")
            with safe_open("photos.index", "pt") as file:
                metadata = file.metadata()
            random = torch.randn(tensors["vectors"].shape, generator=torch.Generator().manual_seed(1))
            random = torch.nn.functional.normalize(random, dim=1)
            if storage == "int8":
                tensors["scales"] = random.abs().amax(1) / 127
                random = (random / tensors["scales"].unsqueeze(1)).round()
            tensors["vectors"] = random.to(tensors["vectors"].dtype)
            save_file(tensors, "photos.index", metadata)
            run(page_block, self.session)
            truth = {r["path"]: r["score"] for r in lines([self.rc3, "search", "photos.index", "two boxes", "--top", "12", "--threads", "1"])}
            worst = max(abs(score - truth[path]) for score, path in self.session["best"])
            print(f"index, {storage}: largest difference of a score {worst:.2g} (<= {LIMIT})", flush=True)
            if not worst <= LIMIT:
                self.problems.append(f"index, {storage}: {worst} is more than {LIMIT}")
            if [path for _, path in self.session["best"]] != list(truth)[:3]:
                self.problems.append(f"index, {storage}: {self.session['best']}, not {truth}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--rc3", required=True)
    parser.add_argument("--try-model", required=True)
    parser.add_argument("names", nargs="*", help="blocks; without: all but those that need packages of their own")
    args = parser.parse_args()
    all_blocks = named(args.page.resolve())
    chosen = args.names or [name for name in all_blocks if name == "transformers" or name not in NEEDS]
    for name in dict.fromkeys(["transformers", *chosen]):
        for package in NEEDS.get(name, []):
            try:
                __import__(package)
            except ImportError:
                print(f"skipped: the block {name} needs pip install {' '.join(NEEDS[name])}; there is no {package}")
                sys.exit(77)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        subprocess.run([args.try_model, "."], check=True)
        session: dict = {"index_block": all_blocks["index"][0]}
        run(all_blocks["transformers"][0], session)
        check = Check(args.rc3, session)
        for name in chosen:
            if name not in ("transformers", "index"):
                run(all_blocks[name][0], session)
            check.block(name)
        os.chdir("/")
    for problem in check.problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if check.problems else 0)


if __name__ == "__main__":
    main()
