"""What the rules of one host let in and out, asked by address and port; the lower half of the firewall witness.

It works on a saved rule set as well: `Proof.of(read(text))` knows nothing of addresses and routes, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from gatepost.firewall.proving.classes import PortClass, port_classes
from gatepost.firewall.proving.evaluation import Evaluator
from gatepost.firewall.proving.fates import ACCEPT, DROP, Fates
from gatepost.firewall.proving.packets import DESTINATION, Packet
from gatepost.firewall.proving.paths import Paths
from gatepost.firewall.proving.regions import EMPTY, EVERYWHERE, MARTIAN, TOP, Region, prefixes
from gatepost.firewall.proving.ruleset import Ruleset
from gatepost.firewall.proving.surroundings import Surroundings
from gatepost.firewall.proving.tracing import Trace, trace

LEGACY = "tables of the old iptables are loaded, which nft does not show"
MOST_PREFIXES = 1024
_GLOBAL = Region((1 << 125,), ((1 << 126) - 1,))  # 2000::/3; IPv4 has no such numbers
_UNDECIDED = ACCEPT | DROP


@dataclass(frozen=True, slots=True)
class Admission:
    """Addresses of the open end. They are disjoint; everything else is dropped."""

    accepted: Region
    undecided: Region = EMPTY


@dataclass(frozen=True, slots=True)
class Listed:
    """A region in prefixes, the widest first.

    `holes` are addresses in them that do not belong, where they are too many to be cut out; `more` are prefixes that
    are not listed.
    """

    prefixes: tuple[str, ...]
    holes: int = 0
    more: int = 0


@dataclass(slots=True)
class Proof:
    """`legacy` are families whose rules cannot all be seen: nothing is decided there.

    `inner` are networks of containers on the host, by family: whoever is there is the host itself to the outside.
    """

    rules: Ruleset
    around: Surroundings
    paths: Paths
    legacy: frozenset[int] = frozenset()
    inner: Mapping[int, Region] = field(default_factory=dict)
    _shared: dict[tuple[int, ...], Admission] = field(default_factory=dict)
    _arrivals: dict[int, Sequence[tuple[str | None, Region]]] = field(default_factory=dict)

    @staticmethod
    def of(
        rules: Ruleset, around: Surroundings | None = None, *, legacy: Iterable[int] = (), assuming: bool = True
    ) -> Proof:
        around = around or Surroundings()
        evaluator = Evaluator(rules, around.local, assuming=assuming, by_interface=around.by_interface)
        return Proof(rules, around, Paths(evaluator, around), frozenset(legacy))

    @property
    def assumed(self) -> tuple[str, ...]:
        """Sentences that every answer so far rests on."""
        return tuple(self.paths.evaluator.assumed)

    def classes(self, cuts: Iterable[int] = ()) -> list[PortClass]:
        return port_classes(self.paths.evaluator.ports_told_apart(), cuts)

    def inbound(self, address: str, port: int) -> Admission:
        """Who can open a TCP connection to an address of the host."""
        family = 6 if ":" in address else 4
        if family in self.legacy:
            return Admission(EMPTY, EVERYWHERE[family])
        return self._joined(
            (self.paths.inbound(packet), region) for packet, region in self.inbound_packets(address, port)
        )

    def inbound_packets(self, address: str, port: int) -> Iterator[tuple[Packet, Region]]:
        """One for each interface, with the sources that come in there."""
        family = 6 if ":" in address else 4
        known = int(ip_address(address)) if self.is_own(address) else self.around.only_address(family)
        for interface, region in self.arrivals(family):
            yield Packet(family, port, iif=interface, daddr=known), region

    def through(self, target: int, family: int, port: int) -> Admission:
        """Who can open a TCP connection to an address behind the host, by way of it."""
        if family in self.legacy:
            return Admission(EMPTY, EVERYWHERE[family])
        return self._joined(
            (self.paths.inbound(packet), region) for packet, region in self.through_packets(target, family, port)
        )

    def through_packets(self, target: int, family: int, port: int) -> Iterator[tuple[Packet, Region]]:
        """Between interfaces only: what leaves where it came from did not need the host."""
        out = self.around.way(target, family)
        for interface, region in self.arrivals(family):
            if interface != out or interface is None:
                yield Packet(family, port, iif=interface, daddr=target, destination="unicast"), region

    def outbound(self, family: int, port: int, transport: str = "tcp") -> Admission:
        """Where the host itself can open a connection to."""
        if family in self.legacy:
            return Admission(EMPTY, EVERYWHERE[family])
        return self._joined(
            (self.paths.outbound(packet), region) for packet, region in self.outbound_packets(family, port, transport)
        )

    def outbound_packets(self, family: int, port: int, transport: str = "tcp") -> Iterator[tuple[Packet, Region]]:
        for interface, region in self.arrivals(family):
            yield (
                Packet(
                    family, port, DESTINATION, iif="", oif=interface, saddr=self.around.only_address(family),
                    protocol=transport, destination="unicast",
                ),
                region,
            )  # fmt: skip

    def why(self, packets: Iterable[tuple[Packet, Region]], number: int, *, out: bool = False) -> Trace:
        """The rules that decide for one address."""
        for packet, region in packets:
            if number in region:
                return trace(self.paths, packet, number, out=out)
        return Trace()

    def listed(self, region: Region, family: int) -> Listed:
        """As an operator would write it: addresses that no stranger can have go with their surroundings."""
        own = MARTIAN[family] | self.around.local.get(family, EMPTY)
        strange = region.without_gaps(self.unimportant(family), TOP[family])
        return listed(strange or region.without_gaps(own, TOP[family]) or region, family)

    def unimportant(self, family: int) -> Region:
        """Sources that nobody outside can use, the host's own among them."""
        return MARTIAN[family] | self.around.local.get(family, EMPTY) | self.inner.get(family, EMPTY)

    def outside(self, family: int) -> Region:
        """Who can open a connection to the host from elsewhere."""
        return self.around.outside(family) - self.inner.get(family, EMPTY)

    def arrivals(self, family: int) -> Sequence[tuple[str | None, Region]]:
        """Always the same objects: answers are kept by them."""
        if family not in self._arrivals:
            self._arrivals[family] = self.around.arrivals(family)
        return self._arrivals[family]

    def is_own(self, where: str) -> bool:
        """Whether the host has this address, as far as its addresses were read at all."""
        return not self.around.addresses_known or self.around.is_local(int(ip_address(where)), 6 if ":" in where else 4)

    def _joined(self, parts: Iterable[tuple[Fates, Region]]) -> Admission:
        """An address that may come in by several interfaces is accepted where all of them accept it."""
        found = list(parts)
        key = tuple(number for fates, region in found for number in (id(fates), id(region)))
        if key not in self._shared:
            self._shared[key] = _joined(found)
        return self._shared[key]


