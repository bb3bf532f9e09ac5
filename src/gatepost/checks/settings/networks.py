"""Lists of clients as Postfix and Dovecot write them, held against what the declaration trusts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Network, ip_network

from gatepost.checks.settings.answer import HOLDS, Answer, all_of, cannot_tell, fails
from gatepost.checks.settings.declared import LOOPBACK
from gatepost.firewall import spans
from gatepost.model.flows import Network
from gatepost.model.words import Severity
from gatepost.servers.wordlists import words

_MAPPED = IPv6Network("::ffff:0:0/96")
_LOCAL = frozenset({"localhost", "localhost.localdomain"})
_MOST = 64  # networks that the exclusions of one element may leave


@dataclass(frozen=True, slots=True)
class Trusted:
    """Who may be listed. `key` is the operator's word for it; `known` false: nothing was declared about this host."""

    key: str
    networks: tuple[Network, ...]
    names: frozenset[str] = frozenset()
    never: tuple[str, ...] = ()
    known: bool = True
    computed: bool = False  # the server worked the list out from its own interfaces


def within(text: str, trusted: Trusted) -> Answer:
    """Every element lies inside. `!pattern` takes away from what comes after it; the first match decides."""
    excluded: list[Network] = []
    answers: list[Answer] = []
    for word in words(text):
        bare = word.removeprefix("!")
        network = read(bare)
        if word.startswith("!"):
            excluded += [network] if network else []
        elif network is None:
            answers.append(_named(bare, trusted))
        else:
            answers.append(_network(network, excluded, trusted))
    return all_of(answers)


def read(word: str) -> Network | None:
    """`192.0.2.5`, `[2001:db8::]/32`, `::ffff:127.0.0.0/104` (an IPv4 network), `fe80::1%eth0`; None for a word."""
    bare = word.replace("[", "").replace("]", "")
    address, slash, length = bare.partition("/")
    try:
        network = ip_network(address.partition("%")[0] + slash + length, strict=False)
    except ValueError:
        return None
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        four = int(network.network_address) & 0xFFFFFFFF
        return ip_network((four, network.prefixlen - 96), strict=False)
    return network


def _network(network: Network, excluded: Sequence[Network], trusted: Trusted) -> Answer:
    if any(_holds(network, never) for never in trusted.never):
        return fails(f"{network} is the whole Internet, or half of it")
    if network.prefixlen == network.max_prefixlen and trusted.computed:
        return HOLDS
    left = _without(network, excluded)
    if left is None:
        return cannot_tell(f"{network} has too many exceptions to be worked out")
    outside = [one for one in left if not spans.within(one, trusted.networks)]
    if not outside:
        return HOLDS
    if not trusted.known:
        return cannot_tell(f"no declaration says whether {network} belongs to {trusted.key}")
    eased = Severity.MEDIUM if all(one.is_link_local for one in outside) else None  # neighbours, and nobody further off
    return fails(f"{network} is not among the declared {trusted.key}", eased)


def _holds(network: Network, never: str) -> bool:
    other = ip_network(never)
    return network.version == other.version and network.supernet_of(other)  # type: ignore[arg-type]  # of one version


def _without(network: Network, excluded: Iterable[Network]) -> list[Network] | None:
    left = [network]
    for one in excluded:
        left = [part for each in left for part in _minus(each, one)]
        if len(left) > _MOST:
            return None
    return left


def _minus(network: Network, other: Network) -> list[Network]:
    if network.version != other.version or not network.overlaps(other):
        return [network]
    if network.prefixlen >= other.prefixlen:
        return []
    return list(network.address_exclude(other))  # type: ignore[arg-type]  # of one version


def _named(word: str, trusted: Trusted) -> Answer:
    name = word.lower().rstrip(".")
    if name in _LOCAL or name in trusted.names:
        return HOLDS
    if word.startswith("/") or ":" in word:
        return cannot_tell(f"{word} was not read")
    if not trusted.known:
        return cannot_tell(f"no declaration says whether {word} belongs to {trusted.key}")
    return fails(f"{word} is not among the declared {trusted.key}")


def local(address: str) -> bool:
    """Whether only this host itself gets to a socket bound there."""
    network = read(address)
    return address.lower() in _LOCAL if network is None else spans.within(network, LOOPBACK)
