"""The cells of the port truth table, each from its own witness: host, firewall, wire and vantages.

What a witness was not asked is a dash; what it could not tell is a question mark.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address, ip_network

from gatepost.firewall.drift import EVERYBODY, parties, undecided
from gatepost.firewall.vantages import Way, named, way, zone_of
from gatepost.model.architecture import Architecture, Endpoint, Service
from gatepost.model.host import BundleRead, SocketSeen
from gatepost.model.observation import Closed, Listening, Observation, Seen, Unobserved, Vantage, of
from gatepost.model.rules import (
    AdmissionSeen,
    DeviationSeen,
    Drift,
    FirewallSeen,
    Reach,
    ReachSeen,
)
from gatepost.model.traffic import UsedSeen
from gatepost.model.words import Reason
from gatepost.report.escape import printable
from gatepost.report.tally import plural
from gatepost.servers.bound import inward, listed, outward, sockets, taking, translated

NOT_ASKED = "–"  # noqa: RUF001 - an en dash, as in a printed table
UNSEEN = "?"
HERE = "here"
_MOST = 2  # names in a cell
_BESIDE = (AdmissionSeen, DeviationSeen, ReachSeen)  # facts about an endpoint that nobody dialled for its dialogue


@dataclass(frozen=True)
class Known:
    """A run with what the columns look up in it again and again."""

    seen: Seen
    architecture: Architecture
    vantage: str = ""
    _sockets: dict[str, tuple[SocketSeen, ...] | None] = field(default_factory=dict)

    @cached_property
    def dialled(self) -> frozenset[Endpoint]:
        """Endpoints that the wire tells of."""
        return frozenset(o.at for o in self.seen if o.at.port and o.at.address and not isinstance(o, _BESIDE))

    @cached_property
    def inside(self) -> frozenset[str]:
        """Hosts that were looked at from inside."""
        kinds: tuple[type[Observation], ...] = (BundleRead, FirewallSeen, SocketSeen)
        return frozenset(o.at.host for kind in kinds for o in of(kind, self.seen))

    @cached_property
    def tried(self) -> Mapping[Endpoint, Sequence[ReachSeen]]:
        """From elsewhere; a host that reaches itself proves nothing."""
        found: dict[Endpoint, list[ReachSeen]] = defaultdict(list)
        for one in of(ReachSeen, self.seen):
            if one.vantage != one.at.host:
                found[one.at].append(one)
        return found

    @cached_property
    def drifts(self) -> Mapping[str, Sequence[DeviationSeen]]:
        """Of the way in, by host; what is about one port before what is about many."""
        found: dict[str, list[DeviationSeen]] = defaultdict(list)
        for one in sorted(of(DeviationSeen, self.seen), key=lambda d: d.ports[1] - d.ports[0]):
            if one.direction == "input":
                found[one.at.host].append(one)
        return found

    @cached_property
    def used(self) -> Mapping[str, Sequence[UsedSeen]]:
        """By host: what its logs tell of each port."""
        found: dict[str, list[UsedSeen]] = defaultdict(list)
        for one in of(UsedSeen, self.seen):
            found[one.at.host].append(one)
        return found

    def sockets(self, host: str) -> tuple[SocketSeen, ...] | None:
        """None: they were not listed."""
        if host not in self._sockets:
            self._sockets[host] = sockets(self.seen, host) if listed(self.seen, host) else None
        return self._sockets[host]

    def drift(self, at: Endpoint, drift: Drift) -> DeviationSeen | None:
        found = (d for d in self.drifts.get(at.host, ()) if d.drift is drift and _about(d, at))
        return next(found, None)

    def admission(self, at: Endpoint) -> AdmissionSeen | None:
        return next(iter(self.seen.at(AdmissionSeen, at)), None)


def _about(one: DeviationSeen, at: Endpoint) -> bool:
    return one.ports[0] <= at.port <= one.ports[1] and one.at.address in {"", at.address}


def wire(at: Endpoint, known: Known) -> str:
    """What the port itself said: yes, refused, filtered; nothing where it was not asked."""
    seen = known.seen
    if seen.at(Listening, at):
        return "yes"
    if seen.at(Closed, at):
        return "refused"
    if any(u.reason in {Reason.FILTERED, Reason.TIMEOUT} for u in seen.at(Unobserved, at)):
        return "filtered"
    return UNSEEN if at in known.dialled else NOT_ASKED


def takers(at: Endpoint, known: Known) -> tuple[SocketSeen, ...]:
    """Sockets that a connection to this place arrives at."""
    return taking(known.sockets(at.host) or (), at)


def listening(at: Endpoint, known: Known, answered: str) -> str:
    """`yes (master)`, `no`, `loopback`, `forwarded`; from the wire alone where nobody looked inside."""
    here = known.sockets(at.host)
    if here is None:
        return {"yes": "yes", "refused": "no"}.get(answered, UNSEEN)
    if found := taking(here, at):
        names = ", ".join(dict.fromkeys(printable(s.process, 20) for s in found if s.process))
        return f"yes ({names})" if names else "yes"
    if answered == "yes":
        return "yes"
    if forwarded(at, known):
        return "forwarded"
    host = known.architecture.host(at.host)
    if behind := translated(here, at, host.addresses if host else ()):
        return f"on {behind[0].address}"
    return "loopback" if any(s.port == at.port and inward(s) for s in here) else "no"


def used(at: Endpoint, known: Known) -> str:
    """Accounts, or sessions where nobody logs in, and the last day; at most so many where the log names no port."""
    told = next((one for one in known.used.get(at.host, ()) if one.at.port == at.port), None)
    if told is None:
        return NOT_ASKED
    if not told.sessions or told.last is None:
        return "nobody"
    count = plural(told.accounts, "account") if told.accounts else plural(told.sessions, "session")
    return f"{'' if told.exact else '≤ '}{count}, {told.last:%d %b}"


def forwarded(at: Endpoint, known: Known) -> bool:
    """Led on to another address, such as a container's."""
    found = known.admission(at)
    return found is not None and found.path.startswith("forward")


