"""Whole plans: in which order, for whom, with which promises; and nothing to do the second time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatepost.catalogue.settings import settings as judged
from gatepost.enforce import Wishes, plan
from gatepost.firewall.matrix import matrix
from gatepost.model.architecture import Domain, Endpoint, Host, Waiver
from gatepost.model.finding import Finding
from gatepost.model.host import FileSeen
from gatepost.model.plan import Kind
from gatepost.model.words import Outcome, Role, Severity
from tests.enforcement.house import AT, CERTIFIED, NAME, NOW, House, acts

KEY = FileSeen(AT, "/etc/ssl/mx1.key", "key", True, 0o644, "mail", "mail", public="ab", used_by=("smtpd_tls_key_file",))
BAD = House(
    {**CERTIFIED, "disable_vrfy_command": "no", "compatibility_level": "0", "smtpd_tls_loglevel": "0"},
    {"smtp/inet": {}, "submission/inet": {"disable_vrfy_command": "no"}, "2465/inet": {}, "2525/inet": {}},
    {("", "ssl"): "yes", ("", "ssl_cert"): "</a", ("", "auth_verbose"): "no"},
    {"imap-login/imap": 143, "pop3-login/pop3s": 995},
    more=(KEY,),
)


def test_the_order_of_things() -> None:
    """Keys, settings, what is closed; then what people do."""
    told = [(step.kind, step.by_hand) for step in BAD.plan().steps]
    assert told[0] == (Kind.POSTFIX, False)
    assert BAD.plan().steps[0].key == "key:/etc/ssl/mx1.key"
    doing = [kind for kind, by_hand in told if not by_hand]
    assert doing == [Kind.POSTFIX] * 4 + [Kind.DOVECOT, Kind.SERVICE]
    assert [by_hand for _, by_hand in told] == sorted(by_hand for _, by_hand in told)


def test_a_key_is_closed_and_opened_again() -> None:
    step = BAD.plan().steps[0]
    assert [act.argv for act in step.acts] == [
        ("chown", "root", "--", "/etc/ssl/mx1.key"), ("chmod", "600", "--", "/etc/ssl/mx1.key"),
    ]  # fmt: skip
    assert [act.argv for act in step.undo] == [
        ("chmod", "644", "--", "/etc/ssl/mx1.key"), ("chown", "mail", "--", "/etc/ssl/mx1.key"),
    ]  # fmt: skip
    assert step.touches == ()  # a private key is copied nowhere
    assert any(name.startswith("GP-CERT-006/") for name in step.promises)


def test_what_is_no_key_is_left_open() -> None:
    """A directory that a setting names by mistake would be shut to everybody."""
    house = replace(BAD, more=(replace(KEY, path="/etc/ssl", mode=0o755, public=""),))
    assert not [step for step in house.plan().steps if step.key.startswith("key:")]


def test_the_second_plan_is_empty() -> None:
    first = BAD.plan()
    after = replace(BAD.done(first), more=(replace(KEY, mode=0o600, owner="root"),))
    assert after.plan().doing == ()
    assert {step.key for step in after.plan().steps} == {step.key for step in first.steps if step.by_hand}


def test_what_is_promised_is_gone() -> None:
    first = BAD.plan()
    promised = {name for step in first.doing for name in step.promises}
    after = replace(BAD.done(first), more=(replace(KEY, mode=0o600, owner="root"),))
    assert promised
    assert not promised & {f.id for f in after.audit().findings if f.open}


def test_what_cannot_be_undone_is_never_planned() -> None:
    for step in BAD.plan(Wishes(close_legacy=True, insist=frozenset({"all"}))).doing:
        assert step.touches or step.writes or step.undo or step.kind is Kind.FIREWALL
        assert step.already or (step.writes and not step.acts)
        assert step.why
        assert step.diff
        assert step.controls


@pytest.mark.parametrize("kind", list(Kind))
def test_only_what_is_asked_for(kind: Kind) -> None:
    assert {step.kind for step in BAD.plan(Wishes(only=frozenset({kind}))).steps} <= {kind}


def test_waived_faults_are_left_as_they_are() -> None:
    waiver = Waiver("GP-RELAY-006", "*", "postmaster", "old software", (NOW + timedelta(days=9)).date())
    audit = BAD.audit()
    architecture = replace(BAD.architecture, waivers=(waiver,))
    findings = tuple(f.waived(waiver) if f.control == "GP-RELAY-006" else f for f in audit.findings)
    told = plan(
        replace(audit, findings=findings, architecture=architecture), matrix(architecture), (BAD.bundle(),), now=NOW
    )
    assert not any("vrfy" in step.key for step in told.steps)
    assert any("loglevel" in step.key for step in told.steps)


def test_nobody_looked_inside() -> None:
    blind = replace(BAD, main={}, services={}, dovecot={}, listeners={}, more=())
    audit = replace(blind.audit(), findings=BAD.audit().findings)
    assert plan(audit, matrix(blind.architecture), (), now=NOW).doing == ()


def test_only_hosts_of_the_declaration_are_changed() -> None:
    elsewhere = replace(BAD, host=Host("mx2.example.org", ("192.0.2.6",), ()))
    assert elsewhere.plan().steps == ()


def test_domains_are_pointed_to_their_records() -> None:
    audit = BAD.audit()
    spf = Finding("GP-DNSID-001", "one-spf-record", "example.org", Role.DOMAIN, Outcome.FAIL, Severity.HIGH,
                  "no SPF record", (), "", ("example.org",))  # fmt: skip
    tlsa = replace(spf, control="GP-DNST-005", check="tlsa-published", places=(f"{NAME}:25",), because="no TLSA record")
    architecture = replace(BAD.architecture, domains=(Domain("example.org", mx=(NAME,)), Domain("example.net")))
    told = plan(
        replace(audit, findings=(*audit.findings, spf, tlsa), architecture=architecture),
        matrix(architecture), (BAD.bundle(),), now=NOW,
    )  # fmt: skip
    step = told.steps[-1]
    assert [one.host for one in told.steps if one.kind is Kind.DNS] == ["example.org"]
    assert (step.by_hand, step.controls) == (True, ("GP-DNSID-001", "GP-DNST-005"))
    assert step.diff == "gatepost records example.org -c gatepost.toml\n"
    assert "no SPF record" in step.why


def test_a_plan_has_a_name_of_its_own() -> None:
    assert BAD.plan().id.startswith("20261124-120000-")
    assert BAD.plan() == BAD.plan()
    assert BAD.plan().id != BAD.plan(Wishes(close_legacy=True)).id
    assert set(BAD.plan().before) == {f.id for f in BAD.audit().findings if f.open}


NAMES = sorted({row.setting for row in judged() if row.software == "postfix"})
VALUES = st.sampled_from([
    "yes", "no", "", "0", "1", "99", "may", "encrypt", ">=TLSv1", ">=TLSv1.2", "!SSLv2", "low", "high", "86400s", "MD5",
    "permit", "permit_mynetworks, reject", "permit_mynetworks, check_client_access hash:/a", "0.0.0.0/0", "127.0.0.1",
    "10.0.0.0/8 [::1]/128", "hash:/a", "starttls, auth", "noanonymous", "$mynetworks", "all", "accept", "dane",
])  # fmt: skip
FOLLOWER = "smtpd_client_event_limit_exceptions"  # its value is $mynetworks, but for a service that says otherwise
MAIN = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)
SERVICES = st.dictionaries(
    st.sampled_from(["smtp/inet", "submission/inet", "submissions/inet", "2525/inet", "10025/inet"]),
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3), max_size=4,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(MAIN, SERVICES, st.booleans())
@example({}, {"smtp/inet": {"mynetworks": "yes"}, "submission/inet": {FOLLOWER: "yes"}}, False)
def test_done_twice_is_done_once(main: dict[str, str], services: dict[str, dict[str, str]], insisting: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever stands in main.cf and master.cf: after the steps there is nothing left that gatepost does by itself."""
    wishes = Wishes(close_legacy=insisting, insist=frozenset({"all"} if insisting else ()))
    house = House({**CERTIFIED, **main}, services)
    first = house.plan(wishes)
    after = house.done(first)
    assert acts(after.plan(wishes)) == []
    promised = {name for step in first.doing for name in step.promises}
    assert not promised & {f.id for f in after.audit().findings if f.open}
    assert {Endpoint(NAME)} == {inside.at for inside in house.facts()}
