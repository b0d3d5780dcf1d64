#!/usr/bin/env python3
"""Runs every shell block (```sh) of the documentation from the page's own text. Fails with page and line.

The blocks of a page run in order in a scratch folder. preambles/shell.sh fills it: photographs, model directories, data sets,
and links to the files of the checkout. `rc3` is that of the build tree. `rc3 serve` runs in the background on a free port,
which replaces 8080 in the addresses of `curl`. `rc3 search`, `rc3 embed` and `curl` must print a result, as a line of JSON.

A block that no test can run (it installs packages, or takes hours) says why by an HTML comment just above its fence:

    <!-- sh: not run: REASON -->

The test counts and lists these. Of all blocks, and of code in running text that begins with a program's name:

- `bash -n` takes the block;
- commands and long options of `rc3`, `./run` and the programs of the examples are in their help;
- presets and -DRC3_... of `cmake` are in the project's CMake files;
- options of a Python script beside the page are in the script.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from pages import Block, blocks, judge, pages, prose

HERE = Path(__file__).resolve().parent
MARKER = re.compile(r"sh: not run: (.+)")
ALONE = {"--help", "--version"}  # options of every program
PASSED = {"demo": "demo", "tasks": "scenes-tasks", "study": "study"}  # ./run COMMAND gives its options to a program
COMMENT = re.compile(r"(^|\s)#.*", re.M)
CHANGES_MACHINE = re.compile(r"\b(sudo|apt|apt-get|pip|conan|vcpkg)\b|\./run\b")
PRINTS_JSON = re.compile(r"\brc3 (search|embed)\b|\bcurl\b")

RC3 = """#!/bin/sh
if [ "$1" != serve ]; then exec "$RC3_REAL" "$@"; fi
if [ -e "$RC3_STATE/pid" ]; then kill "$(cat "$RC3_STATE/pid")"; fi
shift
: > "$RC3_STATE/said" # here, not by the shell in the background: else the loop may read the last server's address
"$RC3_REAL" serve "$@" --port 0 > /dev/null 2> "$RC3_STATE/said" &
echo $! > "$RC3_STATE/pid"
tries=0
until grep -q ' at http://[0-9.:]*/' "$RC3_STATE/said"; do # the whole address: it may come in parts
  tries=$((tries + 1))
  if [ "$tries" -gt 300 ] || ! kill -0 $! 2> /dev/null; then rm "$RC3_STATE/pid"; cat "$RC3_STATE/said" >&2; exit 1; fi
  sleep 0.1
