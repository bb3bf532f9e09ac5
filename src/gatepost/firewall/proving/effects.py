"""What a rule does with the packets that it matches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import NamedTuple

from gatepost.firewall.proving.fates import ACCEPT, DROP, FALL, LOST
from gatepost.firewall.proving.packets import Knowledge, Packet
from gatepost.firewall.proving.regions import EVERYWHERE, Region
from gatepost.firewall.proving.ruleset import ChainKey
from gatepost.firewall.proving.tables import Keyed
from gatepost.firewall.proving.values import Raw, Unreadable, element, parts, ports, shown


@dataclass(frozen=True, slots=True)
class Ends:
    """A verdict as a mark of `fates`; `what` names the construct when it stands for several outcomes."""

    mark: int
    what: str = ""


@dataclass(frozen=True, slots=True)
class Goes:
    chain: ChainKey
    returns: bool  # jump, not goto


@dataclass(frozen=True, slots=True)
class Chooses:
    """A verdict map."""

    table: Keyed[Ends | Goes | None]


class Target(NamedTuple):
    """Where a translation leads. `address` None: the host itself; `port` None: unchanged."""

    kind: str  # dnat, redirect
    address: int | None
    port: int | None


@dataclass(frozen=True, slots=True)
class Translates:
    """`targets` tells for which addresses which target (None: one that cannot be read), and what is in doubt."""

    targets: Callable[[Packet, Knowledge], tuple[list[tuple[Region, Target | None]], str]]
    reads: frozenset[str] = frozenset()


Effect = Ends | Goes | Chooses | Translates

ACCEPTS, DROPS, RETURNS = Ends(ACCEPT), Ends(DROP), Ends(FALL)


def either(what: str) -> Ends:
    """Somebody else decides: another program, another machine."""
    return Ends(ACCEPT | DROP, what)


def lost(what: str) -> Ends:
    """Not even the address and port that the packet goes on with are known."""
    return Ends(LOST, what)


def verdict(body: Raw, chain: ChainKey) -> Ends | Goes | None:
    """A verdict as it stands in a map or in a rule; None goes on with the next rule. Raises Unreadable."""
    word, more = next(iter(body.items())) if isinstance(body, dict) and body else (body, None)
    plain: Mapping[str, Ends | None] = {"accept": ACCEPTS, "drop": DROPS, "return": RETURNS, "continue": None}
    if word in {"jump", "goto"}:
        target = more.get("target") if isinstance(more, dict) else None
        if not isinstance(target, str):
            raise Unreadable(f"{word} {shown(more)}")
        return Goes((chain[0], chain[1], target), word == "jump")
    if word not in plain:
        return either(f"verdict {shown(word)}")
    return plain[word]


def redirected(body: Raw) -> Translates:
    """Raises Unreadable."""
    port = body.get("port") if isinstance(body, dict) else None
    return fixed(Target("redirect", None, _single_port(port)) if port is not None else Target("redirect", None, None))


def fixed(target: Target | None) -> Translates:
    return Translates(lambda p, _k: ([(EVERYWHERE[p.family], target)], ""))


def translated(body: Raw, mapped: Callable[[Raw, Raw], Keyed[Raw]]) -> Translates:
    """`dnat to` an address, a port, both, or whatever a map holds for the packet. Raises Unreadable."""
    if not isinstance(body, dict):
        raise Unreadable(f"dnat {shown(body)}")
    written, port = body.get("addr"), body.get("port")
    if isinstance(written, dict) and isinstance(written.get("map"), dict):
        return _looked_up(mapped(written["map"].get("key"), written["map"].get("data")), port)
    return fixed(_target(written, port))


def _looked_up(table: Keyed[Raw], port: Raw) -> Translates:
    def targets(packet: Packet, knowledge: Knowledge) -> tuple[list[tuple[Region, Target | None]], str]:
        found, why = table.found(packet, knowledge)
        if why:
            return [(EVERYWHERE[packet.family], None)], why
        listed: list[tuple[Region, Target | None]] = []
        for region, value in found or ():
            split = parts(element(value))
            listed.append((region, _target(split[0], split[1] if len(split) > 1 else port)))
        return listed, ""

    return Translates(targets, table.reads)


def _target(written: Raw, port: Raw) -> Target | None:
    try:
        return Target("dnat", int(ip_address(written)), _single_port(port) if port is not None else None)
    except (Unreadable, TypeError, ValueError):
        return None


def _single_port(written: Raw) -> int:
    low, high = ports(written)
    if low != high:
        raise Unreadable(f"a range of ports {low}-{high}")
    return low


def dnat_option(text: str) -> Target | None:
    """iptables: `--to-destination ADDRESS[:PORT]`, IPv6 in brackets where a port follows."""
    host, port = text, ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        return Target("dnat", int(ip_address(host)), _single_port(port) if port else None)
    except (Unreadable, ValueError):
        return None
