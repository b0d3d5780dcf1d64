#!/usr/bin/env bash
# Writes requirements.lock, requirements-test.lock, requirements-bench.lock and conan.lock: every Python package that the
# set-up installs, with version and hashes, for all platforms. Without torch and what only its CUDA builds ask for: their
# files differ between indexes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools/venv"
"$tools/venv/bin/python" -m pip install -q uv
compile() { # <lock> <requirements>...
  local out=$1 not=()
  shift
  for package in torch triton $("$tools/venv/bin/uv" pip compile -q --universal --python-version 3.11 --no-config --no-header \
    --no-annotate "$@" | grep -oE '^(nvidia|cuda)-[a-z0-9-]+' | sort -u); do
    not+=(--no-emit-package "$package")
  done
  {
    echo "# Made by lock.sh from $*."
    "$tools/venv/bin/uv" pip compile -q --universal --python-version 3.11 --no-config --no-header --no-annotate \
      --generate-hashes "${not[@]}" "$@"
  } >"$tools/$out"
  mv "$tools/$out" "$out"
}
compile requirements.lock requirements.txt
compile requirements-test.lock requirements.txt requirements-test.txt
compile requirements-bench.lock requirements.txt requirements-test.txt requirements-bench.txt
compile conan.lock conan.txt
# Without its dependencies: torchvision, which open_clip needs for training, would replace the installed torch.
"$tools/venv/bin/uv" pip compile -q --no-deps --no-config --no-header --no-annotate --generate-hashes requirements-alone.txt \
  >>requirements-test.lock
