"""Azure: a network security group with its rules, as Terraform JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from gatepost.firewall.exports.posture import Admitted, Posture, described, identifier, mail, posture
from gatepost.firewall.rendering.words import Json
from gatepost.model.architecture import Host
from gatepost.model.flows import Exit, Matrix

MAX_NAME = 80
MAX_DESCRIPTION = 140
FIRST, LAST = 100, 4096  # priorities: the lowest goes first
MAX_PREFIXES = 4000  # of all rules of a group


def render(matrix: Matrix, host: Host) -> str:
    told = posture(matrix, host)
    group = identifier(told.host, MAX_NAME)
    inbound, outbound = list(_ingress(told)), list(_egress(told))
    rules: dict[str, Json] = {}
    for direction, listed in (("Inbound", inbound), ("Outbound", outbound)):
        for n, (name, rule) in enumerate(listed):
            last = name.startswith("rest")
            named = identifier(f"{direction} {name}", MAX_NAME)
            rules[named] = _common(group, named, direction, LAST if last else FIRST + n) | rule
    made: Json = {
        "//": list(_notes(told, rules)),
        "variable": {"location": {"type": "string"}, "resource_group_name": {"type": "string"}},
        "resource": {
            "azurerm_network_security_group": {group: {
                "name": group, "location": "${var.location}", "resource_group_name": "${var.resource_group_name}",
            }},
            "azurerm_network_security_rule": rules,
        },
    }  # fmt: skip
    return json.dumps(made, indent=2) + "\n"


def read(text: str) -> frozenset[Admitted]:
    rules = json.loads(text)["resource"]["azurerm_network_security_rule"].values()
    return frozenset(
        (source, int(rule["destination_port_range"]), 6 if ":" in source else 4)
        for rule in rules
        if (rule["direction"], rule["access"], rule["protocol"]) == ("Inbound", "Allow", "Tcp")
        for source in rule["source_address_prefixes"]
    )


def _notes(told: Posture, rules: dict[str, Json]) -> Iterator[str]:
    yield f"gatepost: {told.host}"
    yield "The last rule comes before Azure's own: neighbours in the network and its load balancer are held to these."
    yield "Azure lets no mail out on port 25 in most subscriptions."
    prefixes = sum(
        len(r.get("source_address_prefixes", ())) + len(r.get("destination_address_prefixes", ()))
        for r in rules.values()
    )
    if prefixes > MAX_PREFIXES:
        yield f"{prefixes} address prefixes; a group takes {MAX_PREFIXES}"
    if any(rule["priority"] > LAST for rule in rules.values()):
        yield f"More rules than priorities up to {LAST} allow"


def _common(group: str, name: str, direction: str, priority: int) -> Json:
    return {
        "name": name,
        "resource_group_name": "${var.resource_group_name}",
        "network_security_group_name": f"${{azurerm_network_security_group.{group}.name}}",
        "direction": direction,
        "priority": priority,
        "source_port_range": "*",
    }


def _ingress(told: Posture) -> Iterator[tuple[str, Json]]:
    """A rule holds prefixes of one family."""
    for one in told.openings:
        sources = [str(network) for network in one.sources]
        name = f"{one.id.partition('/')[2]} {one.port} v{one.family}"
        words = f"{one.id} from {one.who}"
        yield (
            name,
            _rule("Allow", "Tcp", words, one.port) | {"source_address_prefixes": sources} | _anywhere("destination"),
        )
    yield "ping", _rule("Allow", "Icmp", "ping", 0) | _anywhere("source") | _anywhere("destination")
    yield "rest", _rule("Deny", "*", "not declared", 0) | _anywhere("source") | _anywhere("destination")


def _egress(told: Posture) -> Iterator[tuple[str, Json]]:
    yield from (_exit(one) for one in told.exits if one.port)
    if told.muted:
        yield "only relays", _out("Deny", "Tcp", "only relays send mail", mail(), ["*"])
    yield from (_exit(one) for one in told.exits if not one.port)
    for family in (4, 6):
        if networks := [str(network) for network in told.kept if network.version == family]:
            yield f"kept v{family}", _out("Deny", "Tcp", "kept from internal zones", 0, networks)
    if told.closed:
        yield "rest", _out("Deny", "*", "no exit names it", 0, ["*"])
    else:
        yield "rest anywhere", _out("Allow", "*", "anywhere", 0, ["*"])


def _exit(one: Exit) -> tuple[str, Json]:
    name = f"{one.id.partition('/')[2]} {one.transport} {one.port} v{one.targets[0].version}"
    return name, _out("Allow", one.transport.capitalize(), one.id, one.port, [str(target) for target in one.targets])


def _out(access: str, kind: str, words: str, port: int, targets: Sequence[str]) -> Json:
    where = _anywhere("destination") if list(targets) == ["*"] else {"destination_address_prefixes": list(targets)}
    return _rule(access, kind, words, port) | _anywhere("source") | where


def _anywhere(side: str) -> Json:
    return {f"{side}_address_prefix": "*"}


def _rule(access: str, kind: str, words: str, port: int) -> Json:
    return {
        "access": access,
        "protocol": kind,
        "description": described(words, MAX_DESCRIPTION),
        "destination_port_range": str(port) if port else "*",
    }
