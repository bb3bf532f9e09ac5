"""The flows a declaration permits: from, to, port. Everything else is forbidden."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Flow:
    """Permitted: `sources` to `address`:`port` (TCP), all of one family. Never with empty `sources`.

    `id` names what in the declaration permits it: `mx1.example.org/submission`, `mx1.example.org/ssh`.
    """

    id: str
    host: str
    address: str
    port: int
    sources: tuple[Network, ...]
    zones: tuple[str, ...] = ()  # empty: everybody
    line: int | None = None
    management: bool = False

    @property
    def family(self) -> int:
        return 6 if ":" in self.address else 4


@dataclass(frozen=True, slots=True)
class Exit:
    """Permitted from the host itself: to `targets` on `port` (0: any port), one family."""

    id: str
    host: str
    targets: tuple[Network, ...]
    port: int = 0
    transport: str = "tcp"
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Matrix:
    """All that may flow to, from and through the declared hosts.

    `kept_from` are, by host, networks it may not connect into except by an `Exit`: the internal zones, or everything
    where its egress is declared. `muted` may not open the port for mail anywhere (GP-FW-003) except by an `Exit` that
    names that port. `routers` are hosts that forward on purpose. Between any two zones no flow is permitted through a
    host that is no router.
    """

    flows: tuple[Flow, ...] = ()
    exits: tuple[Exit, ...] = ()
    kept_from: tuple[tuple[str, tuple[Network, ...]], ...] = ()
    routers: frozenset[str] = frozenset()
    muted: frozenset[str] = frozenset()
    zones: tuple[tuple[str, tuple[Network, ...]], ...] = ()  # both families together

    def to(self, host: str) -> tuple[Flow, ...]:
        return tuple(f for f in self.flows if f.host == host)

    def out_of(self, host: str) -> tuple[Exit, ...]:
        return tuple(e for e in self.exits if e.host == host)
