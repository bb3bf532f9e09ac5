"""Bundles written down as a person would: commands behind `$`, files behind `@`; and facts as lines."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from datetime import UTC, datetime

from gatepost.model.bundle import Bundle, FileTaken, Ran
from gatepost.model.host import (
    BundleRead,
    DaemonSaid,
    FileSeen,
    ListenerConfigured,
    PackageSeen,
    Place,
    ServerSeen,
    SettingSeen,
    SocketSeen,
)
from gatepost.model.observation import Observation, Unobserved
from gatepost.servers import packages, processes

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LONG = {"processes": processes.COMMAND, "dpkg": packages.DPKG, "rpm": packages.RPM, "apk": packages.APK}


def bundle(text: str, host: str = "mx1.example.org") -> Bundle:
    """`$ command` and its output, `$? 1` its exit status, `! words` what it complained of; `@ path mode owner` a file.

    A file line may end in the minute of its change. `@ path -` is a file that is not there.
    """
    ran: list[Ran] = []
    files: list[FileTaken] = []
    for block in _blocks(text):
        head, lines = block[0], block[1:]
        if head.startswith("$ "):
            ran.append(_ran(head[2:], lines))
        else:
            files.append(_file(head[2:].split(), "\n".join([*lines, ""]) if lines else ""))
    return Bundle(host, NOW, "this machine", tuple(ran), tuple(files))


def _blocks(text: str) -> list[list[str]]:
    blocks: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith(("$ ", "@ ")):
            blocks.append([line])
        elif blocks:
            blocks[-1].append(line)
    return blocks


def _ran(command: str, lines: list[str]) -> Ran:
    code = next((int(line[3:]) for line in lines if line.startswith("$? ")), 0)
    out = [line for line in lines if not line.startswith(("$? ", "! "))]
    err = "".join(f"{line[2:]}\n" for line in lines if line.startswith("! "))
    argv = LONG.get(command) or tuple(shlex.split(command))
    return Ran(argv, code, "\n".join([*out, ""]) if out else "", err)


def _file(words: list[str], text: str) -> FileTaken:
    if words[1] == "-":
        return FileTaken(words[0], exists=False)
    minute = int(words[3]) if len(words) > 3 else 0
    modified = NOW.replace(hour=11, minute=minute)
    return FileTaken(words[0], True, int(words[1], 8), words[2], words[2], len(text), modified, text)


def lines(facts: Iterable[Observation]) -> list[str]:
    return [_line(fact) for fact in facts]


def _line(fact: Observation) -> str:
    match fact:
        case BundleRead():
            return _words("read", "root" if fact.root else "not root", "without " + " ".join(fact.absent))
        case SocketSeen():
            bound = f"{fact.address}{' dual' if fact.dual else ''}"
            return _words("socket", fact.transport, bound, fact.port, fact.process, fact.pid or "", fact.interface)
        case ServerSeen():
            state = _words("running", fact.pid, "stale" if fact.stale else "") if fact.running else "not running"
            return _words("server", fact.software, fact.version, fact.instance, state, "files", len(fact.files))
        case ListenerConfigured():
            where = ", ".join(fact.addresses) or "all"
            wrapped = "tls" if fact.tls else ""
            return _words(
                "listener", fact.software, fact.name, fact.port, f"[{where}]", fact.command, wrapped, _at(fact.place)
            )
        case SettingSeen():
            kind = "default" if fact.default else "setting"
            written = f"(written {fact.written})" if fact.written else ""
            return _words(kind, f"[{fact.service}]", fact.name, "=", fact.value, written, _at(fact.place))
        case PackageSeen():
            return _words("package", fact.software, fact.package, fact.version, f"({fact.distribution})")
        case FileSeen():
            state = f"{fact.mode:04o} {fact.owner}" if fact.exists else "absent"
            proof = _words(fact.public[:6], fact.fingerprint[:6])
            return _words(
                "file", fact.purpose, fact.path, state, proof, f"({', '.join(fact.used_by)})", _at(fact.place)
            )
        case DaemonSaid():
            return _words("broken" if fact.broken else "warning", fact.text)
        case Unobserved():
            return _words("unseen", fact.wanted, fact.reason.value, fact.detail)
    raise AssertionError(fact)


def _words(*words: object) -> str:
    return " ".join(filter(None, map(str, words)))


def _at(place: Place | None) -> str:
    return f"@{place}" if place else ""
