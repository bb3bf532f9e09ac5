"""The inner side of a run: what the hosts themselves and other places say, beside what the wire says."""

from __future__ import annotations

from asyncio import gather, to_thread
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gatepost.cli.request import Request
from gatepost.edge.host.bundles import load as load_bundles
from gatepost.edge.host.collecting import collect
from gatepost.edge.host.here import way
from gatepost.edge.host.reaching import load as load_reach
from gatepost.edge.host.runner import Ways
from gatepost.errors import CannotLook, UsageError
from gatepost.firewall import witness as firewall
from gatepost.firewall.matrix import matrix
from gatepost.model.architecture import Architecture, Endpoint, Host
from gatepost.model.bundle import Bundle
from gatepost.model.flows import Matrix
from gatepost.model.observation import Observation, Unobserved
from gatepost.model.rules import DeviationSeen
from gatepost.model.words import Reason
from gatepost.servers import witness as servers


@dataclass(frozen=True, slots=True)
class Inside:
    """What was taken from the hosts, and what it says."""

    bundles: tuple[Bundle, ...] = ()
    seen: tuple[Observation, ...] = ()


async def inside(request: Request, architecture: Architecture, hosts: Iterable[Host], now: datetime) -> Inside:
    """Hosts without a way are not looked at: no word about them is neither good nor bad.

    Raises UsageError for a bundle or reach file that cannot be read, or that speaks of none of the hosts.
    """
    known = {host.name: host for host in hosts}
    given = {bundle.host: bundle for path in request.bundles for bundle in load_bundles(path)}
    if given and not given.keys() & known.keys():
        raise UsageError(
            f"--bundle: taken from {', '.join(sorted(given))}, and this run looks at {', '.join(sorted(known)[:5])}: "
            "name the host it is from, or take it anew with gatepost collect --name"
        )
    elsewhere = tuple(one for path in request.reach for one in load_reach(path))
    ways = {n: request.via or way(host) for n, host in known.items() if n not in given} if request.inside else {}
    with Ways() as open_ways:
        taken = await gather(*(to_thread(_taken, open_ways, via, known[n], now) for n, via in ways.items() if via))
    bundles = (*(given[name] for name in known if name in given), *(t for t in taken if isinstance(t, Bundle)))
    lost = tuple(t for t in taken if isinstance(t, Unobserved))
    permitted = matrix(architecture)
    said = (one for bundle in bundles for one in facts(bundle, known[bundle.host], architecture, permitted))
    return Inside(bundles, (*said, *lost, *elsewhere))


def _taken(ways: Ways, via: str, host: Host, now: datetime) -> Bundle | Unobserved:
    try:
        return collect(ways.to(via), host, now)
    except CannotLook as error:
        return Unobserved(Endpoint(host.name), "host", Reason.CLOSED, str(error))


def facts(bundle: Bundle, host: Host, architecture: Architecture, permitted: Matrix) -> tuple[Observation, ...]:
    """Rules of a host that nobody declared differ from nothing."""
    rules = firewall.facts(bundle, host, permitted)
    if architecture.host(host.name) is None:
        rules = tuple(one for one in rules if not isinstance(one, DeviationSeen))
    return (*servers.facts(bundle, host), *rules)