def firewalled(at: Endpoint, known: Known) -> str:
    """Who gets in: `open`, zones, prefixes, `closed`; with a plus for more than is declared."""
    found = known.admission(at)
    if found is None:
        lost = any(u.wanted.startswith("firewall") for u in known.seen.at(Unobserved, Endpoint(at.host)))
        return UNSEEN if lost or of(FirewallSeen, known.seen, Endpoint(at.host)) else NOT_ASKED
    names = parties(found.accepted, known.architecture.zones, at.family)
    doubtful = undecided(found)
    if doubtful and not names:
        return UNSEEN
    words = "open" if names == (EVERYBODY,) else _few(names) or "closed"
    wider = "+" if known.drift(at, Drift.WIDER) else ""
    return f"{words}{wider}{', ?' if doubtful else ''}"


def _few(names: Sequence[str]) -> str:
    more = ", …" if len(names) > _MOST else ""
    return f"{', '.join(printable(n, 30) for n in names[:_MOST])}{more}"


_REACHED = {
    Reach.NO_ROUTE: "no route",
    Reach.REACHED: "yes",
    Reach.REFUSED: "refused",
    Reach.REJECTED: "no",
    Reach.SILENT: "no",
    Reach.UNKNOWN: UNSEEN,
}


def reachable(at: Endpoint, known: Known, answered: str) -> str:
    """One word where all see the same; `office, store yes; internet no` where they do not."""
    tried = known.tried.get(at, ())
    if not tried:
        return answered
    told: dict[str, str] = {} if answered == NOT_ASKED else {_here(at, known): _worded(answered)}
    for one in tried:
        told.setdefault(printable(named(one, known.architecture), 30), _REACHED[one.result])
    if len(set(told.values())) == 1:
        return answered if answered != NOT_ASKED else next(iter(told.values()))
    by_word: dict[str, list[str]] = defaultdict(list)
    for name, word in told.items():
        by_word[word].append(name)
    return "; ".join(f"{', '.join(by_word[word])} {word}" for word in sorted(by_word, key=_order))


def _here(at: Endpoint, known: Known) -> str:
    """Where the wire was asked from: as labelled, else the zone."""
    zones = (zone_of(source, known.architecture) for source in own_addresses(at, known))
    return printable(known.vantage or next(filter(None, zones), HERE), 30)


