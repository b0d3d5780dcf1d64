#!/usr/bin/env python3
"""Searches a second of `rc3 serve` over an index of random vectors, and the bare model pass of a query in the same run.

The vectors are random and of norm 1, and their photographs do not exist: a search reads vectors only. No query is sent
twice.

- bare pass: /api/embed, one request after the other. It runs the model, and searches nothing.
- search without the model: /api/search?like=ID, one after the other.
- most: clients that each send a search as soon as they have the last reply.
- at a rate: searches start at fixed times, whether or not earlier ones have ended. Each is timed from the moment at
  which it should have started, so that a wait in a queue counts.

    python serve.py --tool build/release/examples/rc3 --model out/demo/model [--images 100000] [--rate 50]

With --json the last line is a list with an object for each round, which benchmarks/compare.py reads. Needs Python's
standard library only. The clients share the machine with the server.
"""

from __future__ import annotations

import argparse
import array
import http.client
import itertools
import json
import math
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

TOP = 24  # results of the page
SUBJECTS = [
    "a dog",
    "ein rotes Auto",
    "deux enfants",
    "una bicicleta azul",
    "猫",
    "船",
    "женщина в шляпе",
    "رجل يقفز",
    "ett hus",
    "bir köprü",
]
PLACES = [
    "in the snow",
    "am Strand",
    "dans la ville",
    "en el bosque",
    "在街上",
    "海の上",
    "на горе",
    "في الحديقة",
    "vid sjön",
    "gece",
]


def queries() -> Iterator[str]:
    """Texts of 5 to 12 words or characters, all different."""
    for number in itertools.count():
        for subject, place in itertools.product(SUBJECTS, PLACES):
            yield f"{subject} {place}" + (f" {number}" if number else "")


def png(path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = b"".join(b"\0" + bytes((x * 4, y * 4, 128)[c] for x in range(64) for c in range(3)) for y in range(64))
    header = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    )


