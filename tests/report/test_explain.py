from __future__ import annotations

import pytest

from gatepost.catalogue.controls import control, controls
from gatepost.report.explain import markdown, render
from tests.report.golden import golden

REMEDIES = (
    ("Dovecot 2.3", "disable_plaintext_auth = yes\nssl = required"),
    ("Postfix", "smtpd_tls_auth_only = yes"),
)
PROMISES = ("No password mechanism is offered before TLS", "No password is accepted before TLS")


def test_the_page_is_as_it_was_read_and_liked() -> None:
    made = render(control("GP-STLS-002"), promises=PROMISES, remedies=REMEDIES, width=80)
    assert made == golden("explain.txt", made)


def test_the_same_as_a_page_of_the_documentation() -> None:
    made = markdown(control("GP-STLS-002"), promises=PROMISES, remedies=REMEDIES)
    assert made == golden("explain.md", made)


@pytest.mark.parametrize("name", [c.id for c in controls()])
def test_only_checked_references_are_named(name: str) -> None:
    page, unchecked = render(control(name)), [r for r in control(name).references if not r.verified]
    for reference in unchecked:
        assert not any(line.lstrip().startswith(f"{reference.standard} ") for line in page.splitlines())
    assert (f"and {len(unchecked)} more whose text was not checked" in page) == bool(unchecked)


def test_a_control_without_a_judge_says_so() -> None:
    assert "no judge yet" in render(control("GP-RESP-001"))
