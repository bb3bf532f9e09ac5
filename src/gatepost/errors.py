"""Every exception gatepost raises on purpose.

GatepostError
├── UsageError            what the operator asked cannot be done as asked (exit 2)
│   └── DeclarationError  gatepost.toml has problems; carries all of them
├── CannotLook            nothing could be observed at all (exit 3)
├── StepFailed            a step of a plan could not be done on the host; what was done is taken back
└── PeerError             the other side of a connection is at fault
    ├── PeerClosed        the stream ended where an answer was due
    ├── PeerGarbled       what it sent is not the protocol it claims to speak
    ├── PeerLimited       it asked us to go away: 421, 454, * BYE, -ERR with a limit
    ├── PeerRefused       it said no to something the dialogue needs (for example STARTTLS)
    │   └── PeerBogus     a resolver withholds an answer because DNSSEC validation failed
    ├── PeerReset         the connection was reset
    ├── PeerSilent        nothing came within the time allowed
    │   └── PeerTarpit    answers trickle in, too slowly to finish
    └── PeerUnreachable   no connection: refused, no route
        └── PeerUnresolved  the name leads to no address
BudgetSpent               our own limit on connections or time, never the peer's fault
"""

from __future__ import annotations

from dataclasses import dataclass


class GatepostError(Exception):
    """The root of the tree: anything else that escapes is a defect."""


class UsageError(GatepostError):
    """The request itself is wrong: exit code 2."""


class CannotLook(GatepostError):
    """Nothing could be observed: exit code 3."""


class StepFailed(GatepostError):
    """A step of a plan could not be done. `str()` of it is one sentence for the record."""


class BudgetSpent(GatepostError):
    """Our own budget of connections or seconds for this endpoint is used up."""


class PeerError(GatepostError):
    """The peer is at fault. `str()` of it is one sentence an operator can read."""


class PeerClosed(PeerError):
    """The stream ended where an answer was due."""


class PeerGarbled(PeerError):
    """The peer does not speak the protocol: a line without end, a flood, bytes out of place."""


class PeerLimited(PeerError):
    """The peer limits us (421, 454, `* BYE`, `-ERR` with a limit). `str()` is its own text."""


class PeerRefused(PeerError):
    """The peer said no. `str()` is its own text."""


class PeerBogus(PeerRefused):
    """DNSSEC validation failed (RFC 4033 section 5): the owner of the name is at fault, not the resolver."""


class PeerReset(PeerError):
    """The connection was reset."""


class PeerSilent(PeerError):
    """Nothing came within the time allowed."""


class PeerTarpit(PeerSilent):
    """Answers trickle in, too slowly to finish within the time of one connection."""


class PeerUnreachable(PeerError):
    """No connection came about. `refused` tells a closed port from a lost packet."""

    def __init__(self, text: str, *, refused: bool) -> None:
        super().__init__(text)
        self.refused = refused


class PeerUnresolved(PeerUnreachable):
    """There is nothing to connect to: the name does not exist, has no address or can be no name."""

    def __init__(self, text: str) -> None:
        super().__init__(text, refused=False)


def because(error: OSError) -> str:
    """The system's own words, as the end of a sentence."""
    return (error.strerror or str(error)).lower()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file: `path` is dotted (`hosts.mx1.services[0].port`), `line` counts from 1."""

    path: str
    sentence: str
    line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        return f"{where}{self.path}: {self.sentence}" if self.path else f"{where}{self.sentence}"


class DeclarationError(UsageError):
    """All problems of one declaration at once."""

    def __init__(self, name: str, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(f"{name}: {p}" for p in problems))
        self.name = name
        self.problems = problems
