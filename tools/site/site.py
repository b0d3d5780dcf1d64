#!/usr/bin/env python3
"""Builds the site: pages and the reference of public headers as HTML, by Doxygen. Warnings and dead links are errors.

The pages are read as they are in the repository. Doxygen's Markdown differs from that of code hosts in links to other
pages, anchors of headings and a few characters, so that a copy is written for it. The menu is made of the headings and
links of docs/README.md; a page that it does not name is an error. Python's standard library is enough.
"""

from __future__ import annotations

import argparse
import html
import re
import shutil
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

HERE = Path(__file__).resolve().parent
INDEX = "docs/README.md"
SHOWN = {".svg", ".png", ".json", ".jsonl"}  # browsers show these as they are; other files get .txt


def slug(heading: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.lower())
    return re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-")


def page_id(path: str) -> str:
    """README.md: index; docs/README.md: docs; docs/guides/search.md: guides_search."""
    if path == "README.md":
        return "index"
    name = path[:-3].removeprefix("docs/").removesuffix("/README")
    return "docs" if path == INDEX else re.sub(r"\W", "_", name).lower()


def staged_name(name: str) -> str:
    """Doxygen takes every README.md for the main page."""
    return name if name == "README.md" else name.replace("README.md", "overview.md")


def pages(root: Path) -> list[str]:
    found = [p for pattern in ("*.md", "docs/**/*.md", "packaging/*.md") for p in root.glob(pattern)]
    return sorted(p.relative_to(root).as_posix() for p in found)


class Staged:
    """The copies that Doxygen reads, and the files that they link to."""

    def __init__(self, root: Path, folder: Path):
        self.root, self.folder = root, folder
        self.names = pages(root)
        self.files: set[Path] = set()
        for name in self.names:
            out = folder / staged_name(name)
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(self.page(name), "utf-8")

    def target(self, name: str, link: str) -> str:
        """What a link of this page is on the site."""
        if re.match(r"[a-z]+:", link):
            return link
        path, _, anchor = link.partition("#")
        file = ((self.root / name).parent / path).resolve() if path else self.root / name
        if not file.is_relative_to(self.root) or not file.exists():
            return link  # the check of dead links names it
        other = file.relative_to(self.root).as_posix()
        if other in self.names:
            return f"@ref {page_id(other)}-{anchor}" if anchor else f"@ref {page_id(other)}"
        self.files.add(file)
        return site_file(other, file)

    def text(self, name: str, line: str) -> str:
        """A line outside fences: links, and the characters that Doxygen reads as commands; code in backticks stays."""
        line = re.sub(r"\[`([^`\]]+)`\]\(", r"[\1](", line)  # Doxygen shows the backticks in links
        line = re.sub(r"\*\*(`[^`]+`)\*\*", r"<b>\1</b>", line)  # and the stars around code
        parts = re.split(r"(`+[^`]+`+|\]\([^)\s]+\))", line)
        for i, part in enumerate(parts):
            if i % 2 == 0:
                parts[i] = re.sub(r"(?<!\\)([@#%])(?=\w)", r"\\\1", part)
            else:
                parts[i] = code(part) if part.startswith("`") else f"]({self.target(name, part[2:-1])})"
        return "".join(parts)

    def page(self, name: str) -> str:
        out, inside, title = [], False, False
        lines = joined_links((self.root / name).read_text("utf-8").split("\n"))
        long = sum(line.startswith("## ") for line in lines) > 5 and name not in ("README.md", INDEX)
        for line in lines:
            if line.startswith("```"):
                inside = not inside
                language = line[3:].strip()
                out.append("```{.cpp}" if language == "cpp" else "```{.unparsed}" if inside else line)
            elif inside:
                out.append(line)
            elif re.fullmatch(r"\s*<!--.*-->\s*", line):
                continue
            elif heading := re.match(r"(#+) (.*)", line):
                text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[2])
                label = f"{page_id(name)}-{slug(heading[2])}"
                if not title:
                    label = "mainpage" if name == "README.md" else page_id(name)
                out.append(f"{heading[1]} {text.replace('`', '')} {{#{label}}}")
                out += ["", "[TOC]"] if long and not title else []
                title = True
            else:
                out.append(self.text(name, line))
        return "\n".join(out)


