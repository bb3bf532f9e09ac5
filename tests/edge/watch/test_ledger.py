"""The ledger and the kernel: what one loses the other gives back, and nothing is there that nobody can explain."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from gatepost.edge.watch.blocks import Blocks, ports
from gatepost.edge.watch.ledger import Ledger, looked_at, opened
from gatepost.edge.watch.wall import Wall
from gatepost.model.alert import Block, BlockEnd
from gatepost.model.architecture import Host, Service
from gatepost.model.bundle import Ran
from gatepost.model.event import MICROSECONDS
from gatepost.model.words import Mode, Role

NOW = 1_795_000_000 * MICROSECONDS
HOUR = 3600 * MICROSECONDS


@dataclass
class Kernel:
    """A host that speaks nft's JSON well enough to hold elements: the real one is asked in tests/live."""

    tables: dict[str, object] | None = None
    held: dict[str, int] = field(default_factory=dict)
    broken: str = ""
    odd: bool = False  # says yes to everything, and nothing with it
    where: str = "a kernel in memory"

    def run(self, argv: Sequence[str], *, stdin: str = "", patience: float = 1) -> Ran:  # noqa: ARG002 - as runners have it
        words = tuple(argv)
        if self.broken:
            return Ran(words, 1, stderr=self.broken)
        if words[:3] == ("nft", "-j", "list"):
            return self._list(words)
        if words[:3] == ("nft", "-j", "-f"):
            return self._change(words, json.loads(stdin)["nftables"])
        return Ran(words, 0 if words[0] == "ss" or self.odd else 127)

    def _list(self, words: tuple[str, ...]) -> Ran:
        if self.tables is None:
            return Ran(words, 1, stderr="Error: No such file or directory")
        elements = [{"elem": {"val": a, "timeout": s, "expires": s}} for a, s in self.held.items()]
        objects = [*self.tables["objects"], {"set": {"name": "v4", "elem": elements}}]  # type: ignore[misc]  # a list
        return Ran(words, 0, json.dumps({"nftables": objects}))

    def _change(self, words: tuple[str, ...], commands: list[dict[str, dict[str, object]]]) -> Ran:
        for command in commands:
            ((verb, what),) = command.items()
            ((kind, thing),) = what.items()
            if kind == "table":
                self.tables = {"objects": []} if verb == "add" else None
                self.held = {} if verb == "delete" else self.held
            elif self.tables is None:
                return Ran(words, 1, stderr="Error: No such file or directory")
            elif kind == "element":
                self._elements(verb, thing["elem"])  # type: ignore[index]  # a table
            else:
                self.tables["objects"].append({kind: thing})  # type: ignore[attr-defined]  # a list
        return Ran(words, 0)

    def _elements(self, verb: str, elements: list[object]) -> None:
        for one in elements:
            if verb == "delete":
                self.held.pop(str(one), None)
            else:
                self.held[one["elem"]["val"]] = one["elem"]["timeout"]  # type: ignore[index]  # a table


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with opened(tmp_path) as found:
        yield found


def block(address: str = "192.0.2.7", hours: int = 1, **more: object) -> Block:
    made = Block(address, NOW, NOW + hours * HOUR, "a1", "gp-brute", "watch", "9 wrong passwords", False, 0, "")
    return replace(made, **more)  # type: ignore[arg-type]  # fields of it, named by the test


def blocks(ledger: Ledger, kernel: Kernel, *, dry: bool = False) -> Blocks:
    return Blocks(ledger, {"mx": (Wall(kernel, (25, 143)), Host("mx", ("198.51.100.25",), ()))}, dry)


def test_a_block_is_in_both(ledger: Ledger) -> None:
    kernel = Kernel()
    blocks(ledger, kernel).take([(block(), ("/var/log/mail.log:4711",))], NOW)
    assert kernel.held == {"192.0.2.7": 3600}
    (entry,) = ledger.standing(NOW)
    assert entry.block == block()
    assert entry.evidence == ("/var/log/mail.log:4711",)


def test_a_rehearsal_touches_no_kernel(ledger: Ledger) -> None:
    kernel = Kernel()
    doing = blocks(ledger, kernel, dry=True)
    doing.take([(block(), ())], NOW)
    assert doing.reconcile(NOW) == ()
    assert (kernel.held, kernel.tables) == ({}, None)


