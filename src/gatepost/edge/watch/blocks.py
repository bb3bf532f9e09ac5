"""Carrying out blocks: ledger first, then the kernel, then what stands is cut, and last it is proved.

The first three take some tens of milliseconds; the proof reads all rules and may take seconds, so it is called apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gatepost import catalogue
from gatepost.edge.watch.ledger import Ledger
from gatepost.edge.watch.proving import prove
from gatepost.edge.watch.wall import Held, Standing, Wall
from gatepost.errors import CannotLook, StepFailed
from gatepost.model.alert import Block, BlockEnd
from gatepost.model.architecture import Host
from gatepost.model.event import MICROSECONDS

MOST_NAMED = 5
MOST_TROUBLES = 20
MAIL = frozenset({"imap", "lmtp", "managesieve", "pop3", "smtp"})
Evidence = tuple[str, ...]


def ports(hosts: Sequence[Host]) -> tuple[int, ...]:
    """The declared mail ports; the catalogue's where nothing is declared."""
    declared = {s.port for host in hosts for s in host.services if s.protocol in MAIL}
    usual = {row.number for row in catalogue.ports() if "tcp" in row.transport and row.protocol in MAIL}
    return tuple(sorted(declared or usual))


@dataclass(slots=True)
class Blocks:
    """`walls` by name of host. `troubles` are sentences about what could not be done, newest last."""

    ledger: Ledger
    walls: dict[str, tuple[Wall, Host]]
    dry: bool = True
    troubles: list[str] = field(default_factory=list)

    def take(self, blocks: Sequence[tuple[Block, Evidence]], now: int) -> None:
        """New ones, and refusals, which are only recorded."""
        self.ledger.record(blocks)
        real = [one for one, _ in blocks if one.end is BlockEnd.OPEN and not one.dry]
        if real and not self.dry:
            self._shut(real, now)

    def extend(self, blocks: Sequence[Block], now: int) -> None:
        self.ledger.extend(blocks)
        real = [one for one in blocks if not one.dry]
        if real and not self.dry:
            self._shut(real, now)

    def lift(self, address: str, now: int, *, by: str, why: str) -> bool:
        """Whether there was anything to lift, in the ledger or in a kernel."""
        ended = self.ledger.end(address, BlockEnd.REMOVED, now, by=by, why=why)
        held = False
        for name, (wall, _) in self.walls.items():
            with self._told(name):
                there = any(one.address == address for one in wall.standing().held)
                held |= there
                if there:
                    wall.opened([address])
        return bool(ended) or held

    def reconcile(self, now: int) -> tuple[str, ...]:
        """Make the kernels hold what the ledger says, and nothing is lost: sentences on what differed.

        Elements that no ledger knows are named and left: somebody else may have meant them.
        """
        self.ledger.expire(now)
        if self.dry:
            return ()
        wanted = {one.block.address: one.block for one in self.ledger.standing(now)}
        said: list[str] = []
        for name, (wall, _) in self.walls.items():
            with self._told(name):
                said += self._agreed(name, wall, wanted, now)
        return tuple(said)

    def _agreed(self, name: str, wall: Wall, wanted: dict[str, Block], now: int) -> list[str]:
        standing = wall.standing()
        held = {one.address: one.seconds for one in standing.held}
        lost = [one for address, one in wanted.items() if address not in held]
        unknown = [Held(a, s) for a, s in held.items() if a not in wanted]
        if not standing.whole:
            wall.raised([*_held(wanted.values(), now), *unknown])
        elif lost:
            wall.shut(_held(lost, now))
        said = [f"{name}: {one.address} was no longer blocked, set again until its end" for one in lost[:MOST_NAMED]]
        if len(lost) > MOST_NAMED:
            said.append(f"{name}: and {len(lost) - MOST_NAMED} more were set again")
        return said + [
            f"{name}: {one.address} is blocked but in no ledger; gatepost unblock {one.address} lets it in"
            for one in unknown[:MOST_NAMED]
        ]

    def prove(self, addresses: Sequence[str], now: int) -> dict[str, str]:
        """The weakest sentence of all hosts for each address; recorded."""
        found = self.proofs(addresses, now)
        self.ledger.proved((address, text, 0) for address, text in found.items())
        return found

    def proofs(self, addresses: Sequence[str], now: int) -> dict[str, str]:
        """Without the ledger, so that it can be asked for in another thread."""
        found: dict[str, str] = {}
        for name, (wall, host) in self.walls.items():
            with self._told(name):
                shut = wall.ports or ports([host])
                said = prove(wall.runner, addresses, host.addresses, shut, datetime.fromtimestamp(now / 1e6, UTC))
                for address, text in said.items():
                    if not found.get(address, "proved").startswith("not"):
                        found[address] = text if len(self.walls) == 1 else f"{text} [{name}]"
        return found

    def standing(self) -> dict[str, Standing]:
        found: dict[str, Standing] = {}
        for name, (wall, _) in self.walls.items():
            with self._told(name):
                found[name] = wall.standing()
        return found

    def _shut(self, blocks: Sequence[Block], now: int) -> None:
        held = _held(blocks, now)
        cut: dict[str, int] = {}
        for name, (wall, _) in self.walls.items():
            with self._told(name):
                try:
                    wall.shut(held)
                except StepFailed:  # the table is not there, or not ours any more
                    wall.raised(_held((one.block for one in self.ledger.standing(now)), now))
                for address, count in wall.cut([one.address for one in blocks]).items():
                    cut[address] = cut.get(address, 0) + count
        self.ledger.proved((one.address, one.proved, cut.get(one.address, 0)) for one in blocks)

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """A host that cannot be reached keeps nobody from the others; it is said."""
        try:
            yield
        except (CannotLook, StepFailed) as error:
            self.troubles.append(f"{name}: {error}")
            del self.troubles[:-MOST_TROUBLES]


def _held(blocks: Iterable[Block], now: int) -> list[Held]:
    """With the time that is left; what ended is none."""
    return [Held(one.address, -(-(one.until - now) // MICROSECONDS)) for one in blocks if one.until > now]