def joined_links(lines: list[str]) -> list[str]:
    """A link whose text is on two lines is put on one: Doxygen's references end with the line."""
    out: list[str] = []
    inside = False
    for line in lines:
        inside ^= line.startswith("```")
        if out and not inside and re.search(r"\[[^\]`]*$", out[-1]) and re.match(r"[^\[\]]*\]\(", line):
            out[-1] += " " + line.strip()
        else:
            out.append(line)
    return out


def code(span: str) -> str:
    """Code in backticks. Doxygen ends it at a quote unless there are two backticks, and shows the \\ of a cell's \\|."""
    text = span.strip("`")
    if "\\|" in text:
        return "<code>" + html.escape(text, quote=False).replace("--", "\\--") + "</code>"
    return f"``{text}``" if "'" in text else span


def site_file(name: str, file: Path) -> str:
    if file.is_dir():
        return f"files/{name}/index.html"
    return f"files/{name}" if file.suffix in SHOWN else f"files/{name}.txt"


def menu(root: Path, names: list[str]) -> str:
    """Doxygen's layout: a menu for each heading of docs/README.md with its links, then the reference."""
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    for line in (root / INDEX).read_text("utf-8").split("\n"):
        if line.startswith("## "):
            groups.append((line[3:], []))
        for text, link in re.findall(r"\[([^\]]*)\]\(([^)\s#]+)\)", line):
            file = (root / "docs" / link).resolve()
            name = file.relative_to(root).as_posix() if file.is_relative_to(root) else ""
            if groups and name in names and (text, page_id(name)) not in groups[-1][1]:
                groups[-1][1].append((text.replace("`", ""), page_id(name)))
    named = {page for _, links in groups for _, page in links} | {"index", "docs"}
    missing = [name for name in names if page_id(name) not in named]
    if missing:
        raise SystemExit(f"{INDEX}: no link to {', '.join(missing)}")
    lines = ['<doxygenlayout version="1.0">', "<navindex>", '<tab type="mainpage" visible="yes" title="rc3"/>']
    for title, links in groups:
        lines.append(f'<tab type="usergroup" visible="yes" url="@ref docs" title="{html.escape(title)}">')
        lines += [f'<tab type="user" visible="yes" url="@ref {page}" title="{html.escape(text)}"/>' for text, page in links]
        lines.append("</tab>")
    lines.append('<tab type="usergroup" visible="yes" url="@ref docs" title="Reference">')
    lines += [f'<tab type="{kind}" visible="yes" title="{title}" intro=""/>' for kind, title in
              (("classlist", "Classes"), ("concepts", "Concepts"), ("namespacelist", "Namespaces"), ("filelist", "Headers"))]
    return "\n".join([*lines, "</tab>", "</navindex>", "</doxygenlayout>"])


def warnings(log: Path, stage: Path, root: Path) -> list[str]:
    """Doxygen's warnings. Members without a comment are shown as they are declared and are no fault; types without are."""
    text = log.read_text("utf-8", errors="replace").replace(f"{stage}/", "").replace(f"{root}/", "")
    text = text.replace("overview.md", "README.md")
    found = (line for line in text.split("\n") if line.strip())
    return [line for line in found if not re.search(r": (warning: )?Member .* is not documented", line)]


def bare_types(out: Path) -> list[str]:
    """Types in Doxygen's list without a sentence; it warns only of those with a member that has one."""
    file = out / "html/annotated.html"
    listed = file.read_text("utf-8") if file.exists() else ""  # absent where there is no type
    rows = re.findall(r'<a class="el" href="((?:class|struct)[^"]*)"[^>]*>([^<]*)</a></td><td class="desc">(.*?)</td>', listed)
    return [f"type {name} ({page}): no comment" for page, name, text in rows if not text.strip()]


