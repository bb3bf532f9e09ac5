"""Listeners that should not be there, or only for some: where they are bound, and whom the firewall lets in."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network

from gatepost.catalogue.settings import Safe
from gatepost.checks.case import Case
from gatepost.checks.settings import declared
from gatepost.checks.settings.answer import HOLDS, Answer, cannot_tell, fails
from gatepost.checks.settings.networks import local
from gatepost.checks.settings.spots import Asked
from gatepost.firewall import whom
from gatepost.firewall.spans import within
from gatepost.model.flows import Network
from gatepost.model.host import ListenerConfigured
from gatepost.model.observation import of
from gatepost.model.rules import AdmissionSeen


def bound_to(asked: Asked, safe: Safe) -> Answer:
    """Bound to loopback, or the firewall lets declared parties in and nobody else."""
    listener = asked.spot.listener
    if listener is None or _local(listener):
        return HOLDS
    word = next((one for one in safe.values if one.startswith("declared.")), "")
    allowed = declared.networks(asked.case, word)
    key = declared.key(word)
    if told := admitted(asked.case, listener.port, allowed):
        return told
    if allowed:
        return cannot_tell(f"{_where(listener)}; whether the firewall keeps it to the declared {key} was not seen")
    if asked.case.declared:
        return fails(f"{_where(listener)}, and no {key} are declared")
    return fails(f"{_where(listener)}, which is not this host alone")


def bound_to_declared(asked: Asked, _safe: Safe) -> Answer:
    """A port for clients: open to those it is declared for, by address or by firewall."""
    listener, host = asked.spot.listener, asked.case.host
    if listener is None or _local(listener):
        return HOLDS
    if host is None:
        return cannot_tell(f"{_where(listener)}; no declaration says for whom")
    service = host.service(listener.port)
    if service is None:
        return fails(f"{_where(listener)}, and the port is not declared")
    if service.exposure == "internet" or not service.sources:
        return HOLDS
    allowed = whom.networks(asked.case.architecture, service.sources)
    if any(network.prefixlen == 0 for network in allowed):
        return HOLDS
    told = admitted(asked.case, listener.port, allowed)
    meant = " and ".join(service.sources)
    return told or cannot_tell(f"{_where(listener)}; whether the firewall keeps it to {meant} was not seen")


def closed_unless_declared(asked: Asked, _safe: Safe) -> Answer:
    listener, host = asked.spot.listener, asked.case.host
    if listener is None:
        return HOLDS
    if host is None:
        return cannot_tell(f"no declaration says whether port {listener.port} is meant")
    return HOLDS if host.service(listener.port) else fails(f"port {listener.port} is not declared")


def speaks_tls(asked: Asked, _safe: Safe) -> Answer:
    listener = asked.spot.listener
    return HOLDS if listener is None or listener.tls else fails("it speaks without TLS (ssl = yes is missing)")


def admitted(case: Case, port: int, allowed: Sequence[Network]) -> Answer | None:
    """What the proof from the running rules says; None where no rules were read, or they cannot tell."""
    seen = [one for one in of(AdmissionSeen, case.seen) if (one.at.host, one.at.port) == (case.at.host, port)]
    if not seen:
        return None
    inside = (*allowed, *declared.own(case))
    for one in seen:
        wide = [source for source in one.accepted if not within(ip_network(source), inside)]
        if wide:
            rule = f" ({one.rules[0]})" if one.rules else ""
            return fails(f"the firewall lets {wide[0]} in{rule}")
    doubtful = [s for one in seen for s in one.undecided if not within(ip_network(s), inside)]
    return None if doubtful else HOLDS


def _local(listener: ListenerConfigured) -> bool:
    return bool(listener.addresses) and all(map(local, listener.addresses))


def _where(listener: ListenerConfigured) -> str:
    return f"listens on {' and '.join(listener.addresses) or 'all addresses'}, port {listener.port}"
