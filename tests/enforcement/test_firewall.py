"""One step for the firewall, only where it differs, last of all, and never one that locks the operator out."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_network

import pytest

from gatepost.enforce import Wishes
from gatepost.enforce import plan as desired
from gatepost.firewall.matrix import matrix
from gatepost.firewall.render import transaction
from gatepost.model.architecture import Host, Zone
from gatepost.model.bundle import NOT_FOUND, Bundle, Ran
from gatepost.model.finding import Finding
from gatepost.model.host import SocketSeen
from gatepost.model.plan import Kind, Plan, Step
from gatepost.model.rules import DeviationSeen, Drift
from gatepost.model.words import Outcome, Role, Severity
from tests.enforcement.house import AT, NAME, NOW, House

RULES = ("nft", "-j", "list", "ruleset")
ADMIN = Zone("admin", (ip_network("203.0.113.0/24"), ip_network("2001:db8:a::/48")))
HOUSE = House(
    {"disable_vrfy_command": "no"}, {"smtp/inet": {}}, declared=("smtp", "submissions"),
    host=Host(NAME, ("192.0.2.5", "2001:db8::5"), (), management=("admin",)), zones=(ADMIN,),
)  # fmt: skip


def planned(house: House, ran: Ran | None, wishes: Wishes | None = None) -> Plan:
    bundle = Bundle(NAME, NOW, "this machine", (ran,) if ran else ())
    return desired(house.audit(), matrix(house.architecture), (bundle,), now=NOW, wishes=wishes)


def listing(document: object) -> Ran:
    return Ran(RULES, 0, json.dumps(document))


def steps(plan: Plan) -> list[Step]:
    return [step for step in plan.steps if step.kind is Kind.FIREWALL]


EMPTY = listing({"nftables": [{"metainfo": {"json_schema_version": 1}}]})


def test_the_whole_table_in_one_step_at_the_end() -> None:
    plan = planned(HOUSE, EMPTY)
    step = plan.doing[-1]
    assert [one.key for one in steps(plan)] == [step.key] == ["firewall:inet gatepost"]
    assert [act.argv for act in (*step.acts, *step.checks)] == [
        ("nft", "-j", "-f", "-"), ("nft", "-c", "-j", "-f", "-"),
    ]  # fmt: skip
    architecture = HOUSE.architecture
    assert json.loads(step.acts[0].stdin) == transaction(matrix(architecture), architecture.hosts[0], architecture)
    assert "+admin -> 22\n" in step.diff
    assert "+everybody -> 25, 465\n" in step.diff


def test_nothing_where_it_runs_already() -> None:
    architecture = HOUSE.architecture
    rendered = transaction(matrix(architecture), architecture.hosts[0], architecture)
    running = [entry["add"] for entry in rendered["nftables"][2:]]
    assert steps(planned(HOUSE, listing({"nftables": running}))) == []
    changed = steps(planned(HOUSE, listing({"nftables": running[:-1]})))
    assert [step.title for step in changed] == ["bring the firewall back to what is declared"]


def test_what_is_shut_out_is_named() -> None:
    sockets = (SocketSeen(AT, "0.0.0.0", 3306, 4, process="mysqld"), SocketSeen(AT, "127.0.0.1", 6379, 4),
               SocketSeen(AT, "0.0.0.0", 25, 4, process="master"))  # fmt: skip
    step = steps(planned(replace(HOUSE, more=sockets), EMPTY))[0]
    assert step.risk == "Nobody from outside reaches 3306 (mysqld) any more, as these are not declared."


def test_ports_that_wait_for_a_decision_stay_open() -> None:
    waiting = replace(HOUSE, listeners={"imap-login/imap": 143, "pop3-login/pop3s": 995})
    assert "+everybody -> 25, 143, 465\n" in steps(planned(waiting, EMPTY))[0].diff
    insisted = planned(waiting, EMPTY, Wishes(close_legacy=True))
    assert "+everybody -> 25, 465\n" in steps(insisted)[0].diff


@pytest.mark.parametrize(
    ("operator", "barred"),
    [
        ("", False),
        ("203.0.113.9", False),
        ("2001:db8:a::9", False),
        ("::ffff:203.0.113.9", False),
        ("127.0.0.1", False),
        ("198.51.100.9", True),
        ("2001:db8:b::9", True),
        ("fe80::1%eth0", True),
        ("nonsense", False),
    ],
)
def test_the_operator_is_never_cut_off(operator: str, barred: bool) -> None:  # noqa: FBT001 - a table
    step = steps(planned(HOUSE, EMPTY, Wishes(operator=operator)))[0]
    assert step.by_hand is barred
    assert ("cut you off" in step.why) is barred


def test_another_host_is_not_reached_by_our_session() -> None:
    elsewhere = replace(HOUSE, host=replace(HOUSE.host, via="ssh root@mx1.example.org"))
    assert not steps(planned(elsewhere, EMPTY, Wishes(operator="198.51.100.9")))[0].by_hand


@pytest.mark.parametrize(
    ("ran", "word"),
    [
        (Ran(RULES, NOT_FOUND), "not installed"),
        (Ran(RULES, 1, "", "Operation not permitted (you must be root)"), "Operation not permitted"),
        (Ran(RULES, 0, "{"), "no JSON"),
        (Ran(RULES, 0, "[" * 100_000), "no JSON"),
        (Ran(RULES, 0, "[]"), "no JSON"),
    ],
)
def test_rules_that_were_not_read_are_not_replaced(ran: Ran, word: str) -> None:
    step = steps(planned(HOUSE, ran))[0]
    assert step.by_hand
    assert word in step.why


def deviation(drift: Drift, direction: str = "input", port: int = 8080) -> DeviationSeen:
    return DeviationSeen(AT, drift, (port, port), ("0.0.0.0/0",), "192.0.2.99", direction)


def wide(*evidence: DeviationSeen, place: str = NAME) -> Finding:
    check = "denied-by-default"
    return Finding("GP-FW-001", check, place, Role.HOST, Outcome.FAIL, Severity.HIGH, "", evidence, "", (place,))


@pytest.mark.parametrize(
    ("finding", "house", "promised"),
    [
        (wide(deviation(Drift.WIDER), deviation(Drift.WIDER, "forward")), HOUSE, True),
        (wide(deviation(Drift.WIDER), deviation(Drift.CLOSED)), HOUSE, False),
        (wide(deviation(Drift.CANNOT_TELL)), HOUSE, False),
        (wide(), HOUSE, False),
        # a router forwards on purpose, and our table has no say there
        (wide(deviation(Drift.WIDER, "forward")), replace(HOUSE, host=replace(HOUSE.host, routes=True)), False),
        # something stays open until it is decided: the evidence may not name it
        (wide(deviation(Drift.WIDER)), replace(HOUSE, listeners={"imap-login/imap": 143}), False),
        (wide(deviation(Drift.WIDER), place=f"{NAME}:8080"), replace(HOUSE, listeners={"imap-login/imap": 143}), True),
        (wide(deviation(Drift.WIDER, port=143), place=f"{NAME}:143"),
         replace(HOUSE, listeners={"imap-login/imap": 143}), False),
    ],
)  # fmt: skip
def test_what_the_rules_end(finding: Finding, house: House, promised: bool) -> None:  # noqa: FBT001 - a table
    audit = house.audit()
    told = desired(
        replace(audit, findings=(*audit.findings, finding)), matrix(house.architecture),
        (Bundle(NAME, NOW, "this machine", (EMPTY,)),), now=NOW,
    )  # fmt: skip
    assert (finding.id in steps(told)[0].promises) is promised


def test_nobody_looked_at_the_rules() -> None:
    assert steps(planned(HOUSE, None)) == []
    assert steps(planned(HOUSE, EMPTY, Wishes(only=frozenset({Kind.POSTFIX})))) == []
