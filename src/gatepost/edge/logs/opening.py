"""Where a host writes its mail logs, and the clock that goes with each of them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gatepost.edge.host.spawning import spawn
from gatepost.edge.logs.listening import Certificate, listen
from gatepost.edge.logs.sources import Reading, follow, journal
from gatepost.logs import years
from gatepost.model.architecture import Architecture, Host
from gatepost.model.log import Clock, Position, Shape

USUAL = ("/var/log/mail.log", "/var/log/maillog", "/var/log/exim4/mainlog", "/var/log/exim/main.log")
ASKED = (("doveconf", "-h", "log_path"), ("doveconf", "-h", "info_log_path"), ("postconf", "-h", "maillog_file"))
JOURNAL = "journal"
PATIENCE = 5.0
LARGEST = 65536
Positions = Callable[[str], Position | None]


def sources(
    host: Host, architecture: Architecture, positions: Positions, stop: threading.Event, tls: Certificate | None = None
) -> tuple[Reading, ...]:
    """What the declaration names; else where this machine writes mail logs; else the journal. Listeners come after.

    `positions` answers with how far a source was read, `tls` are certificate and key for listeners; `together` reads
    all at once. Listeners belong to the machine and not to a host: they are opened with the first host declared.
    """
    found = [_reading(one, positions(one), stop) for one in dict.fromkeys(host.logs or usual())]
    if host in architecture.hosts[:1]:
        for one in dict.fromkeys(architecture.watching.syslog):
            begin = partial(listen, one, stop=stop, certificate=tls)
            found.append(Reading(one, begin, positions(one), Shape.SYSLOG))
    return tuple(found)


def usual(places: tuple[str, ...] = USUAL) -> tuple[str, ...]:
    """Log files that are there: the usual ones and those that Postfix and Dovecot are set to."""
    told = (_told(words) for words in ASKED)
    found = tuple(one for one in dict.fromkeys((*places, *told)) if one and Path(one).is_file())
    return found or (JOURNAL,)


def clock(path: str, zone: str = "") -> Clock:
    """For a file or archive: its last change bounds the year. `zone` is what the declaration says."""
    try:
        newest = os.stat(path).st_mtime_ns // 1000  # noqa: PTH116 - a path is text here, as in a position
    except OSError:
        newest = time.time_ns() // 1000
    return years.clock(newest, told=zone, machine=machine_zone())


def live_clock(zone: str = "") -> Clock:
    """For lines that come as they are written; `years.moved` keeps it going."""
    return years.clock(time.time_ns() // 1000, told=zone, machine=machine_zone())


def machine_zone(localtime: str = "/etc/localtime") -> str:
    """The IANA name this machine is set to, else its offset."""
    if years.zone(named := os.environ.get("TZ", "").lstrip(":")):
        return named
    name = os.path.realpath(localtime).rpartition("/zoneinfo/")[2]
    if years.zone(name):
        return name
    minutes = time.localtime().tm_gmtoff // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _reading(name: str, position: Position | None, stop: threading.Event) -> Reading:
    kind, _, unit = name.partition(":")
    if kind == JOURNAL:
        return Reading(name, lambda at: journal(unit, at, stop), position, Shape.JOURNAL)
    return Reading(name, partial(follow, name, stop=stop), position)


def _told(words: tuple[str, ...]) -> str:
    """A path in the answer of a server's own program; "" where it is not installed or logs elsewhere."""
    try:
        ended = spawn(words, b"", patience=PATIENCE, largest=LARGEST)
    except (OSError, ValueError):
        return ""
    said = ended.out.decode(errors="replace").strip()
    return said if said.startswith("/") and not said.startswith("/dev/") and ended.code == 0 else ""
