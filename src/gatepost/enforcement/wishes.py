"""What the operator said on the command line about what may be done."""

from __future__ import annotations

from dataclasses import dataclass, field

from gatepost.model.plan import Kind

EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class Wishes:
    """`insist` holds ids of settings rows (or `all`) that are done although a person should decide: one did.

    `operator` is the address an SSH session comes from; a firewall that would cut it is not planned.
    `ports`, where there are any: what closes these, and no other change of a server.
    """

    close_legacy: bool = False
    only: frozenset[Kind] = field(default=frozenset())  # empty: everything
    insist: frozenset[str] = field(default=frozenset())
    operator: str = ""
    ports: frozenset[int] = field(default=frozenset())

    def wants(self, kind: Kind) -> bool:
        return not self.only or kind in self.only

    def about(self, port: int) -> bool:
        return not self.ports or port in self.ports

    def insists(self, row: str) -> bool:
        return EVERYTHING in self.insist or row in self.insist