class Links(HTMLParser):
    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key in ("id", "name") and value:
                self.ids.add(value)
            elif (key, tag) in (("href", "a"), ("href", "link"), ("src", "img"), ("src", "script")) and value:
                self.links.append(value)


def dead_links(folder: Path, page_names: set[str]) -> list[str]:
    """Links to files or places that the site lacks."""
    parsed = {p: Links(p.read_text("utf-8", errors="replace")) for p in folder.glob("*.html")}
    problems = []
    for page, links in parsed.items():
        for link in dict.fromkeys(links.links):
            path, _, anchor = unquote(link).partition("#")
            if re.match(r"([a-z]+:|//)", link) or link in ("#", "#nested-classes"):  # the second: Doxygen's own slip
                continue
            target = (folder / path).resolve() if path else page
            if not target.exists():
                problems.append(f"{page.name}: no file {link}")
            elif anchor and target in parsed and anchor not in parsed[target].ids:
                problems.append(f"{page.name}: no place {link}")
    menu_file = folder / "menudata.js"
    for link in re.findall(r'url:"([^"]*)"', menu_file.read_text("utf-8")) if menu_file.exists() else ():
        path = link.partition("#")[0]
        if not (folder / path).exists():
            problems.append(f"menu: no file {link}")
    return problems + [f"no page {name}.html" for name in sorted(page_names) if not (folder / f"{name}.html").exists()]


OPTION, OPTION_WORD = re.compile(r"(?<!\S)-[^\s<]{1,31}(?!\S)"), r'<span class="word">\g<0></span>'


def sized_cell(cell: re.Match[str]) -> str:
    """A short cell of a table, such as "pass" or "12.3 ± 0.4 / 5", stays on one line. A sentence has a least width."""
    text = html.unescape(re.sub(r"<[^>]*>", "", cell[2])).strip()
    short = len(text) <= (24 if re.search(r"\d", text) and "<code" not in cell[2] else 16)
    size = " short" if short else " long" * (len(text) > 60)
    return f'<td class="{cell[1]}{size}">{cell[2]}</td>'


def finish(pages_: list[Path]) -> list[str]:
    """In pages the word rc3 is the tool or the library: no link to the namespace. Says which commands Doxygen left, and mends
    where lines break."""
    problems = []
    for page in pages_:
        text = page.read_text("utf-8")
        problems += [f"{page.name}: not understood: {found}" for found in re.findall(r"@(?:ref|(?:sub)*section) [^\n<]*", text)]
        text = re.sub(r'<a class="\w+" href="namespacerc3\.html"[^>]*>rc3</a>', "rc3", text)
        # main() of a block or a sentence is the reader's own, not that of rc3::experiment.
        text = re.sub(r'<a class="[^"]*" href="namespacerc3_1_1experiment\.html#[^"]*"[^>]*>main(\(\))?</a>', r"main\1", text)
        # An option such as "--captions" stays whole, alone or in a line of others.
        text = re.sub(r"<code>([^<\s]{1,32})</code>", r'<code class="word">\1</code>', text)
        text = re.sub(r"<code>([^<]+)</code>", lambda m: f"<code>{OPTION.sub(OPTION_WORD, m[1])}</code>", text)
        text = re.sub(r'<td class="(markdownTable\w+)">(.*?)</td>', sized_cell, text, flags=re.S)
        page.write_text(text, "utf-8")
    return problems


