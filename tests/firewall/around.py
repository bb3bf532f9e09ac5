"""A mail host on eth0, with containers behind br-mail, for the tests of the proof; and bundles taken from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gatepost.firewall.proving import surroundings
from gatepost.firewall.proving.surroundings import Surroundings
from gatepost.model.bundle import Bundle, FileTaken, Ran

V4, V6 = "198.51.100.5", "2001:db8::5"
ADDRESSES = [
    {"ifname": "lo", "addr_info": [{"local": "127.0.0.1"}, {"local": "::1"}]},
    {"ifname": "eth0", "addr_info": [{"local": V4}, {"local": V6}, {"local": "fe80::5"}]},
    {"ifname": "br-mail", "addr_info": [{"local": "172.22.1.1"}]},
]
ROUTES: Mapping[int, Sequence[Mapping[str, str]]] = {
    4: [
        {"dst": "default", "gateway": "198.51.100.1", "dev": "eth0"},
        {"dst": "198.51.100.0/24", "dev": "eth0"},
        {"dst": "172.22.1.0/24", "dev": "br-mail"},
    ],
    6: [
        {"dst": "default", "gateway": "fe80::1", "dev": "eth0"},
        {"dst": "2001:db8::/64", "dev": "eth0"},
        {"dst": "fe80::/64", "dev": "eth0"},
    ],
}


def around(*, forwarding: bool = True) -> Surroundings:
    return surroundings.surroundings(ADDRESSES, ROUTES, {4: forwarding, 6: forwarding})


def listed(*objects: Mapping[str, Any]) -> str:
    """As `nft -j list ruleset` prints it."""
    return json.dumps({"nftables": [{"metainfo": {"json_schema_version": 1}}, *objects]})


def bundle(rules: str, *more: Ran, saves: Mapping[int, str] | None = None, files: Sequence[FileTaken] = (),
           forwarding: str = "0\n0\n") -> Bundle:  # fmt: skip
    ran = [
        Ran(("nft", "-j", "list", "ruleset"), 0, rules),
        Ran(surroundings.ADDRESSES, 0, json.dumps(ADDRESSES)),
        *(Ran(argv, 0, json.dumps(ROUTES[family])) for family, argv in surroundings.ROUTES.items()),
        Ran(surroundings.FORWARDING, 0, forwarding),
    ]
    names = {4: "iptables-save", 6: "ip6tables-save"}
    ran += [Ran((names[family],), 0, text) for family, text in (saves or {}).items()]
    return Bundle("mx1.example.org", datetime(2026, 11, 2, tzinfo=UTC), "test", (*ran, *more), tuple(files))


def table(family: str, name: str) -> dict[str, Any]:
    return {"table": {"family": family, "name": name}}


def chain(
    where: str, hook: str = "", kind: str = "filter", priority: int = 0, policy: str = "accept"
) -> dict[str, Any]:
    """`where` is family, table and name: `inet t input`."""
    family, of, name = where.split()
    based = {"type": kind, "hook": hook, "prio": priority, "policy": policy} if hook else {}
    return {"chain": {"family": family, "table": of, "name": name, **based}}


def rule(where: str, *body: Any, handle: int = 1, comment: str = "") -> dict[str, Any]:
    family, of, name = where.split()
    extra = {"comment": comment} if comment else {}
    return {"rule": {"family": family, "table": of, "chain": name, "handle": handle, "expr": list(body), **extra}}


def named(where: str, kind: str, elements: Sequence[Any], **more: Any) -> dict[str, Any]:
    family, of, name = where.split()
    return {"set": {"family": family, "table": of, "name": name, "type": kind, "elem": list(elements), **more}}


def match(left: Any, right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"left": left, "op": op, "right": right}}


def field(protocol: str, name: str) -> dict[str, Any]:
    return {"payload": {"protocol": protocol, "field": name}}


def dport(right: Any, op: str = "==") -> dict[str, Any]:
    return match(field("tcp", "dport"), right, op)


def saddr(right: Any, op: str = "==") -> dict[str, Any]:
    written = right["prefix"]["addr"] if isinstance(right, dict) else str(right)
    return match(field("ip6" if ":" in written else "ip", "saddr"), right, op)


def net(written: str) -> dict[str, Any]:
    address, _, length = written.partition("/")
    return {"prefix": {"addr": address, "len": int(length)}}


ACCEPT: dict[str, Any] = {"accept": None}
DROP: dict[str, Any] = {"drop": None}
RETURN: dict[str, Any] = {"return": None}


def jump(target: str, word: str = "jump") -> dict[str, Any]:
    return {word: {"target": target}}
