"""Desired minus observed: ordered steps, each with its undo. Nothing outside changes without one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What a step changes."""

    DNS = "dns"
    DOVECOT = "dovecot"
    FIREWALL = "firewall"
    POSTFIX = "postfix"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Act:
    """One command on the host. Exit status 0 means done."""

    argv: tuple[str, ...]
    stdin: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A file of ours, written whole: made new, or replaced."""

    path: str
    text: str
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was when the plan was made. `digest`: SHA-256 of its octets, hexadecimal; empty: there was none."""

    path: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one host.

    In order: files in `touches` and `writes` are saved; `writes` are put in place; `acts` run; `checks` (the daemon's
    own opinion) must pass; `settles` make the daemon take it (reload). Undo: the saved files are put back, `undo` runs,
    then `settles`. Doing it twice changes nothing the second time: a step is left out where every command in `already`
    succeeds and every file in `writes` is there as written (without `already`, only if it has no `acts`). A file in
    `found` that is no longer so refuses the whole plan.
    """

    key: str  # stable: postfix:/etc/postfix:submission/inet/smtpd_tls_security_level
    host: str
    kind: Kind
    title: str  # require TLS on submission (587)
    controls: tuple[str, ...]
    why: str
    risk: str = ""  # what may break and for whom; empty: nothing known
    diff: str = ""  # unified, or the commands in an administrator's words
    touches: tuple[str, ...] = ()
    writes: tuple[Written, ...] = ()
    acts: tuple[Act, ...] = ()
    checks: tuple[Act, ...] = ()
    settles: tuple[Act, ...] = ()
    undo: tuple[Act, ...] = ()
    promises: tuple[str, ...] = ()  # ids of findings that are gone afterwards
    by_hand: bool = False  # shown, never done by us: DNS records, what needs a decision
    found: tuple[Found, ...] = ()
    already: tuple[Act, ...] = ()

    @property
    def changes(self) -> bool:
        return not self.by_hand


@dataclass(frozen=True, slots=True)
class Plan:
    """`before` are ids of every open failure when it was made: none other may be open afterwards."""

    id: str
    made_at: datetime
    declaration: str  # file name, for the reader
    steps: tuple[Step, ...] = ()
    before: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(step.host for step in self.steps))

    @property
    def doing(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.changes)


class Ending(StrEnum):
    """How an apply ended. UNFINISHED is the only state that is neither before nor after: the next run mends it."""

    KEPT = "kept"
    ROLLED_BACK = "rolled-back"
    UNDONE = "undone"  # kept first, taken back later by `rollback`
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class Applied:
    """The record of one apply. `id` is the plan's, numbered when the same plan is applied again (`…-2`)."""

    plan: Plan
    started: datetime
    ending: Ending
    ended: datetime | None = None
    why: str = ""  # of a rollback
    done: tuple[str, ...] = ()  # keys of steps that ran
    by: str = ""  # who, from the login
    id: str = ""
    ways: tuple[tuple[str, str], ...] = ()  # host and how it was reached, as in `via`
    kept: datetime | None = None  # since when, also after it was taken back
    backups: str = ""  # directory on each host that holds them
