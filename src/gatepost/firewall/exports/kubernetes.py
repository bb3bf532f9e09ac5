"""Kubernetes: a NetworkPolicy for the pods of one host. JSON with comments in front of it, which is YAML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from gatepost.firewall.exports.posture import Admitted, Posture, identifier, mail, posture
from gatepost.firewall.rendering.words import Json
from gatepost.model.architecture import Host
from gatepost.model.flows import Exit, Matrix, Network

MAX_NAME = 63
LAST_PORT = 65535
_EVERYBODY = {4: "0.0.0.0/0", 6: "::/0"}


def render(matrix: Matrix, host: Host) -> str:
    told = posture(matrix, host)
    label = identifier(told.host, MAX_NAME, "-")
    made: Json = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": label, "labels": {"app.kubernetes.io/managed-by": "gatepost"}},
        "spec": {
            "podSelector": {"matchLabels": {"gatepost/host": label}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [_let_in(one.sources, one.port) for one in told.openings],
            "egress": list(_egress(told)),
        },
    }
    return "\n".join([*(f"# {line}" for line in _notes(told, label)), json.dumps(made, indent=2), ""])


def read(text: str) -> frozenset[Admitted]:
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(
        (peer["ipBlock"]["cidr"], port["port"], 6 if ":" in peer["ipBlock"]["cidr"] else 4)
        for rule in json.loads(plain)["spec"]["ingress"]
        for peer in rule["from"]
        for port in rule["ports"]
    )


def _notes(told: Posture, label: str) -> Iterator[str]:
    yield f"gatepost: {told.host}, pods labelled gatepost/host: {label}. Needs a network plugin that enforces policies."
    yield "Ports are those of the pod. Where they differ from the service's, change them here."
    yield "Sources are seen only with externalTrafficPolicy: Local on the service, or host networking."
    yield "Nodes reach their own pods whatever a policy says. ICMP is up to the plugin."


def _let_in(sources: Iterable[Network], port: int) -> Json:
    return {"from": [_block(network) for network in sources], "ports": [{"protocol": "TCP", "port": port}]}


def _egress(told: Posture) -> Iterator[Json]:
    for one in told.exits:
        yield _let_out(one)
    if told.closed:
        return
    for family in (4, 6):
        kept = [str(network) for network in told.kept if network.version == family]
        everywhere = {"cidr": _EVERYBODY[family]}
        ports = [{"protocol": "TCP"}]
        if told.muted:
            ports = [_range(1, mail() - 1), _range(mail() + 1, LAST_PORT)]
        yield {"to": [{"ipBlock": everywhere | ({"except": kept} if kept else {})}], "ports": ports}
        yield {"to": [{"ipBlock": everywhere}], "ports": [{"protocol": "UDP"}]}


def _let_out(one: Exit) -> Json:
    port: Json = {"protocol": one.transport.upper()} | ({"port": one.port} if one.port else {})
    return {"to": [_block(network) for network in one.targets], "ports": [port]}


def _range(first: int, last: int) -> Json:
    return {"protocol": "TCP", "port": first, "endPort": last}


def _block(network: Network) -> Json:
    return {"ipBlock": {"cidr": str(network)}}
