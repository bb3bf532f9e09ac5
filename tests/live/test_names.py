"""The lab's name servers come up once, and nothing of them stays behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import pytest

from lab import many
from lab.names import Names, why_no_names
from lab.places import state_root
from lab.zones import Net

NET = Net("127.0.23")
SYSTEM = tuple(Path(f"{root}/{name}") for root in ("/etc", "/var/lib") for name in ("knot", "nsd", "unbound"))

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("lab"),
    pytest.mark.skipif(bool(why_no_names()), reason=why_no_names()),
]


@pytest.fixture(params=["knot", "nsd"])
def names(request: pytest.FixtureRequest) -> Iterator[Names]:
    if reason := why_no_names(request.param):
        pytest.skip(reason)
    made = Names(state_root() / "once-names", NET, request.param)
    made.down()
    yield made
    made.down()


def pids(names: Names) -> list[int]:
    return [int(file.read_text()) for file in sorted(names.home.rglob("*.pid"))]


def changed() -> dict[Path, float]:
    """When each directory of the system's own servers was last written to."""
    return {path: path.stat().st_mtime for path in SYSTEM if path.exists()}


def alive(pid: int) -> bool:
    """A zombie has no command line; who reaps it is not our business."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def answers(address: str) -> bool:
    try:
        return bool(dns.query.udp(dns.message.make_query("d0000.test.", "MX"), address, 1.0).answer)
    except (dns.exception.DNSException, OSError):
        return False


def test_up_twice_is_up_once(names: Names) -> None:
    zones = tuple(many.zones(2, NET))
    names.up(zones)
    first = pids(names)
    names.up(zones)
    assert len(first) == 3
    assert pids(names) == first
    assert answers(NET.resolver)


def test_down_leaves_nothing(names: Names) -> None:
    before = changed()
    names.up(tuple(many.zones(2, NET)))
    gone = pids(names)
    names.down()
    assert not names.home.exists()
    assert changed() == before
    assert not any(alive(pid) for pid in gone)
    assert not any(answers(address) for address in (NET.resolver, NET.authority, NET.lame))


def test_down_of_what_never_was_up_is_nothing(names: Names) -> None:
    names.down()
    assert not names.running


def test_the_bench_puts_as_many_questions_as_it_says() -> None:
    for questions in many.questions(3, NET):
        assert len(set(questions)) == len(questions) == many.LOOKUPS
