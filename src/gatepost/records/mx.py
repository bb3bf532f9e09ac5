"""MX records: where mail for a domain goes, or that it goes nowhere (RFC 5321 section 5.1, RFC 7505)."""

from __future__ import annotations

from collections.abc import Iterable

from gatepost import catalogue
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Advertised
from gatepost.model.words import Mode

MX = "smtp"  # its id in the port catalogue


def exchangers(domain: str, rows: Iterable[tuple[int, str]]) -> tuple[Advertised, ...]:
    """`rows` are preference and target; most preferred first. The null MX advertises nothing."""
    row = catalogue.port(MX)
    assert row is not None  # noqa: S101 - a test holds the catalogue to it
    return tuple(
        Advertised(Endpoint(domain), "mx", MX, target, row.number, Mode(row.mode), preference)
        for preference, target in sorted((p, t.rstrip(".").lower()) for p, t in rows)
        if target
    )


def refuses_mail(rows: Iterable[tuple[int, str]]) -> bool:
    """The null MX: a single record, preference aside, that names the root (RFC 7505 section 3)."""
    return [target.rstrip(".") for _, target in rows] == [""]
