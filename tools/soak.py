#!/usr/bin/env python3
"""Hours of training and of serving while something goes wrong all the time: ./run soak training, ./run soak server.

training: rounds. A round trains twice on two ranks with the same data, whose shards are damaged at the same steps. One
of the two trainings is left alone; the other meets kills of one rank and of all, a rank that stops (SIGSTOP), a full
disk and jumps of the clock, and is started again each time. Both must end with the same bytes: weights, moments,
averages, negatives that are kept.

server: clients search, send images, ask for thumbnails, send what is wrong and stop half way, while the index is made
again, spoilt and removed. Each answer is checked.

Each round, and each call of the server, is a line of docs/results/soak.jsonl; docs/reliability.md shows the sums. So
several calls add up. Needs Python's standard library only.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import mmap
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zlib
from collections import Counter
from datetime import date
from io import BytesIO
from pathlib import Path

import harden

BEGIN, END = "<!-- ./run soak writes from here -->", "<!-- to here: soak -->"
SAMPLES, SHARDS, EVERY = 240, 4, 50  # EVERY: steps between checkpoints, as in tests/soak/training.cpp
CHECKPOINT = ["model.safetensors", "optimizer.safetensors", "ema.safetensors", "memory-0.safetensors", "memory-1.safetensors"]
LIMIT = 1024  # KB more in 1,000 steps, or in 10,000 requests


class Failed(Exception):
    """What the soak is there to find."""


def check(condition: bool, *words: object) -> None:
    if not condition:
        raise Failed(" ".join(map(str, words)))


@contextlib.contextmanager
def kept_if_failed(where: Path | None):
    """A temporary folder, which stays for whoever looks for the cause of a failure."""
    folder = Path(tempfile.mkdtemp(prefix="rc3-soak-", dir=where))
    try:
        yield folder
    except Failed as error:
        raise Failed(f"{error}\n(its files: {folder})") from None
    else:
        shutil.rmtree(folder)


# --- Data of the trainings -------------------------------------------------------------------------------------------


def png(draw: random.Random) -> bytes:
    """16 x 16 pixels of one colour with noise."""
    base = [draw.randrange(200) for _ in range(3)]
    rows = b"".join(b"\0" + bytes(base[i % 3] + draw.randrange(50) for i in range(48)) for _ in range(16))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", 16, 16, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def make_shards(folder: Path, seed: int) -> None:
    draw = random.Random(seed)
    folder.mkdir(parents=True)
    for shard in range(SHARDS):
        with tarfile.open(folder / f"{shard}.tar", "w") as tar:
            for key in range(shard, SAMPLES, SHARDS):
                word = "".join(draw.choice("abcdefghijklmnop") for _ in range(4))
                for ending, content in (("png", png(draw)), ("en.txt", word.encode()), ("de.txt", word[::-1].encode())):
                    member = tarfile.TarInfo(f"{key:04}.{ending}")
                    member.size = len(content)
                    tar.addfile(member, BytesIO(content))


def damage(folder: Path, seed: int, images: int) -> None:
    """Spoils @p images of the shards: half of them in their first bytes, half somewhere. Samples stay where they are."""
    draw = random.Random(seed)
    places = []
    for shard in sorted(folder.glob("*.tar")):
        with tarfile.open(shard) as tar:
            places += [(shard, member.offset_data, member.size) for member in tar if member.name.endswith(".png")]
    for k, (shard, offset, size) in enumerate(draw.sample(places, images)):
        with open(shard, "r+b") as file:
            file.seek(offset if k % 2 == 0 else offset + draw.randrange(60, size - 20))
            file.write(bytes(draw.randrange(256) for _ in range(8)))


# --- Training --------------------------------------------------------------------------------------------------------


class Signs:
    """What training and clock.cpp look at: step, whether the disk is full, seconds that the clock is wrong by."""

    def __init__(self, path: Path):
        self.path = path
        path.write_bytes(bytes(24))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 24)

    def get(self, i: int) -> int:
        return struct.unpack_from("<q", self.map, 8 * i)[0]

    def set(self, i: int, value: int) -> None:
        struct.pack_into("<q", self.map, 8 * i, value)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Training:
    """A training of two ranks on @p shards in folder/run."""

    def __init__(self, args: argparse.Namespace, folder: Path, shards: Path, steps: int, patience: int):
        folder.mkdir(parents=True)
        self.args, self.folder, self.shards, self.steps, self.patience = args, folder, shards, steps, patience
        self.signs = Signs(folder / "signs")
        self.starts = 0
        self.outputs: list[Path] = []
        self.said = Counter()

    def start(self, end: int) -> list[subprocess.Popen]:
        port = free_port()
        self.starts += 1
        self.signs.set(0, 0)
        ranks = []
        self.outputs = []
        for rank in range(2):
            environment = os.environ | {
                "RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1",
                "LD_PRELOAD": str(self.args.clock), "RC3_SIGNS": str(self.signs.path),
            }  # fmt: skip
            self.outputs.append(self.folder / f"said-{self.starts}-{rank}")
            words = [self.args.program, self.shards, self.folder / "run", self.signs.path, self.steps, end, self.patience]
            with open(self.outputs[-1], "wb") as out:
                ranks.append(subprocess.Popen([*map(str, words)], env=environment, stdout=out, stderr=subprocess.STDOUT))
        return ranks

    def output(self, rank: int) -> str:
        return self.outputs[rank].read_text("utf-8", "replace")

    def ended(self, ranks: list[subprocess.Popen], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(r.poll() is None for r in ranks):
            time.sleep(0.02)
        return all(r.poll() is not None for r in ranks)

    def check_end(self, ranks: list[subprocess.Popen], end: int) -> None:
        for i, rank in enumerate(ranks):
            check(rank.returncode == 0, f"rank {i} ended with {rank.returncode}:", self.output(i)[-2000:])
        found = re.search(r"^ended (\d+), (\d+) damaged samples, (\d+) steps without a finite gradient", self.output(0), re.M)
        check(found is not None and int(found[1]) == end, "rank 0 did not end at step", end, ":", self.output(0)[-2000:])

    def growth(self) -> list[float]:
        """KB in 1,000 steps of each rank of the last start, once memory had time to settle."""
        slopes = []
        for i in range(len(self.outputs)):
            points = [(int(step) / 1000, int(kb)) for step, kb in re.findall(r"^memory (\d+) (\d+)$", self.output(i), re.M)]
            slopes.append(slope(points, settled=3))  # a fit over the first steps shows how buffers fill, not a leak
        return [found for found in slopes if found is not None]

    def alone(self, end: int) -> None:
        ranks = self.start(end)
        try:
            for rank in ranks:
                rank.wait()
            self.check_end(ranks, end)
        finally:
            kill(ranks)

    def disturbed(self, end: int, faults: list[tuple[int, str]], draw: random.Random) -> None:
        """Trains to @p end; each fault comes when its step is reached, then the training is started again."""
        while True:
            ranks = self.start(end)
            try:
                if self.meets(ranks, faults, draw):
                    self.check_end(ranks, end)
                    return
            finally:
                self.signs.set(1, 0)
                kill(ranks)
                self.said["checkpoints not written"] += self.output(0).count("checkpoint not written")

    def meets(self, ranks: list[subprocess.Popen], faults: list[tuple[int, str]], draw: random.Random) -> bool:
        """@return whether all ranks ended by themselves"""
        space_at = None
        while any(r.poll() is None for r in ranks):
            time.sleep(0.005)
            step = self.signs.get(0)
            if space_at is not None and step >= space_at:
                self.signs.set(1, 0)
                space_at = None
            for i, rank in enumerate(ranks):
                check(rank.poll() in (None, 0), f"rank {i} ended with {rank.returncode}:", self.output(i)[-2000:])
            if not faults or step < faults[0][0]:
                continue
            fault = faults.pop(0)[1]
            self.said[fault] += 1
            if fault == "clock":
                self.signs.set(2, draw.choice([-1, 1]) * draw.randrange(60, 40 * 86400))
            elif fault == "disk":
                self.signs.set(1, 1)
                space_at = step + EVERY + EVERY // 2
            elif fault == "all":
                for rank in ranks:
                    rank.kill()
                return False
            else:
                lost = draw.randrange(len(ranks))
                ranks[lost].send_signal(signal.SIGKILL if fault == "one" else signal.SIGSTOP)
                others = [i for i in range(len(ranks)) if i != lost]
                # A call that waits, then the others that this rank had begun; and time to end on a machine with much to do.
                ended = self.ended([ranks[i] for i in others], 2 * self.patience + 60)
                check(ended, "a rank still waits for one that", "ended" if fault == "one" else "stopped", self.folder)
                for i in others:
                    output = self.output(i)
                    named = re.search(r"^error: train::C10d: rank \d+ of \d+: .*another rank ended, hangs or cannot be reached", output, re.M)
                    check(ranks[i].returncode == 1 and named, f"rank {i} ended with {ranks[i].returncode}, without the name of the call:", output[-2000:])
                self.said["ranks that named the call"] += len(others)
                return False
        return True


def kill(ranks: list[subprocess.Popen]) -> None:
    for rank in ranks:
        if rank.poll() is None:
            rank.kill()
        rank.wait()


def tensors(file: Path) -> dict[str, bytes]:
    content = file.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + size])
    return {
        f"{name} {entry['dtype']} {entry['shape']}": content[8 + size + entry["data_offsets"][0] : 8 + size + entry["data_offsets"][1]]
        for name, entry in header.items()
        if name != "__metadata__"
    }


def differing(one: Path, other: Path) -> int:
    """Tensors of two checkpoints that differ."""
    count = 0
    for name in CHECKPOINT:
        a, b = tensors(one / name), tensors(other / name)
        count += sum(a.get(key) != b.get(key) for key in a.keys() | b.keys())
    return count


def plan(steps: int, ends: list[int], count: int, draw: random.Random) -> list[tuple[int, str]]:
    """@p count faults at random steps, not close to the ends, where a full disk is an error as it should be. No other
    fault comes before the checkpoint after next of a full disk, which says that the next could not be written."""
    kinds = ["disk", "one", "all", "stop", "clock"]
    room = [step for step in range(1, steps) if all(not 0 <= end - step <= 3 * EVERY for end in ends)]
    planned = []
    for kind in sorted((kinds * (count // len(kinds) + 1))[:count], key=kinds.index):
        step = draw.choice(room)
        planned.append((step, kind))
        if kind == "disk":
            room = [other for other in room if abs(other - step) > 2 * EVERY]
    return sorted(planned)


def round_of_training(args: argparse.Namespace, seed: int, steps: int, faults: int) -> dict:
    begin = time.monotonic()
    draw = random.Random(seed)
    ends = [steps // 3, 2 * steps // 3, steps]
    with kept_if_failed(args.work) as work:
        both = {}
        planned = plan(steps, ends, faults, draw)
        kinds = Counter(kind for _, kind in planned)
        growth = []
        for which in ("alone", "disturbed"):
            shards = work / which / "data"
            make_shards(shards, seed)
            training = both[which] = Training(args, work / which / "all", shards, steps, args.patience)
            for k, end in enumerate(ends):
                if k > 0:
                    damage(shards, seed + 1000 * k, SAMPLES // 40)
                if which == "alone":
                    training.alone(end)
                    growth += training.growth()
                else:
                    mine = [fault for fault in planned if (ends[k - 1] if k > 0 else 0) <= fault[0] < end]
                    training.disturbed(end, mine, draw)
        last = [both[which].folder / "run" / f"step-{steps}" for which in both]
        alone = re.search(r"(\d+) damaged samples, (\d+) steps without", both["alone"].output(0))
        said = both["disturbed"].said
        return {
            "kind": "training", "seed": seed, "steps": steps, "ranks": 2, "seconds": round(time.monotonic() - begin),
            "differing": differing(*last), "tensors": sum(len(tensors(last[0] / file)) for file in CHECKPOINT),
            "faults": dict(kinds), "starts": both["disturbed"].starts, "damaged_images": 2 * (SAMPLES // 40),
            "damaged_samples_read": int(alone[1]) if alone else 0, "bad_steps": int(alone[2]) if alone else 0,
            "unwritten": said["checkpoints not written"], "named": said["ranks that named the call"],
            "growth": round(max(growth)) if growth else None,
        }  # fmt: skip


def soak_training(args: argparse.Namespace) -> None:
    steps, faults = (900, 5) if args.quick else (args.steps, args.faults)
    begin = time.monotonic()
    seed = 1 + sum(line["kind"] == "training" for line in lines(args.record))
    while True:
        result = round_of_training(args, seed, steps, faults)
        print(f"seed {seed}: {json.dumps(result)}", flush=True)
        if not args.quick:
            record(args, result, [args.program])
        check(result["differing"] == 0, result["differing"], "tensors differ from those of the training left alone; seed", seed)
        check(result["growth"] is None or result["growth"] < LIMIT, "memory grows by", result["growth"], "KB in 1,000 steps; seed", seed)
        expected = result["faults"]["one"] + result["faults"]["stop"]
        check(result["named"] == expected, "of", expected, "ranks that waited", result["named"], "named the call")
        met = result["unwritten"] > 0 and result["bad_steps"] > 0 and result["damaged_samples_read"] > 0
        check(met, "a fault was not met:", result)
        seed += 1
        if args.quick or time.monotonic() - begin > 60 * args.minutes:
            return


# --- Server ----------------------------------------------------------------------------------------------------------

COLOURS = ["red", "green", "blue", "yellow", "violet", "orange", "grey", "black"]
WORDS = {colour: colour for colour in COLOURS[:6]} | {  # grey and black have the same direction
    "rot": "red", "赤": "red", "أحمر": "red", "grün": "green", "bleu": "blue", "синий": "blue", "gelb": "yellow",
}  # fmt: skip


class Load:
    """Clients of one server. Each thread asks until `stop`; the first wrong answer is kept."""

    def __init__(self, process: int, port: int, folder: Path, rate: float):
        self.process, self.port, self.folder, self.rate = process, port, folder, rate
        self.photos = {colour: [file.read_bytes() for file in sorted((folder / "photos" / colour).glob("*.png"))] for colour in COLOURS}
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.counts: Counter = Counter()
        self.seconds: list[float] = []
        self.wrong: str | None = None

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] += 1

    def ask(self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None, headers: dict | None = None):
        begin = time.monotonic()
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        took = time.monotonic() - begin
        with self.lock:
            self.counts["requests"] += 1
            if len(self.seconds) < 100_000:
                self.seconds.append(took)
            else:
                self.seconds[random.randrange(100_000)] = took
        if answer.status == 503:
            self.count("refused, with Retry-After")
            check(answer.getheader("Retry-After") is not None, "503 without Retry-After")
        return answer.status, content

    def found(self, status: int, content: bytes, colour: str) -> list[dict]:
        if status == 503:
            return []
        check(status == 200, "a search gives status", status, content[:300])
        answer = json.loads(content)
        check(answer["images"] in (len(COLOURS) * 8, len(COLOURS) * 8 - 1), "the index has", answer["images"], "images")
        check(answer["results"][0]["name"].startswith(colour + "/"), colour, "finds", answer["results"][0])
        return answer["results"]

    def one(self, connection: http.client.HTTPConnection, draw: random.Random) -> None:
        from urllib.parse import quote

        word, colour = draw.choice(list(WORDS.items()))
        what = draw.randrange(20)
        if what < 9:
            rerank = draw.choice(["", "&rerank=3"]) if what < 3 else ""
            status, content = self.ask(connection, "GET", f"/api/search?q={quote(word)}&top={draw.randrange(1, 60)}{rerank}")
            if rerank and status == 200:  # the order among the first three is that of the match
                check(all(r["name"].startswith(colour + "/") for r in json.loads(content)["results"][:1]), word, "finds", content[:300])
            else:
                results = self.found(status, content, colour)
                if results and what == 8:
                    place = draw.choice(["image", "thumbnail"])
                    status, content = self.ask(connection, "GET", f"/api/{place}/{draw.choice(results)['id']}")
                    check(status in (200, 404, 503), place, "gives status", status)
                    self.count(f"{place}s")
        elif what < 13:
            status, content = self.ask(connection, "POST", "/api/search?top=5", draw.choice(self.photos[colour]), {"Content-Type": "image/png"})
            self.found(status, content, colour)
            self.count("images sent")
        elif what < 15:
            status, _ = self.ask(connection, "GET", "/healthz")
            check(status == 200, "/healthz gives status", status)
        elif what < 18:
            path, wanted, headers = draw.choice([
                ("/api/search", 400, {}), ("/api/search?q=%20", 400, {}), ("/api/search?q=red&top=0", 400, {}), ("/api/search?q=a%FFb", 400, {}),
                ("/api/image/../../etc/passwd", 404, {}), ("/nothing", 404, {}), ("/api/search?q=red", 403, {"Host": "evil.example"}),
            ])  # fmt: skip
            status, _ = self.ask(connection, "GET", path, None, headers)
            check(status in (wanted, 503), path, headers, "gives status", status)
            self.count("wrong requests")
        elif what == 18:
            photo = bytearray(draw.choice(self.photos[colour]))
            for _ in range(5):
                photo[draw.randrange(len(photo))] ^= 1 << draw.randrange(8)
            status, _ = self.ask(connection, "POST", "/api/search", bytes(photo[: draw.randrange(1, len(photo))]), {"Content-Type": "image/png"})
            check(status in (200, 400, 503), "a damaged image gives status", status)
            self.count("damaged images")
        else:
            with socket.create_connection(("127.0.0.1", self.port), 10) as half:
                half.sendall(draw.choice([b"GET /api/se", b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc", b"\0\1\2\xff\r\n\r\n", b""]))
            self.count("requests that stop half way")

    def client(self, seed: int) -> None:
        draw = random.Random(seed)
        try:
            while not self.stop.is_set():
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                try:
                    for _ in range(draw.randrange(1, 40)):
                        if self.stop.is_set():
                            break
                        begin = time.monotonic()
                        self.one(connection, draw)
                        if self.rate:
                            time.sleep(max(0.0, 1 / self.rate - (time.monotonic() - begin)))
                except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                    self.count("connections closed by the server")  # a connection kept alive may end
                finally:
                    connection.close()
        except Exception as error:  # noqa: BLE001: whatever it is, the soak has found it
            with self.lock:
                self.wrong = self.wrong or f"{type(error).__name__}: {error}"
            self.stop.set()

    def make_indexes(self, seed: int) -> None:
        """The index again and again: whole, with one photograph less, of another model, garbage, removed."""
        draw = random.Random(seed)
        index = self.folder / "photos.index"
        good = {len(COLOURS) * 8: index.read_bytes(), len(COLOURS) * 8 - 1: (self.folder / "fewer.index").read_bytes()}
        bad = [(self.folder / "other.index").read_bytes(), b"no index", good[len(COLOURS) * 8][:-7], b""]
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

        def put(content: bytes) -> None:
            fresh = index.with_suffix(".new")
            fresh.write_bytes(content)
            fresh.replace(index)

        def until(holds, what: str) -> None:
            begin, used = time.monotonic(), cpu_of(self.process)
            while not self.stop.is_set():
                status, content = self.ask(connection, "GET", "/healthz")
                if status == 200 and holds(json.loads(content)):
                    return
                late = time.monotonic() - begin > 60 and cpu_of(self.process) - used > 5  # it had a processor
                check(not late, "after 60 s", what, content[:300])
                time.sleep(0.05)

        try:
            before = None
            while not self.stop.is_set():
                images = draw.choice(list(good))
                put(good[images])
                until(lambda health: health["images"] == images and "problem" not in health, "a whole index is not taken:")
                self.counts["whole indexes taken"] += images != before
                before = images
                if draw.random() < 0.5:
                    put(draw.choice(bad))
                    until(lambda health: "problem" in health and health["images"] == images, "a wrong index is not named:")
                    self.counts["wrong indexes refused"] += 1
                elif draw.random() < 0.3:
                    index.unlink()
                    self.counts["indexes removed"] += 1
                time.sleep(draw.random() * 0.5)
        except Exception as error:  # noqa: BLE001
            with self.lock:
                self.wrong = self.wrong or f"indexes: {type(error).__name__}: {error}"
            self.stop.set()


def cpu_of(pid: int) -> float:
    """Seconds of a processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


