"""What the declaration says about one host, in the words of the settings catalogue (`declared.relay_clients`)."""

from __future__ import annotations

from ipaddress import ip_network

from gatepost.checks.case import Case
from gatepost.firewall import whom
from gatepost.model.architecture import Host
from gatepost.model.flows import Network
from gatepost.model.words import Role

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_KEYS = {"admin": "management", "auth_peers": "peers", "milters": "peers", "mta": "peers"}  # as the host calls them
_TO_DOVECOT = {"managesieve": "sieve"}


def key(word: str) -> str:
    """What the operator calls it: `declared.milters` is `peers` of the host."""
    name = word.removeprefix("declared.")
    return _KEYS.get(name, name)


def listed(case: Case, word: str) -> tuple[str, ...]:
    """Zones, networks and hosts as written; nothing for what a host cannot declare."""
    names: dict[str, tuple[str, ...]] = {}
    if case.host is not None:
        host = case.host
        names = {
            "management": host.management,
            "peers": host.peers,
            "proxies": host.proxies,
            "relay_clients": host.relay_clients,
        }
    return names.get(key(word), ())


def networks(case: Case, word: str) -> tuple[Network, ...]:
    """The fewest networks that hold what is declared."""
    return whom.networks(case.architecture, listed(case, word))


def own(case: Case) -> tuple[Network, ...]:
    """The host itself: loopback and its declared addresses."""
    addresses = case.host.addresses if case.host else ()
    return (*LOOPBACK, *(ip_network(address) for address in addresses))


def hosts(case: Case, word: str) -> frozenset[str]:
    """Names that mean a declared party, or this host."""
    return frozenset({case.at.host, *listed(case, word)})


def relay_domains(case: Case) -> frozenset[str]:
    """Domains that name this host as exchanger."""
    declared = (d.name for d in case.architecture.domains if case.at.host in d.mx)
    return frozenset({*declared, *case.serves})


def protocols(host: Host) -> frozenset[str]:
    """Protocols in Dovecot's words. LMTP is inside: over a UNIX socket it is no port to declare."""
    spoken = {_TO_DOVECOT.get(s.protocol, s.protocol) for s in host.services if s.protocol != "smtp"}
    sends = {"submission"} if any(s.role is Role.SUBMISSION for s in host.services) else set[str]()
    return frozenset({*spoken, *sends, "lmtp"})
