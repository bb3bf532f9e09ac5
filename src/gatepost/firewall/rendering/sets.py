"""Named sets of networks: one for each zone and family that a rule needs, and none that is empty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from gatepost.firewall.rendering.words import TABLE, Json, address, addresses, equals, protocol, set_name
from gatepost.firewall.rendering.words import field as header
from gatepost.firewall.whom import Directory
from gatepost.model.flows import Network

_READABLE = 50  # characters of names in a comment


@dataclass(slots=True)
class Sets:
    """Collects the sets that rules refer to, in the order of their first use."""

    zones: frozenset[str]
    directory: Directory
    made: dict[str, tuple[Network, ...]] = field(default_factory=dict)

    def addresses(self, side: str, networks: tuple[Network, ...], family: int, *, kind: str, words: str) -> Json:
        """The match for an address (`saddr`, `daddr`) among these networks, none of which is everybody's."""
        left = header("ip6" if family == 6 else "ip", side)
        if kind != "zone" and len(networks) == 1:
            return equals(left, address(networks[0]))
        name = set_name(kind, words, family)
        if self.made.get(name, networks) != networks:
            name = set_name(kind, f"{words} {networks}", family)
        self.made[name] = networks
        return equals(left, f"@{name}")

    def sources(
        self, names: tuple[str, ...], networks: tuple[Network, ...], family: int, flow: str
    ) -> Iterator[tuple[str, Json | None]]:
        """Who they are, and the match; None for everybody of the family.

        Zones get a set each. Other names share one. Networks that are not what the names say get a set of the flow's.
        """
        if not names or self.directory.party(names).of(family) != networks:
            yield "everybody" if not names else "others", self._match(networks, family, "flow", flow)
            return
        for zone in (name for name in names if name in self.zones):
            if listed := self.directory.party((zone,)).of(family):
                yield zone, self._match(listed, family, "zone", zone)
        rest = tuple(name for name in names if name not in self.zones)
        if listed := self.directory.party(rest).of(family):
            several = f"{len(rest)} named"
            yield _short(rest, several), self._match(listed, family, "from", f"{several} {rest}")

    def _match(self, networks: tuple[Network, ...], family: int, kind: str, words: str) -> Json | None:
        if everybody(networks):
            return None
        return self.addresses("saddr", networks, family, kind=kind, words=words)

    def declared(self) -> Iterator[Json]:
        for name, networks in self.made.items():
            yield {
                "set": {
                    "family": TABLE["family"],
                    "table": TABLE["name"],
                    "name": name,
                    "type": f"ipv{networks[0].version}_addr",
                    "flags": ["interval"],
                    "elem": addresses(networks),
                }
            }


def _short(names: tuple[str, ...], several: str) -> str:
    listed = ", ".join(names)
    return listed if len(listed) <= _READABLE else several


def everybody(networks: tuple[Network, ...]) -> bool:
    return 0 in map(attrgetter("prefixlen"), networks)


def either(found: Sequence[tuple[int, Json | None]]) -> list[list[Json]]:
    """Matches of both families for one rule: everybody of both needs none, everybody of one only the protocol."""
    if {family for family, match in found if match is None} == {4, 6}:
        return [[], *([match] for _, match in found if match is not None)]
    return [[protocol(family) if match is None else match] for family, match in found]