def make_index(tool: str, model: str, folder: Path, images: int) -> Path:
    """The tool indexes one image; the metadata of that index, with the model's name, are those of a large one."""
    (folder / "photos").mkdir()
    png(folder / "photos/0.png")
    small, large = folder / "small.index", folder / "large.index"
    subprocess.run(
        [tool, "index", folder / "photos", "--model", model, "--out", small, "--threads", "1"],
        check=True,
        capture_output=True,
    )
    data = small.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    metadata = json.loads(data[8 : 8 + size])["__metadata__"]
    if metadata["storage"] != "float32":
        sys.exit(f"{small}: storage is {metadata['storage']}, float32 was expected")
    width = int(metadata["dimension"])
    names = json.dumps([f"{folder}/photos/{i:07}.png" for i in range(images)]).encode()
    end = images * width * 4
    header = {
        "__metadata__": metadata | {"version": "1"},
        "vectors": {"dtype": "F32", "shape": [images, width], "data_offsets": [0, end]},
        "names": {"dtype": "U8", "shape": [len(names)], "data_offsets": [end, end + len(names)]},
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    normal = [
        statistics.NormalDist().inv_cdf((i + 0.5) / 256) for i in range(256)
    ]  # a byte at random: a number at random
    with large.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _ in range(images):
            row = [normal[byte] for byte in os.urandom(width)]
            norm = math.sqrt(sum(x * x for x in row))
            array.array("f", [x / norm for x in row]).tofile(file)
        file.write(names)
    return large


class Client:
    """One connection that stays open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path: str, **parameters: object) -> dict | None:
        """The reply; nothing if the server has too much to do."""
        self._connection.request("GET", f"{path}?{urllib.parse.urlencode(parameters)}" if parameters else path)
        reply = self._connection.getresponse()
        body = reply.read()
        if reply.status == 503:
            return None
        if reply.status != 200:
            sys.exit(f"{path} {parameters}: status {reply.status}: {body.decode()}")
        return json.loads(body)

    def search(self, text: str) -> bool:
        """Whether the server answered: else it refused."""
        found = self.get("/api/search", q=text, top=TOP)
        if found is not None and len(found["results"]) != TOP:
            sys.exit(f"a search for {text!r} has not {TOP} results")
        return found is not None


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - begin)


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, math.ceil(share * len(times)) - 1)]


def said(times: list[float]) -> str:
    if not times:
        return "none was answered"
    return f"median {statistics.median(times):.1f} ms, p99 {percentile(times, 0.99):.1f} ms, {len(times)} requests"


def in_threads(count: int, work: Callable[[], None]) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  it ends the program below
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def most(port: int, texts: Iterator[str], clients: int, seconds: float) -> tuple[list[float], float]:
    """Times of searches, and their number a second."""
    times: list[float] = []
    lock = threading.Lock()
    begin = time.perf_counter()

    def work() -> None:
        client = Client(port)
        while time.perf_counter() - begin < seconds:
            with lock:
                text = next(texts)
            begun = time.perf_counter()
            if client.search(text):
                with lock:
                    times.append(1e3 * (time.perf_counter() - begun))

    in_threads(clients, work)
    return times, len(times) / (time.perf_counter() - begin)


def at_rate(port: int, texts: Iterator[str], rate: float, seconds: float) -> tuple[list[float], float, int]:
    """The same for searches that start `rate` times a second, and the number of those that were refused."""
    times: list[float] = []
    refused = 0
    lock = threading.Lock()
    starts = iter([i / rate for i in range(int(rate * seconds))])
    begin = time.perf_counter() + 0.2

    def work() -> None:
        nonlocal refused
        client = Client(port)
        while True:
            with lock:
                start, text = next(starts, None), next(texts)
            if start is None:
                return
            time.sleep(max(0.0, begin + start - time.perf_counter()))
            answered = client.search(text)
            with lock:
                if answered:
                    times.append(1e3 * (time.perf_counter() - begin - start))
                refused += not answered

    in_threads(32, work)  # fewer than the connections that the server keeps at a time
    return times, len(times) / (time.perf_counter() - begin), refused


def measure(port: int, args: argparse.Namespace, texts: Iterator[str]) -> dict[str, float]:
    """@return medians and p99 in ms, and the highest number of searches a second"""
    client = Client(port)
    images = client.get("/healthz")["images"]
    for _ in range(10):
        client.search(next(texts))  # the index into memory
    photo = client.get("/api/search", q=next(texts), top=1)["results"][0]["id"]
    bare = [timed(lambda: client.get("/api/embed", q=next(texts))) for _ in range(args.bare)]
    alone = [timed(lambda: client.get("/api/search", like=photo, top=TOP)) for _ in range(args.bare)]
    print(f"{images} images, top {TOP}, {os.cpu_count()} cores, --threads {args.threads}, --precision {args.precision}")
    print(f"bare pass of one query:    {said(bare)}")
    print(f"search without the model:  {said(alone)}")
    times, highest = most(port, texts, args.clients, args.seconds)
    print(f"most, {args.clients:2} clients:          {highest:.1f} searches a second, {said(times)}")
    times, rate, refused = at_rate(port, texts, args.rate, args.seconds)
    print(f"at {args.rate:g} a second:           {rate:.1f} searches a second, {said(times)}, {refused} refused")
    if not times:
        sys.exit("no search was answered")
    return {
        "bare": statistics.median(bare),
        "highest": highest,
        "p99": percentile(times, 0.99),
        "median": statistics.median(times),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--bare", type=int, default=100, help="requests one after the other")
    parser.add_argument("--threads", type=int, default=1, help="of one search; the server runs two at a time")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        index = make_index(args.tool, args.model, Path(folder), args.images)
        command = [
            args.tool,
            "serve",
            str(index),
            "--port",
            "0",
            "--model",
            args.model,
            "--threads",
            str(args.threads),
            "--precision",
            args.precision,
        ]
        server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            line = server.stderr.readline()
            if " photographs at http" not in line:
                sys.exit(line + server.stderr.read())
            port, texts = int(line.split("127.0.0.1:")[1].split("/")[0]), queries()
            rounds = [measure(port, args, texts) for _ in range(args.rounds)]
            if args.json:
                print(json.dumps(rounds))
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
