"""What hosts told from inside, as one line of the head and as cards of the page."""

from __future__ import annotations

from dataclasses import replace

from gatepost.model.architecture import Endpoint
from gatepost.model.audit import Audit
from gatepost.model.host import BundleRead, PackageSeen, ServerSeen
from gatepost.model.observation import Observation, Seen, Unobserved
from gatepost.model.words import Outcome, Reason, Role, Severity
from gatepost.report import interior, truth
from gatepost.report.html import to_html
from gatepost.report.markup import html
from gatepost.report.panels import wall
from gatepost.report.text import render
from tests.report.sample import NOW, finding
from tests.report.sample_inside import HOST, MX, V4, V6, at
from tests.report.sample_inside import inside as audited
from tests.report.test_html import read

SECOND = Endpoint("mx2.example.org")


def told(*more: Observation) -> Audit:
    run = audited().run
    return replace(audited(), run=replace(run, seen=Seen((*run.seen, *more))))


def words(audit: Audit) -> str:
    return " ".join(read(to_html(audit)).text.split())


def test_the_head_tells_how_it_was_looked_inside() -> None:
    assert interior.inside(audited()) == "ssh root@mx1.example.org"
    assert interior.inside(told(BundleRead(SECOND, NOW, "this machine", root=False))) == (
        "mx1.example.org (ssh root@mx1.example.org), mx2.example.org (this machine, without root)"
    )
    assert "  inside    ssh root@mx1.example.org\n" in render(audited())
    assert interior.inside(replace(audited(), run=replace(audited().run, seen=Seen(())))) == ""


def test_a_card_says_what_runs_and_what_was_not_told() -> None:
    page = words(
        told(
            ServerSeen(HOST, "postfix", "3.7.11", "/etc/postfix", running=True, pid=7),
            PackageSeen(HOST, "postfix", "postfix", "3.7.11-0+deb12u1", "Debian 12"),
            PackageSeen(HOST, "postfix", "postfix-pcre", "3.7.11-0+deb12u1", "Debian 12"),
            Unobserved(HOST, "dovecot settings", Reason.CLOSED, "doveconf: permission denied"),
            Unobserved(HOST, "ptr", Reason.TIMEOUT, "no resolver"),
        )
    )
    for part in (
        "postfix 3.7.11 (/etc/postfix) runs as 7",
        "Debian 12: postfix 3.7.11-0+deb12u1, postfix-pcre 3.7.11-0+deb12u1",
        "31 rules in inet filter, ip nat",
        "not tolddovecot settings: doveconf: permission denied",
    ):
        assert part in page
    assert "ptr: no resolver" not in page


def test_a_place_on_every_address_is_told_by_its_port_alone() -> None:
    def page(*places: Endpoint) -> str:
        one = finding("GP-TLS-001", "any", f"{MX}: 25, 110", Role.MX, Outcome.FAIL, Severity.HIGH, "bad", places=places)
        return words(replace(audited(), findings=(one,)))

    everywhere = [at(port, address) for port in (25, 110) for address in (V4, V6)]
    assert f"{MX}:25 ({V4})" not in page(*everywhere)
    assert f"where{MX}:25 ({V4}), {MX}:25 ([{V6}]), {MX}:110 ({V4})" in page(*everywhere[:3])


def test_a_long_transcript_is_folded_not_cut() -> None:
    seen = tuple(PackageSeen(HOST, "postfix", f"mx{n}.test", "1") for n in range(40))
    one = finding("GP-TLS-001", "any", MX, Role.MX, Outcome.FAIL, Severity.HIGH, "bad", *seen)
    page = to_html(replace(audited(), findings=(one,)))
    assert "<summary>28 more lines</summary>" in page
    assert all(f"mx{n}.test" in page for n in range(40))


def test_the_wall_leaves_out_the_least_grave() -> None:
    """Twelve are as wide as the page. A filter's port that is wrong stays, however high its number."""
    row = next(one for one in truth.rows(audited()) if one.port == 110 and one.address == V4)
    good = [replace(row, port=port, standing=truth.Standing.GOOD, firewalled="open") for port in range(1, 14)]
    bad = replace(row, port=11334, standing=truth.Standing.BAD, firewalled="open+")
    page = read(html_of([*good, bad])).text
    assert "11334" in page
    assert "2 more ports below" in page
    assert "lets in more than is declared" in page
    assert "more port" not in read(html_of([bad])).text


def html_of(rows: list[truth.Row]) -> str:
    return html(wall(rows))
