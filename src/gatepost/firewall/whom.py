"""Zones, networks and declared hosts by the names a declaration gives them, resolved to addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_network

from gatepost.firewall.spans import prefixes, spans
from gatepost.model.architecture import Architecture
from gatepost.model.flows import Network

FAMILIES = (4, 6)
ANYWHERE = {4: (ip_network("0.0.0.0/0"),), 6: (ip_network("::/0"),)}


@dataclass(frozen=True, slots=True)
class Party:
    """Who may come, or where to: names as written (none: everybody) and the fewest networks of each family."""

    names: tuple[str, ...] = ()
    v4: tuple[Network, ...] = ()
    v6: tuple[Network, ...] = ()

    def of(self, family: int) -> tuple[Network, ...]:
        return self.v6 if family == 6 else self.v4


EVERYBODY = Party((), ANYWHERE[4], ANYWHERE[6])
NOBODY = Party()


@dataclass(slots=True)
class Directory:
    """Resolves each list of names once: a declaration repeats the same few lists for all its services."""

    known: dict[str, tuple[Network, ...]]
    parties: dict[tuple[str, ...], Party] = field(default_factory=dict)

    @classmethod
    def of(cls, architecture: Architecture) -> Directory:
        """A zone goes before a host of the same name."""
        hosts = {host.name: tuple(map(ip_network, host.addresses)) for host in architecture.hosts}
        return cls(hosts | {zone.name: zone.networks for zone in architecture.zones})

    def party(self, names: Iterable[str]) -> Party:
        """Nobody, when no name was given: an empty list never means everybody here."""
        wanted = tuple(dict.fromkeys(names))
        if wanted not in self.parties:
            listed = [network for name in wanted for network in self._networks(name)]
            four, six = (prefixes(spans(n for n in listed if n.version == family), family) for family in FAMILIES)
            self.parties[wanted] = Party(wanted, four, six)
        return self.parties[wanted]

    def _networks(self, name: str) -> tuple[Network, ...]:
        """What is neither zone nor host is a network; the declaration was read, so it is nothing else."""
        if name in self.known:
            return self.known[name]
        try:
            return (ip_network(name),)
        except ValueError:
            return ()


def networks(architecture: Architecture, names: Iterable[str]) -> tuple[Network, ...]:
    """The fewest networks of both families that hold whoever is named."""
    party = Directory.of(architecture).party(names)
    return (*party.v4, *party.v6)


def internal(architecture: Architecture) -> Party:
    """All zones that do not reach to everybody."""
    zones = [zone for zone in architecture.zones if not any(n.prefixlen == 0 for n in zone.networks)]
    return Directory({zone.name: zone.networks for zone in zones}).party(zone.name for zone in zones)
