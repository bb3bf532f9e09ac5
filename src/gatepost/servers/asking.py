"""What to ask a host, given what it has told so far: a few rounds, each one visit.

The answer to one round names the files of the next: processes name configurations, those name certificates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gatepost.model.architecture import Host
from gatepost.model.bundle import Bundle
from gatepost.servers import boot, dovecot, exim, packages, postfix, processes, services, sockets
from gatepost.servers.dovecot_text import beside, included
from gatepost.servers.files import named
from gatepost.servers.instances import (
    DOVECOT,
    EXIM_VERSION,
    POSTFIX,
    POSTMULTI,
    Instance,
    instances,
    main_cf,
    master_cf,
)

WHO = ("id", "-u")
FIREWALL = (
    ("nft", "-j", "list", "ruleset"),
    ("iptables-save",),
    ("ip6tables-save",),
    ("ip", "-j", "address"),
    ("ip", "-j", "-4", "route", "show", "table", "all"),
    ("ip", "-j", "-6", "route", "show", "table", "all"),
    ("sysctl", "-n", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"),
)
LEGACY = ("/proc/net/ip_tables_names", "/proc/net/ip6_tables_names")
MOST_INCLUDED = 300


class Wanted(StrEnum):
    """What is wanted of a file."""

    PEM = "pem"  # certificates, and the public half of a key
    STATE = "state"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class File:
    """`path` may be a pattern (glob(7)). `dialect` tells how secrets look in it: postfix, dovecot, exim."""

    path: str
    wanted: Wanted
    dialect: str = ""


@dataclass(frozen=True, slots=True)
class Questions:
    commands: tuple[tuple[str, ...], ...] = ()
    files: tuple[File, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.commands or self.files)


def questions(bundle: Bundle, host: Host, asked: frozenset[File] = frozenset()) -> Questions:
    """Everything worth asking that is neither answered nor among `asked`."""
    known = {ran.argv for ran in bundle.ran}
    commands = dict.fromkeys(argv for argv in _commands(bundle, host) if argv not in known)
    files = dict.fromkeys(file for file in _files(bundle, host) if file not in asked)
    return Questions(tuple(commands), tuple(files))


def _commands(bundle: Bundle, host: Host) -> Iterator[tuple[str, ...]]:
    yield from (WHO, sockets.COMMAND, processes.COMMAND, services.COMMAND, *packages.COMMANDS)
    yield from (dovecot.VERSION, EXIM_VERSION, *FIREWALL)
    if not bundle.ran:
        return
    yield from boot.commands(bundle)
    usual = bundle.file(main_cf(POSTFIX))
    if usual and usual.exists:
        yield POSTMULTI
    for instance in instances(bundle, host):
        yield from _of(bundle, instance)


def _of(bundle: Bundle, instance: Instance) -> Iterator[tuple[str, ...]]:
    if instance.software == "postfix":
        first = postfix.command(instance.config, postfix.ALL)
        yield first
        told = bundle.command(*first)
        if told and told.ok:  # where it fails, it fails for every option, and takes a second for each
            yield from (postfix.command(instance.config, options) for options in postfix.ASKED)
        if instance.master:
            yield postfix.check(instance.config)
    elif instance.software == "dovecot":
        yield from (dovecot.command(instance.config, option) for option in dovecot.ASKED)
    else:
        yield exim.asked(bundle, instance)


def _files(bundle: Bundle, host: Host) -> Iterator[File]:
    yield from (File(path, Wanted.TEXT) for path in (packages.RELEASE, *LEGACY))
    yield from (File(path, Wanted.STATE) for path in (main_cf(POSTFIX), DOVECOT, boot.SYSTEMD))
    if not bundle.ran:
        return
    found = bundle.command(*sockets.COMMAND)
    if found is None or not found.ok:
        yield from (File(path, Wanted.TEXT) for path in sockets.TABLES)
    every = instances(bundle, host)
    for instance in every:
        yield from _texts(bundle, instance)
    yield from dict.fromkeys(File(one.path, Wanted.PEM) for one in named(bundle, every))


def _texts(bundle: Bundle, instance: Instance) -> Iterator[File]:
    if instance.software == "postfix":
        yield from (File(of(instance.config), Wanted.TEXT, "postfix") for of in (main_cf, master_cf))
        return
    yield File(instance.config, Wanted.TEXT, instance.software)
    if instance.software == "dovecot":
        patterns = (
            beside(pattern, path)
            for path in dovecot.paths(bundle, instance.config)
            if (taken := bundle.file(path)) and taken.text
            for pattern in included(taken.text)
        )
        yield from (File(path, Wanted.TEXT, "dovecot") for path in list(dict.fromkeys(patterns))[:MOST_INCLUDED])