def slope(points: list[tuple[float, float]], settled: int = 0) -> float | None:
    """Of a line through the points after the first quarter, and after @p settled of them at least."""
    points = points[max(settled, len(points) // 4) :]
    if len(points) < 3:
        return None
    mean = [sum(p[k] for p in points) / len(points) for k in (0, 1)]
    over = sum((p[0] - mean[0]) ** 2 for p in points)
    return sum((p[0] - mean[0]) * (p[1] - mean[1]) for p in points) / over if over else None


def soak_server(args: argparse.Namespace) -> None:
    seconds = 8 if args.quick else 60 * args.minutes
    with kept_if_failed(args.work) as folder:
        server = subprocess.Popen([str(args.program), str(folder), "0", "50"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            url = server.stdout.readline().strip()
            check(url.startswith("http://127.0.0.1:"), "the server says", url)
            load = Load(server.pid, int(url.rstrip("/").rsplit(":", 1)[1]), folder, 0 if args.quick else args.rate / 4)
            threads = [threading.Thread(target=load.client, args=(seed,)) for seed in range(4)]
            threads.append(threading.Thread(target=load.make_indexes, args=(99,)))
            begin = time.monotonic()
            for thread in threads:
                thread.start()
            points = []
            signal.signal(signal.SIGTERM, lambda *_: load.stop.set())
            while time.monotonic() - begin < seconds and not load.stop.wait(0.25 if args.quick else 5):
                points.append((load.counts["requests"], resident(server.pid)))
                check(server.poll() is None, "the server ended with", server.returncode)
            load.stop.set()
            for thread in threads:
                thread.join(90)
            took = time.monotonic() - begin
            check(load.wrong is None, load.wrong)
            check(not any(thread.is_alive() for thread in threads), "a client still waits for an answer")
            time.sleep(6 if not args.quick else 1)  # the server's patience with requests that stopped half way
            files = len(os.listdir(f"/proc/{server.pid}/fd"))
            server.stdin.close()
            check(server.wait(60) == 0, "the server ended with", server.returncode)
        finally:
            load_stop = locals().get("load")
            if load_stop is not None:
                load_stop.stop.set()
            if server.poll() is None:
                server.kill()
    in_order = sorted(load.seconds)
    # In the first requests thumbnails fill their cache: what a short call shows is no growth.
    growth = slope([(requests / 10_000, kb) for requests, kb in points]) if load.counts["requests"] >= 20_000 else None
    result = {
        "kind": "server", "seconds": round(took), "counts": dict(sorted(load.counts.items())), "growth": None if growth is None else round(growth),
        "median_ms": round(1000 * in_order[len(in_order) // 2], 2), "p99_ms": round(1000 * in_order[len(in_order) * 99 // 100], 2),
        "resident_kb": [points[len(points) // 4][1], points[-1][1]], "files_open": files,
    }  # fmt: skip
    print(json.dumps(result, ensure_ascii=False), flush=True)
    if not args.quick:
        record(args, result, [args.program])
        check(growth is None or growth < LIMIT, "memory grows by", growth, "KB in 10,000 requests")
    check(files < 64, "the server has", files, "files open after its clients ended")
    for what in ("whole indexes taken", "wrong indexes refused", "images sent", "wrong requests"):
        check(load.counts[what] > 0, "no", what)


# --- Record ----------------------------------------------------------------------------------------------------------


def lines(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def record(args: argparse.Namespace, result: dict, files: list[Path]) -> None:
    where = {"day": date.today().isoformat(), "commit": harden.commit(set()), "machine": harden.machine()}
    args.record.parent.mkdir(parents=True, exist_ok=True)
    with open(args.record, "a", encoding="utf-8") as out:
        out.write(json.dumps(where | result, ensure_ascii=False) + "\n")
    write_page(args.page, lines(args.record))


def days(some: list[dict]) -> str:
    return " to ".join(sorted({min(line["day"] for line in some), max(line["day"] for line in some)}))


def table(all_: list[dict]) -> list[str]:
    out = ["| soak | what | figure |", "|---|---|---|"]

    def row(what: str, figure: str) -> None:
        out.append(f"| {kind} | {what} | {figure} |")

    for kind in ("training", "server"):
        some = [line for line in all_ if line["kind"] == kind]
        if not some:
            out.append(f"| {kind} | not run yet | |")
            continue
        row("when", f"{days(some)}, {sum(line['seconds'] for line in some) / 60:.0f} minutes in {len(some)} {'rounds' if kind == 'training' else 'calls'}")
        growth = [line["growth"] for line in some if line["growth"] is not None]
        if kind == "training":
            faults = sum((Counter(line["faults"]) for line in some), Counter())
            row("steps, undisturbed and disturbed", f"{sum(line['steps'] for line in some):,} each, on {some[0]['ranks']} ranks")
            row("kills of one rank, of all", f"{faults['one']}, {faults['all']}")
            row("ranks stopped; waiting ranks that named the call", f"{faults['stop']}; {sum(line['named'] for line in some)} (after a kill or a stop)")
            row("full disks; checkpoints not written", f"{faults['disk']}; {sum(line['unwritten'] for line in some)}")
            row("jumps of the clock", f"{faults['clock']}")
            row("damaged images; steps without a finite gradient (last third)", f"{sum(line['damaged_images'] for line in some)}; {sum(line['bad_steps'] for line in some)}")
            row("tensors that differ from the undisturbed training (<= 0)", f"{sum(line['differing'] for line in some)} of {sum(line['tensors'] for line in some)}")
            row("KB more in 1,000 steps, undisturbed, worst rank and round (<= 1024)", str(max(growth)) if growth else "")
        else:
            counts = sum((Counter(line["counts"]) for line in some), Counter())
            row("requests; wrong answers", f"{counts['requests']:,}; 0")
            row("median, 99th percentile (worst call)", f"{max(line['median_ms'] for line in some)}, {max(line['p99_ms'] for line in some)} ms")
            for what in ("images sent", "damaged images", "wrong requests", "requests that stop half way", "whole indexes taken", "wrong indexes refused", "indexes removed"):
                row(what, f"{counts[what]:,}")
            row("KB more in 10,000 requests (<= 1024)", str(max(growth)) if growth else "")
    machines = sorted({line["machine"] for line in all_})
    return out + [""] + [f"Machine: {name}." for name in machines] + ["Each round and call: [soak.jsonl](results/soak.jsonl)."]


def write_page(page: Path, all_: list[dict]) -> None:
    text = page.read_text("utf-8")
    page.write_text("\n".join([text.split(BEGIN)[0] + BEGIN, *table(all_), END + text.split(END)[1]]), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["training", "server"])
    parser.add_argument("minutes", type=float, nargs="?", default=120)
    parser.add_argument("--program", type=Path, required=True, help="soak_training or serve_colours")
    parser.add_argument("--clock", type=Path, help="libsoak_clock.so")
    parser.add_argument("--quick", action="store_true", help="seconds, for ctest; nothing is recorded")
    parser.add_argument("--steps", type=int, default=15_000, help="of a round")
    parser.add_argument("--faults", type=int, default=25, help="of a round")
    parser.add_argument("--patience", type=int, default=20, help="seconds that a rank waits for another")
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--work", type=Path, help="where temporary folders are made")
    parser.add_argument("--record", type=Path, default=harden.ROOT / "docs/results/soak.jsonl")
    parser.add_argument("--page", type=Path, default=harden.ROOT / "docs/reliability.md")
    args = parser.parse_args()
    try:
        {"training": soak_training, "server": soak_server}[args.what](args)
    except Failed as error:
        sys.exit(f"soak {args.what}: {error}")


if __name__ == "__main__":
    main()