def _joined(parts: list[tuple[Fates, Region]]) -> Admission:
    if len(parts) == 1:
        fates, region = parts[0]
        accepted, undecided = (fates.where(lambda m, w=w: m == w) for w in (ACCEPT, _UNDECIDED))  # type: ignore[misc]  # bound now
        return Admission(accepted & region, undecided & region)
    sums: Mapping[int, list[tuple[int, int]]] = {ACCEPT: [], DROP: [], _UNDECIDED: []}
    for fates, region in parts:
        for mark, pairs in sums.items():
            pairs.extend((fates.where(lambda m, w=mark: m == w) & region).pairs())  # type: ignore[misc]  # bound now
    accepted, dropped, undecided = (Region.of(sums[mark]) for mark in (ACCEPT, DROP, _UNDECIDED))
    split = accepted & dropped
    return Admission(accepted - dropped - undecided, undecided | split)


def listed(region: Region, family: int, most: int = MOST_PREFIXES) -> Listed:
    """Where thousands of holes make it unreadable, the smallest are closed and counted."""
    holes = 0
    if len(region) > most // 2 and region.size() * 2 > TOP[family]:
        gaps = sorted(region.complement(TOP[family]).pairs(), key=lambda pair: pair[0] - pair[1])
        kept = Region.of(gaps[:16])
        closed = kept.complement(TOP[family])
        holes = closed.size() - region.size()
        region = closed
    shown, more = prefixes(region, family, most)
    return Listed(shown, holes, more)


def sample(region: Region) -> int:
    """One address of it, rather a public one and not the first of a network."""
    public = region & _GLOBAL
    low, high = (public or region).lo[0], (public or region).hi[0]
    return min(low + 1, high)
