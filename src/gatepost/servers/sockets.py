"""Listening sockets: `ss`, or the tables of the kernel where there is no `ss`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from gatepost.model.architecture import Endpoint
from gatepost.model.bundle import Bundle
from gatepost.model.host import SocketSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason

COMMAND = ("ss", "-Htulnpe")
TABLES = {"/proc/net/tcp": 4, "/proc/net/tcp6": 6}
MOST = 20000
LISTENING = "0A"  # TCP_LISTEN in the kernel's tables

_USERS = re.compile(r'\("((?:[^"\\]|\\.)*)",pid=(\d+)')


def sockets(bundle: Bundle, at: Endpoint) -> Iterator[SocketSeen | Unobserved]:
    ran = bundle.command(*COMMAND)
    if ran and ran.ok:
        yield from _of_ss(ran.stdout, at)
        return
    tables = [taken for path in TABLES if (taken := bundle.file(path)) and taken.text is not None]
    if not tables:
        detail = (ran.why or ran.stderr.strip() or "ss is not there") if ran else "ss was not run"
        yield Unobserved(at, "sockets", Reason.REFUSED, detail[:200])
    seen = [row for table in tables for row in _of_kernel(table.text or "", TABLES[table.path], at)]
    plain = {row.port for row in seen if row.family == 4}
    for row in seen:
        yield row if row.address != "::" else _assumed(row, plain)


def _of_ss(text: str, at: Endpoint) -> Iterator[SocketSeen]:
    for line in text.splitlines()[:MOST]:
        words = line.split()
        if len(words) < 6 or words[1] not in {"LISTEN", "UNCONN"} or words[0] not in {"tcp", "udp"}:
            continue
        address, _, port = words[4].rpartition(":")
        address, _, interface = address.partition("%")
        bare = address.strip("[]")
        told = _bound("::" if bare == "*" else bare)
        if told is None or not port.isdecimal():
            continue
        interface = interface.strip("[]") or words[4].partition("]%")[2].partition(":")[0]
        process, pid = _owner(line)
        yield SocketSeen(
            at,
            str(told),
            int(port[:5]),
            told.version,
            dual=bare == "*" or (told.version == 6 and "v6only:0" in words),
            process=process,
            pid=pid,
            interface=interface,
            transport=words[0],
        )


def _bound(text: str) -> IPv4Address | IPv6Address | None:
    """An IPv4 address inside an IPv6 socket is an IPv4 listener."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _owner(line: str) -> tuple[str, int]:
    """Of several processes that share a socket, the one that opened it has the lowest number."""
    users = [(name, int(pid[:10])) for name, pid in _USERS.findall(line)]
    return min(users, key=lambda user: user[1]) if users else ("", 0)


def _of_kernel(text: str, family: int, at: Endpoint) -> Iterator[SocketSeen]:
    """proc(5): addresses are words of 32 bits in the byte order of the machine, here little-endian."""
    for line in text.splitlines()[1:MOST]:
        words = line.split()
        if len(words) < 4 or words[3] != LISTENING:
            continue
        address, _, port = words[1].partition(":")
        try:
            raw = bytes.fromhex(address)
            ordered = b"".join(raw[n : n + 4][::-1] for n in range(0, len(raw), 4))
            told = _bound(str(ip_address(ordered)))
            number = int(port, 16)
        except ValueError:
            continue
        if told is not None and len(raw) == (4 if family == 4 else 16):
            yield SocketSeen(at, str(told), number, told.version)


def _assumed(row: SocketSeen, plain: set[int]) -> SocketSeen:
    """The tables do not tell whether `::` takes IPv4 too; it cannot where IPv4 has a socket of its own."""
    return SocketSeen(row.at, row.address, row.port, row.family, dual=row.port not in plain)
