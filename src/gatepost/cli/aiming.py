"""From targets and declaration to hosts and domains."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gatepost.certs.chain import Roots
from gatepost.certs.names import a_labels
from gatepost.cli.names import Names
from gatepost.cli.request import Request
from gatepost.declare import presume
from gatepost.errors import CannotLook, UsageError
from gatepost.model.architecture import Architecture, Domain, Host
from gatepost.model.observation import Observation

if TYPE_CHECKING:
    from gatepost.edge.discover import Discovery


@dataclass(frozen=True, slots=True)
class Aims:
    """Hosts to look at, and what finding them already told us."""

    hosts: tuple[Host, ...]
    targets: tuple[str, ...]
    observations: tuple[Observation, ...] = field(default=())
    complaint: str = ""
    notes: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


async def aim(request: Request, architecture: Architecture, trusted: Roots, names: Names) -> Aims:
    """Which hosts the targets mean: declared ones as declared, the rest as DNS tells."""
    if not request.targets:
        if not architecture.hosts and not architecture.domains:
            raise UsageError(
                "name a host or domain, or let gatepost init write gatepost.toml (on the mail server it needs no name)"
            )
        return await _everything(request, architecture, trusted, names)
    found = [await _one(target, request, architecture, trusted, names) for target in request.targets]
    hosts = {h.name: h for aims in reversed(found) for h in aims.hosts}
    ordered = [h.name for aims in found for h in aims.hosts]
    return Aims(
        tuple(hosts[name] for name in dict.fromkeys(ordered)),
        request.targets,
        tuple(o for aims in found for o in aims.observations),
        next((aims.complaint for aims in found if aims.complaint), ""),
        tuple(note for aims in found for note in aims.notes),
        tuple(domain for aims in found for domain in aims.domains),
    )


async def _everything(request: Request, architecture: Architecture, trusted: Roots, names: Names) -> Aims:
    """All that is declared. DNS leads to no other hosts then; what it tells clients is asked all the same."""
    hosts = tuple([await _with_addresses(h, request, names) for h in architecture.hosts])
    domains = tuple(d.name for d in architecture.domains)
    worth = [d for d in architecture.domains if request.dns and names.worth(d.name)]
    found = [await _discovered(d.name, d, request, trusted, names) for d in worth]
    told: list[Observation] = [one for each in found for one in each.advertised]
    told += [one for each in found for one in each.unobserved]
    return Aims(
        hosts,
        tuple(h.name for h in hosts) or domains,
        tuple(told),
        notes=tuple(note for each in found for note in each.notes),
        domains=domains,
    )


async def _one(target: str, request: Request, architecture: Architecture, trusted: Roots, names: Names) -> Aims:
    plain = target.strip().rstrip(".").lower()
    name = a_labels(plain) or plain
    domain = architecture.domain(name)
    if (host := architecture.host(name)) and domain is None:
        return Aims((await _with_addresses(host, request, names),), (target,))
    if request.addresses:
        return Aims((presume(name, request.addresses),), (target,))
    declared = [h for h in architecture.hosts if domain and h.name in domain.mx]
    found = await _discovered(name, domain, request, trusted, names)
    hosts = {h.name: h for h in declared}
    for host_name, addresses in found.hosts:
        if host_name not in hosts and addresses:
            hosts[host_name] = architecture.host(host_name) or presume(host_name, addresses)
    complaint = found.unobserved[0].detail if found.unobserved and not hosts else ""
    told: tuple[Observation, ...] = (*found.advertised, *found.unobserved)
    meant = (name,) if domain or found.domain or request.as_domain else ()
    return Aims(tuple(hosts.values()), (target,), told, complaint, found.notes, meant)


async def _discovered(name: str, domain: Domain | None, request: Request, trusted: Roots, names: Names) -> Discovery:
    """A declared domain is one, whether or not DNS leads anywhere."""
    from gatepost.edge.discover import Discovery, discover

    try:
        return await discover(name, names.resolver(), roots=trusted, https=request.https)
    except (UsageError, CannotLook) as error:
        if domain is None:
            raise
        return Discovery((), domain=name, notes=(str(error),))


async def _with_addresses(host: Host, request: Request, names: Names) -> Host:
    if request.addresses:
        return replace(host, addresses=request.addresses)
    if host.addresses:
        return host
    return replace(host, addresses=await names.resolver().addresses(host.name))
