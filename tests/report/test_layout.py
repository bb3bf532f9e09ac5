"""Tables that have to fit."""

from __future__ import annotations

from gatepost.report.layout import Column, fitted, text

COLUMNS = (Column("account"), Column("from", spare=1), Column("since", spare=2), Column(""))


def _shown(width: int, last: str = "") -> list[str]:
    row = [text("anna@example.org"), text("192.0.2.0/24"), text("2026-08-01"), text(last)]
    return [line.plain for line in fitted(COLUMNS, [row], indent=2, width=width)]


def test_the_most_spare_column_goes_first_and_no_more_than_needed() -> None:
    assert _shown(100)[0].split() == ["account", "from", "since"]
    assert _shown(40)[0].split() == ["account", "from"]
    assert _shown(30)[0].split() == ["account"]


def test_an_empty_column_takes_no_room_and_one_with_words_is_kept() -> None:
    assert _shown(44)[1] == "  anna@example.org  192.0.2.0/24  2026-08-01"
    assert _shown(30, "phone")[1] == "  anna@example.org  phone"


def test_what_cannot_be_left_away_is_cut() -> None:
    assert _shown(10)[1] == "  anna@ex…"
