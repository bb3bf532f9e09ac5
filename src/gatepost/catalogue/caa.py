"""By which domain names an authority is meant in CAA records."""

from __future__ import annotations

from functools import cache

from gatepost.catalogue import document


def identifiers(organisation: str) -> tuple[str, ...]:
    """Of the organisation (O) that certificates name as issuer; empty for one that is not known.

    Case, spaces and punctuation do not matter. Of an authority that is not public nothing is known, and nothing
    should be claimed.
    """
    return _table().get(_plain(organisation), ())


@cache
def _table() -> dict[str, tuple[str, ...]]:
    rows = document("caa")["rows"]
    return {_plain(name): tuple(row["identifiers"]) for row in rows for name in row["organisations"]}


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
