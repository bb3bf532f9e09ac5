"""The one file of ours that Dovecot reads after the administrator's own: settings by the blocks they stand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from gatepost.catalogue.desired import rows
from gatepost.servers.dovecot_text import Key, Path, files, flat

HEAD = "# Written by gatepost, which writes it anew: settings of your own belong into another file.\n"
INDENT = "  "
_BLOCKS = ("fifo_listener", "inet_listener", "local", "local_name", "protocol", "remote", "service", "unix_listener")
_PLUGIN = frozenset({"sieve_plugins"})  # stand in plugin { } before 2.4

Entries = Mapping[Key, str]


def read(text: str) -> Entries:
    top = files("", text, lambda _pattern, _file: [])
    return {key: value for key, (value, _) in flat(top).items()}


def path_of(service: str) -> Path:
    """`service auth/unix_listener /run/auth` as two blocks; a slash inside a name is part of it."""
    parts: list[str] = []
    for word in service.split("/"):
        if not parts or word.partition(" ")[0] in _BLOCKS or word == "plugin":
            parts.append(word)
        else:
            parts[-1] += f"/{word}"
    return tuple(filter(None, parts))


def render(entries: Entries, version: str) -> str:
    """Plain settings first, then blocks; each with the control it is there for."""
    placed = {_placed(key, version): value for key, value in entries.items()}
    parts = ["\n".join(_settings(placed, ())), *("\n".join(_block(placed, (one,))) for one in _inner(placed, ()))]
    return HEAD + "".join(f"\n{part}\n" for part in parts if part)


def _placed(key: Key, version: str) -> Key:
    path, name = key
    return (("plugin",), name) if not path and name in _PLUGIN and version.startswith(("2.2", "2.3")) else key


def _settings(entries: Entries, path: Path) -> Iterator[str]:
    indent = INDENT * len(path)
    for (where, name), value in sorted(entries.items()):
        if where == path:
            if why := reason(name):
                yield f"{indent}# {why}"
            yield f"{indent}{name} = {quoted(value)}".rstrip()


def _block(entries: Entries, path: Path) -> Iterator[str]:
    indent = INDENT * (len(path) - 1)
    yield f"{indent}{path[-1]} {{"
    yield from _settings(entries, path)
    for one in _inner(entries, path):
        yield from _block(entries, (*path, one))
    yield f"{indent}}}"


def _inner(entries: Entries, path: Path) -> list[str]:
    depth = len(path)
    return sorted({where[depth] for where, _ in entries if len(where) > depth and where[:depth] == path})


def quoted(value: str) -> str:
    """A hash behind a blank begins a comment, a brace at the end a block, and blanks at the ends are dropped."""
    plain = value.strip() == value and "#" not in value
    if plain and not value.startswith(('"', "'")) and not value.endswith(("\\", "{")):
        return value
    return '"{}"'.format(value.replace("\\", "\\\\").replace('"', '\\"'))


def reason(name: str) -> str:
    """`GP-TLS-002: refuse TLS before 1.2`."""
    return _reasons().get(name, "")


@cache
def _reasons() -> Mapping[str, str]:
    listed = [one for one in rows() if one.software == "dovecot" and "/" not in one.setting]
    return {one.setting: f"{one.controls[0]}: {one.title}" for one in reversed(listed)}


def names() -> tuple[str, ...]:
    """Settings that may stand in our file."""
    return (*_reasons(), "address", "listen", "mode", "port")
