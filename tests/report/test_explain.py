from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.catalogue.controls import control, controls
from gatepost.model.explained import Explained
from gatepost.report.explain import markdown, render
from tests.report.golden import golden

TOLD = Explained(
    control("GP-STLS-002"),
    (
        ("not-offered", "No password mechanism is offered before TLS"),
        ("not-accepted", "No password is accepted before TLS"),
    ),
    "",
    (("Dovecot", "disable_plaintext_auth = yes\nssl = required"), ("Postfix", "smtpd_tls_auth_only = yes")),
)


def bare(name: str, missing: str = "mail logs") -> Explained:
    return Explained(control(name), (), missing, ())


def test_the_page_is_as_it_was_read_and_liked() -> None:
    made = render(TOLD, width=80)
    assert made == golden("explain.txt", made)


def test_the_same_as_a_page_of_the_documentation() -> None:
    made = markdown(TOLD)
    assert made == golden("explain.md", made)


@pytest.mark.parametrize("name", [c.id for c in controls()])
def test_only_checked_references_are_named(name: str) -> None:
    page, unchecked = render(bare(name)), [r for r in control(name).references if not r.verified]
    for reference in unchecked:
        assert not any(line.lstrip().startswith(f"{reference.standard} ") for line in page.splitlines())
    assert (f"and {len(unchecked)} more whose text was not checked" in page) == bool(unchecked)


def test_a_control_without_a_judge_names_the_witness_it_waits_for() -> None:
    assert "not judged by gatepost: it needs mail logs" in render(bare("GP-RESP-002"))


def test_a_server_is_named_once_above_what_mends_it() -> None:
    """And a line that is too long goes on below its own beginning."""
    one, many = (
        "Set it in the file that is included last, and have the server read it again, or nothing changes.",
        "b = 1",
    )
    told = replace(TOLD, remedies=(("Postfix", one), ("Dovecot", "c = 2\nd = 3"), ("Postfix", many)))
    lines = render(told, width=60).splitlines()
    start = lines.index("to mend it    Postfix")
    assert lines[start : start + 8] == [
        "to mend it    Postfix",
        "              · Set it in the file that is included last,",
        "                and have the server read it again, or",
        "                nothing changes.",
        "              · b = 1",
        "              Dovecot",
        "                c = 2",
        "                d = 3",
    ]
