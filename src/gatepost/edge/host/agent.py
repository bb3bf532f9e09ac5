"""Try TCP connections from where this runs and say what became of each: one JSON line a target.

It is copied to a workstation, or fed to `python3 -` over SSH: one file, only the standard library, Python 3.8 or later.
A connection is opened and closed again; nothing is sent. Where the targets are inside:

    python3 reach.py > office.jsonl          or          python3 reach.py -o office.jsonl
    python3 reach.py TARGETS.json            targets from a file instead
"""

from __future__ import annotations

import contextlib
import errno
import json
import socket
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator  # noqa: UP035 - the names of Python 3.8

JOB = "{}"  # replaced before this is sent: vantage, zone, targets, canaries, timeout, tries, greeting

SCHEMA = "gatepost/reach/1"
AT_ONCE = 64
MOST = 20000  # targets of one run
GREETING = 200  # octets
IPV6_RECVERR = 25  # Linux: without it an ICMPv6 error to a connection attempt is kept from us
SEGMENTS_IN = 140  # where tcpi_segs_in stands in the TCP_INFO of Linux
NOWHERE = frozenset({"", "0.0.0.0", "::"})
LINUX = sys.platform.startswith("linux")


def _codes(*names: str) -> frozenset[int]:
    """Error numbers by name, those of Windows too; a system has only some."""
    return frozenset(
        getattr(errno, prefix + name) for name in names for prefix in ("", "WSA") if hasattr(errno, prefix + name)
    )


REFUSED = _codes("ECONNREFUSED", "ECONNRESET")
PROHIBITED = _codes("EACCES", "EPERM", "EHOSTUNREACH")
NO_ROUTE = _codes("ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT", "ENETDOWN")


def main(arguments: list[str]) -> int:
    """Results as they come; the last line says how many there were, so that a cut file is known as cut."""
    words, target = list(arguments), ""
    if {"-h", "--help"} & set(words):
        sys.stdout.write(__doc__ or "")
        return 0
    if "-o" in words[:-1]:
        where = words.index("-o")
        target = words[where + 1]
        del words[where : where + 2]
    try:
        job = _job(words)
        with contextlib.ExitStack() as stack:
            out = stack.enter_context(open(target, "w", encoding="ascii")) if target else sys.stdout  # noqa: PTH123 - plain
            for line in run(job):
                out.write(json.dumps(line) + "\n")
                out.flush()
    except (OSError, ValueError) as error:
        sys.stderr.write(str(error) + "\n")
        return 2
    return 0


def _job(words: list[str]) -> dict[str, Any]:
    if words:
        with open(words[0], encoding="utf-8") as file:  # noqa: PTH123 - plain
            job = json.load(file)
    else:
        job = json.loads(JOB)
    if not isinstance(job, dict) or not job.get("targets"):
        raise ValueError("no targets: give a JSON file, or a script that has them inside")
    return job


def run(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    targets = [(t, False) for t in job["targets"][:MOST]] + [(t, True) for t in job.get("canaries", [])[:MOST]]
    yield {
        "schema": SCHEMA,
        "vantage": job.get("vantage", ""),
        "zone": job.get("zone", ""),
        "taken_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "on": socket.gethostname(),
        "targets": len(targets),
    }
    with ThreadPoolExecutor(min(AT_ONCE, len(targets))) as pool:
        yield from pool.map(lambda one: tried(one[0], job, canary=one[1]), targets)
    yield {"end": len(targets)}


def tried(target: list[Any], job: dict[str, Any], *, canary: bool) -> dict[str, Any]:
    """Silence is tried again: a lost packet must not pass for a firewall."""
    host, address, port = target
    found: dict[str, Any] = {}
    for _ in range(max(1, min(5, int(job.get("tries", 2))))):
        found = attempt(address, port, float(job.get("timeout", 1.0)), greeting=bool(job.get("greeting")))
        if found["result"] != "silent":
            break
    return dict({"host": host, "address": address, "port": port}, **found, **({"canary": True} if canary else {}))


def attempt(address: str, port: int, timeout: float, *, greeting: bool = False) -> dict[str, Any]:
    """One connection, opened and closed. `source` is our own address on it, where the system chose one."""
    began = time.monotonic()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found: dict[str, Any] = {"result": "reached", "source": "", "detail": "", "ms": 0.0}
    try:
        connection = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        return dict(found, result=_result(error, "", -1), detail=_said(error))
    with connection:
        connection.settimeout(timeout)
        if LINUX and family == socket.AF_INET6:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        try:
            connection.connect((address, port))
        except socket.timeout:  # noqa: UP041 - another class before Python 3.10
            found["result"] = "silent"
        except (OSError, OverflowError, ValueError) as error:
            found.update(result=_result(error, _source(connection), _segments(connection)), detail=_said(error))
        found.update(source=_source(connection), ms=round((time.monotonic() - began) * 1000, 1))
        if greeting and found["result"] == "reached":
            found["greeting"] = _heard(connection)
    return found


def _result(error: Exception, source: str, segments: int) -> str:
    """The system says "refused" of a reset and of an ICMP port-unreachable alike; only a reset is a segment."""
    code = getattr(error, "errno", None)
    if code in REFUSED:
        return "rejected" if segments == 0 else "refused"
    if code in NO_ROUTE:
        return "rejected" if source else "no-route"
    if code in PROHIBITED:
        return "rejected"
    return "silent" if code == errno.ETIMEDOUT else "unknown"


def _segments(connection: socket.socket) -> int:
    """How many TCP segments came back; -1 where the system does not tell."""
    if not LINUX:
        return -1
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        return int(struct.unpack_from("=I", told, SEGMENTS_IN)[0])
    except (OSError, struct.error):
        return -1


def _source(connection: socket.socket) -> str:
    try:
        own = str(connection.getsockname()[0]).partition("%")[0]
    except OSError:
        return ""
    return "" if own in NOWHERE else own


def _heard(connection: socket.socket) -> str:
    try:
        return connection.recv(GREETING).decode("ascii", "backslashreplace").rstrip("\r\n")
    except OSError:
        return ""


def _said(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
