"""Which instances of which mail server a host has: declared ones, else those that run, else the usual places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gatepost.model.architecture import Host
from gatepost.model.bundle import Bundle
from gatepost.servers.processes import Master, masters

POSTFIX = "/etc/postfix"
DOVECOT = "/etc/dovecot/dovecot.conf"
POSTMULTI = ("postmulti", "-l")
EXIM_VERSION = ("exim", "-bV")
MOST = 50

_CONFIGURED_BY = re.compile(r"^Configuration file is (/\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Instance:
    """`config` is a directory (Postfix) or a file."""

    software: str
    config: str
    master: Master | None = None  # None: does not run, or cannot be seen running


def instances(bundle: Bundle, host: Host | None = None) -> tuple[Instance, ...]:
    """What is declared goes first; a declaration replaces looking around."""
    running = masters(bundle)
    found: dict[tuple[str, str], Instance] = {}
    for software, config in _places(bundle, host, running):
        if config.startswith("/"):
            master = next((m for m in running if m.software == software and _same(m, config)), None)
            found.setdefault((software, config), Instance(software, config, master))
    return tuple(found.values())[:MOST]


def main_cf(directory: str) -> str:
    return f"{directory}/main.cf"


def master_cf(directory: str) -> str:
    return f"{directory}/master.cf"


def _places(bundle: Bundle, host: Host | None, running: tuple[Master, ...]) -> Iterator[tuple[str, str]]:
    declared = host or Host("", (), ())
    for directory in declared.postfix or _postfix(bundle, running):
        yield "postfix", directory.rstrip("/") or "/"
    for file in declared.dovecot or _dovecot(bundle, running):
        yield "dovecot", file
    for file in _exim(bundle, running):
        yield "exim", file


def _postfix(bundle: Bundle, running: tuple[Master, ...]) -> Iterator[str]:
    """The usual place counts where nothing runs, or nothing can be seen running."""
    mine = [m.config or POSTFIX for m in running if m.software == "postfix"]
    yield from mine
    listed = bundle.command(*POSTMULTI)
    for line in listed.stdout.splitlines()[:MOST] if listed and listed.ok else ():
        words = line.split()
        if len(words) == 4:
            yield words[3]
    if not mine and _there(bundle, main_cf(POSTFIX)):
        yield POSTFIX


def _dovecot(bundle: Bundle, running: tuple[Master, ...]) -> Iterator[str]:
    mine = [m.config or DOVECOT for m in running if m.software == "dovecot"]
    yield from mine
    if not mine and _there(bundle, DOVECOT):
        yield DOVECOT


def _exim(bundle: Bundle, running: tuple[Master, ...]) -> Iterator[str]:
    yield from (m.config for m in running if m.software == "exim" and m.config)
    ran = bundle.command(*EXIM_VERSION)
    if ran and (found := _CONFIGURED_BY.search(ran.stdout)):
        yield found.group(1)


def _there(bundle: Bundle, path: str) -> bool:
    taken = bundle.file(path)
    return bool(taken and taken.exists)


def _same(master: Master, config: str) -> bool:
    if master.config:
        return master.config == config
    return master.software == "exim" or config in {POSTFIX, DOVECOT}
