"""Our table in one spelling, as we wrote it or as the kernel lists it, so that both can be held together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from ipaddress import ip_address, ip_network

from gatepost.firewall.rendering.words import TABLE, Json

MAX_DEPTH = 30  # of nested expressions; ours have five
_BOUND = ("type", "hook", "prio", "policy")


def same(rendered: Json, listed: Json) -> bool:
    """The running table is the rendered one. Handles, counters and the order of set elements do not count."""
    return normal(rendered) == normal(listed)


def digest(document: Json) -> str:
    """SHA-256 of our table's normal form, hexadecimal; empty where the table is missing."""
    whole = normal(document)
    return sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest() if whole else ""


def normal(document: Json) -> Json:
    """Of a transaction, or of `nft -j list ruleset` or `list table`. Empty where our table is missing."""
    objects = list(_objects(document))
    if not any(kind == "table" for kind, _ in objects):
        return {}
    return {
        "sets": {str(one.get("name")): _set(one) for kind, one in objects if kind == "set"},
        "chains": {str(one.get("name")): _chain(one, objects) for kind, one in objects if kind == "chain"},
        "others": sorted(
            f"{kind} {one.get('name')}" for kind, one in objects if kind not in {"chain", "rule", "set", "table"}
        ),
    }


def _objects(document: Json) -> Iterator[tuple[str, Json]]:
    """Of our table only. In a transaction, what is deleted first does not count."""
    listed = document.get("nftables")
    for entry in listed if isinstance(listed, list) else ():
        inner = entry.get("add", entry) if isinstance(entry, Mapping) else {}
        for kind, one in inner.items() if isinstance(inner, Mapping) else ():
            if kind in {"delete", "metainfo"} or not isinstance(one, dict):
                continue
            named = one.get("name") if kind == "table" else one.get("table")
            if (one.get("family"), named) == (TABLE["family"], TABLE["name"]):
                yield kind, one


def _set(one: Json) -> Json:
    elements = one.get("elem", [])
    return {
        "type": one.get("type"),
        "flags": sorted(map(str, _list(one.get("flags", [])))),
        "elem": sorted(json.dumps(_plain(e, 0), sort_keys=True) for e in _list(elements)),
    }


def _chain(one: Json, objects: Iterable[tuple[str, Json]]) -> Json:
    rules = [rule for kind, rule in objects if kind == "rule" and rule.get("chain") == one.get("name")]
    return {
        **{key: one[key] for key in _BOUND if key in one},
        "rules": [[rule.get("comment", ""), [_plain(e, 0) for e in _list(rule.get("expr", []))]] for rule in rules],
    }


def _plain(value: object, depth: int) -> object:
    """Counters without numbers, sets in order, single hosts as addresses. Deeper than any rule: as it is."""
    if isinstance(value, list):
        return [_plain(one, depth + 1) for one in value] if depth < MAX_DEPTH else json.dumps(value)
    if isinstance(value, str):
        return _spelled(value)
    if not isinstance(value, dict) or depth >= MAX_DEPTH:
        return value
    match value:
        case {"counter": _}:
            return {"counter": None}
        case {"set": listed}:
            return {"set": sorted((_plain(e, depth + 1) for e in _list(listed)), key=_order)}
        case {"match": {"op": "in", "left": left, "right": [*listed]}}:
            return {"match": {"op": "in", "left": left, "right": sorted(map(str, listed))}}
        case {"prefix": {"addr": str(text), "len": int(length)}}:
            return _prefix(text, length)
        case {"limit": dict(limit)}:
            return {"limit": {"burst": 5, "rate_unit": "packets"} | limit}
        case {"log": dict(log)}:
            return {"log": {"level": "warn"} | log}
    return {key: _plain(one, depth + 1) for key, one in value.items()}


def _order(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _spelled(text: str) -> str:
    if "." not in text and ":" not in text:
        return text
    try:
        return str(ip_address(text))
    except ValueError:
        return text


def _prefix(text: str, length: int) -> object:
    try:
        network = ip_network((text, length), strict=False)
    except ValueError:
        return {"prefix": {"addr": text, "len": length}}
    return str(network if network.num_addresses > 1 else network.network_address)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