DOCTYPE = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "https://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">'
ACCESSIBLE = {  # what Doxygen leaves out for screen readers and keyboards: files, what they have, what replaces it
    # Otherwise browsers keep to rules of 1999, by which code in a table is higher than the text beside it.
    "the type of document": ("*.html", DOCTYPE, "<!DOCTYPE html>"),
    "the language": ("*.html", '<html xmlns="http://www.w3.org/1999/xhtml">', '<html xmlns="http://www.w3.org/1999/xhtml" lang="en">'),
    "the language of the results": ("search/*.html", '<html xmlns="http://www.w3.org/1999/xhtml">', '<html xmlns="http://www.w3.org/1999/xhtml" lang="en">'),
    "a title of the results": ("search/*.html", "<title></title>", "<title>Results of the search</title>"),
    "a title of their frame": ("*.html", '<iframe src="javascript:void(0)"', '<iframe title="Results of the search" src="javascript:void(0)"'),
    "a name of the search field": ("menu.js", 'id="MSearchField" value', 'id="MSearchField" aria-label="Search" value'),
    "code that the keyboard scrolls": ("*.html", '<div class="fragment">', '<div class="fragment" tabindex="0">'),
    "text that the keyboard scrolls": ("*.html", '<pre class="fragment">', '<pre class="fragment" tabindex="0">'),
    "tables that the keyboard scrolls": ("*.html", '<table class="markdownTable">', '<table class="markdownTable" tabindex="0">'),
}


def accessible(folder: Path, needed: bool) -> list[str]:
    """Makes these replacements. One that no file has is a fault where `needed`: another Doxygen writes other files."""
    found = set()
    for what, (files, old, new) in ACCESSIBLE.items():
        for file in folder.glob(files):
            text = file.read_text("utf-8", errors="replace")
            if old in text:
                found.add(what)
                file.write_text(text.replace(old, new), "utf-8")
    return [f"Doxygen's files are not as expected: {what} cannot be added" for what in ACCESSIBLE if what not in found] if needed else []


def copy_files(files: set[Path], root: Path, out: Path) -> None:
    """Files of the repository that pages link to, as text; of a folder its names."""
    for file in sorted(files):
        name = file.relative_to(root).as_posix()
        target = out / site_file(name, file)
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.is_dir():
            names = sorted(p.name + "/" * p.is_dir() for p in file.iterdir() if not p.name.startswith((".", "__")))
            items = "".join(f"<li>{html.escape(n)}</li>" for n in names)
            target.write_text(f'<!doctype html><meta charset="utf-8"><title>{name}</title><h1>{name}</h1><ul>{items}</ul>', "utf-8")
        else:
            shutil.copyfile(file, target)


def build(root: Path, out: Path, doxygen: str) -> list[str]:
    """Writes the site to out/html; what is wrong, a message each."""
    with tempfile.TemporaryDirectory() as stage:
        return build_from(Path(stage).resolve(), root, out, doxygen)


