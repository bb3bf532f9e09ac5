"""What a host tells of itself: its own addresses, and the gateways that others may stand behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gatepost.edge.host.runner import Runner

MOST = 1000


def own(runner: Runner) -> tuple[str, ...]:
    found = (a.get("local", "") for link in _asked(runner, "address") for a in link.get("addr_info", ()))
    return tuple(filter(None, found))[:MOST]


def gateways(runner: Runner) -> tuple[str, ...]:
    both = (*_asked(runner, "-4", "route"), *_asked(runner, "-6", "route"))
    hops = (hop for route in both for hop in (route, *route.get("nexthops", ())))
    return tuple(dict.fromkeys(filter(None, (hop.get("gateway", "") for hop in hops))))[:MOST]


def _asked(runner: Runner, *words: str) -> Iterator[dict[str, Any]]:
    ran = runner.run(("ip", "-j", *words))
    try:
        told = json.loads(ran.stdout) if ran.ok else []
    except ValueError:
        told = []
    return (one for one in told if isinstance(one, dict))
