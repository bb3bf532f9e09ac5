"""AWS: a security group with one rule per source, as Terraform JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from gatepost.firewall.exports.posture import Admitted, Posture, described, identifier, mail, posture
from gatepost.firewall.rendering.words import Json
from gatepost.model.architecture import Host
from gatepost.model.flows import Matrix, Network

MAX_DESCRIPTION = 255
MAX_NAME = 200
USUAL_RULES = 60  # inbound or outbound rules of a group, as long as nobody asked for more
LAST_PORT = 65535
_CIDR = {4: "cidr_ipv4", 6: "cidr_ipv6"}
_IN, _OUT = "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"
_ALIVE = (("icmp", 4, 3, 4), ("icmp", 4, 11, -1), ("icmp", 4, 8, -1), ("icmpv6", 6, 2, -1), ("icmpv6", 6, 3, -1),
          ("icmpv6", 6, 128, -1))  # fmt: skip # protocol, family, type, code: path MTU, time exceeded, ping
_EVERYBODY = {4: "0.0.0.0/0", 6: "::/0"}


def render(matrix: Matrix, host: Host) -> str:
    told = posture(matrix, host)
    group = identifier(told.host, MAX_NAME)
    rules = {_IN: dict(_ingress(told, group)), _OUT: dict(_egress(told, group))}
    made: Json = {
        "//": list(_notes(told, rules)),
        "variable": {"vpc_id": {"type": "string"}},
        "resource": {
            "aws_security_group": {group: {
                "name": f"gatepost-{group}"[:MAX_DESCRIPTION],
                "description": described(f"What may reach {told.host}", MAX_DESCRIPTION),
                "vpc_id": "${var.vpc_id}",
            }},
            **{kind: named for kind, named in rules.items() if named},
        },
    }  # fmt: skip
    return json.dumps(made, indent=2) + "\n"


def read(text: str) -> frozenset[Admitted]:
    rules = json.loads(text)["resource"].get(_IN, {}).values()
    return frozenset(
        (rule[key], rule["from_port"], family)
        for rule in rules
        for family, key in _CIDR.items()
        if key in rule and rule["ip_protocol"] == "tcp"
    )


def _notes(told: Posture, rules: Mapping[str, Mapping[str, Json]]) -> Iterator[str]:
    yield f"gatepost: {told.host}"
    for kind, named in rules.items():
        if len(named) > USUAL_RULES:
            yield f"{kind}: {len(named)} rules; a group holds {USUAL_RULES} unless a higher quota was granted"
    if told.kept:
        yield "A security group only allows: it cannot keep the host from internal zones. A network ACL can."
    yield "AWS itself limits outbound port 25 until asked to lift that. IPv6 needs addresses and routes in the VPC."


def _ingress(told: Posture, group: str) -> Iterator[tuple[str, Json]]:
    for one in told.openings:
        for n, source in enumerate(one.sources, 1):
            name = identifier(f"{one.id} {one.port} v{one.family} {n}", MAX_NAME)
            words = f"{one.id} from {one.who}"
            yield name, _rule(group, one.family, source, "tcp", one.port, one.port, words)
    for kind, family, first, last in _ALIVE:
        if family in told.families:
            words = "path MTU, time exceeded, ping"
            yield f"{kind}_{first}", _rule(group, family, _EVERYBODY[family], kind, first, last, words)


def _egress(told: Posture, group: str) -> Iterator[tuple[str, Json]]:
    """Without rules nothing leaves: Terraform takes away the one that AWS adds by itself."""
    if not told.closed:
        for family in told.families:
            spans = ((1, mail() - 1), (mail() + 1, LAST_PORT)) if told.muted else ((None, None),)
            for first, last in spans:
                name = f"anywhere_v{family}" + (f"_{first}" if first else "")
                yield name, _rule(group, family, _EVERYBODY[family], "tcp" if first else "-1", first, last, "anywhere")
            if told.muted:
                for kind in ("udp", "icmp" if family == 4 else "icmpv6"):
                    first, last = (0, LAST_PORT) if kind == "udp" else (-1, -1)
                    yield (
                        f"anywhere_v{family}_{kind}",
                        _rule(group, family, _EVERYBODY[family], kind, first, last, "anywhere"),
                    )
    for one in told.exits if told.closed else (e for e in told.exits if told.muted and e.port == mail()):
        for n, target in enumerate(one.targets, 1):
            name = identifier(f"{one.id} {one.transport} {one.port} v{target.version} {n}", MAX_NAME)
            first, last = (one.port, one.port) if one.port else (0, LAST_PORT)
            yield name, _rule(group, target.version, target, one.transport, first, last, one.id)


def _rule(
    group: str, family: int, network: Network | str, kind: str, first: int | None, last: int | None, words: str
) -> Json:
    made: Json = {
        "security_group_id": f"${{aws_security_group.{group}.id}}",
        "description": described(words, MAX_DESCRIPTION),
        "ip_protocol": kind,
        _CIDR[family]: str(network),
    }
    return made if first is None else made | {"from_port": first, "to_port": last}
