"""The language of dovecot.conf, in files and in the output of `doveconf`, as a flat list of settings with places.

2.3 and 2.4 share the syntax. In 2.4 a block without a name may be a prefix (`ssl_server { cert_file = … }` is
`ssl_server_cert_file`), a condition, or a list (`mail_plugins { notify = yes }`); which one, the names that
`doveconf` knows decide.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from gatepost.model.host import Place

MOST_LINES = 50000
DEEPEST = 20  # blocks in blocks, and files in files
MOST_FILES = 300

Path = tuple[str, ...]
Key = tuple[Path, str]
Load = Callable[[str, str], list[tuple[str, str]]]  # a pattern, and the file it is written in: (path, text) that fit

_SETTING = re.compile(r"^([A-Za-z0-9_./:-]+)\s*=(?!=)\s*(.*)$")
_KIND = re.compile(r"[A-Za-z0-9_@]+")
_QUOTED = re.compile(r"""[^=#]*=\s*(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
_COMMENT = re.compile(r"\s#")
_INCLUDE = re.compile(r"^!include(?:_try)?\s+(\S+)$")
_VERSION = re.compile(r"^# (\d+\.\d+(?:\.\d+)*)")


@dataclass(slots=True)
class Block:
    kind: str = ""
    name: str = ""
    settings: list[tuple[str, str, Place | None]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


def version(output: str) -> str:
    """The first line of what doveconf writes."""
    found = _VERSION.match(output)
    return found.group(1) if found else ""


def included(text: str) -> list[str]:
    """Patterns behind `!include` and `!include_try`."""
    return [found.group(1) for line in text.splitlines()[:MOST_LINES] if (found := _INCLUDE.match(line.strip()))]


def beside(pattern: str, file: str) -> str:
    """An include without a leading slash starts at the directory of the file it stands in."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), pattern))


def fits(path: str, pattern: str) -> bool:
    """glob(7): a star does not cross a slash."""
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def output(text: str) -> Block:
    """What doveconf writes has no comments but whole lines, and no includes."""
    return _Reader(lambda _pattern, _file: []).read(text, "")


def files(path: str, text: str, load: Load) -> Block:
    """A configuration file with everything it includes, in order."""
    return _Reader(load).read(text, path)


def flat(top: Block, known: frozenset[str] = frozenset()) -> dict[Key, tuple[str, Place | None]]:
    """Every setting by the blocks around it and its name; the last one wins.

    `known` are the names that exist outside of blocks (2.4); empty for 2.3.
    """
    found: dict[Key, tuple[str, Place | None]] = {}
    _flatten(top, (), known, found)
    return found


@dataclass(slots=True)
class _Reader:
    load: Load
    files: int = 0
    lines: int = 0

    def read(self, text: str, file: str) -> Block:
        top = Block()
        self._into([top], text, file, 0)
        return top

    def _into(self, stack: list[Block], text: str, file: str, depth: int) -> None:
        for number, line in _lines(text, comments=bool(file)):
            self.lines += 1
            if self.lines > MOST_LINES:  # of all files together: one may include itself
                return
            here = stack[-1]
            if line == "}":
                if len(stack) > 1:
                    stack.pop()
            elif inner := _opened(line):
                here.blocks.append(inner)
                if len(stack) < DEEPEST:
                    stack.append(inner)
            elif found := _SETTING.match(line):
                here.settings.append((found.group(1), _unquoted(found.group(2)), Place(file, number) if file else None))
            elif (found := _INCLUDE.match(line)) and file and depth < DEEPEST:
                self._include(stack, found.group(1), file, depth)

    def _include(self, stack: list[Block], pattern: str, file: str, depth: int) -> None:
        for path, text in self.load(pattern, file) if self.files < MOST_FILES else ():
            self.files += 1
            self._into(stack, text, path, depth + 1)


def _lines(text: str, *, comments: bool) -> Iterator[tuple[int, str]]:
    """Lines joined where they end in a backslash, with the number of the first."""
    begun, whole = 0, ""
    for number, raw in enumerate(text.splitlines()[:MOST_LINES], 1):
        line = raw.strip()
        if line.startswith("#") or (not line and not whole):
            continue
        line = _uncommented(line) if comments else line
        begun = begun or number
        whole = f"{whole} {line}".strip()
        if whole.endswith("\\"):
            whole = whole[:-1].rstrip()
            continue
        yield begun, whole
        begun, whole = 0, ""
    if whole:
        yield begun, whole


def _opened(line: str) -> Block | None:
    """`service imap-login {`, `local_name "mail.example.org" {`, `plugin {`."""
    kind, *names = line[:-1].split(None, 1) if line.endswith("{") and line[:-1].strip() else ("",)
    if not _KIND.fullmatch(kind) or names[:1] == ["="]:
        return None
    return Block(kind, " ".join(names).strip().strip('"'))


def _uncommented(line: str) -> str:
    """A hash begins a comment behind a blank, unless it stands in a quoted value."""
    quoted = _QUOTED.match(line)
    found = _COMMENT.search(line, quoted.end() if quoted else 0)
    return line[: found.start()].rstrip() if found else line


def _unquoted(value: str) -> str:
    for quote in "\"'":
        if len(value) > 1 and value.startswith(quote) and value.endswith(quote):
            return value[1:-1].replace(f"\\{quote}", quote).replace("\\\\", "\\")
    return value


def _flatten(block: Block, path: Path, known: frozenset[str], found: dict[Key, tuple[str, Place | None]]) -> None:
    for name, value, place in block.settings:
        found[path, name] = (value, place)
    counted: dict[str, int] = {}
    for inner in block.blocks:
        if not inner.name and (known or inner.kind == "plugin"):
            _nameless(inner, path, known, found)
            continue
        label = f"{inner.kind} {inner.name or _driver(inner)}".strip()
        if inner.kind in _REPEATED:
            counted[label] = counted.get(label, 0) + 1
            label += f" {counted[label]}" if counted[label] > 1 else ""
        _flatten(inner, (*path, label), known, found)


_REPEATED = frozenset({"passdb", "userdb"})  # in 2.3 each block is one more, not the same again


def _driver(block: Block) -> str:
    """2.3 has unnamed passdb and userdb blocks; 2.4 names them, most often by the driver."""
    told = [value for name, value, _ in block.settings if name == "driver"] if block.kind in _REPEATED else []
    return told[-1] if told else ""


def _nameless(block: Block, path: Path, known: frozenset[str], found: dict[Key, tuple[str, Place | None]]) -> None:
    """Of 2.3 only `plugin {}`, which has no meaning of its own; see the module for 2.4."""
    listed: list[tuple[str, str, Place | None]] = []
    for name, value, place in block.settings:
        if block.kind == "plugin" or f"{block.kind}_{name}" in known:
            found[path, name if block.kind == "plugin" else f"{block.kind}_{name}"] = (value, place)
        elif name in known:
            found[(*path, block.kind), name] = (value, place)
        else:
            listed.append((name, value, place))
    if listed:
        words = (name if value == "yes" else f"{name}={value}" for name, value, _ in listed if value != "no")
        found[path, block.kind] = (" ".join(words), listed[0][2])
    for inner in block.blocks:
        _flatten(Block(blocks=[inner]), (*path, block.kind), known, found)
