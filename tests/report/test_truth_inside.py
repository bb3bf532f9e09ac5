"""The port truth with all witnesses: sockets, rules, vantages."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from gatepost.model.architecture import Endpoint
from gatepost.model.host import BundleRead, SocketSeen
from gatepost.model.observation import Closed, Observation, Run, Seen, Unobserved, Vantage
from gatepost.model.rules import AdmissionSeen, DeviationSeen, Drift, FirewallSeen, Reach, ReachSeen
from gatepost.model.words import Outcome, Reason, Role, Severity
from gatepost.report.columns import brief
from gatepost.report.encryption import Word
from gatepost.report.truth import NOT_ASKED, Row, Standing, merged, rows
from gatepost.report.views import ports_json, ports_text
from gatepost.report.wall import wall
from tests.report.golden import golden
from tests.report.sample import NOW, finding
from tests.report.sample_inside import (
    ALL4,
    CLERK,
    HOST,
    MX,
    OFFICE4,
    POLICY,
    STRANGER,
    V4,
    V6,
    at,
    inside,
    reach,
    seen,
    socket,
)

INSIDE = BundleRead(HOST, NOW, "this machine")


def table(*facts: Observation) -> dict[tuple[str, int], Row]:
    audit = replace(inside(), run=Run(Seen(facts), NOW))
    return {(row.address, row.port): row for row in rows(audit)}


ALL = table(*seen())


@pytest.mark.parametrize("width", [80, 120])
def test_the_page_is_as_it_was_read_and_liked(width: int) -> None:
    made = ports_text(inside(), width=width)
    assert made == golden(f"ports-inside-{width}.txt", made)
    assert max(len(line) for line in made.splitlines()) <= width


@pytest.mark.parametrize(
    ("address", "port", "word", "standing"),
    [
        (V4, 22, Word.AS_DECLARED, Standing.GOOD),
        (V4, 25, Word.STARTTLS_ENFORCED, Standing.GOOD),
        (V6, 110, Word.TOO_OPEN, Standing.BAD),
        (V4, 143, Word.BYPASS, Standing.BAD),
        (V4, 587, Word.AS_DECLARED, Standing.GOOD),
        (V4, 993, Word.BLOCKED, Standing.BAD),
        (V6, 993, Word.FILTERED, Standing.UNKNOWN),
        (V4, 995, Word.MISSING, Standing.BAD),
        (V4, 4190, Word.MISSING, Standing.BAD),
        ("127.0.0.1", 3306, Word.LOOPBACK, Standing.QUIET),
        (V4, 6379, Word.UNDECLARED, Standing.ATTENTION),
    ],
)
def test_one_word_for_what_all_witnesses_say(address: str, port: int, word: Word, standing: Standing) -> None:
    assert (ALL[address, port].verdict, ALL[address, port].standing) == (word, standing)


def test_who_listens_is_named_and_who_only_listens_to_itself_is_told_apart() -> None:
    assert ALL[V4, 25].listening == "yes (master)"
    assert ALL[V4, 4190].listening == "loopback"
    assert ALL[V4, 995].listening == "no"


def test_the_rules_are_told_in_zones_and_more_than_declared_is_marked() -> None:
    told = {port: ALL[V4, port].firewalled for port in (22, 25, 110, 587, 993, 6379, 11334)}
    assert told == {
        22: "admin", 25: "open", 110: "open+", 587: "office", 993: "closed", 6379: "closed",
        11334: "office, 10.0.0.0/8+",
    }  # fmt: skip
    assert ALL[V6, 993].firewalled == "?"


def test_a_few_bans_do_not_close_a_port_to_everybody() -> None:
    banned = tuple(map(str, IPv4Network("0.0.0.0/0").address_exclude(IPv4Network("192.0.2.66/32"))))
    assert table(INSIDE, *socket(25, "master"), AdmissionSeen(at(25), banned))[V4, 25].firewalled == "open"


def test_vantages_are_told_apart_where_they_differ() -> None:
    assert ALL[V4, 587].reachable == "office yes; internet, admin no"
    assert ALL[V4, 6379].reachable == "no"
    assert brief("office, store yes; internet no") == "office, store"
    assert brief("office yes; internet no; store ?") == "office, ?"
    assert brief("office refused; internet no") == "office refused; internet no"


def test_a_cause_names_rule_and_line() -> None:
    assert ALL[V4, 110].cause == (
        "inet filter input rule 12 accepts 110 (pop3) from everybody else; declared for office only (gatepost.toml:14)"
    )
    assert ALL[V4, 143].cause.startswith("docker published 143 past ufw: chain DOCKER rule 7")
    assert ALL[V4, 6379].cause.endswith("only the firewall keeps it closed")
    assert ALL[V4, 4190].cause == "declared, but dovecot listens on loopback only (gatepost.toml:19)"


def test_facts_of_rules_and_vantages_make_no_wire_verdict() -> None:
    """What was never dialled is not silent, closed or unknown: it was not asked."""
    facts: tuple[Observation, ...] = (
        INSIDE, FirewallSeen(HOST, (), 3, "d"), AdmissionSeen(at(9999), ALL4), *reach(9998, office=Reach.SILENT),
        DeviationSeen(at(1), Drift.WIDER, (1, 24), ALL4, STRANGER),
    )  # fmt: skip
    told = table(*facts)
    assert not {1, 9998, 9999} & {port for _, port in told}
    assert {row.reachable for row in told.values()} == {NOT_ASKED}


def test_a_look_inside_alone_judges_what_is_declared() -> None:
    told = table(INSIDE, *socket(25, "master"))
    assert told[V4, 25].verdict is Word.AS_DECLARED
    assert told[V4, 993].verdict is Word.MISSING


def test_what_could_not_be_listed_is_not_missing() -> None:
    told = table(INSIDE, Unobserved(HOST, "sockets", Reason.REFUSED, "ss is not there"))
    assert (told[V4, 25].verdict, told[V4, 25].listening) == (Word.UNKNOWN, "?")


def test_rules_that_could_not_be_read_are_a_question_mark() -> None:
    told = table(INSIDE, *socket(25, "master"), Unobserved(HOST, "firewall", Reason.REFUSED, "nft is not there"))
    assert told[V4, 25].firewalled == "?"


def test_a_vantage_alone_can_prove_a_port_too_open_or_blocked() -> None:
    wide = table(*reach(587, internet=Reach.REACHED))[V4, 587]
    assert (wide.verdict, wide.cause) == (
        Word.TOO_OPEN, "internet gets in; declared for office only (gatepost.toml:16)",
    )  # fmt: skip
    shut = table(*reach(587, office=Reach.REJECTED))[V4, 587]
    assert (shut.verdict, shut.cause) == (
        Word.BLOCKED, "office gets no way in (rejected); declared for office only (gatepost.toml:16)",
    )  # fmt: skip


def test_a_host_that_reaches_itself_proves_nothing() -> None:
    own = ReachSeen(at(3306), MX, "", V4, Reach.REACHED)
    assert (V4, 3306) not in table(Closed(at(25), "refused"), own)


def test_behind_address_translation_nothing_is_missing() -> None:
    told = table(INSIDE, *socket(993, "dovecot", "10.0.0.5"))
    assert (told[V4, 993].listening, told[V4, 993].verdict) == ("on 10.0.0.5", Word.AS_DECLARED)
    assert told[V6, 993].verdict is Word.MISSING


def test_a_container_takes_what_is_led_on_to_it() -> None:
    led = AdmissionSeen(at(993), ALL4, path="forward after dnat 172.17.0.2:993")
    told = table(INSIDE, FirewallSeen(HOST, (), 3, "d"), led)
    assert (told[V4, 993].listening, told[V4, 993].verdict) == ("forwarded", Word.AS_DECLARED)


def test_what_the_rules_forbid_to_us_and_allow_to_others_is_as_declared() -> None:
    """Silence towards a stranger is what the declaration asks for, once inside and rules are known."""
    facts: tuple[Observation, ...] = (
        INSIDE,
        FirewallSeen(HOST, (), 3, "d"),
        *socket(587, "master"),
        AdmissionSeen(at(587), OFFICE4),
    )
    silent = Unobserved(at(587), "connection", Reason.FILTERED, "no answer in 8 s")
    assert table(*facts, silent)[V4, 587].verdict is Word.FILTERED  # who knows where we stand
    facts = (*facts, Vantage(at(25), STRANGER))
    assert table(*facts, silent)[V4, 587].verdict is Word.AS_DECLARED
    ours = (*facts[:-1], Vantage(at(25), CLERK))
    assert table(*ours, silent)[V4, 587].verdict is Word.FILTERED
    shut = DeviationSeen(at(587), Drift.CLOSED, (587, 587), OFFICE4, CLERK, rules=(POLICY,))
    assert table(*facts, silent, shut)[V4, 587].verdict is Word.BLOCKED


def test_loopback_listeners_share_a_line_and_split_no_table() -> None:
    told = [row for row in rows(inside()) if row.verdict is not Word.LOOPBACK]
    assert "" in {where for where, _ in merged(told)}
    page = ports_text(inside(), width=120)
    assert "on loopback only: 3306 mysqld, 4190 dovecot, 10025 master" in page
    assert "127.0.0.1" not in page


def test_a_socket_of_an_undeclared_host_stands_where_it_is_bound() -> None:
    other = Endpoint("old.test")
    facts = (BundleRead(other, NOW, "ssh"), SocketSeen(other, "0.0.0.0", 25, 4, process="exim4"))
    found = {(r.host, r.address, r.port) for r in rows(replace(inside(), run=Run(Seen(facts), NOW)))}
    assert found == {("old.test", "0.0.0.0", 25)}


def test_the_keys_of_the_json_are_as_ever() -> None:
    assert '"firewalled": "open+"' in ports_json(inside())


def heads(width: int, *found: Row) -> tuple[list[str], str]:
    lines = [line.plain for line in wall(found, width=width, whole=True)]
    return lines[1].split(), lines[-1]


def test_where_it_is_narrow_what_another_column_tells_goes_first() -> None:
    """A postmaster asks for encryption before reachability that only repeats who listens."""
    told = replace(
        ALL[V4, 25], listening="yes (master)", firewalled="open", reachable="yes", encrypted="STARTTLS 1.2-1.3"
    )
    shown, note = heads(80, told)
    assert shown == ["PORT", "SERVICE", "DECLARED", "LISTENING", "FIREWALLED", "ENCRYPTED", "VERDICT"]
    assert note == "  whatever listens is reachable"
    differs = replace(told, port=993, reachable="office yes; internet no")
    shown, note = heads(80, told, differs)
    assert ("REACHABLE" in shown, note) == (True, "  no room here for: listening")


def test_a_setting_of_many_ports_is_told_in_each_row_without_the_others() -> None:
    because = "main.cf:37 sets smtpd_tls_auth_only = no for smtp (25), smtp-alt-2525 (2525): it has to be yes"
    made = finding("GP-STLS-002", "any", f"{MX}:25", Role.MX, Outcome.FAIL, Severity.HIGH, because, places=(at(25),))
    audit = replace(inside(), run=Run(Seen(seen()), NOW), findings=(made,))
    (row,) = (row for row in rows(audit) if (row.address, row.port) == (V4, 25))
    assert row.cause == "main.cf:37 sets smtpd_tls_auth_only = no: it has to be yes"
