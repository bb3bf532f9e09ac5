"""The stages of watch, step by step in one thread: from bytes to alerts, blocks, queue and lake."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from gatepost.detect.rules import load
from gatepost.edge.lake.deriving import derive
from gatepost.edge.lake.lake import Lake
from gatepost.edge.watch import delivery, ledger
from gatepost.edge.watch.beside import Homes
from gatepost.edge.watch.blocks import Blocks
from gatepost.edge.watch.loop import Watch
from gatepost.edge.watch.metrics import Metrics
from gatepost.edge.watch.noticing import Noticing
from gatepost.edge.watch.notify import Notify
from gatepost.edge.watch.posting import Poster
from gatepost.edge.watch.wall import Wall
from gatepost.model.alert import BlockEnd
from gatepost.model.architecture import Architecture, Host
from gatepost.model.event import MICROSECONDS
from gatepost.model.log import Chunk, Clock, Position, Shape
from gatepost.model.watching import Delivery, Watching
from gatepost.watch import decide, spared
from tests.edge.watch.test_ledger import Kernel

NOW = 1_795_000_000 * MICROSECONDS  # 2026-11-18 11:06:40 UTC
HERE = Architecture(hosts=(Host("mx1", ("198.51.100.25",), ()),), watching=Watching(block=True))
RULES = load().rules


class Running:
    def __init__(self, directory: Path, stack: ExitStack, *, dry: bool = False) -> None:
        self.kernel, self.said = Kernel(), list[str]()
        self.lake = stack.enter_context(Lake.open(directory / "lake", write=True))
        book = stack.enter_context(ledger.opened(directory))
        places = (Delivery("mailto:ops@example.org"),)
        courier = stack.enter_context(delivery.opened(directory, places, Poster("mx1")))
        walls = {} if dry else {"mx1": (Wall(self.kernel, (25, 143)), HERE.hosts[0])}
        self.watch = Watch(
            self.lake, Noticing(RULES), Blocks(book, walls, dry=dry), courier, Metrics(),
            lambda alerts, blocks, now, together: decide(
                alerts, blocks, HERE, now, dry=dry, sparing=spared(HERE, together=together)
            ),
            Clock(NOW), history=Homes(self.lake), told=self.said.append,
        )  # fmt: skip
        self.offset = 0
        stack.callback(self.watch.pool.shutdown)

    def waits(self) -> bool:
        """For the next commit."""
        return self.watch.keeping.waiting

    def line(self, text: str, at: int = NOW) -> None:
        lines = text.encode()
        begin, self.offset = self.offset, self.offset + len(lines)
        self.watch.step(Chunk(lines, begin, Position("mail.log", Shape.FILE, "g", self.offset)), at)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with ExitStack() as stack:
        yield Running(tmp_path, stack)


def failed(client: str, user: str, second: int = 0) -> str:
    return (
        f"2026-11-18T11:06:{second % 60:02}.000000+00:00 mx1 dovecot: imap-login: Disconnected: Connection closed "
        f"(auth failed, 1 attempts in 2 secs): user=<{user}>, method=PLAIN, rip={client}, lip=198.51.100.25, TLS, "
        f"session=<{client}{user}{second}>\n"
    )


def logged_in(client: str, user: str) -> str:
    return (
        f"2026-11-18T11:05:00.000000+00:00 mx1 dovecot: imap-login: Login: user=<{user}>, method=PLAIN, rip={client}, "
        f"lip=198.51.100.25, mpid=7, TLS, session=<in{client}{user}>\n"
    )


def test_a_guesser_is_blocked_recorded_and_told(running: Running) -> None:
    running.line("".join(failed("192.0.2.66", f"u{n}", n) for n in range(25)))
    assert running.kernel.held == {"192.0.2.66": 3600}
    (entry,) = running.watch.blocks.ledger.standing(NOW)
    assert entry.block.why
    assert entry.evidence[0].startswith("mail.log:")
    assert running.watch.courier.waiting() == 1
    assert any(one == "192.0.2.66 blocked for 3600 s" for one in running.said)
    assert 'gatepost_blocks_total{result="blocked"} 1.0' in running.watch.metrics.text()


def test_a_user_who_mistypes_is_not(running: Running) -> None:
    running.line(logged_in("192.0.2.5", "anna") + "".join(failed("192.0.2.5", "anna", n) for n in range(25)))
    assert running.kernel.held == {}


def test_our_own_address_is_refused_with_a_sentence(running: Running) -> None:
    running.line("".join(failed("198.51.100.25", f"u{n}", n) for n in range(25)))
    assert running.kernel.held == {}
    assert any("198.51.100.25 not blocked: is an address of mx1" in one for one in running.said)
    assert [one.block.end for one in running.watch.blocks.ledger.history()] == [BlockEnd.REFUSED]


def test_a_gateway_that_everybody_comes_from_keeps_everybody_in(running: Running) -> None:
    running.line("".join(logged_in("172.18.0.1", f"u{n}") for n in range(100)))
    running.watch.step(None, NOW + 61 * MICROSECONDS)
    assert any(
        one.startswith("nobody is blocked: imap: all 100 connections come from 172.18.0.1") for one in running.said
    )
    running.line("".join(failed("192.0.2.66", f"u{n}", n) for n in range(1)) * 25, NOW + 62 * MICROSECONDS)
    running.line("".join(failed("192.0.2.66", f"u{n}", n) for n in range(25)), NOW + 62 * MICROSECONDS)
    assert running.kernel.held == {}


def test_no_attacker_can_make_himself_everybody(running: Running) -> None:
    """Ten thousand connections of one public address are an attack, and no gateway."""
    running.line("".join(failed("192.0.2.66", f"u{n}", n) for n in range(2000)))
    running.watch.step(None, NOW + 61 * MICROSECONDS)
    assert running.watch.together == ""


def test_what_was_read_is_committed_in_time_and_at_the_end(running: Running) -> None:
    keeping = running.watch.keeping
    running.line(failed("192.0.2.66", "anna"))
    assert running.waits()
    keeping.every = 0.0
    running.line(failed("192.0.2.66", "anna", 1))
    keeping.pool.submit(lambda: None).result()  # what was begun before it is done
    assert not running.waits()
    keeping.every = 3600.0
    running.line(failed("192.0.2.66", "anna", 2))
    running.watch.end(NOW)
    assert not running.waits()
    with running.lake.connect() as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (3,)


def test_old_lines_that_are_read_for_the_first_time_block_nobody(running: Running) -> None:
    running.line("".join(failed("192.0.2.66", f"u{n}", n) for n in range(25)), NOW + 7200 * MICROSECONDS)
    assert running.watch.tally.alerts > 0
    assert running.kernel.held == {}


def test_garbage_and_a_note_stop_nothing(running: Running) -> None:
    running.watch.step(Chunk(b"", 0, Position("mail.log", Shape.FILE, "g", 0), "it was rotated"), NOW)
    running.line("\x00\xff\n" * 50 + "x" * 100_000 + "\n")
    assert running.said == ["mail.log: it was rotated"]


def test_the_same_attack_is_one_alert_however_often_it_is_looked_at(running: Running) -> None:
    for n in range(10):
        running.line("".join(failed("192.0.2.66", f"u{n}", n) for _ in range(5)), NOW)
    told = [one for one in running.said if one.startswith(("critical:", "high:", "medium:"))]
    assert len(told) <= 6
    assert len(running.watch.blocks.ledger.standing(NOW)) == 1


def test_a_host_that_answers_oddly_ends_no_watch(running: Running) -> None:
    running.kernel.odd = True
    running.line("".join(failed("192.0.2.66", f"u{n}", n) for n in range(25)))
    running.watch.end(NOW)
    assert any(one.startswith("blocks could not be proved: ") for one in running.said)
    assert running.kernel.held == {"192.0.2.66": 3600}


def test_other_rules_keep_what_was_noticed(running: Running) -> None:
    noticing = running.watch.noticing
    running.line(logged_in("192.0.2.5", "anna"))
    noticing.ruled_by(RULES[:3])
    assert [(one.client, one.user) for one in noticing.homes.values()] == [("192.0.2.5", "anna")]
    assert noticing.live.rules == tuple(rule for rule in RULES[:3] if rule.live)


def test_systemd_hears_that_we_live(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        notify = Notify(str(tmp_path / "notify"), 30.0)
        notify.say("READY=1", "STATUS=x")
        assert manager.recv(100) == b"READY=1\nSTATUS=x"
        notify.alive(100.0)
        notify.alive(110.0)
        notify.alive(131.0)
        assert [manager.recv(100), manager.recv(100)] == [b"WATCHDOG=1", b"WATCHDOG=1"]
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.recv(100)
    notify.say("READY=1")  # nobody is there any more: nothing happens
    Notify("", 0.0).alive(1.0)


def test_the_queue_keeps_an_alert_whole(running: Running) -> None:
    running.line("".join(failed("192.0.2.66", f"u{n}", n) for n in range(25)))
    (body,) = running.watch.courier.db.execute("SELECT body FROM deliveries").fetchone()
    again = delivery._alert(body)
    assert again is not None
    assert again.clients == ("192.0.2.66",)
    assert json.loads(body)["id"] == again.id
    assert delivery._alert("{}") is None
    assert replace(again, proofs=()).proofs == ()


def test_counting_goes_on_after_a_restart_and_nothing_is_told_twice(tmp_path: Path) -> None:
    shut, nearly = "203.0.113.77", "192.0.2.66"
    with ExitStack() as stack:
        before, enough = Running(tmp_path, stack), 0
        while shut not in before.kernel.held:
            before.line(failed(shut, f"a{enough}", enough))
            enough += 1
        before.line("".join(failed(nearly, f"u{n}", n) for n in range(enough - 1)))
        before.watch.end(NOW)
        assert list(before.kernel.held) == [shut]
        derive(before.lake)
    with ExitStack() as stack:
        after = Running(tmp_path, stack)
        after.watch.begin(NOW)
        after.watch.step(None, NOW)
        assert after.watch.tally.alerts == 0
        after.line(failed(nearly, "last", enough))
        assert f"{nearly} blocked for 3600 s" in after.said
        assert not any(one.startswith(f"{shut} blocked") for one in after.said)


def test_homes_of_an_ipv6_network_are_known_from_the_lake(running: Running) -> None:
    running.line(logged_in("2001:db8:1:2::1", "anna"))
    running.watch.keeping.commit()
    derive(running.lake)
    homes = Homes(running.lake)
    assert [one.user for one in homes(["2001:db8:1:2:9::9"])] == ["anna"]
    assert homes(["192.0.2.5"]) == ()
    running.line(logged_in("192.0.2.5", "bert"))
    running.watch.keeping.commit()
    derive(running.lake)
    homes.learn()
    assert [one.user for one in homes(["192.0.2.5"])] == ["bert"]
