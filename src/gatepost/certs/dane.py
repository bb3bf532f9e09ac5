"""TLSA records held against the chain a port serves (RFC 6698, 7671, 7672)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gatepost.certs import anchors
from gatepost.certs.names import covers, covers_only_by_common_name
from gatepost.errors import PeerGarbled
from gatepost.model.association import MATCHINGS, fault, kind
from gatepost.model.certificate import Certificate, Trust
from gatepost.model.dns import Tlsa
from gatepost.model.words import Role

PKIX_TA, PKIX_EE, DANE_TA, DANE_EE = range(4)


class Standing(StrEnum):
    """What became of one record."""

    MATCHED = "matched"
    MISMATCHED = "mismatched"  # its data is of something that is not served
    REJECTED = "rejected"  # its data fits, but a date, a name or the chain does not
    SUPERSEDED = "superseded"  # a stronger digest of the same kind is published: clients pass it over
    UNKNOWN = "unknown"  # needs what was not seen
    UNUSABLE = "unusable"  # no client of this port can use it


@dataclass(frozen=True, slots=True)
class Judged:
    record: Tlsa
    standing: Standing
    why: str


@dataclass(frozen=True, slots=True)
class Match:
    """Every record of a port against one chain. `leaf` is the sha256 of the certificate served."""

    leaf: str
    judged: tuple[Judged, ...]

    @property
    def usable(self) -> tuple[Tlsa, ...]:
        """What a client of today looks at. With none of them DANE authenticates nothing (RFC 7672 section 2.2)."""
        return self.those(Standing.MATCHED, Standing.MISMATCHED, Standing.REJECTED, Standing.UNKNOWN)

    @property
    def matched(self) -> tuple[Tlsa, ...]:
        return self.those(Standing.MATCHED)

    @property
    def agrees(self) -> bool | None:
        """One match is enough. None without usable records, and where the rest could not be judged."""
        if self.matched:
            return True
        return None if not self.usable or self.those(Standing.UNKNOWN) else False

    def those(self, *standings: Standing) -> tuple[Tlsa, ...]:
        return tuple(one.record for one in self.judged if one.standing in standings)


def match(
    records: Iterable[Tlsa],
    chain: tuple[Certificate, ...],
    now: datetime,
    names: tuple[str, ...],
    *,
    role: Role,
    trust: Trust | None = None,
    authorities: tuple[Certificate, ...] = (),
) -> Match:
    """`names` are those the certificate may stand for: the TLSA base domain first; for an MX host also the host
    as named in the MX record and the mail domain (RFC 7672 section 3.2.2).

    The role decides about usages 0 and 1: between servers (mx) they cannot be used, elsewhere they ask for a
    `trust` besides (RFC 7673 section 6). `authorities` are certificates of its path that were not sent.
    """
    asked = _Asked(chain, now, names, role, trust, {one.sha256: one for one in (*chain, *authorities)})
    rows = tuple(dict.fromkeys(records))
    strongest = _strongest(row for row in rows if not _useless(row, role))
    return Match(chain[0].sha256 if chain else "", tuple(_judged(row, asked, strongest) for row in rows))


@dataclass(frozen=True, slots=True)
class _Asked:
    chain: tuple[Certificate, ...]
    now: datetime
    names: tuple[str, ...]
    role: Role
    trust: Trust | None
    known: dict[str, Certificate]


def _judged(row: Tlsa, asked: _Asked, strongest: dict[tuple[int, int], int]) -> Judged:
    if useless := _useless(row, asked.role):
        return Judged(row, Standing.UNUSABLE, useless)
    if row.matching and row.matching < (best := strongest[row.usage, row.selector]):
        return Judged(row, Standing.SUPERSEDED, f"clients that know {MATCHINGS[best]} look at that record only")
    if not asked.chain:
        return Judged(row, Standing.UNKNOWN, "no certificate was seen")
    judge = (_issuer_trusted, _server_trusted, _issuer, _server)[row.usage]
    return judge(row, asked)


def _useless(row: Tlsa, role: Role) -> str:
    if objection := fault(row):
        return objection
    if row.usage in {PKIX_TA, PKIX_EE} and role is Role.MX:
        return f"{kind(row)}: usages 0 and 1 cannot be used between mail servers (RFC 7672 section 3.1.3)"
    return ""


def _strongest(rows: Iterable[Tlsa]) -> dict[tuple[int, int], int]:
    """Digest agility (RFC 7671 section 9): of each usage and selector the strongest digest; Full stands apart."""
    found: dict[tuple[int, int], int] = {}
    for row in rows:
        found[row.usage, row.selector] = max(row.matching, found.get((row.usage, row.selector), 0))
    return found


def _server(row: Tlsa, asked: _Asked) -> Judged:
    """Usage 3. Names and dates of the certificate do not count (RFC 7671 section 5.1)."""
    leaf = asked.chain[0]
    if anchors.associated(leaf, row) == row.data:
        return Judged(row, Standing.MATCHED, f"is the {_part(row)} served")
    return _mismatch(row, asked, f"{leaf.subject or 'the certificate'} is served, of which it would be")


def _issuer(row: Tlsa, asked: _Asked) -> Judged:
    """Usage 2: from the authority named down to the server everything has to be in order (RFC 7671 section 5.2)."""
    try:
        found = anchors.find(row, asked.chain)
    except PeerGarbled as error:
        return Judged(row, Standing.UNUSABLE, f"{kind(row)}: {error}")
    if not found:
        return _mismatch(row, asked, "no authority in the chain as sent has it; the last one would be")
    objections = [anchors.objection(asked.chain, one, asked.now) for one in found]
    if all(objections):
        return Judged(row, Standing.REJECTED, objections[0])
    if objection := _name_objection(asked):
        return Judged(row, Standing.REJECTED, objection)
    named = found[objections.index("")].name
    return Judged(row, Standing.MATCHED, f"is the {_part(row)} of {named}, which issued what is served")


def _server_trusted(row: Tlsa, asked: _Asked) -> Judged:
    """Usage 1: as usage 3, and publicly trusted besides."""
    by_data = _server(row, asked)
    return by_data if by_data.standing is Standing.MISMATCHED else _trusted(row, asked, by_data.why)


def _issuer_trusted(row: Tlsa, asked: _Asked) -> Judged:
    """Usage 0: an authority on the way to a public root. The root itself is seldom sent."""
    path = asked.trust.path[1:] if asked.trust and asked.trust.valid else ()
    above = [asked.known[one] for one in path if one in asked.known] if path else list(asked.chain[1:])
    if any(anchors.associated(one, row) == row.data for one in above) or _is_fingerprint(row, path):
        return _trusted(row, asked, f"is the {_part(row)} of an authority on the way to its root")
    if any(one not in asked.known for one in path) and (row.selector, row.matching) != (0, 1):
        return Judged(row, Standing.UNKNOWN, "may be of the root, which was not sent")
    if asked.trust is None:
        return Judged(row, Standing.UNKNOWN, "whether a client would trust the chain was not asked")
    return _mismatch(row, asked, "no authority on the way to its root has it; the last one sent would be")


def _is_fingerprint(row: Tlsa, path: tuple[str, ...]) -> bool:
    return (row.selector, row.matching) == (0, 1) and row.data in path


def _trusted(row: Tlsa, asked: _Asked, why: str) -> Judged:
    if asked.trust is None:
        return Judged(row, Standing.UNKNOWN, "whether a client would trust the chain was not asked")
    if not asked.trust.valid:
        return Judged(row, Standing.REJECTED, asked.trust.why)
    if objection := _name_objection(asked):
        return Judged(row, Standing.REJECTED, objection)
    return Judged(row, Standing.MATCHED, why)


def _name_objection(asked: _Asked) -> str:
    """The common name counts where there is no other name at all (RFC 7672 section 3.2.2)."""
    leaf = asked.chain[0]
    if any(covers(leaf, one) for one in asked.names):
        return ""
    if not leaf.dns_names and any(covers_only_by_common_name(leaf, one) for one in asked.names):
        return ""
    return f"the certificate does not stand for {' or '.join(asked.names) or 'any name asked for'}"


def _mismatch(row: Tlsa, asked: _Asked, who: str) -> Judged:
    """Says what it should have been, or whose data it is: the wrong usage is the commonest slip."""
    place = next((n for n, one in enumerate(asked.chain) if anchors.associated(one, row) == row.data), None)
    if place == 0:
        return Judged(row, Standing.MISMATCHED, "is of the server's own certificate, which usage 3 is for")
    if place is not None and row.usage in {PKIX_EE, DANE_EE}:
        named = asked.chain[place].subject
        return Judged(row, Standing.MISMATCHED, f"is of {named}, which is not the server's certificate")
    other = asked.chain[0 if row.usage in {PKIX_EE, DANE_EE} else -1]
    return Judged(row, Standing.MISMATCHED, f"{who} {_short(anchors.associated(other, row))}")


def _part(row: Tlsa) -> str:
    return "key" if row.selector else "certificate"


def _short(data: str) -> str:
    return data if len(data) <= 16 else data[:16] + "…"


class Rollover(StrEnum):
    """How the records stand to all that is served: a change of key passes through `both` (RFC 7671 section 8)."""

    BOTH = "both"  # what is served, and another: the next one, or one to be withdrawn
    CURRENT = "current"  # only what is served
    NEXT = "next"  # something is served that no record stands for
    NONE = "none"  # no usable record


@dataclass(frozen=True, slots=True)
class Rolling:
    state: Rollover
    served: tuple[Tlsa, ...] = ()  # records of what is served, even if rejected for a date or a name
    waiting: tuple[Tlsa, ...] = ()  # records of something else
    uncovered: tuple[str, ...] = ()  # sha256 of each certificate served that no record stands for


def rollover(matches: Iterable[Match]) -> Rolling:
    """Over all chains of a port: one for each address, algorithm and name asked for."""
    every = tuple(matches)
    usable = tuple(dict.fromkeys(record for one in every for record in one.usable))
    served = tuple(record for record in usable if any(record in _fitting(one) for one in every))
    doubtful = tuple(dict.fromkeys(r for one in every for r in one.those(Standing.UNKNOWN)))
    waiting = tuple(record for record in usable if record not in served and record not in doubtful)
    uncovered = tuple(dict.fromkeys(_uncovered(every)))
    if not usable:
        return Rolling(Rollover.NONE)
    state = Rollover.NEXT if uncovered else Rollover.BOTH if waiting else Rollover.CURRENT
    return Rolling(state, served, waiting, uncovered)


def _fitting(one: Match) -> tuple[Tlsa, ...]:
    return one.those(Standing.MATCHED, Standing.REJECTED)


def _uncovered(every: tuple[Match, ...]) -> Iterator[str]:
    return (one.leaf for one in every if one.leaf and not _fitting(one) and not one.those(Standing.UNKNOWN))
