"""A port shut on trial. The kernel opens it again by itself, also when gatepost or the operator is gone.

A set of ports whose elements time out, in a table of its own: no other rule is touched, and connections that stand
go on. New ones are answered with a reset, so that programs say so at once instead of hanging.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from gatepost.edge.host.runner import Runner
from gatepost.errors import StepFailed

TABLE = "inet gatepost_rehearsal"
RULES = f"""\
add table {TABLE}
add set {TABLE} shut {{ type inet_service; flags timeout; }}
add chain {TABLE} arriving {{ type filter hook prerouting priority mangle; policy accept; }}
flush chain {TABLE} arriving
add rule {TABLE} arriving fib daddr type local tcp dport @shut tcp flags & (fin | syn | rst | ack) == syn \
counter reject with tcp reset
add element {TABLE} shut {{ %s }}
"""


def shut(runner: Runner, ports: tuple[int, ...], seconds: int) -> None:
    """Raises StepFailed with nft's own words. A port that is shut already keeps its time."""
    elements = ", ".join(f"{port} timeout {seconds}s" for port in ports)
    _nft(runner, "-f", "-", stdin=RULES % elements)


def shut_now(runner: Runner) -> dict[int, int]:
    """Seconds until each port opens again; empty where none is shut."""
    ran = runner.run(("nft", "-j", "list", "set", *TABLE.split(), "shut"))
    if not ran.ok:
        return {}
    try:
        return dict(_elements(json.loads(ran.stdout)))
    except (ValueError, TypeError, KeyError):
        return {}


def turned_away(runner: Runner) -> int:
    """Connections that were answered with a reset so far."""
    ran = runner.run(("nft", "-j", "list", "chain", *TABLE.split(), "arriving"))
    try:
        said = json.loads(ran.stdout) if ran.ok else {}
        rules = [item["rule"]["expr"] for item in said["nftables"] if "rule" in item]
        return sum(part["counter"]["packets"] for expr in rules for part in expr if "counter" in part)
    except (ValueError, TypeError, KeyError):
        return 0


def open_again(runner: Runner) -> None:
    """Before the time is over. Nothing happens where nothing is shut."""
    if runner.run(("nft", "list", "table", *TABLE.split())).ok:
        _nft(runner, "delete", "table", *TABLE.split())


def _elements(
    said: dict[str, list[dict[str, dict[str, list[dict[str, dict[str, int]]]]]]],
) -> Iterator[tuple[int, int]]:
    for item in said["nftables"]:
        for one in item.get("set", {}).get("elem", []):
            yield one["elem"]["val"], one["elem"]["expires"]


def _nft(runner: Runner, *words: str, stdin: str = "") -> None:
    ran = runner.run(("nft", *words), stdin=stdin)
    if not ran.ok:
        raise StepFailed(f"{runner.where}: {ran.why or ran.stderr.strip() or f'nft ended with {ran.code}'}")
