"""The kernel in small: what becomes of one packet under rules written as libnftables JSON, one expression at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from ipaddress import ip_address
from typing import Any

ICMP = {"icmp": 4, "icmpv6": 6}
ACCEPT, DROP, CONTINUE = "accept", "drop", "continue"


@dataclass(frozen=True, slots=True)
class Packet:
    """`dialled` is the port before destination NAT, where there was any."""

    source: str
    target: str
    port: int
    transport: str = "tcp"
    state: str = "new"
    iif: str = "eth0"
    oif: str = "eth0"
    dialled: int | None = None
    dialled_at: str = ""
    sport: int = 40000
    icmp: str = ""
    hops: int = 64

    @property
    def family(self) -> int:
        return 6 if ":" in self.target else 4


@dataclass
class Kernel:
    sets: dict[str, list[range]] = field(default_factory=dict)
    chains: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def loaded(cls, document: dict[str, Any]) -> Kernel:
        kernel = cls()
        for entry in document["nftables"]:
            for kind, one in entry.get("add", {}).items():
                assert kind == "table" or one["table"] == "gatepost"
                match kind:
                    case "set":
                        assert one["elem"], "an empty set"
                        assert one["name"] not in kernel.sets
                        kernel.sets[one["name"]] = [spread(element) for element in one["elem"]]
                    case "chain":
                        kernel.chains[one["name"]] = one
                    case "rule":
                        assert one["chain"] in kernel.chains
                        kernel.rules.setdefault(one["chain"], []).append(one)
        return kernel

    def verdict(self, hook: str, packet: Packet) -> str:
        base = [chain for chain in self.chains.values() if chain.get("hook") == hook]
        for chain in base:
            found = self.walk(chain["name"], packet)
            if (chain["policy"] if found == CONTINUE else found) == DROP:
                return DROP
        return ACCEPT

    def walk(self, chain: str, packet: Packet) -> str:
        for rule in self.rules.get(chain, []):
            for expression in rule["expr"]:
                found = self.step(expression, packet)
                if found in {ACCEPT, DROP}:
                    return found
                if not found:
                    break
        return CONTINUE

    def step(self, expression: dict[str, Any], packet: Packet) -> str:
        """A verdict, or "next" for a match that holds, or "" for one that does not."""
        ((kind, what),) = expression.items()
        match kind:
            case "accept" | "drop":
                return str(kind)
            case "jump":
                found = self.walk(what["target"], packet)
                return "next" if found == CONTINUE else found
            case "counter" | "log" | "limit":
                return "next"
            case "match":
                return "next" if self.holds(what, packet) else ""
        raise AssertionError(f"unknown expression {kind}")

    def holds(self, match: dict[str, Any], packet: Packet) -> bool:
        value = self.value(match["left"], packet)
        if value is None:
            return False
        right = match["right"]
        if isinstance(right, str) and right.startswith("@"):
            at = number(value)
            return any(at in span for span in self.sets[right[1:]]) is not bool(match["op"] == "!=")
        if isinstance(right, dict) and "set" in right:
            listed = right["set"]
        else:
            listed = right if isinstance(right, list) else [right]
        hit = any(equal(one, value) for one in listed)
        return hit is not bool(match["op"] == "!=")

    @staticmethod
    def value(left: dict[str, Any], packet: Packet) -> Any:
        """None where the packet has no such field: then no comparison holds, neither == nor !=."""
        match left:
            case {"meta": {"key": "nfproto"}}:
                return f"ipv{packet.family}"
            case {"meta": {"key": "l4proto"}}:
                return packet.transport
            case {"meta": {"key": "iifname"}}:
                return packet.iif
            case {"meta": {"key": "oifname"}}:
                return packet.oif
            case {"ct": {"key": "state"}}:
                return packet.state
            case {"ct": {"key": "status"}}:
                return "dnat" if packet.dialled is not None else None
            case {"ct": {"key": "proto-dst", "dir": "original"}}:
                return packet.port if packet.dialled is None else packet.dialled
            case {"ct": {"key": "ip daddr" | "ip6 daddr" as key, "dir": "original"}}:
                address = packet.dialled_at or packet.target
                return address if (key == "ip6 daddr") == (":" in address) else None
            case {"payload": {"protocol": "ip" | "ip6" as header, "field": name}}:
                if (header == "ip6") != (packet.family == 6):
                    return None
                return {"saddr": packet.source, "daddr": packet.target, "hoplimit": packet.hops}[name]
            case {"payload": {"protocol": "tcp" | "udp" as transport, "field": name}}:
                return {"dport": packet.port, "sport": packet.sport}[name] if packet.transport == transport else None
            case {"payload": {"protocol": "icmp" | "icmpv6" as kind, "field": "type"}}:
                return packet.icmp if packet.icmp and ICMP[kind] == packet.family else None
        raise AssertionError(f"unknown field {left}")


def equal(one: Any, value: Any) -> bool:
    if isinstance(one, dict):
        return number(value) in spread(one)
    if isinstance(one, str) and one.endswith("*"):
        return fnmatchcase(value, one)
    return bool(one == value)


@cache
def number(text: str) -> int:
    """Both families on one line, so that no IPv4 address equals an IPv6 one."""
    address = ip_address(text)
    return int(address) + (address.version == 6) * 2**32


def spread(element: Any) -> range:
    if isinstance(element, str):
        return range(number(element), number(element) + 1)
    start = number(element["prefix"]["addr"])
    return range(start, start + 2 ** ((32 if start < 2**32 else 128) - element["prefix"]["len"]))