done
"""
CURL = """#!/usr/bin/env bash
address=$(sed -n 's|.* at http://\\([0-9.:]*\\)/.*|\\1|p' "$RC3_STATE/said") || exit 1
exec "$CURL_REAL" --fail-with-body --silent --show-error -w '\\n' "${@//127.0.0.1:8080/$address}"
"""


def options(help_text: str) -> set[str]:
    return {o for line in help_text.splitlines() for o in re.findall(r"--[\w.-]*\w", re.split(r"\s{2,}\S*[^-\s,]", line.strip() + " ")[0])}


class Programs:
    """What the programs say of themselves. Each is asked once."""

    def __init__(self, root: Path, programs: dict[str, Path]):
        self.root, self.programs = root, programs
        self.cache: dict[tuple[str, ...], str] = {}

    def said(self, *command: str) -> str:
        if command not in self.cache:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, stdin=subprocess.DEVNULL)
            self.cache[command] = done.stdout if done.returncode == 0 else ""
        return self.cache[command]

    def wrong(self, name: str, words: list[str]) -> list[str]:
        """What is wrong with a call of one of our programs. @param words  what stands after its name"""
        if name == "./run":
            return self.wrong_run(words)
        program = str(self.programs[name])
        command, known = name, self.said(program, "--help")
        if name == "rc3" and words and re.fullmatch(r"[a-z]+", words[0]):
            command = f"rc3 {words[0]}"
            if not re.search(rf"^  {words[0]} ", known, re.M):
                return [f"there is no command {command}"]
            known = self.said(program, words[0], "--help")
        return self.unknown(command, words, options(known))

    def wrong_run(self, words: list[str]) -> list[str]:
        known = self.said("bash", str(self.root / "run"), "help")
        lines = [line for line in known.splitlines() if words and line.startswith(f"./run {words[0]} ")]
        if not lines:
            return [f"./run help has no ./run {' '.join(words[:1])}"]
        allowed = {o for line in lines for o in re.findall(r"--[a-z]+", line)}
        passed = PASSED.get(words[0], "")
        if passed in self.programs:
            allowed |= options(self.said(str(self.programs[passed]), "--help"))
        elif passed:
            return []
        return self.unknown(f"./run {words[0]}", words, allowed)

    def unknown(self, command: str, words: list[str], known: set[str]) -> list[str]:
        used = {w.split("=")[0] for w in words if re.match(r"--[a-z]", w)}
        return [f"{command} has no option {o}" for o in sorted(used - known - ALONE)]


def commands(text: str) -> list[list[str]]:
    """Simple commands of a script, as words; variables that it sets to more than a word are replaced."""
    text = COMMENT.sub(" ", text).replace("\\\n", " ")
    for name, value in re.findall(r'^(\w+)="([^"]* [^"]*)"$', text, re.M):
        text = text.replace(f"${name} ", value + " ")
    found = []
    for line in text.split("\n"):
        lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
        lexer.whitespace_split, lexer.commenters = True, ""
        found.append([])
        for word in lexer:
            if set(word) <= set("();|&"):
                found.append([])
            else:
                found[-1].append(word)
    return [c for c in found if c]


def wrong_calls(text: str, page: Path, programs: Programs) -> list[str]:
    found = []
    for words in commands(text):
        for i, word in enumerate(words):
            name = "./run" if word == "./run" else word.rsplit("/", 1)[-1]
            if (name == "./run" or name in programs.programs) and (i == 0 or not re.match(r"-[^=]*$", words[i - 1])):
                found += programs.wrong(name, words[i + 1 :])
                break
            script = page.parent / word
            if word.endswith(".py") and i and words[i - 1].startswith("python"):
                source = script.read_text("utf-8") if script.exists() else ""
                found += [f"{word} has no option {w}" for w in words[i:] if w.startswith("--") and f'"{w}"' not in source]
            if word == "cmake":
                found += wrong_cmake(words[i + 1 :], programs.root)
    return found


def wrong_cmake(words: list[str], root: Path) -> list[str]:
    files = [root / "CMakeLists.txt", *(root / "cmake").glob("*.cmake*")]
    text = "\n".join(f.read_text("utf-8") for f in files if f.exists())
    found = [f"CMake files have no {m[1]}" for w in words if (m := re.match(r"-D(RC3_\w+)", w)) and m[1] not in text]
    if "--preset" in words:
        presets = json.loads((root / "CMakePresets.json").read_text("utf-8"))
        kind = "workflowPresets" if "--workflow" in words else "buildPresets" if "--build" in words else "configurePresets"
        name = words[words.index("--preset") + 1]
        if name not in {p["name"] for p in presets.get(kind, [])}:
            found.append(f"CMakePresets.json has no {kind} {name}")
    return found


def wrong_prose(page: Path, root: Path, programs: Programs) -> list[str]:
    """Calls in the code of running text, which may break over two lines."""
    text, found = "\n".join(prose(page)), []
    names = "|".join(re.escape(n) for n in ["./run", *programs.programs])
    for match in re.finditer(rf"`((?:{names})\s[^`]+)`", text):
        line = text.count("\n", 0, match.start()) + 1
        try:
            wrong = wrong_calls(re.sub(r"\s+", " ", match[1]).replace("\\|", "/"), page, programs)
        except ValueError as error:
            wrong = [str(error)]
        found += [f"{page.relative_to(root)}:{line}: {w}" for w in wrong]
    return found


class Scratch:
    """A folder with what the blocks need, a copy for each page."""

    def __init__(self, root: Path, folder: Path, programs: dict[str, Path], try_model: str, cache: Path, preamble: Path):
        self.folder = folder
        bin_, state = folder / "bin", folder / "state"
        bin_.mkdir()
        state.mkdir()
        for name, text in (("rc3", RC3), ("curl", CURL)):
            (bin_ / name).write_text(text)
            (bin_ / name).chmod(0o755)
        self.environment = {
            **os.environ, "PATH": f"{bin_}:{os.environ['PATH']}", "RC3_REAL": str(programs["rc3"]), "RC3_STATE": str(state),
            "CURL_REAL": shutil.which("curl") or "", "RC3_SOURCE": str(root), "RC3_TRY_MODEL": try_model, "RC3_CACHE": str(cache),
            "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8",
        }  # fmt: skip
        (folder / "made").mkdir()
        subprocess.run(["bash", "-euo", "pipefail", str(preamble)], cwd=folder / "made", env=self.environment, check=True)

    def page(self, number: int) -> Path:
        return Path(shutil.copytree(self.folder / "made", self.folder / f"page{number}", symlinks=True, ignore=shutil.ignore_patterns(".model")))

    def stop(self) -> None:
        file = self.folder / "state/pid"
        if file.exists():
            try:
                os.kill(int(file.read_text()), signal.SIGTERM)
            except ProcessLookupError:
                pass
            file.unlink()

    def run(self, block: Block, folder: Path, where: str) -> str:
        """What is wrong; empty: nothing."""
        script = "trap 'echo \"line $LINENO: status $?\" >&2' ERR" + "\n" * (block.line - 1) + block.text
        try:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", script, where.rsplit(":", 1)[0]], cwd=folder, env=self.environment, timeout=120,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"{where}: runs longer than two minutes"
        if done.returncode:
            return f"{where}: exit status {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}"
        if PRINTS_JSON.search(block.text):
            try:
                read = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
            except ValueError as error:
                return f"{where}: prints no JSON: {error}:\n{done.stdout[:1000]}"
            if not any("score" in r or "vector" in r or r.get("results") for r in read):
                return f"{where}: finds nothing:\n{done.stdout[:1000]}"
        return ""


def check(root: Path, programs: dict[str, Path], try_model: str, cache: Path, preamble: Path) -> list[str]:
    """What is wrong, a message each."""
    problems, left, ran = [], [], 0
    known = Programs(root, programs)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Scratch(root, Path(folder), programs, try_model, cache, preamble)
        for number, page in enumerate(pages(root)):
            place = None
            for block in blocks(page):
                if block.language in ("bash", "shell", "console", "zsh") or (not block.language and re.match(r"\./run |rc3 [a-z]|cmake ", block.text)):
                    problems.append(f"{block.where(root)}: the language of a shell block is sh")
                if block.language != "sh":
                    continue
                where = block.where(root)
                syntax = subprocess.run(["bash", "-n", "-c", "\n" * (block.line - 1) + block.text, where], stderr=subprocess.PIPE, text=True)
                if syntax.returncode:
                    problems.append(f"{where}: {syntax.stderr}")
                    continue
                problems += [f"{where}: {w}" for w in wrong_calls(block.text, page, known)]
                marker = MARKER.fullmatch(block.marker)
                if marker:
                    left.append(f"{where}: {marker[1]}")
                elif block.marker:
                    problems.append(f"{where}: no valid marker: <!-- {block.marker} -->; see tests/docs/check_shell.py")
                elif CHANGES_MACHINE.search(COMMENT.sub(" ", block.text)):
                    problems.append(f"{where}: changes the machine: <!-- sh: not run: REASON -->")
                elif "weights/" in block.text and not (cache / "weights").is_dir():
                    left.append(f"{where}: there are no weights: ./run setup")
                elif re.search(r"\brc3 serve\b|\bcurl\b", block.text) and "cpp-httplib" not in known.said(str(programs["rc3"]), "--version"):
                    left.append(f"{where}: this rc3 was built without cpp-httplib")
                elif "curl " in block.text and not scratch.environment["CURL_REAL"]:
                    left.append(f"{where}: there is no curl")
                else:
                    place = place or scratch.page(number)
                    ran += 1
                    wrong = scratch.run(block, place, where)
                    problems += [wrong] if wrong else []
                    print(f"{where}: {'fails' if wrong else 'ran'}", flush=True)
            scratch.stop()
            problems += wrong_prose(page, root, known)
    if not ran:
        problems.append(f"{root}: no shell block ran")
    print(f"{ran} blocks ran, {len(left)} did not:")
    print("\n".join(left))
    return problems


FAKE = """#!/bin/sh
case "$1" in
  --version) echo 'rc3 1, cpp-httplib';;
  --help) echo 'Subcommands:'; echo '  search   Search.'; echo '  serve   Serve.';;
  search)
    case "$2" in
      --help) echo '  --top INT:POSITIVE=10  images instead of --all'; echo '  -x,--extra   more';;
      none) ;;
      text) echo '{found}';;
      *) echo '{"score": 1}';;
    esac;;
  serve) echo '1 photographs at http://127.0.0.1:1/; Ctrl-C ends it' >&2; sleep 5;;