def _worded(answered: str) -> str:
    return "no" if answered == "filtered" else answered


def _order(word: str) -> int:
    known = ("yes", "refused", "no", "no route", UNSEEN)
    return known.index(word) if word in known else len(known)


def brief(cell: str) -> str:
    """For a narrow column: from where it is reached."""
    if ";" not in cell:
        return cell
    first, *others = (part.strip() for part in cell.split(";"))
    names, _, word = first.rpartition(" ")
    doubt = ", ?" if any(part.endswith(f" {UNSEEN}") for part in others) else ""
    return f"{names}{doubt}" if word == "yes" else cell


def trespass(at: Endpoint, known: Known) -> list[ReachSeen]:
    """Attempts that got through and must not."""
    return [one for one in known.tried.get(at, ()) if way(one, known.architecture) is Way.OPEN]


def shut_out(at: Endpoint, known: Known) -> list[ReachSeen]:
    """Attempts that did not get through although it is declared for them. A refusal is nobody listening."""
    tried = (one for one in known.tried.get(at, ()) if way(one, known.architecture) is Way.CLOSED)
    return [one for one in tried if one.result is not Reach.REFUSED]


def places(known: Known) -> frozenset[Endpoint]:
    """Everything worth a row: what was dialled, declared, listens, or was reached."""
    addresses: dict[str, dict[str, None]] = defaultdict(dict)
    for at in sorted(known.dialled):
        addresses[at.host][at.address] = None
    for host in known.architecture.hosts:
        if host.name in known.inside or any(at.host == host.name for at in known.tried):
            addresses[host.name].update(dict.fromkeys(host.addresses))
    found = set(known.dialled)
    for name, own in addresses.items():
        found |= {Endpoint(name, a, s.port) for a in own for s in _declared(name, known)}
        found |= {at for at in known.tried if at.host == name and _came(known.tried[at])}
    for name in sorted(known.inside):
        found |= set(_bound(name, tuple(addresses[name]), known))
    return frozenset(found)


def _declared(name: str, known: Known) -> Iterable[Service]:
    host = known.architecture.host(name)
    return (s for s in host.services if s.declared) if host else ()


def _came(tried: Iterable[ReachSeen]) -> bool:
    return any(one.result is Reach.REACHED for one in tried)


def _bound(name: str, addresses: Sequence[str], known: Known) -> Iterable[Endpoint]:
    """A socket on all addresses is at each of the host's; one on loopback, or behind NAT, is where it is bound."""
    here = known.sockets(name) or ()
    for one in here:
        ats = [Endpoint(name, address, one.port) for address in addresses]
        met = [at for at in ats if one in taking((one,), at)]
        yield from met if met or not _elsewhere(one, addresses) else (Endpoint(name, one.address, one.port),)


def _elsewhere(one: SocketSeen, addresses: Sequence[str]) -> bool:
    """Not on every address of a family that the host is not declared in."""
    return inward(one) or not addresses or one.address not in {"0.0.0.0", "::"}


def loopback_only(at: Endpoint, known: Known) -> bool:
    """The row of a socket that nobody outside gets to."""
    here = known.sockets(at.host) or ()
    return any(inward(s) and s.address == at.address and s.port == at.port for s in here)


def waiting(at: Endpoint, known: Known, answered: str) -> bool:
    """Somebody takes connections there, as far as anybody saw."""
    return answered == "yes" or bool(outward(takers(at, known))) or _came(known.tried.get(at, ()))


def own_addresses(at: Endpoint, known: Known) -> tuple[str, ...]:
    """Where the wire was asked from, in the family of this place; from another port where not from this one."""
    mine = [v.source for v in known.seen.at(Vantage, at) if v.source]
    near = [v.source for v in of(Vantage, known.seen) if v.at.host == at.host and v.at.family == at.family and v.source]
    return tuple(dict.fromkeys(mine or near))


def holds(prefixes: Iterable[str], address: str) -> bool:
    number = ip_address(address)
    return any(number in ip_network(prefix, strict=False) for prefix in prefixes)
