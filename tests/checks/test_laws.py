"""Laws over the registry of checks."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import product

import pytest

from gatepost import catalogue
from gatepost.catalogue.controls import controls
from gatepost.checks import CHECKS, JUDGED_APART, MANUAL, explained
from gatepost.checks.case import Case, Check, Scope
from gatepost.checks.judge import applies
from gatepost.model.architecture import Architecture, Domain, Endpoint, Host, Selector, Service
from gatepost.model.finding import Control
from gatepost.model.observation import Seen
from gatepost.model.words import Outcome, Role
from tests.checks import (
    test_advertised,
    test_caa,
    test_certificates,
    test_comparisons,
    test_dane,
    test_dialogue,
    test_exchangers,
    test_files,
    test_firewall,
    test_hosting,
    test_identity,
    test_listeners,
    test_policy,
    test_ports,
    test_segmentation,
    test_signing,
    test_software,
    test_starttls,
    test_sts,
    test_tls,
    test_traffic,
    test_transport,
)
from tests.checks.cases import DOMAIN, HOST, IMAP, LMTP, MX, NAME, NOW, SIEVE, SUBMISSION, SUBMISSIONS, service
from tests.checks.settings import test_judges

_MODULES = (
    test_advertised,
    test_caa,
    test_certificates,
    test_comparisons,
    test_dane,
    test_dialogue,
    test_exchangers,
    test_files,
    test_firewall,
    test_hosting,
    test_identity,
    test_judges,
    test_listeners,
    test_policy,
    test_ports,
    test_segmentation,
    test_signing,
    test_software,
    test_starttls,
    test_sts,
    test_tls,
    test_traffic,
    test_transport,
)
ROWS = tuple(row for module in _MODULES for row in module.ROWS)
EXCUSED = {
    ("configuration-in-use", Outcome.FAIL): "a reload leaves no trace in the times of process and files",
    ("incoming-mail-checked", Outcome.PASS): "that a filter is there does not prove what it checks",
    ("requiretls-offered", Outcome.FAIL): "a selective measure, and what mail needs it cannot be seen",
}
STRICT = Domain(
    DOMAIN.host,
    (NAME,),
    dmarc="reject",
    mta_sts="enforce",
    dane=True,
    dkim=(Selector("s1"), Selector("s0", until=date(2026, 1, 1))),
    dmarc_reports=("dmarc@example.org",),
    tls_reports=("tls@example.org",),
    caa=("letsencrypt.org",),
)
PARKED = Domain("example.net", sends=False)
PLACES = (MX, SUBMISSION, SUBMISSIONS, IMAP, SIEVE, LMTP)
OUTCOMES = (Outcome.FAIL, Outcome.PASS, Outcome.UNKNOWN)


def blind(one: Check, at: Endpoint, role: Role, *, declared: bool) -> Case:
    """A case of which nothing was seen."""
    services: dict[Endpoint, Service] = {place: service(place.port) for place in PLACES}
    host = Host(NAME, ("192.0.2.5",), tuple(services.values())) if declared else None
    return Case(
        at=at,
        role=role,
        service=services.get(at),
        host=host,
        endpoints=(),
        seen=Seen(),
        profile=catalogue.profile("rfc9325"),
        architecture=Architecture(
            hosts=(host,) if host else (),
            domains=(STRICT, PARKED) if host else (),
            source="gatepost.toml" if host else None,
        ),
        now=NOW,
        mine=True,
        services=services if one.scope is Scope.HOST else {},
        serving={NAME: (STRICT.name,)} if declared else {},
    )


@pytest.mark.parametrize("one", CHECKS, ids=lambda c: f"{c.control}-{c.name}")
def test_seeing_nothing_never_passes_and_never_fails(one: Check) -> None:
    subjects = {Scope.ENDPOINT: PLACES, Scope.HOST: (HOST,), Scope.DOMAIN: (DOMAIN, Endpoint(PARKED.name))}[one.scope]
    for at, role, declared in product(subjects, Role, (True, False)):
        case = blind(one, at, role, declared=declared)
        if applies(one, case):
            verdict = one.judge(case)
            assert verdict.outcome in {Outcome.UNKNOWN, Outcome.NOT_APPLICABLE}, verdict
            assert verdict.because


@pytest.mark.parametrize("one", CHECKS, ids=lambda c: f"{c.control}-{c.name}")
def test_every_check_has_a_row_for_each_outcome(one: Check) -> None:
    shown = {row.outcome for row in ROWS if row.check.name == one.name and row.check.control == one.control}
    assert [o for o in OUTCOMES if o not in shown and (one.name, o) not in EXCUSED] == []


def test_every_row_belongs_to_a_registered_check() -> None:
    assert {row.check.name for row in ROWS} == {one.name for one in CHECKS}


def test_ids_are_unique() -> None:
    assert [k for k, n in Counter((one.control, one.name) for one in CHECKS).items() if n > 1] == []


def test_titles_are_promises_in_words() -> None:
    for one in CHECKS:
        assert one.title
        assert one.title[0].isupper()
        assert not one.title.endswith(".")


def test_every_control_has_a_check_or_names_the_witness_it_waits_for() -> None:
    known = {control.id for control in controls()}
    checked = {one.control for one in CHECKS}
    assert checked | JUDGED_APART | set(MANUAL) == known
    assert not (checked | JUDGED_APART) & set(MANUAL)
    assert all(MANUAL.values())


def test_a_check_judges_roles_that_exist_in_its_scope() -> None:
    for one in CHECKS:
        roles = one.roles or {role for c in controls() if c.id == one.control for role in c.roles}
        assert roles
        if one.scope is Scope.DOMAIN:
            assert Role.DOMAIN in roles


def test_what_can_be_witnessed_from_the_network_is_judged() -> None:
    """The areas of the audit: what no check covers there needs more than the network."""
    areas = {
        "authentication", "certificates", "dns-identity", "dns-transport", "patching", "ports", "relay", "starttls",
        "tls",
    }  # fmt: skip
    left = {c.id for c in controls() if c.area in areas and c.id in MANUAL and set(c.witnesses) <= {"dns", "probe"}}
    assert left == set()


def test_every_control_of_the_domain_areas_is_judged() -> None:
    """What a server does with the mail of others is told by its configuration."""
    assert {c.id for c in controls() if c.area in {"dns-identity", "dns-transport"} and c.id in MANUAL} == set()


@pytest.mark.parametrize("control", controls(), ids=lambda c: c.id)
def test_every_control_can_be_explained(control: Control) -> None:
    told = explained(control.id)
    assert told.control is control
    assert bool(told.checks) != bool(told.missing) or control.id in JUDGED_APART