def test_killed_between_ledger_and_kernel(ledger: Ledger) -> None:
    """The next start sets what was only written down, for the time that is left."""
    ledger.record([(block(), ()), (block("192.0.2.8", hours=3), ())])
    kernel = Kernel()
    said = blocks(ledger, kernel).reconcile(NOW + 2 * HOUR)
    assert kernel.held == {"192.0.2.8": 3600}
    assert said == ("mx: 192.0.2.8 was no longer blocked, set again until its end",)
    assert blocks(ledger, kernel).reconcile(NOW + 2 * HOUR) == ()
    assert [one.block.end for one in ledger.history()] == [BlockEnd.EXPIRED, BlockEnd.OPEN]


def test_what_no_ledger_knows_is_named_and_stays(ledger: Ledger) -> None:
    kernel = Kernel()
    doing = blocks(ledger, kernel)
    doing.reconcile(NOW)
    kernel.held["192.0.2.99"] = 50
    said = doing.reconcile(NOW)
    assert said == ("mx: 192.0.2.99 is blocked but in no ledger; gatepost unblock 192.0.2.99 lets it in",)
    assert kernel.held == {"192.0.2.99": 50}
    assert doing.lift("192.0.2.99", NOW, by="root", why="")
    assert kernel.held == {}


def test_lifted_by_an_operator(ledger: Ledger) -> None:
    kernel = Kernel()
    doing = blocks(ledger, kernel)
    doing.take([(block(), ())], NOW)
    assert doing.lift("192.0.2.7", NOW + HOUR // 2, by="anna", why="our scanner")
    assert kernel.held == {}
    (entry,) = ledger.history()
    assert (entry.block.end, entry.ended, entry.ended_by, entry.ended_why) == (
        BlockEnd.REMOVED, NOW + HOUR // 2, "anna", "our scanner",
    )  # fmt: skip
    assert not doing.lift("192.0.2.7", NOW, by="anna", why="")


def test_a_longer_block_is_longer_in_both(ledger: Ledger) -> None:
    kernel = Kernel()
    doing = blocks(ledger, kernel)
    doing.take([(block(), ())], NOW)
    doing.extend([block(hours=5)], NOW)
    assert kernel.held == {"192.0.2.7": 5 * 3600}
    assert ledger.standing(NOW)[0].block.until == NOW + 5 * HOUR


def test_a_refusal_is_recorded_once(ledger: Ledger) -> None:
    kernel = Kernel()
    refused = block(end=BlockEnd.REFUSED)
    doing = blocks(ledger, kernel)
    doing.take([(refused, ())], NOW)
    doing.take([(refused, ())], NOW + HOUR)
    assert [one.block.end for one in ledger.history()] == [BlockEnd.REFUSED]
    assert kernel.held == {}


def test_a_host_that_fails_is_said_and_the_ledger_keeps_the_block(ledger: Ledger) -> None:
    kernel = Kernel(broken="Error: Operation not permitted\nmore")
    doing = blocks(ledger, kernel)
    doing.take([(block(), ())], NOW)
    assert doing.troubles == ["mx: a kernel in memory: Error: Operation not permitted"]
    kernel.broken = ""
    assert doing.reconcile(NOW) == ("mx: 192.0.2.7 was no longer blocked, set again until its end",)
    assert kernel.held == {"192.0.2.7": 3600}


def test_the_ledger_outlives_us_and_is_read_without_a_right_to_write(tmp_path: Path) -> None:
    with looked_at(tmp_path) as nothing:
        assert nothing is None
    with opened(tmp_path) as ledger:
        ledger.record([(block(why="long " * 1000), tuple(f"mail.log:{n}" for n in range(99)))])
    with looked_at(tmp_path) as found:
        assert found is not None
        (entry,) = found.history()
        assert (len(entry.block.why), len(entry.evidence)) == (2000, 20)


def test_ports_are_the_declared_ones() -> None:
    imaps = Service("imaps", 993, "imap", Role.ACCESS, Mode.IMPLICIT)
    web = Service("https", 443, "http", Role.WEB, Mode.IMPLICIT)
    assert ports([Host("mx", (), (imaps, web))]) == (993,)
    assert {25, 110, 143, 465, 587, 993, 995, 4190} <= set(ports([]))
    assert not {22, 53, 443} & set(ports([]))


def test_blocks_of_some_addresses_are_found_among_many(tmp_path: Path) -> None:
    with opened(tmp_path) as book:
        one = Block("192.0.2.1", NOW, NOW + HOUR, "a", "r", "watch", "why", True, 0, "")
        book.record([(replace(one, address=f"192.0.2.{n}", since=NOW + n), ()) for n in range(9)])
        book.record([(replace(one, address="2001:db8::/64"), ())])
        assert [b.address for b in book.of({"192.0.2.7", "2001:db8::/64", "192.0.2.200"})] == [
            "192.0.2.7",
            "2001:db8::/64",
        ]
        assert book.of(["192.0.2.7"], NOW + 8) == ()
