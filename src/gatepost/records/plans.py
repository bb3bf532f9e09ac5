"""What DNS is to be asked about: one plan a domain, one a mail host."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DomainPlan:
    """`selectors` are the declared ones, `senders` addresses that should pass SPF.

    `egress` are those of them that belong to no host of the run: their reverse names are the domain's matter.
    """

    name: str
    selectors: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    egress: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostPlan:
    """`ports` speak TLS; `addresses` are those whose reverse names matter."""

    name: str
    ports: tuple[int, ...] = ()
    addresses: tuple[str, ...] = ()
