"""Blocks against real packets: new and standing connections, both families, a container's port, the end of a block."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from gatepost.edge.host.runner import Prefixed, Ways
from gatepost.edge.watch.proving import prove
from gatepost.edge.watch.wall import Held, Wall
from gatepost.errors import StepFailed
from lab.realm.ground import why_no_ground
from tests.live.barred import BAD, GOOD, OPEN, OTHER, OURS, PUBLISHED, Ground, ground

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_no_ground()), reason=why_no_ground())]

PORTS = (OPEN, PUBLISHED)
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def field() -> Iterator[Ground]:
    with ground() as found:
        yield found


@pytest.fixture
def wall(field: Ground) -> Iterator[Wall]:
    with Ways() as ways:
        found = Wall(ways.to(f"netns {field.host}"), PORTS)
        found.raised(())
        yield found
        found.gone()


@pytest.mark.parametrize("family", [4, 6])
def test_new_and_standing_connections_stop(field: Ground, wall: Wall, family: int) -> None:
    bad, good, ours = BAD[family], GOOD[family], OURS[family]
    with (
        field.calling(bad, ours, OPEN) as direct,
        field.calling(bad, ours, PUBLISHED) as forwarded,
        field.calling(good, ours, OPEN) as other,
    ):
        assert [direct.first, forwarded.first, other.first] == ["reached"] * 3
        assert [direct.again(), forwarded.again(), other.again()] == ["alive"] * 3
        wall.shut([Held(bad, 60)])
        assert forwarded.again() == "silent"  # the container's socket is in another namespace: the drop is what ends it
        assert wall.cut([bad]) == {bad: 1}
        assert direct.again() == "refused"  # a reset
        assert other.again() == "alive"
    assert [field.call(bad, ours, port) for port in (OPEN, PUBLISHED, OTHER)] == ["silent", "silent", "reached"]
    assert [field.call(good, ours, port) for port in PORTS] == ["reached", "reached"]
    assert wall.standing().dropped > 2
    wall.opened([bad])
    assert [field.call(bad, ours, port) for port in PORTS] == ["reached", "reached"]


@pytest.mark.parametrize("family", [4, 6])
def test_without_cutting_a_standing_connection_is_dead_all_the_same(field: Ground, wall: Wall, family: int) -> None:
    """Where the kernel cannot end sockets: the drop comes before any rule that lets established packets in."""
    with field.calling(BAD[family], OURS[family], OPEN) as call:
        assert call.again() == "alive"
        wall.shut([Held(BAD[family], 60)])
        assert call.again() == "silent"


def test_a_block_is_proved_on_input_and_into_the_container(field: Ground, wall: Wall) -> None:
    blocked = [BAD[4], "2001:db8:b::/64"]
    before = prove(wall.runner, blocked, list(OURS.values()), PORTS, NOW)
    assert before[BAD[4]] == f"not proved: it gets in to {OURS[4]} port {OPEN}"
    wall.shut([Held(address, 60) for address in blocked])
    found = prove(wall.runner, blocked, list(OURS.values()), PORTS, NOW)
    assert all(said.startswith("proved: the running rules drop it at 2 addresses and ports") for said in found.values())
    assert field.call(GOOD[6], OURS[6], OPEN) == "silent"  # its network is blocked
    leak = prove(wall.runner, [BAD[4]], [OURS[4]], (*PORTS, OTHER), NOW)
    assert leak == {BAD[4]: f"not proved: it gets in to {OURS[4]} port {OTHER}"}


def test_all_ports_are_shut_when_told(field: Ground, wall: Wall) -> None:
    everything = Wall(wall.runner)
    everything.raised([Held(BAD[4], 60)])
    assert [field.call(BAD[4], OURS[4], port) for port in (OPEN, OTHER)] == ["silent", "silent"]
    assert everything.standing().whole
    for ports in ((OPEN,), (24, OPEN, 26)):
        one = Wall(wall.runner, ports)
        one.raised(())
        assert one.standing().whole
    assert not wall.standing().whole  # for these ports it is another table


def test_a_block_ends_by_itself(field: Ground, wall: Wall) -> None:
    wall.shut([Held(BAD[4], 1)])
    begun = time.monotonic()
    while field.call(BAD[4], OURS[4], OPEN) == "silent":  # one try takes a second
        assert time.monotonic() < begun + 20
    assert wall.standing().held == ()


def test_the_table_is_raised_again_after_a_flush(field: Ground, wall: Wall) -> None:
    wall.shut([Held(BAD[4], 500)])
    assert wall.standing().whole
    subprocess.run(
        ("ip", "netns", "exec", field.host, "nft", "flush", "chain", "inet", "gatepost_watch", "blocked"), check=True
    )
    assert not wall.standing().whole
    wall.gone()
    with pytest.raises(StepFailed, match="No such file"):
        wall.shut([Held(BAD[4], 500)])
    wall.raised([Held(BAD[4], 400)])
    (held,) = wall.standing().held
    assert held.address == BAD[4]
    assert 390 <= held.seconds <= 400
    wall.shut([Held(BAD[4], 900)])
    assert 890 <= wall.standing().held[0].seconds <= 900


def test_ten_thousand_at_once(wall: Wall) -> None:
    many = [Held(f"100.70.{n >> 8}.{n & 255}", 600) for n in range(10_000)]
    begun = time.monotonic()
    wall.shut(many)
    assert time.monotonic() - begun < 10
    assert len(wall.standing().held) == 10_000


def test_a_packet_is_dropped_within_a_second(field: Ground, wall: Wall) -> None:
    with field.calling(BAD[4], OURS[4], OPEN) as call:
        assert call.again() == "alive"
        begun = time.monotonic()
        wall.shut([Held(BAD[4], 60)])
        assert time.monotonic() - begun < 1
        assert call.again() == "silent"


def test_what_is_no_nftables_is_said() -> None:
    with pytest.raises(StepFailed, match="nft is not installed"):
        Wall(Prefixed("somewhere", ("env", "-i", "PATH=/nonexistent", "sh", "-c", 'nft "$@"', "sh"))).shut(
            [Held("192.0.2.1", 1)]
        )


def test_only_json_goes_in(wall: Wall) -> None:
    with pytest.raises(ValueError, match="does not appear"):
        wall.shut([Held("192.0.2.1; flush ruleset", 1)])
    assert json.dumps(wall.standing().held) == "[]"
