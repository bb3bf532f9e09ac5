"""What is done about alerts: blocks, longer blocks, refusals, accounts; and who is never blocked."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.model.alert import ORDER, Alert, Block, BlockEnd, Proof, Response
from gatepost.model.architecture import Architecture, Host, Zone
from gatepost.model.event import MICROSECONDS
from gatepost.model.watching import Watching
from gatepost.model.words import Severity
from gatepost.watch import CAMPAIGN, Decisions, decide, spared

NOW = 1_795_000_000 * MICROSECONDS
HOUR = 3600 * MICROSECONDS
HERE = Architecture(
    zones=(
        Zone("internet", (ip_network("0.0.0.0/0"), ip_network("::/0"))),
        Zone("admin", (ip_network("198.51.100.0/28"), ip_network("2001:db8:ad::/48"))),
        Zone("office", (ip_network("10.7.0.0/16"),)),
    ),
    hosts=(
        Host("mx", ("198.51.100.25", "2001:db8::25"), (), management=("admin", "internet"), proxies=("192.0.2.200",)),
    ),
    watching=Watching(allow=("203.0.113.64/26",), block=True),
    resolver="192.0.2.53#53",
)


def alert(*clients: str, response: Response = Response.BLOCK, **more: object) -> Alert:
    found = Alert(
        "a1", "guessing", Severity.HIGH, ("gp-brute",), NOW - HOUR, NOW, clients, (), ("anna",), ("imap",), ("mx",),
        9, (), response, "9 wrong passwords in 5 minutes", (), clients,
    )  # fmt: skip
    return replace(found, **more)  # type: ignore[arg-type]  # a field of it, named by the test


def proof(at: int, client: str, act: str) -> Proof:
    return Proof(at, "mx", "imap", act, client, "anna", "", 1, 0)


def decided(*alerts: Alert, blocks: tuple[Block, ...] = (), now: int = NOW) -> Decisions:
    return decide(alerts, blocks, HERE, now, dry=False)


def test_a_stranger_is_blocked_for_an_hour() -> None:
    found = decided(alert("192.0.2.7"))
    assert found.block == (
        Block("192.0.2.7", NOW, NOW + HOUR, "a1", "gp-brute", "watch", "9 wrong passwords in 5 minutes", False, 0, ""),
    )
    assert found.refuse == ()


def test_each_block_is_twice_as_long_up_to_a_week() -> None:
    blocks: list[Block] = []
    hours = []
    at = NOW
    for _ in range(12):
        made = decided(alert("192.0.2.7", last=at), blocks=tuple(blocks), now=at).block[0]
        hours.append((made.until - made.since) // HOUR)
        blocks.append(replace(made, end=BlockEnd.EXPIRED))
        at = made.until + 1
    assert hours == [1, 2, 4, 8, 16, 32, 64, 128, 168, 168, 168, 168]


def test_a_rehearsal_makes_no_real_block_longer() -> None:
    before = replace(decided(alert("192.0.2.7")).block[0], dry=True, end=BlockEnd.EXPIRED)
    made = decided(alert("192.0.2.7"), blocks=(before,)).block[0]
    assert made.until - made.since == HOUR


def test_a_standing_block_is_not_set_again_but_grows_when_lines_go_on() -> None:
    standing = decided(alert("192.0.2.7")).block
    same = decided(alert("192.0.2.7"), blocks=standing, now=NOW + MICROSECONDS)
    assert same == Decisions()
    later = NOW + 60 * MICROSECONDS
    grown = decided(alert("192.0.2.7", last=later), blocks=standing, now=later)
    assert grown.block == ()
    assert [one.until for one in grown.extend] == [later + 2 * HOUR]
    assert grown.extend[0].why == "still seen while blocked: 9 wrong passwords in 5 minutes"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("198.51.100.25", "is an address of mx"),
        ("198.51.100.3", "is in zone admin, which operates mx"),
        ("2001:db8:ad::1", "is in zone admin, which operates mx"),
        ("192.0.2.200", "speaks for other clients of mx"),
        ("192.0.2.53", "is the resolver that this host asks"),
        ("203.0.113.77", "is on the list of [watch] allow"),
        ("127.0.0.1", "is no address of a stranger"),
        ("fe80::1", "is no address of a stranger"),
        ("::1", "is no address of a stranger"),
        ("0.0.0.0", "is no address of a stranger"),
        ("::ffff:203.0.113.77", "is no address of a stranger"),
        ("10.8.0.1", "is private and in no declared zone: everybody behind a gateway may come from it"),
        ("100.64.0.1", "is private and in no declared zone: everybody behind a gateway may come from it"),
        ("", "this is no address"),
        ("192.0.2.7; flush ruleset", "this is no address"),
    ],
)
def test_refused_with_a_sentence(address: str, why: str) -> None:
    found = decided(alert(address))
    assert found.block == ()
    assert [(one.why, one.end) for one in found.refuse] == [(why, BlockEnd.REFUSED)]


@pytest.mark.parametrize("written", ["::ffff:192.0.2.99", "::ffff:192.0.2.0/120"])
def test_who_is_spared_as_ipv4_within_ipv6_is_spared_as_ipv4(written: str) -> None:
    here = replace(HERE, watching=Watching(allow=(written,), block=True))
    assert spared(here).why("192.0.2.99") == "is on the list of [watch] allow"
    assert spared(HERE, own=("::ffff:192.0.2.99",)).why("192.0.2.99") == "is an address of this host"
    assert not spared(here).why("192.0.3.99")


def test_a_private_address_of_a_declared_zone_is_somebody() -> None:
    assert [one.address for one in decided(alert("10.7.1.1")).block] == ["10.7.1.1"]


def test_nobody_is_blocked_when_all_clients_are_one_address() -> None:
    sparing = spared(HERE, together="imap: all 70 connections come from 172.18.0.1")
    found = decide([alert("192.0.2.7")], (), HERE, NOW, sparing=sparing)
    assert found.block == ()
    assert found.refuse[0].why == "imap: all 70 connections come from 172.18.0.1"


def test_who_logged_in_before_failing_stays() -> None:
    user = (proof(NOW - 9, "192.0.2.7", "login"), proof(NOW - 5, "192.0.2.7", "login-failed"))
    thief = (proof(NOW - 9, "192.0.2.8", "login-failed"), proof(NOW - 5, "192.0.2.8", "login"))
    found = decided(alert("192.0.2.7", "192.0.2.8", proofs=(*user, *thief), succeeded=("anna",)))
    assert [one.address for one in found.block] == ["192.0.2.8"]
    assert [one.why for one in found.refuse] == ["anna logged in from there before anything failed"]


def test_an_address_with_a_history_of_logins_stays() -> None:
    found = decide([alert("192.0.2.7")], (), HERE, NOW, sparing=spared(HERE, homes=["192.0.2.7"]))
    assert found.block == ()


def test_a_campaign_is_met_at_its_accounts() -> None:
    clients = tuple(f"192.0.2.{n}" for n in range(60, 60 + CAMPAIGN + 1))
    one = alert(*clients, users=("anna", "bert"))
    found = decided(one)
    assert found.block == ()
    assert found.lock == ("anna", "bert")
    assert [r.why for r in found.refuse] == [
        "21 addresses take part, each a few times: the 2 accounts it wants are guarded instead"
    ]
    told = decide([one], (), HERE, NOW, dry=False, campaigns=True)
    assert len(told.block) == len(clients)


def test_two_addresses_of_one_customer_are_its_network() -> None:
    found = decided(alert("2001:db8:7::1", "2001:db8:7::2", "2001:db8:8::1"))
    assert [one.address for one in found.block] == ["2001:db8:7::/64", "2001:db8:8::1"]
    beside = decided(alert("2001:db8::1", "2001:db8::2"))
    assert [one.address for one in beside.block] == ["2001:db8::1", "2001:db8::2"]  # mx is in that network


def test_milder_responses_do_not_block() -> None:
    assert decided(alert("192.0.2.7", response=Response.TELL)) == Decisions()
    late, locked = (alert("192.0.2.7", response=one, blockable=()) for one in (Response.DELAY, Response.LOCK))
    assert decided(late) == Decisions(delay=("192.0.2.7",))
    assert decided(locked) == Decisions(delay=("192.0.2.7",), lock=("anna",))


def test_bystanders_of_a_campaign_stay() -> None:
    found = decided(alert("192.0.2.7", "192.0.2.8", response=Response.LOCK, blockable=("192.0.2.8",)))
    assert [one.address for one in found.block] == ["192.0.2.8"]
    assert found.delay == ("192.0.2.7",)


def test_what_was_over_before_it_was_read_blocks_nobody() -> None:
    assert decided(alert("192.0.2.7", last=NOW - HOUR - 1)) == Decisions()
    assert len(decided(alert("192.0.2.7", last=NOW - HOUR)).block) == 1


addresses = st.one_of(
    st.ip_addresses().map(str),
    st.ip_addresses(network="198.51.100.0/24").map(str),
    st.ip_addresses(network="10.0.0.0/12").map(str),
    st.ip_addresses(network="2001:db8::/120").map(str),
    st.text(max_size=8),
)
alerts = st.lists(
    st.builds(
        alert,
        response=st.sampled_from(ORDER),
        clients=st.lists(addresses, max_size=30).map(tuple),
        blockable=st.lists(addresses, max_size=30).map(tuple),
        users=st.lists(st.sampled_from(["", "anna", "bert"]), max_size=3).map(tuple),
    ),
    max_size=4,
)


@given(alerts, st.booleans(), st.booleans(), st.integers(0, 3))
def test_laws(found: list[Alert], dry: bool, campaigns: bool, rounds: int) -> None:  # noqa: FBT001 - drawn values
    """Nobody spared is ever shut out, nothing is decided twice, and no block lasts longer than declared."""
    sparing = spared(HERE)
    history: tuple[Block, ...] = ()
    for turn in range(rounds + 1):
        now = NOW + turn * HOUR
        said = decide(found, history, HERE, now, dry=dry, campaigns=campaigns)
        shut = [*said.block, *said.extend]
        assert len({one.address for one in shut}) == len(shut)
        assert not any(sparing.why(one.address) for one in shut)
        assert not any(one.address in {"", "198.51.100.25", "2001:db8::25"} for one in shut)
        assert all(ip_network(one.address) for one in shut)
        assert all(now < one.until <= now + 7 * 24 * HOUR and one.dry == dry for one in shut)
        assert all(one.why for one in said.refuse)
        asked = {c for one in found for c in one.blockable if one.response is not Response.TELL}
        assert all(_covers(one.address, asked) for one in shut)
        assert set(said.lock) <= {u for one in found if one.response in ORDER[2:] for u in one.users} | _wanted(found)
        history += said.block


def _wanted(found: list[Alert]) -> set[str]:
    return {u for one in found if len(one.blockable) > CAMPAIGN for u in one.users}


def _covers(shut: str, asked: set[str]) -> bool:
    net = ip_network(shut)
    return any(_is_in(one, net) for one in asked)


def _is_in(text: str, net: object) -> bool:
    try:
        return ip_address(text) in net  # type: ignore[operator]  # a network
    except ValueError:
        return False
