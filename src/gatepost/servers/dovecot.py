"""What a Dovecot instance is configured with, 2.3 and 2.4: listeners, settings and blocks, with their places.

`doveconf` decides what a value is. Where it refuses the configuration, the files are read as they stand, over the
built-in values, which doveconf tells all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gatepost.model.architecture import Endpoint
from gatepost.model.bundle import Bundle
from gatepost.model.host import HostFact, ListenerConfigured, Place, ServerSeen, SettingSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.servers import catalogued
from gatepost.servers.complaints import complaints
from gatepost.servers.dovecot_text import Key, Path, beside, files, fits, flat, output, version
from gatepost.servers.instances import Instance
from gatepost.servers.secrets import HIDDEN, masked

VERSION = ("dovecot", "--version")
WRITTEN = "-n"
ALL = "-a"
DEFAULTS = "-d"
ASKED = (WRITTEN, ALL, DEFAULTS)
ANYWHERE = {"*": "0.0.0.0", "[::]": "::", "::": "::"}
KEYS = frozenset({"ssl_alt_key", "ssl_key"})  # doveconf hides them, though the file most often holds only a path


def command(file: str, option: str) -> tuple[str, ...]:
    return ("doveconf", "-c", file, option)


@dataclass(frozen=True, slots=True)
class _Read:
    values: dict[Key, str]  # in effect, defaults included
    written: dict[Key, str]
    places: dict[Key, Place | None]
    version: str


def facts(bundle: Bundle, instance: Instance, at: Endpoint) -> Iterator[HostFact | Unobserved]:
    read = _read(bundle, instance.config)
    yield from complaints(
        at, instance, [bundle.command(*command(instance.config, option)) for option in (WRITTEN, ALL)]
    )
    if not read.written:
        yield Unobserved(at, "dovecot settings", Reason.REFUSED, _why(bundle, instance.config))
    yield _server(bundle, instance, at, read)
    yield from _settings(instance, at, read)
    yield from _listeners(instance, at, read)


def values(bundle: Bundle, file: str) -> Iterator[tuple[str, str, Place | None]]:
    """Names and values, of every block: for finding the files that they name."""
    read = _read(bundle, file)
    for key, value in (read.values | read.written).items():
        yield key[1], value, read.places.get(key)


def paths(bundle: Bundle, file: str) -> tuple[str, ...]:
    """The file and all that were taken because it includes them."""
    found: list[str] = []

    def load(pattern: str, within: str) -> list[tuple[str, str]]:
        loaded = _load(bundle, pattern, within)
        found.extend(path for path, _ in loaded)
        return loaded

    files(file, _text(bundle, file), load)
    return (file, *dict.fromkeys(path for path in found if path != file))


def _load(bundle: Bundle, pattern: str, within: str) -> list[tuple[str, str]]:
    wanted = beside(pattern, within)
    return sorted((f.path, f.text) for f in bundle.files if f.text is not None and fits(f.path, wanted))


def _text(bundle: Bundle, path: str) -> str:
    taken = bundle.file(path)
    return (taken.text if taken else None) or ""


def _read(bundle: Bundle, file: str) -> _Read:
    texts: dict[str, str] = {}
    failed: set[str] = set()
    for option in ASKED:
        ran = bundle.command(*command(file, option))
        texts[option] = ran.stdout if ran and not ran.why else ""
        if ran is None or not ran.ok:
            failed.add(option)
    found = _version(bundle, texts)
    defaults = flat(output(texts[DEFAULTS]))
    known = frozenset(name for path, name in defaults if not path) if not found.startswith(("2.2", "2.3")) else _NONE
    placed = flat(files(file, _text(bundle, file), lambda pattern, within: _load(bundle, pattern, within)), known)
    as_written = {key: value for key, (value, _) in placed.items()}
    told = {option: {k: v for k, (v, _) in flat(output(texts[option]), known).items()} for option in ASKED}
    written = as_written if WRITTEN in failed else told[WRITTEN]
    everything = told[DEFAULTS] | (as_written if ALL in failed else told[ALL])
    for key, value in told[DEFAULTS].items():  # 2.4.1 tells a list nobody wrote as empty, for all that it is in effect
        if not everything[key] and key not in written:
            everything[key] = value
    for key in written.keys() & as_written.keys():
        if key[1] in KEYS and as_written[key].startswith("<"):
            written[key] = everything[key] = as_written[key]
    return _Read(everything, written, {key: place for key, (_, place) in placed.items()}, found)


_NONE: frozenset[str] = frozenset()


def _version(bundle: Bundle, texts: dict[str, str]) -> str:
    told = next(filter(None, (version(text) for text in texts.values())), "")
    ran = bundle.command(*VERSION)
    return told or (ran.stdout.split(" ")[0].strip()[:30] if ran and ran.ok else "")


def _why(bundle: Bundle, file: str) -> str:
    ran = bundle.command(*command(file, WRITTEN))
    told = (ran.why or ran.stderr.strip()) if ran else ""
    return f"{file}: {told.splitlines()[0][:200] if told else 'neither doveconf nor the file could be read'}"


def _server(bundle: Bundle, instance: Instance, at: Endpoint, read: _Read) -> ServerSeen:
    taken = [file for path in paths(bundle, instance.config) if (file := bundle.file(path)) and file.exists]
    master = instance.master
    return ServerSeen(
        at,
        "dovecot",
        read.version,
        instance.config,
        running=master is not None,
        pid=master.pid if master else 0,
        started=master.started if master else None,
        configured=max((file.modified for file in taken if file.modified), default=None),
        files=tuple(file.path for file in taken),
    )


def _settings(instance: Instance, at: Endpoint, read: _Read) -> Iterator[SettingSeen]:
    """What is written, equal to the built-in value or not; and the built-in values that matter."""
    mine = {key for key in read.places.keys() | read.written.keys() if key in read.values or key in read.written}
    whole = {path for path, _ in mine if path and path[-1].startswith("unix_listener ")}
    also = {key for key in read.values if key[0] in whole and key[1] in {"group", "mode", "user"}}
    also |= {((), name) for name in catalogued.names("dovecot") if ((), name) in read.values}
    for key in (*sorted(mine), *sorted(also - mine)):
        path, name = key
        value = _shown(read, key)
        yield SettingSeen(
            at,
            "dovecot",
            instance.config,
            "/".join(path),
            name,
            value,
            default=key not in mine,
            place=read.places.get(key),
        )


def _shown(read: _Read, key: Key) -> str:
    path, name = key
    value = read.written.get(key, read.values.get(key, ""))
    if name in KEYS and not value.startswith("<"):
        return HIDDEN if value else ""
    if name == "mail_plugins" and path and not read.version.startswith("2.3"):
        value = f"{read.values.get(((), name), '')} {value}".strip()  # 2.4: a list in a block adds to the outer one
    return masked(name, value.strip())


def _listeners(instance: Instance, at: Endpoint, read: _Read) -> Iterator[ListenerConfigured]:
    spoken = read.values.get(((), "protocols"), "").replace(",", " ").split()
    every = read.values.get(((), "listen"), "").replace(",", " ").split()
    found = dict.fromkeys(path for path, _ in read.values if len(path) == 2 and path[1].startswith("inet_listener"))
    for path in found:
        port = read.values.get((path, "port"), "")
        protocol = read.values.get(((path[0],), "protocol"), "")
        if not port.isdecimal() or not 0 < int(port[:6]) < 65536 or (protocol and protocol not in spoken):
            continue
        own = (read.values.get((path, "address")) or read.values.get((path, "listen")) or "").replace(",", " ").split()
        service = path[0].removeprefix("service ")
        yield ListenerConfigured(
            at,
            "dovecot",
            instance.config,
            f"{service}/{path[1].removeprefix('inet_listener').strip() or port}",
            int(port),
            _addresses(own or every),
            service,
            tls=read.values.get((path, "ssl"), "").lower() == "yes",
            place=_listener_place(read, path),
        )


def _addresses(words: list[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(ANYWHERE.get(word, word.strip("[]")) for word in words))
    return () if {"0.0.0.0", "::"} <= set(found) else found


def _listener_place(read: _Read, path: Path) -> Place | None:
    return read.places.get((path, "port")) or next((p for (at, _), p in read.places.items() if at == path and p), None)
