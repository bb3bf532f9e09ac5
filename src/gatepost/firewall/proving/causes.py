"""Why rules and declaration differ, in one sentence that names the rule."""

from __future__ import annotations

from gatepost.firewall.proving.ruleset import OURS, Ruleset
from gatepost.firewall.proving.tracing import Trace
from gatepost.model.rules import Drift, RuleRef

_PUBLISHERS = (
    ("docker", "docker"), ("netavark", "podman"), ("nv_", "podman"), ("cni-", "a container network"),
    ("kube-", "kubernetes"), ("libvirt", "libvirt"), ("lxd", "lxd"), ("incus", "incus"), ("firewalld", "firewalld"),
)  # fmt: skip
_KEEPERS = (("ufw", "ufw"), ("firewalld", "firewalld"), ("shorewall", "shorewall"), ("ferm", "ferm"))


def because(drift: Drift, found: Trace, ports: tuple[int, int], rules: Ruleset) -> str:
    if drift is Drift.CANNOT_TELL:
        return f"cannot tell: {found.reasons[0]}" if found.reasons else "the rules do not decide it"
    if drift is Drift.CLOSED:
        return _closed(found)
    if found.translation is not None:
        return _published(found, found.translation, ports, rules)
    if not found.rules:
        return "no rule looks at it" if any(True for _ in rules.rules) else "there are no rules at all"
    return _decides(found.rules[-1], "accepts")


def publisher(rule: RuleRef) -> str:
    """Who writes such chains."""
    words = f"{rule.table} {rule.chain}".lower()
    return next((who for mark, who in _PUBLISHERS if mark in words), "")


def keeper(rules: Ruleset) -> str:
    """Whose rules the operator believes in."""
    if rules.ours:
        return OURS[1]
    names = [f"{family} {table} {chain}".lower() for family, table, chain in rules.chains]
    return next((who for mark, who in _KEEPERS if any(mark in name for name in names)), "")


def _published(found: Trace, rule: RuleRef, ports: tuple[int, int], rules: Ruleset) -> str:
    """`docker published 143 past ufw: chain DOCKER rule 7`."""
    span = str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}"
    who, past = publisher(rule), keeper(rules) or "the input rules"
    if found.path.startswith("input"):
        return f"{rule} leads {span} elsewhere: {rule.text}"
    where = f"chain {rule.chain} rule {rule.handle}"
    if who and who != past:
        return f"{who} published {span} past {past}: {where}"
    return f"{rule.table} {where} leads {span} past {past}: {rule.text}"


def _closed(found: Trace) -> str:
    """The rule, and whose it is when another table takes away what ours gives."""
    if not found.dropped:
        return "no way leads there"
    last = found.rules[-1]
    ours = any(_of(rule) == OURS for rule in found.rules[:-1])
    despite = ", although our table accepts it" if ours and _of(last) != OURS else ""
    return f"{_decides(last, 'drops')}{despite}"


def _of(rule: RuleRef) -> tuple[str, str]:
    family, _, table = rule.table.partition(" ")
    return family, table


def _decides(rule: RuleRef, verb: str) -> str:
    if rule.handle is None:
        return f"no rule of {rule.table} {rule.chain} decides it, and its {rule.text} {verb} it"
    return f"{rule} {verb} it: {rule.text}"
