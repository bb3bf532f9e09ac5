"""Lists of networks held against what the declaration allows."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

from gatepost.enforcement.observed import Inside
from gatepost.firewall.spans import within
from gatepost.firewall.whom import networks
from gatepost.model.flows import Network
from gatepost.servers.wordlists import words

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::ffff:127.0.0.0/104"), ip_network("::1/128"))


def declared(inside: Inside, who: str) -> tuple[Network, ...]:
    """`relay_clients` or `proxies` of the host, zones and names of hosts worked out."""
    named = inside.host.relay_clients if who == "relay_clients" else inside.host.proxies
    return networks(inside.architecture, named)


def narrowed(value: str, allowed: Iterable[Network], own: Iterable[str], *, brackets: bool) -> str | None:
    """What lies within the allowed networks or the host itself, as written; what is lacking of them; nothing else.

    None where the list refers to something that is not a network (a table, a file, a name).
    """
    wanted = tuple(allowed)
    inner = (*wanted, *LOOPBACK, *(ip_network(address) for address in own))
    kept: list[str] = []
    there: list[Network] = []
    for word in words(value.replace("[", "").replace("]", "")):
        excluded, network = word.startswith("!"), _network(word.lstrip("!"))
        if network is None:
            return None
        if excluded or within(network, inner):
            kept.append(f"{'!' * excluded}{_spelled(network, brackets=brackets)}")
            there += [] if excluded else [network]
    kept += [_spelled(one, brackets=brackets) for one in wanted if not within(one, there)]
    return " ".join(kept)


def loopback() -> str:
    """As Postfix' own default has it."""
    return "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128"


def _network(word: str) -> Network | None:
    try:
        return ip_network(word, strict=False)
    except ValueError:
        return None


def _spelled(network: Network, *, brackets: bool) -> str:
    if brackets and network.version == 6:
        return f"[{network.network_address}]/{network.prefixlen}"
    return str(network)
