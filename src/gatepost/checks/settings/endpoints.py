"""Where Postfix reaches its filters: `unix:path`, `inet:host:port`, each alone or in braces with options of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gatepost.checks.settings.answer import HOLDS, Answer, all_of, cannot_tell, fails
from gatepost.checks.settings.networks import local, read
from gatepost.firewall import spans
from gatepost.model.flows import Network
from gatepost.servers.wordlists import words

_ON_HOST = ("fifo:", "local:", "unix:")


def all_inside(text: str, allowed: Iterable[Network], names: frozenset[str], *, key: str, known: bool) -> Answer:
    """Every filter is on this host, or at a declared party."""
    return all_of(_one(where, tuple(allowed), names, key, known=known) for where in places(text))


def places(text: str) -> Iterator[str]:
    """`{ inet:127.0.0.1:11332, connect_timeout=5s }` is one place."""
    for word in words(text):
        inner = words(word[1:].removesuffix("}")) if word.startswith("{") else [word]
        yield from inner[:1]


def _one(where: str, allowed: tuple[Network, ...], names: frozenset[str], key: str, *, known: bool) -> Answer:
    if where.lower().startswith(_ON_HOST) or where.startswith("/"):
        return HOLDS
    host = _host(where)
    network = read(host)
    if local(host) or host.lower() in names or (network is not None and spans.within(network, allowed)):
        return HOLDS
    if network is None and not host:
        return cannot_tell(f"{where} is no place that is known here")
    if not known:
        return cannot_tell(f"no declaration says whether {host} belongs to {key}")
    return fails(f"mail goes to {host} in clear, which is not among the declared {key}")


def _host(where: str) -> str:
    """`inet:host:port`, `inet:[::1]:port` and Sendmail's `inet:port@host`."""
    rest = where.partition(":")[2] if where.lower().startswith(("inet:", "inet6:")) else where
    if "@" in rest:
        return rest.rpartition("@")[2]
    return rest.rpartition(":")[0].strip("[]")
