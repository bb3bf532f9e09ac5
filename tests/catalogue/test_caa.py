"""Authorities and the names they answer to in CAA records."""

from __future__ import annotations

import re

import pytest

from gatepost.catalogue import document
from gatepost.catalogue.caa import _plain, identifiers

ROWS = document("caa")["rows"]


@pytest.mark.parametrize(
    ("organisation", "one"),
    [
        ("Let's Encrypt", "letsencrypt.org"),
        ("DigiCert Inc", "digicert.com"),
        ("DIGICERT, INC.", "digicert.com"),
        ("GlobalSign nv-sa", "globalsign.com"),
        ("Google Trust Services", "pki.goog"),
        ("Hellenic Academic and Research Institutions CA", "harica.gr"),
        ("GEANT Vereniging", "sectigo.com"),
        ("ZeroSSL", "sectigo.com"),
        ("Actalis S.p.A.", "actalis.it"),
    ],
)
def test_known(organisation: str, one: str) -> None:
    assert one in identifiers(organisation)


@pytest.mark.parametrize("organisation", ["", "Example Ltd", "Encrypt"])
def test_unknown(organisation: str) -> None:
    assert identifiers(organisation) == ()


def test_every_row_is_whole_and_no_organisation_has_two() -> None:
    names = [name for row in ROWS for name in {_plain(one) for one in row["organisations"]}]
    assert len(names) == len(set(names))
    for row in ROWS:
        assert row["organisations"]
        assert row["identifiers"]
        assert all(re.fullmatch(r"(?:[a-z0-9-]+\.)+[a-z]+", one) for one in row["identifiers"])
        assert len(set(row["identifiers"])) == len(row["identifiers"])
