"""The resolver of one look: which one, whether it is believed, and what is worth asking it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING

from gatepost.certs.chain import Roots
from gatepost.cli.request import Request
from gatepost.model.architecture import Architecture
from gatepost.model.observation import Observation
from gatepost.records.plans import DomainPlan, HostPlan

if TYPE_CHECKING:
    from pathlib import Path

    from gatepost.edge.resolve import Resolver

NEVER_PUBLIC = frozenset({"example", "invalid", "localhost", "onion", "test"})


def chosen(where: str | None, declaration: Path | None = None, *, trusted: bool = False) -> Resolver:
    """The resolver named, else the declaration's (without one named: that in this directory), else the system's."""
    from gatepost.cli.declared import load

    architecture = Architecture() if where else load(declaration)
    return Names(Request(resolver=where, trust_resolver=trusted), architecture).resolver()


class Names:
    """The resolver of one look, made when first needed: its library is the slowest to load, an address needs none."""

    def __init__(self, request: Request, architecture: Architecture) -> None:
        self.where = request.resolver or architecture.resolver or None
        declared = architecture.resolver_trusted and not request.resolver
        self.trusted = request.trust_resolver or declared
        self._made: Resolver | None = None

    def resolver(self) -> Resolver:
        from gatepost.edge.resolve import resolver_at

        if self._made is None:
            self._made = resolver_at(self.where, trusted=self.trusted)
        return self._made

    def worth(self, name: str) -> bool:
        """Names that no public resolver knows are asked only of one the operator named (RFC 6761 section 6)."""
        return self.where is not None or not (name.rpartition(".")[2] in NEVER_PUBLIC or _own(name))

    async def ask(
        self, domains: Sequence[DomainPlan], hosts: Sequence[HostPlan], trusted: Roots, *, https: int | None
    ) -> tuple[Observation, ...]:
        if not domains and not hosts:
            return ()
        from gatepost.edge.fetching import Fetcher
        from gatepost.edge.questions import ask

        resolver = self.resolver()
        return await ask(domains, hosts, resolver.asker, Fetcher(resolver, trusted, https=https))

    @property
    def doubt(self) -> str:
        """Why answers stayed without a DNSSEC state; empty when they did not, or nobody asked."""
        return self._made.asker.doubt if self._made is not None else ""

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()


def _own(name: str) -> bool:
    """An address that belongs to this machine or its own networks."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