def build_from(stage: Path, root: Path, out: Path, doxygen: str) -> list[str]:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    staged = Staged(root, stage)
    (stage / "layout.xml").write_text(menu(root, staged.names), "utf-8")
    images = sorted({str(f.parent) for f in staged.files if f.suffix in (".png", ".svg")})
    settings = {
        "INPUT": [*map(staged_name, staged.names), HERE / "namespaces.dox", root / "include"],
        "OUTPUT_DIRECTORY": [out],
        "STRIP_FROM_PATH": [stage, root / "include", root],
        "STRIP_FROM_INC_PATH": [root / "include"],
        "LAYOUT_FILE": ["layout.xml"],
        "IMAGE_PATH": images,
        "HTML_EXTRA_STYLESHEET": [HERE / "site.css"],
        "WARN_LOGFILE": [out / "warnings.txt"],
    }
    lines = [f"{key} = " + " ".join(f'"{value}"' for value in values) for key, values in settings.items()]
    (stage / "Doxyfile").write_text((HERE / "Doxyfile").read_text("utf-8") + "\n".join(lines) + "\n", "utf-8")
    done = subprocess.run([doxygen, "Doxyfile"], cwd=stage, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    problems = [] if done.returncode == 0 else [f"doxygen: exit code {done.returncode}: {done.stdout}"]
    problems += warnings(out / "warnings.txt", stage, root)
    problems += finish([page for name in staged.names if (page := out / "html" / f"{page_id(name)}.html").exists()])
    problems += bare_types(out)
    with (out / "html/search/search.css").open("a", encoding="utf-8") as css:
        css.write((HERE / "search.css").read_text("utf-8"))
    problems += accessible(out / "html", needed=root == HERE.parents[1])
    copy_files(staged.files, root, out / "html")
    return problems + dead_links(out / "html", {page_id(name) for name in staged.names})


PAGES = {"README.md": "# rc3\n\n[all](docs/README.md#find), [b](docs/b.md)\n", "docs/README.md": "# D\n\n## Find\n\n- [b](b.md)\n- and [b\n  too](b.md).\n",
         "docs/b.md": "# B\n\n## One `two`\n\n[up](../README.md), [here](#one-two), [x](../x.txt), `a 'b'`, R@1 <https://x.org>\n",
         "x.txt": "x\n", "include/rc3/a.hpp": "#pragma once\n/// A file.\n\nnamespace rc3 {\n\n/// A type.\nstruct A {\n  int b;\n};\n}\n"}
FAULTS = {  # a file's new content: what must be said
    "a dead link": ("docs/b.md", "# B\n\n[gone](gone.md)\n", "gone.md"),
    "a link to no heading": ("docs/b.md", "# B\n\n[gone](#gone)\n", "gone"),
    "a heading of another page": ("docs/b.md", "# B\n\n[gone](../README.md#gone)\n", "gone"),
    "a command of Doxygen in a page": ("docs/b.md", "# B\n\nsee @ref gone\n", "not understood"),
    "a page that the menu lacks": ("docs/c.md", "# C\n", "no link to docs/c.md"),
    "an unknown command": ("include/rc3/a.hpp", "#pragma once\n\nnamespace rc3 {\n/// A @type.\nstruct A {};\n}\n", "unknown command"),
    "a parameter that is none": ("include/rc3/a.hpp", "#pragma once\n\nnamespace rc3 {\n/// F.\n/// @param b  none\nvoid f(int a);\n}\n", "argument 'b'"),
    "a type without any comment": ("include/rc3/a.hpp", "#pragma once\n\nnamespace rc3 {\nstruct A {};\n}\n", "type A"),
    "a type without a comment": ("include/rc3/a.hpp", "#pragma once\n\nnamespace rc3 {\nstruct A {\n  int b;  ///< b\n};\n}\n", "A is not documented"),
}


def self_test(doxygen: str) -> list[str]:
    problems = []
    for what, (name, text, expected) in {"nothing": ("x.txt", "x\n", ""), **FAULTS}.items():
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "root"
            for file, content in {**PAGES, name: text}.items():
                (root / file).parent.mkdir(parents=True, exist_ok=True)
                (root / file).write_text(content, "utf-8")
            try:
                found = build(root.resolve(), Path(folder).resolve() / "out", doxygen)
            except SystemExit as stopped:
                found = [str(stopped)]
        if expected and not any(expected in f for f in found):
            problems.append(f"{what}: not refused: {found}")
        if not expected and found:
            problems.append(f"refused without a fault: {found}")
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=HERE.parents[1], help="the repository")
    parser.add_argument("--out", type=Path, help="folder that is replaced; the site is OUT/html/index.html")
    parser.add_argument("--doxygen", default="doxygen")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if not shutil.which(args.doxygen):
        print("skipped: no doxygen; Debian: apt-get install doxygen")
        sys.exit(77)
    if not args.self_test and not args.out:
        parser.error("--out is missing")
    problems = self_test(args.doxygen) if args.self_test else build(args.root.resolve(), args.out.resolve(), args.doxygen)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        sys.exit(f"{len(problems)} faults")
    print("every fault is found" if args.self_test else f"{args.out}/html/index.html is written")


if __name__ == "__main__":
    main()
