"""What can be reached from elsewhere: the agent run through any way onto a machine, and its results read back.

The agent's output is the file: JSON lines under `gatepost/reach/1`, the same whether it was carried there by hand or
run over SSH. A file without its last line was cut off on the way, and is refused rather than half believed.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import resources
from ipaddress import ip_address
from math import ceil
from pathlib import Path
from typing import TypeVar

from gatepost.edge.host.agent import AT_ONCE, MOST, SCHEMA
from gatepost.edge.host.runner import Runner
from gatepost.errors import CannotLook, UsageError, because
from gatepost.model.architecture import Endpoint
from gatepost.model.rules import Reach, ReachSeen
from gatepost.report.plain import NotPlain, from_plain

LARGEST = 32 * 1024 * 1024  # octets of a result file
LONGEST = 400  # characters of one text in it
STARTING = 25.0  # seconds for Python, and SSH, to start
DYNAMIC, LAST = 49152, 65535  # ports nobody registers
_MARK = 'JOB = "{}"'
_TEXTS = ("detail", "greeting", "host", "on", "source", "vantage", "zone")

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Job:
    """What a vantage is asked. A canary is a port where nothing can listen: whoever answers there answers for all."""

    vantage: str
    zone: str
    targets: tuple[Endpoint, ...]
    canaries: tuple[Endpoint, ...] = ()
    timeout: float = 1.0  # seconds a connection
    tries: int = 2  # where there is silence
    greeting: bool = False

    @property
    def patience(self) -> float:
        """Seconds that the slowest run may take: every target silent."""
        waves = ceil((len(self.targets) + len(self.canaries)) / AT_ONCE)
        return STARTING + waves * (self.tries + self.greeting) * self.timeout


@dataclass(frozen=True, slots=True)
class Results:
    """One run of the agent."""

    vantage: str
    zone: str
    taken_at: datetime
    seen: tuple[ReachSeen, ...]


def script(job: Job) -> str:
    """The agent with its targets inside: a file to copy to a workstation."""
    source = resources.files("gatepost.edge.host").joinpath("agent.py").read_text(encoding="utf-8")
    asked = {
        "vantage": job.vantage,
        "zone": job.zone,
        "targets": [[at.host, at.address, at.port] for at in job.targets],
        "canaries": [[at.host, at.address, at.port] for at in job.canaries],
        "timeout": job.timeout,
        "tries": job.tries,
        "greeting": job.greeting,
    }
    before, _, after = source.partition(_MARK)
    return f"{before}JOB = {json.dumps(asked)!r}{after}"


def ask(runner: Runner, job: Job) -> str:
    """The lines of the result file. Raises CannotLook when the vantage cannot be used."""
    ran = runner.run(("python3", "-"), stdin=script(job), patience=job.patience)
    if ran.why:
        raise CannotLook(f"{runner.where}: {ran.why}")
    if ran.absent:
        raise CannotLook(f"{runner.where}: there is no python3 (copy what --print-agent writes to another machine)")
    if not ran.ok:
        last = ran.stderr.strip().splitlines()[-1:] or [f"exit status {ran.code}"]
        raise CannotLook(f"{runner.where}: {last[0]}")
    return ran.stdout


def unanswered(job: Job, why: str, now: datetime) -> str:
    """The result file of a vantage that could not be used: nothing is known of any target."""
    lines: list[dict[str, object]] = [
        {"host": at.host, "address": at.address, "port": at.port, "result": Reach.UNKNOWN.value, "detail": why}
        for at in job.targets
    ]
    head = {
        "schema": SCHEMA,
        "vantage": job.vantage,
        "zone": job.zone,
        "taken_at": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "targets": len(lines),
    }
    return "".join(f"{json.dumps(line)}\n" for line in (head, *lines, {"end": len(lines)}))


def load(path: Path) -> tuple[ReachSeen, ...]:
    """The results in a file. Raises UsageError for one that is no whole result file."""
    return opened(path).seen


def opened(path: Path) -> Results:
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path}: larger than {LARGEST} octets, this is no result of gatepost probe")
        text = path.read_text(encoding="utf-8-sig")  # PowerShell's > writes a mark before it
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise UsageError(f"{path}: {because(error)}") from None
    return read(text, str(path))


def read(text: str, name: str) -> Results:
    """Raises UsageError with the name and the line of what is wrong."""
    numbered = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not numbered:
        raise UsageError(f"{name}: empty, this is no result of gatepost probe")
    head = _parsed(_Head, numbered[0], name)
    if head.schema != SCHEMA:
        raise UsageError(f"{name}: line 1: expected the schema {SCHEMA!r}")
    if len(numbered) < 2 or '"end"' not in numbered[-1][1]:
        raise UsageError(f"{name}: cut off after {len(numbered) - 1} of {head.targets} results; probe again")
    lines = [_parsed(_Line, one, name) for one in numbered[1:-1]]
    if _parsed(_End, numbered[-1], name).end != len(lines) or len(lines) > MOST:
        raise UsageError(f"{name}: {len(lines)} results do not fit its last line; probe again")
    return Results(head.vantage or head.zone or head.on, head.zone, head.taken_at, _unmasked(head, lines))


def _unmasked(head: _Head, lines: Sequence[_Line]) -> tuple[ReachSeen, ...]:
    """Where the canary was reached, somebody on the path answers for every port, and nothing was learnt."""
    sung = {line.address: line.port for line in lines if line.canary and line.result is Reach.REACHED}
    seen = [_seen(head, line) for line in lines if not line.canary]
    return tuple(_in_doubt(one, sung[one.at.address]) if one.at.address in sung else one for one in seen)


def _in_doubt(one: ReachSeen, canary: int) -> ReachSeen:
    if one.result is not Reach.REACHED:
        return one
    why = f"something on the path answers for every port, also for {canary} where nothing listens"
    return replace(one, result=Reach.UNKNOWN, detail=why)


def _seen(head: _Head, line: _Line) -> ReachSeen:
    at = Endpoint(line.host, line.address, line.port)
    vantage = head.vantage or head.zone or head.on
    said = line.greeting if line.result is Reach.REACHED else line.detail
    return ReachSeen(at, vantage, head.zone, line.source, line.result, said, head.taken_at)


@dataclass(frozen=True, slots=True)
class _Head:
    schema: str
    taken_at: datetime
    targets: int
    vantage: str = ""
    zone: str = ""
    on: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    host: str
    address: str
    port: int
    result: Reach
    source: str = ""
    detail: str = ""
    greeting: str = ""
    ms: float = 0.0
    canary: bool = False


@dataclass(frozen=True, slots=True)
class _End:
    end: int


def _parsed(kind: type[Kind], numbered: tuple[int, str], name: str) -> Kind:
    number, line = numbered
    try:
        read = from_plain(kind, json.loads(line))
        _check(read)
    except (NotPlain, ValueError, RecursionError) as error:
        raise UsageError(f"{name}: line {number}: {_said(error)}") from None
    return read


def _said(error: Exception) -> str:
    return "not JSON" if isinstance(error, json.JSONDecodeError | RecursionError) else str(error)


def _check(read: object) -> None:
    """Raises ValueError for what no agent writes."""
    if any(len(text) > LONGEST for text in (getattr(read, f) for f in _TEXTS if hasattr(read, f))):
        raise ValueError("a text is too long for a result of gatepost probe")
    if isinstance(read, _Line):
        ip_address(read.address)
        if read.source:
            ip_address(read.source)
        if not 0 < read.port <= LAST or not read.host:
            raise ValueError(f"{read.host}:{read.port} is no place to connect to")


def canaries(targets: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """A port for each address, out of the range where no service is registered (RFC 6335 section 6)."""
    by_address: dict[tuple[str, str], set[int]] = {}
    for at in targets:
        by_address.setdefault((at.host, at.address), set()).add(at.port)
    found = ((host, address, _free(taken)) for (host, address), taken in sorted(by_address.items()))
    return tuple(Endpoint(host, address, secrets.choice(free)) for host, address, free in found if free)


def _free(taken: set[int]) -> list[int]:
    return [port for port in range(DYNAMIC, LAST + 1) if port not in taken]
