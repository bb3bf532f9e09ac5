"""Who connects to each service, counted to see whether all clients have become one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from ipaddress import ip_network

from gatepost.logs.clients import ALL, one_client
from gatepost.model.counting import local
from gatepost.watching.spared import hides

MOST = 20_000  # clients


@dataclass(slots=True)
class Callers:
    """Connections of the machine to itself are left out. At most `MOST` clients are counted: more are not one."""

    by_service: dict[str, Counter[str]] = field(default_factory=dict)
    known: int = 0

    def count(self, service: str, client: str) -> None:
        counted = self.by_service.get(service)
        if counted is None:
            counted = self.by_service[service] = Counter()
        if client in counted:
            counted[client] += 1
        elif self.known < MOST and not local(client):
            counted[client] = 1
            self.known += 1

    def together(self) -> str:
        """A sentence when all clients of a service have one inner address; public ones may just be attacking."""
        for service, counted in sorted(self.by_service.items()):
            if not counted:
                continue
            foremost = max(counted, key=counted.__getitem__)
            if counted[foremost] < ALL * counted.total() or not hides(ip_network(foremost)):
                continue
            if said := one_client((service, client, count) for client, count in counted.items()):
                return said[0]
        return ""
