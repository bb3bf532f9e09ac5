"""Matches, statements and names of libnftables JSON, as few as we use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Any

from gatepost.model.flows import Network

Json = dict[str, Any]  # libnftables JSON: shaped by the functions below

TABLE = {"family": "inet", "name": "gatepost"}
MAX_COMMENT = 120  # octets; the kernel takes 128
MAX_NAME = 31  # characters of a set's name; older kernels refuse longer ones

ACCEPT: Json = {"accept": None}
DROP: Json = {"drop": None}
COUNT: Json = {"counter": None}

_NAME = re.compile(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*")
_NO_NAME = re.compile(r"[^A-Za-z0-9]+")
_ENDS_COMMENT = re.compile(r'["\\]')


def equals(left: Json, right: object, op: str = "==") -> Json:
    return {"match": {"op": op, "left": left, "right": right}}


def among(left: Json, values: Iterable[object]) -> Json:
    """One value needs no set."""
    listed = list(values)
    return equals(left, listed[0] if len(listed) == 1 else {"set": listed})


def field(protocol: str, name: str) -> Json:
    return {"payload": {"protocol": protocol, "field": name}}


def meta(key: str) -> Json:
    return {"meta": {"key": key}}


def state(*states: str) -> Json:
    return equals({"ct": {"key": "state"}}, list(states) if len(states) > 1 else states[0], "in")


DNATED = equals({"ct": {"key": "status"}}, "dnat", "in")


def wired_to(port: int) -> Json:
    """The port that the first packet carried on the wire, before any destination NAT."""
    return equals({"ct": {"key": "proto-dst", "dir": "original"}}, port)


def protocol(family: int) -> Json:
    return equals(meta("nfproto"), f"ipv{family}")


def address(network: Network) -> object:
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    return {"prefix": {"addr": str(network.network_address), "len": network.prefixlen}}


@lru_cache(maxsize=512)
def addresses(networks: tuple[Network, ...]) -> list[object]:
    """Kept, because the hosts of an estate share most of their sets, and spelling addresses takes longest."""
    return [address(network) for network in networks]


def limited(rate: int, per: str) -> Json:
    return {"limit": {"rate": rate, "burst": rate, "per": per}}


def logged(words: str) -> list[Json]:
    """At most ten lines a minute, each rule for itself: a scan must not fill the disk."""
    return [limited(10, "minute"), {"log": {"prefix": f"gatepost {words}: "}}]


def jump(chain: str) -> Json:
    return {"jump": {"target": chain}}


def rule(chain: str, comment: str, *expr: Json) -> Json:
    return {
        "rule": {
            "family": TABLE["family"],
            "table": TABLE["name"],
            "chain": chain,
            "comment": commented(comment),
            "expr": list(expr),
        }
    }


def commented(words: str) -> str:
    """Printable and short enough for the kernel; what had to be changed ends with a digest, so it stays unique.

    A quotation mark would end the comment in the text form, where there is no escape for it.
    """
    if words.isprintable() and not _ENDS_COMMENT.search(words) and len(words.encode()) <= MAX_COMMENT:
        return words
    clean = "".join(c if c.isprintable() and c not in '"\\' else "?" for c in words[:MAX_COMMENT])
    tail = f" {_digest(words)}"
    room = clean.encode()[: MAX_COMMENT - len(tail)]
    return room.decode(errors="ignore") + tail


def set_name(kind: str, words: str, family: int) -> str:
    """`zone_office_v4`. Whatever is no plain identifier is spelled as far as it goes, and told apart by a digest.

    Two underscores in a row mark a digest and occur in no other name.
    """
    end = f"_v{family}"
    room = MAX_NAME - len(kind) - 1 - len(end)
    if not _NAME.fullmatch(words) or len(words) > room:
        tail = f"__{_digest(words)}"
        words = _NO_NAME.sub("_", words[: room - len(tail)]).rstrip("_") + tail
    return f"{kind}_{words}{end}"


def _digest(words: str) -> str:
    return sha256(words.encode(errors="surrogatepass")).hexdigest()[:8]
