"""What the live watch remembers stays within its room; `tests/edge/lake` holds its answers to those of the SQL."""

from __future__ import annotations

from gatepost.logs.connections import Connections
from gatepost.logs.signalling import Signaller
from gatepost.model.event import Act, Kind
from tests.lines import Log


def test_it_forgets_the_connection_that_was_silent_longest_and_tells_what_it_waited_for() -> None:
    log, signaller = Log(), Signaller(room=2)
    broken = log.line(0, Kind.HANDSHAKE_FAILED, pid=1, reason="-1")
    assert signaller.feed(broken) == ()
    found = [one for pid in (2, 3, 4) for one in signaller.feed(log.line(pid, Kind.CONNECT, pid=pid))]
    assert [(one.act, one.cause, one.offset) for one in found] == [(Act.HANDSHAKE_FAILED, "-1", broken.offset)]
    assert signaller.flush() == ()


def test_a_connection_that_speaks_is_not_forgotten() -> None:
    log, open_ones = Log(), Connections(2)
    first = open_ones.of(log.line(0, Kind.CONNECT, pid=1))
    open_ones.of(log.line(1, Kind.CONNECT, pid=2))
    assert open_ones.of(log.line(2, Kind.TLS, pid=1)) is first
    open_ones.of(log.line(3, Kind.CONNECT, pid=3))
    assert open_ones.of(log.line(4, Kind.TLS, pid=1)) is first
    assert len(open_ones) == 2


def test_a_flood_of_connections_messages_and_explanations_stays_within_the_room() -> None:
    log, signaller = Log(), Signaller(room=500)
    for number in range(20_000):
        signaller.feed(log.line(number, Kind.CONNECT, pid=number))
        signaller.feed(log.line(number, Kind.ACCEPTED, pid=number, queue=f"Q{number}"))
        signaller.feed(log.line(number, Kind.AUTH_DETAIL, session=f"S{number}", reason="unknown user"))
        signaller.feed(log.line(number, Kind.TLS_OUT, daemon="smtp", pid=number))
        log.events.clear()
    kept = (signaller._connections, signaller._details, signaller._mail._taken, signaller._mail._senders)
    assert [len(one) for one in kept] == [500] * 4


def test_flush_tells_what_waited_once() -> None:
    log, signaller = Log(), Signaller()
    signaller.feed(log.line(0, Kind.HANDSHAKE_FAILED, reason="Connection timed out"))
    assert [one.cause for one in signaller.flush()] == ["timed out"]
    assert signaller.flush() == ()
