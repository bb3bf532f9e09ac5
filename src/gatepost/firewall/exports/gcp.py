"""Google Cloud: VPC firewall rules as Terraform JSON, for instances that carry the host's network tag."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from gatepost.firewall.exports.posture import Admitted, Posture, described, identifier, mail, posture
from gatepost.firewall.rendering.words import Json
from gatepost.model.architecture import Host
from gatepost.model.flows import Matrix, Network

MAX_NAME = 63
MAX_RANGES = 5000  # of addresses in one rule
MAX_DESCRIPTION = 500
ALLOW, EXITS, MAIL, ANY_PORT, KEPT, REST = 1000, 1000, 1100, 1200, 1300, 60000  # priorities: the lowest goes first
_EVERYBODY = {4: ["0.0.0.0/0"], 6: ["::/0"]}
_PING = {4: "icmp", 6: "58"}


def render(matrix: Matrix, host: Host) -> str:
    told = posture(matrix, host)
    tag = identifier(told.host, MAX_NAME, "-")
    rules = {name: _common(tag, name) | rule for name, rule in (*_ingress(told), *_egress(told))}
    made: Json = {
        "//": list(_notes(told, tag, rules)),
        "variable": {"network": {"type": "string"}},
        "resource": {"google_compute_firewall": rules},
    }
    return json.dumps(made, indent=2) + "\n"


def read(text: str) -> frozenset[Admitted]:
    rules = json.loads(text)["resource"]["google_compute_firewall"].values()
    return frozenset(
        (source, int(port), 6 if ":" in source else 4)
        for rule in rules
        if rule["direction"] == "INGRESS"
        for allowed in rule.get("allow", ())
        for port in allowed.get("ports", ())
        if allowed["protocol"] == "tcp"
        for source in rule["source_ranges"]
    )


def _notes(told: Posture, tag: str, rules: dict[str, Json]) -> Iterator[str]:
    yield f"gatepost: {told.host}. The instance needs the network tag {tag}."
    yield "Google Cloud lets no mail out on port 25 to outside addresses in most projects: relay through another host."
    for name, rule in rules.items():
        if len(rule.get("source_ranges", ())) > MAX_RANGES or len(rule.get("destination_ranges", ())) > MAX_RANGES:
            yield f"{name}: more than {MAX_RANGES} ranges, which a rule does not take"


def _common(tag: str, name: str) -> Json:
    return {"name": identifier(f"{tag} {name}", MAX_NAME, "-"), "network": "${var.network}", "target_tags": [tag]}


def _ingress(told: Posture) -> Iterator[tuple[str, Json]]:
    """Rules of others (default-allow-ssh) may allow more, so the rest is denied before them."""
    for one in told.openings:
        allowed = {"allow": [{"protocol": "tcp", "ports": [str(one.port)]}]}
        words = f"{one.id} from {one.who}"
        yield _name(one.id, one.port, one.family), _rule("INGRESS", ALLOW, one.sources, words) | allowed
    for family in told.families:
        ping = {"allow": [{"protocol": _PING[family]}]}
        yield f"icmp-v{family}", _rule("INGRESS", ALLOW, _EVERYBODY[family], "ICMP") | ping
        yield f"rest-v{family}", _rule("INGRESS", REST, _EVERYBODY[family], "not declared") | _deny()


def _egress(told: Posture) -> Iterator[tuple[str, Json]]:
    for one in told.exits:
        port = {"ports": [str(one.port)]} if one.port else {}
        name = _name(f"{one.id} {one.transport}", one.port, one.targets[0].version)
        priority = EXITS if one.port else ANY_PORT
        yield name, _rule("EGRESS", priority, one.targets, one.id) | {"allow": [{"protocol": one.transport, **port}]}
    for family in told.families:
        if told.muted:
            denied = {"deny": [{"protocol": "tcp", "ports": [str(mail())]}]}
            yield f"only-relays-v{family}", _rule("EGRESS", MAIL, _EVERYBODY[family], "only relays send mail") | denied
        if networks := [n for n in told.kept if n.version == family]:
            kept = {"deny": [{"protocol": "tcp"}]}
            yield f"kept-v{family}", _rule("EGRESS", KEPT, networks, "kept from internal zones") | kept
        if told.closed:
            yield f"no-exit-v{family}", _rule("EGRESS", REST, _EVERYBODY[family], "no exit names it") | _deny()


def _rule(direction: str, priority: int, networks: Iterable[Network | str], words: str) -> Json:
    side = "source_ranges" if direction == "INGRESS" else "destination_ranges"
    return {
        "direction": direction,
        "priority": priority,
        "description": described(words, MAX_DESCRIPTION),
        side: [str(network) for network in networks],
    }


def _deny() -> Json:
    return {"deny": [{"protocol": "all"}], "log_config": {"metadata": "EXCLUDE_ALL_METADATA"}}


def _name(words: str, port: int, family: int) -> str:
    return identifier(f"{words.partition('/')[2]} {port} v{family}", MAX_NAME, "-")
