"""The grid of vantages and ports."""

from __future__ import annotations

import re

import pytest

from gatepost.model.architecture import Endpoint
from gatepost.model.rules import Reach, ReachSeen
from gatepost.report.reach import against, cells, reach_text
from tests.report.golden import golden
from tests.report.sample_inside import ARCHITECTURE, CLERK, MX, STRANGER, V4, V6

SIX = {"internet": "2001:db8:9::9", "office": "2001:db8:1::7", "admin": "2001:db8:2::3"}
FOUR = {"internet": STRANGER, "office": CLERK, "admin": "198.18.0.3"}
DECLARED = {25: set(FOUR), 465: set(FOUR), 993: set(FOUR), 22: {"admin"}}
INNER = (24, 3306, 6379, 10025, 11334, 12345)


def seen() -> tuple[ReachSeen, ...]:
    """Office gets to a database, and not to 993 over IPv6; from the internet only silence but for one refusal."""
    ports = (22, 25, 110, 465, 587, 993, 995, 4190, *INNER)
    ways = ((zone, address, own[zone]) for zone in FOUR for address, own in ((V4, FOUR), (V6, SIX)))
    return (
        *(_tried(zone, address, source, port) for zone, address, source in ways for port in ports),
        ReachSeen(Endpoint(MX, V4, 25), "vpn", "", "", Reach.UNKNOWN, "ssh me@vpn: no route to host"),
    )


def _tried(zone: str, address: str, source: str, port: int) -> ReachSeen:
    return ReachSeen(Endpoint(MX, address, port), zone, zone, source, _result(zone, address, port))


def _result(zone: str, address: str, port: int) -> Reach:
    if (zone, address, port) == ("office", V6, 993):
        return Reach.SILENT
    if zone == "office" and port in {110, 587, 995, 4190, 3306, 10025}:
        return Reach.REACHED
    if (zone, port) == ("internet", 24):
        return Reach.REFUSED
    return Reach.REACHED if zone in DECLARED.get(port, set()) else Reach.SILENT


@pytest.mark.parametrize("width", [80, 120])
def test_the_page_is_as_it_was_read_and_liked(width: int) -> None:
    made = reach_text(seen(), ARCHITECTURE, width=width)
    assert made == golden(f"reach-{width}.txt", made)
    assert max(len(line) for line in made.splitlines()) <= width


def test_colour_changes_no_word() -> None:
    plain = reach_text(seen(), ARCHITECTURE)
    painted = reach_text(seen(), ARCHITECTURE, colour=True)
    assert "\x1b[" in painted
    assert plain.split() == re.sub(r"\x1b\[[0-9;]*m", "", painted).split()


def test_what_is_against_the_declaration() -> None:
    wrong = {(c.vantage, c.seen.at.address, c.seen.at.port) for c in against(cells(seen(), ARCHITECTURE))}
    assert wrong == {
        ("office", V6, 993), ("office", V4, 3306), ("office", V6, 3306), ("office", V4, 10025), ("office", V6, 10025),
    }  # fmt: skip


def test_what_a_hostile_server_says_is_escaped() -> None:
    bad = ReachSeen(Endpoint("mx\x1b[2J", V4, 25), "o\u202effice", "", "", Reach.UNKNOWN, "\x1b]0;x\x07")
    made = reach_text((bad,), ARCHITECTURE)
    assert "\x1b" not in made
    assert "\u202e" not in made
