"""What was seen of TLS at an endpoint, in the words judges use: what was chosen, what was turned down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gatepost.catalogue import tls
from gatepost.catalogue.tls import Authentication, Suite
from gatepost.checks.case import Case
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Accepted, Handshake, Hello, Observation, Seen, of
from gatepost.model.words import Role

VERSIONS = ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
OLD = frozenset({"TLSv1.0", "TLSv1.1"})
BROKEN = frozenset({"SSLv2", "SSLv3"})

SILENT = frozenset({"alert:close_notify", "closed", "reset"})
UNCLEAR = SILENT | {"alert:internal_error"}  # refused, or picked and failed
AGAIN = "-without-dhe"  # the same offer after a silent close; see wire.tls.offers

# A server without these versions turns the offer down, or answers with a lower one.
_WITHOUT = {
    "ssl2": ("SSLv2",),
    "ssl3": ("SSLv3",),
    "tls1.0": ("SSLv3", "TLSv1.0"),
    "tls1.1": ("SSLv3", "TLSv1.0", "TLSv1.1"),
    "tls1.1-and-below": ("SSLv3", "TLSv1.0", "TLSv1.1"),
    "tls1.3": ("TLSv1.3",),
}
_NO_DHE = re.compile(
    rf"ssl2|tls1\.3.*|allowed-(rsa|ecdsa)|certificate-(rsa|ecdsa)|no-sni|weak-(groups|signatures)|.+{AGAIN}"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What the server picked in one answer; empty where that answer did not tell."""

    seen: Observation
    version: str
    suite: str = ""
    group: str = ""
    signature: str = ""
    dh_bits: int = 0
    dh_prime: str = ""

    @property
    def kind(self) -> Suite | None:
        return tls.suite(self.suite)


def choices(seen: Seen, at: Endpoint) -> tuple[Choice, ...]:
    """Everything the endpoint was seen to accept, in the order seen."""
    return tuple(_choices(seen, at))


def _choices(seen: Seen, at: Endpoint) -> Iterator[Choice]:
    for hello in of(Hello, seen, at):
        if hello.refused.startswith("ssl2:"):  # no cipher in common, said in SSL 2.0
            yield Choice(hello, "SSLv2")
        elif not hello.refused:
            yield Choice(hello, hello.version, hello.suite, hello.group, hello.signature, hello.dh_bits, hello.dh_prime)
    for shake in of(Handshake, seen, at):
        if not shake.error:
            yield Choice(shake, shake.version, shake.suite, shake.group)
    for listed in of(Accepted, seen, at):
        for name in listed.names:
            yield _listed(listed, name)


def _listed(listed: Accepted, name: str) -> Choice:
    match listed.kind:
        case "suites":
            return Choice(listed, listed.version, suite=name)
        case "groups":
            return Choice(listed, listed.version, group=name)
        case _:
            return Choice(listed, listed.version, signature=name)


def versions(seen: Seen, at: Endpoint) -> dict[str, Observation]:
    """Versions accepted, oldest first, each with what proved it."""
    told: dict[str, Observation] = {}
    for choice in choices(seen, at):
        told.setdefault(choice.version, choice.seen)
    return {name: told[name] for name in VERSIONS if name in told}


def versions_refused(seen: Seen, at: Endpoint) -> dict[str, Observation]:
    """Versions that were asked for and turned down."""
    told: dict[str, Observation] = {}
    for hello in of(Hello, seen, at):
        for version in _WITHOUT.get(hello.offer.removesuffix(AGAIN), ()):
            if turned_down(hello, seen) or (not hello.refused and _below(hello.version, version)):
                told.setdefault(version, hello)
    for listed in of(Accepted, seen, at):
        if listed.kind == "suites" and listed.complete and not listed.names:
            told.setdefault(listed.version, listed)
    accepted = versions(seen, at)
    return {version: one for version, one in told.items() if version not in accepted}


def _below(chosen: str, asked: str) -> bool:
    return chosen in VERSIONS and VERSIONS.index(chosen) < VERSIONS.index(asked)


def turned_down(hello: Hello, seen: Seen) -> bool:
    """A refusal in so many words, or a silent close where there was nothing to pick and then fail with.

    Dovecot without `ssl_dh` picks a finite-field suite and hangs up, so elsewhere a close proves nothing. Nor does it
    where the server did not answer in the end: it may have stopped talking to us, or drop hellos of that length.
    """
    if hello.refused in SILENT and not _silence_answers(seen, hello.at):
        return False
    if hello.refused in UNCLEAR:
        return _NO_DHE.fullmatch(hello.offer) is not None
    return hello.refused.startswith("alert:")


def _silence_answers(seen: Seen, at: Endpoint) -> bool:
    return any(h.offer == "behind-good" and not h.refused for h in of(Hello, seen, at))


def asked(case: Case, offer: str) -> list[Hello]:
    """All hellos of an offer: the first, its repetition, and those that went on behind it (`forbidden-2`)."""
    step = re.compile(rf"{re.escape(offer)}(-\d+)?({AGAIN})?")
    return [h for h in of(Hello, case.seen, case.at) if step.fullmatch(h.offer)]


def answered_no(case: Case, offer: str) -> Hello | None:
    """The hello that ended an offer: nothing of what was left in it is accepted."""
    return next((h for h in asked(case, offer) if turned_down(h, case.seen)), None)


def whole_list(case: Case, kind: str, version: str) -> Accepted | None:
    """A finished enumeration: what it does not list is not accepted."""
    return next(
        (a for a in of(Accepted, case.seen, case.at) if a.kind == kind and a.version == version and a.complete),
        None,
    )


def tolerated_anonymous(case: Case, choice: Choice) -> bool:
    """Port 25 may do without authentication: who sends there would otherwise send in clear."""
    kind = choice.kind
    return case.role is Role.MX and kind is not None and kind.authentication is Authentication.ANON
