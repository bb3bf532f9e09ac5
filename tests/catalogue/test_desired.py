"""Every setting that is judged has a value to set, or a reason why a person must decide."""

from __future__ import annotations

import string

import pytest

from gatepost.catalogue.controls import controls
from gatepost.catalogue.desired import Desired, How, row, rows
from gatepost.catalogue.settings import settings
from gatepost.checks import CHECKS
from gatepost.enforcement.givens import GIVENS

VERSIONS = {"postfix": ("3.4.1", "3.7.11", "3.11.7"), "dovecot": ("2.3.19.1", "2.4.1")}
WORKED_OUT = frozenset(How) - {How.REPLACE}
PLACES = {"addresses", "chain", "include", "instance", "key"}
NEEDS = {"certificate", "login-server", "submission"}
ROWS = rows()


def test_every_row_of_the_settings_is_covered_once() -> None:
    judged = [one.id for one in ROWS if one.row]
    assert judged == [one.id for one in settings()]
    assert len({one.id for one in ROWS}) == len(ROWS)


@pytest.mark.parametrize("one", ROWS, ids=[one.id for one in ROWS])
def test_a_value_or_a_reason(one: Desired) -> None:
    if one.by_hand:
        assert one.by_hand[0].isupper()
        assert one.by_hand.endswith(".")
        return
    for version in VERSIONS[one.software]:
        if one.known_in(version):
            assert one.how in WORKED_OUT or one.value(version) is not None
    if one.how in {How.ADD, How.APPEND, How.REMOVE}:
        assert one.words


@pytest.mark.parametrize("one", ROWS, ids=[one.id for one in ROWS])
def test_the_words_are_fit_to_be_read(one: Desired) -> None:
    assert one.title[0].islower()
    assert not one.title.endswith(".")
    assert not one.risk or (one.risk[0].isupper() and one.risk.endswith("."))
    fields = {name for command in one.commands for _, name, _, _ in string.Formatter().parse(command) if name}
    assert fields <= PLACES
    assert set(one.needs) <= NEEDS
    assert set(one.given) <= GIVENS
    assert set(one.controls) <= {control.id for control in controls()}


def test_what_is_said_of_the_wire_is_said_by_a_judge() -> None:
    known = {f"{check.control}/{check.name}" for check in CHECKS}
    assert {name for one in ROWS for name in (*one.certain, *one.may)} <= known


def test_what_only_the_wire_tells_has_an_own_value() -> None:
    for one in ROWS:
        if one.row is None:
            assert one.certain or one.may
            assert one.how in WORKED_OUT or one.fixed is not None


def test_rows_named_by_rows_exist() -> None:
    settings_of = {one.setting for one in ROWS}
    for one in ROWS:
        assert all(row(name) for name in one.also)
        assert not one.follows or one.follows in settings_of


def test_a_public_exchanger_is_never_told_to_demand_tls() -> None:
    demanding = {"encrypt", "verify", "secure", "dane-only", "fingerprint"}
    for one in ROWS:
        if one.software == "postfix" and one.setting == "smtpd_tls_security_level" and 25 in one.ports:
            assert one.value("3.7.11") == "may"
        if 25 in one.ports:
            assert one.value("3.7.11", 25) not in demanding


def test_spellings_by_version() -> None:
    protocols = row("postfix.tls.protocols.mandatory")
    assert protocols.value("3.5.18") == "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1"
    assert protocols.value("3.6.0") == ">=TLSv1.2"
    newline = row("postfix.smuggling.bare_newline")
    assert [newline.value(v) for v in ("3.7.9", "3.7.11", "3.10.1")] == ["yes", "normalize", "normalize"]
    assert [newline.known_in(v) for v in ("3.7.8", "3.7.9", "3.3.0")] == [False, True, False]
    elements = row("dovecot.log.login_elements")
    assert elements.spelled("2.3.19.1") == ("lport=%a", "%k")
    assert elements.spelled("2.4.1") == ("lport=%{local_port}", "%{ssl_security}")