esac
"""


def self_test() -> list[str]:
    """Each kind of flaw must be refused, and each kind of right block be taken."""

    def sh(text: str, marker: str = "") -> str:
        return f"{marker}\n```sh\n{text}\n```\n"

    fine, left = sh("rc3 search x --top 3"), "<!-- sh: not run: no network -->"
    wrong = {
        "a status": (sh("true\nfalse"), r"page\.md:3: exit status 1:\nline 4"),
        "a status inside a pipe": (sh("false | true"), "exit status 1"),
        "a missing file": (sh("cat none"), "none"),
        "syntax, though not run": (fine + sh("if", left), "syntax error"),
        "an unknown command": (sh("rc3 find x", left), "no command rc3 find"),
        "an unknown option": (fine + sh("rc3 search x --tip 3", left), "rc3 search has no option --tip"),
        "an option that only a description has": (fine + sh("rc3 search x --all", left), "no option --all"),
        "an unknown option after a launcher": (fine + sh("X=1 srun --nodes=2 rc3 search --tip=3", left), "no option --tip"),
        "an unknown option by a variable": (fine + sh('s="rc3 search"\n$s --tip 3', left), "no option --tip"),
        "an unknown option in running text": (fine + "Call `rc3\nsearch --tip 3`.\n", r"page\.md:5: rc3 search has no option --tip"),
        "an unknown command of ./run": (fine + sh("./run fly", left), "no ./run fly"),
        "an unknown option of ./run": (fine + "`./run try --fast`\n", "./run try has no option --fast"),
        "an unknown preset": (fine + sh("cmake --workflow --preset two", left), "no workflowPresets two"),
        "an unknown variable": (fine + sh("cmake -DRC3_NONE=1", left), "no RC3_NONE"),
        "an unknown option of a script": (fine + sh("python do.py --to x", left), "do.py has no option --to"),
        "a marker without a reason": (fine + sh("true", "<!-- sh: not run -->"), "no valid marker"),
        "a block that changes the machine": (fine + sh("false && sudo reboot"), r"page\.md:7: changes the machine"),
        "another language": (fine + "```bash\ntrue\n```\n", "is sh"),
        "no language": (fine + "```\n./run try\n```\n", "is sh"),
        "no result": (sh("rc3 search none"), "finds nothing"),
        "no JSON": (sh("rc3 search text"), "prints no JSON"),
        "no block": ("text\n", "no shell block ran"),
        "nothing that runs": (sh("true", left), "no shell block ran"),
    }
    right = {
        "a block": fine,
        "a server": sh("rc3 serve x") + sh("rc3 serve y"),
        "in order": sh("echo a > file") + sh("grep a file"),
        "the preamble's file": sh("grep made file-made"),
        "not run": fine + sh("false", left),
        "calls": fine + sh("./run try --slow -x  # not --fast\ncmake --workflow --preset one -DRC3_ONE=1\npython do.py --from x", left),
        "running text": fine + "Use `rc3 search INDEX --top 3`, `rc3 search`.\n",
        "other blocks": fine + "```json\n{}\n```\n```\nsome text\n```\n",
    }  # fmt: skip
    problems = []
    for name, (text, expected) in [*wrong.items(), *((n, (t, "")) for n, t in right.items())]:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "page.md").write_text(text, "utf-8")
            (root / "fake").write_text(FAKE)
            (root / "fake").chmod(0o755)
            (root / "run").write_text("echo './run try [--slow]   tries'\n")
            (root / "do.py").write_text('add("--from")\n')
            (root / "CMakeLists.txt").write_text("option(RC3_ONE)\n")
            (root / "CMakePresets.json").write_text('{"workflowPresets": [{"name": "one"}]}')
            (root / "shell.sh").write_text("echo made > file-made\n")
            sys.stdout = open(os.devnull, "w")
            found = check(root, {"rc3": root / "fake"}, "", root, root / "shell.sh")
            sys.stdout = sys.__stdout__
        problems += judge(name, expected, found)
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, help="folder of the pages")
    parser.add_argument("--programs", nargs="+", default=[], help="NAME=FILE, rc3 among them")
    parser.add_argument("--try-model", help="program that writes a small model and photographs")
    parser.add_argument("--cache", type=Path, help="folder with weights/")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        problems = self_test()
    else:
        programs = {name: Path(file) for name, file in (p.split("=", 1) for p in args.programs)}
        problems = check(args.root.resolve(), programs, args.try_model, args.cache, HERE / "preambles/shell.sh")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
