"""The firewall: our own table made anew in one transaction, only where the running one differs.

What users may still use without being declared stays open: closing it is for the operator to insist on, here as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network

from gatepost import catalogue
from gatepost.enforcement import boot
from gatepost.enforcement.observed import Inside
from gatepost.enforcement.services import Fate, Stray
from gatepost.enforcement.shares import Share
from gatepost.enforcement.wording import listed
from gatepost.firewall.render import digest, transaction
from gatepost.firewall.rendering.words import Json
from gatepost.model.flows import Flow, Matrix, Network
from gatepost.model.host import SocketSeen
from gatepost.model.observation import of
from gatepost.model.plan import Act, Kind, Step
from gatepost.model.rules import FirewallSeen
from gatepost.model.words import Role
from gatepost.servers.bound import inward

HERE = "this machine"  # in a bundle: no way was needed
LOAD = ("nft", "-j", "-f", "-")
TRY = ("nft", "-c", "-j", "-f", "-")
RULES = ("nft", "-j", "list", "ruleset")
EVERYBODY: dict[int, tuple[Network, ...]] = {4: (ip_network("0.0.0.0/0"),), 6: (ip_network("::/0"),)}
USERS = frozenset({Role.ACCESS, Role.MX, Role.SIEVE, Role.SUBMISSION})
OURS = "inet gatepost"
HOOKS = frozenset({"forward", "input", "output"})
LARGEST = 64 * 1024 * 1024
_MOST = 12  # ports named in a sentence


def shares(inside: Inside, matrix: Matrix, strays: Iterable[Stray], operator: str) -> Iterator[Share]:
    kept = frozenset(s.listener.port for s in strays if s.fate is Fate.LOOK and _used(s.listener.port))
    wanted = opened(matrix, inside, kept)
    if not wanted.to(inside.host.name) or not inside.host.addresses:
        return
    rendered = transaction(wanted, inside.host, inside.architecture)
    running = _running(inside)
    if running is None:
        if why := _unread(inside):
            yield Share(_by_hand(inside, rendered, why))
        return
    loads = running != digest(rendered)
    if loads and (barred := _barred(inside, wanted, operator)):
        yield Share(_by_hand(inside, rendered, barred))
        return
    if loads:
        step = _step(inside, wanted, rendered, first=not running)
        yield Share(step, shut=HOOKS - ({"forward"} if inside.host.name in matrix.routers else set()), spared=kept)
    declared = transaction(matrix, inside.host, inside.architecture) if kept else rendered
    yield from boot.shares(inside, rendered, declared, loads=loads)


def _used(port: int) -> bool:
    row = catalogue.port_numbered(port)
    return row is not None and Role(row.duty) in USERS


def opened(matrix: Matrix, inside: Inside, ports: Iterable[int]) -> Matrix:
    """The same with ports that stay open for everybody until somebody decides."""
    host = inside.host
    flows = tuple(
        Flow(
            f"{host.name}/{port} until somebody decides",
            host.name,
            address,
            port,
            EVERYBODY[6 if ":" in address else 4],
        )
        for port in sorted(ports)
        for address in host.addresses
    )
    others = tuple(f for f in matrix.flows if f.host != host.name or f.port not in set(ports))
    return replace(matrix, flows=(*others, *flows)) if flows else matrix


def _running(inside: Inside) -> str | None:
    """Digest of our table as it runs, empty without one; None where the rules were not read."""
    ran = inside.bundle.command(*RULES) if inside.bundle else None
    if ran is not None and ran.ok:
        loaded = _loaded(ran.stdout)
        return None if loaded is None else digest(loaded)
    seen = of(FirewallSeen, inside.seen, inside.at)
    return seen[0].ours if seen else None


def _loaded(text: str) -> Json | None:
    try:
        loaded = json.loads(text) if len(text) <= LARGEST else None
    except (ValueError, RecursionError):
        return None
    return loaded if isinstance(loaded, dict) else None


def _unread(inside: Inside) -> str:
    """Why the rules were not read; empty where nobody tried."""
    ran = inside.bundle.command(*RULES) if inside.bundle else None
    if ran is None:
        return ""
    if ran.absent:
        return "nft is not installed on this host: install nftables, or set these rules in the firewall it has."
    return f"The running rules could not be read: {(ran.why or ran.stderr.strip() or 'no JSON')[:200]}"


def _barred(inside: Inside, matrix: Matrix, operator: str) -> str:
    """Why these rules would cut the operator's own connection; empty when they do not.

    Only for this machine: the address an SSH session comes from says nothing about the way to another host.
    """
    by = inside.bundle.via if inside.bundle else ""
    if not operator or inside.host.via not in {"", "local"} or by not in {"", HERE}:
        return ""
    try:
        ours = ip_address(operator.partition("%")[0])
    except ValueError:
        return ""
    ours = getattr(ours, "ipv4_mapped", None) or ours
    ways = [f for f in matrix.to(inside.host.name) if f.management]
    if ours.is_loopback or any(ours in network for f in ways for network in f.sources):
        return ""
    return (
        f"You are logged in from {operator}, and the declaration lets nobody operate this host from there: these rules "
        "would cut you off. Add your network to `management` of the host."
    )


def _step(inside: Inside, matrix: Matrix, rendered: Json, *, first: bool) -> Step:
    name = inside.host.name
    return Step(
        key=f"firewall:{OURS}",
        host=name,
        kind=Kind.FIREWALL,
        title="admit what is declared, and nothing else" if first else "bring the firewall back to what is declared",
        controls=("GP-FW-001", "GP-FW-004"),
        why=f"There is no table {OURS} yet: nothing holds the host to its declaration." if first
        else f"The table {OURS} is not what the declaration says: it, or somebody, changed.",
        risk=_risk(inside, matrix),
        diff=_diff(inside, matrix),
        acts=(Act(LOAD, _text(rendered)),),
        checks=(Act(TRY, _text(rendered)),),
    )  # fmt: skip


def _text(rendered: Json) -> str:
    return json.dumps(rendered, separators=(",", ":"))


def _by_hand(inside: Inside, rendered: Json, why: str) -> Step:
    return Step(
        key=f"firewall:{OURS}",
        host=inside.host.name,
        kind=Kind.FIREWALL,
        title="admit what is declared, and nothing else",
        controls=("GP-FW-001", "GP-FW-004"),
        why=why,
        diff=f"gatepost firewall {inside.host.name}\n" if rendered else "",
        by_hand=True,
    )


def _risk(inside: Inside, matrix: Matrix) -> str:
    """What listens now and is shut out, by name: it may be what nobody thought of."""
    permitted = {f.port for f in matrix.to(inside.host.name)}
    shut: dict[int, str] = {}
    for one in of(SocketSeen, inside.seen, inside.at):
        if one.transport == "tcp" and one.port not in permitted and not inward(one):
            shut.setdefault(one.port, one.process)
    if not shut:
        return "Open sessions from networks that are not declared end."
    named = [f"{port} ({process})" if process else str(port) for port, process in sorted(shut.items())]
    more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
    return f"Nobody from outside reaches {', '.join(named[:_MOST])}{more} any more, as these are not declared."


def _diff(inside: Inside, matrix: Matrix) -> str:
    """In words of the declaration; the rules themselves are what `gatepost firewall` prints."""
    by_source: dict[str, set[int]] = {}
    for flow in matrix.to(inside.host.name):
        by_source.setdefault(", ".join(flow.zones) or "everybody", set()).add(flow.port)
    lines = [f"+{source} -> {listed(ports)}" for source, ports in sorted(by_source.items())]
    return "\n".join([f"--- table {OURS}", f"+++ table {OURS}", *lines, "+everybody else -> nothing"]) + "\n"
