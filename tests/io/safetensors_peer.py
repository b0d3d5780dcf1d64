"""Reads a safetensors file with the reference implementation and writes it again: safetensors_peer.py IN OUT."""

import sys

from safetensors import safe_open
from safetensors.torch import save_file


def main() -> None:
    source, target = sys.argv[1:]
    with safe_open(source, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    save_file(tensors, target, metadata=metadata)


if __name__ == "__main__":
    main()
