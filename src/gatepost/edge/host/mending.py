"""After an apply: finish one that was cut off, keep one from a second session, take a kept one back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from gatepost.edge.host import guardian, journal
from gatepost.edge.host.applying import at_it
from gatepost.edge.host.backup import paths
from gatepost.edge.host.guardian import Fate
from gatepost.edge.host.hand import Hand
from gatepost.edge.host.runner import Runner
from gatepost.errors import CannotLook, GatepostError, StepFailed, UsageError
from gatepost.model.plan import Applied, Ending, Kind

Reach = Callable[[str], Runner]  # from the words of `via`


def settled(
    state: Path, reach: Reach, now: datetime, who: str = "gatepost", backups: Collection[str] | None = None
) -> tuple[Applied, ...]:
    """Every apply that was cut off, ended now where its hosts can be reached: fully before or fully after.

    Kept where every host had kept it, else all of it is taken back. Nothing while another apply is under way.
    `backups`: directories on hosts whose scripts may be run; of others nothing is touched. None: any that a record
    names.
    """
    if not cut_off(state, backups):
        return ()
    try:
        with journal.locked(state, who):
            return tuple(_settle(state, one, reach, now) for one in cut_off(state, backups))
    except CannotLook:
        return ()  # it is not cut off: somebody is at it


def cut_off(state: Path, backups: Collection[str] | None = None) -> tuple[Applied, ...]:
    return tuple(one for one in journal.unfinished(state) if backups is None or one.backups in backups)


def _settle(state: Path, record: Applied, reach: Reach, now: datetime) -> Applied:
    found = tuple(_fate(hand) for hand in hands(record, reach))
    if all(one.fate is Fate.KEPT for one in found) and found:
        ended = replace(record, ending=Ending.KEPT, ended=now, kept=record.kept or now, why="")
    else:
        ended = _taken_back(record, found, now)
    journal.asked_no_more(state, record.id)
    if ended != record:
        journal.write(state, ended)
    return ended


@dataclass(frozen=True, slots=True)
class _Found:
    hand: Hand
    fate: Fate | None = None
    why: str = ""  # it could not be told


def _fate(hand: Hand) -> _Found:
    try:
        return _Found(hand, guardian.told(hand).fate)
    except GatepostError as error:
        return _Found(hand, why=str(error))


def _taken_back(record: Applied, found: Sequence[_Found], now: datetime) -> Applied:
    left, troubles = [], []
    for one in reversed(found):
        try:
            if one.why:
                raise CannotLook(one.why)
            if trouble := guardian.take_back(one.hand):
                troubles.append(f"{one.hand.host}: {trouble}")
        except GatepostError as error:
            left.append(str(error))
    if left:
        return replace(record, why=". ".join([_CUT_OFF, *(f"not taken back yet: {one}" for one in left)]))
    done = Ending.UNDONE if record.kept else Ending.ROLLED_BACK
    words = [_how(record, found), *troubles]
    return replace(record, ending=done, ended=now, why=". ".join(words))


_CUT_OFF = "gatepost was cut off"


def _how(record: Applied, found: Sequence[_Found]) -> str:
    """In one sentence: who undid it, and of what."""
    if record.kept:
        return record.why
    if all(one.fate is Fate.NOTHING for one in found):
        return f"{_CUT_OFF} before anything was changed"
    if all(one.fate in {Fate.NOTHING, Fate.UNDONE} for one in found):
        return f"{_CUT_OFF}; the guardian took everything back"
    return f"{_CUT_OFF}; everything was taken back now"


def hands(record: Applied, reach: Reach) -> tuple[Hand, ...]:
    """Raises UsageError for a way that is none."""
    return tuple(Hand(host, reach(way), record.id, record.backups) for host, way in record.ways)


def keep(state: Path, reach: Reach, now: datetime, who: str) -> Applied:
    """Say from another session that the apply which waits for it is kept. Raises UsageError when none waits.

    The new connection to each host is the proof that it can still be reached.
    """
    waiting = [one for one in journal.unfinished(state) if journal.asked(state, one.id)]
    if not waiting:
        raise UsageError("no apply waits to be kept")
    record = waiting[-1]
    for hand in hands(record, reach):
        if guardian.told(hand).fate is not Fate.OPEN:
            raise StepFailed(f"{hand.host}: too late: it was taken back already")
    journal.answer(state, record.id)
    try:
        with journal.locked(state, who):
            return _keep_alone(state, record, reach, now)
    except CannotLook:
        return record  # the session that asked goes on by itself


def _keep_alone(state: Path, record: Applied, reach: Reach, now: datetime) -> Applied:
    """The session that asked is gone, perhaps with the connection it came by."""
    current = next(one for one in journal.records(state) if one.id == record.id)
    if current.ending is not Ending.UNFINISHED:
        return current
    for verb in ("after", "keep"):
        for hand in hands(record, reach):
            hand.do(verb)
    kept = replace(current, ending=Ending.KEPT, ended=now, kept=now, why="")
    journal.write(state, kept)
    journal.asked_no_more(state, record.id)
    return kept


def chain(records: Iterable[Applied], name: str | None) -> tuple[Applied, ...]:
    """What must be taken back for one kept apply to be, in order: it, and before it those that built upon it.

    `None`: the last one. Raises UsageError where there is none.
    """
    kept = [one for one in records if one.ending is Ending.KEPT]
    if not kept:
        raise UsageError("nothing that was applied is in force: there is nothing to take back")
    wanted = kept[-1] if name is None else next((one for one in kept if one.id == name), None)
    if wanted is None:
        raise UsageError(f"{name}: no apply of this name is in force: gatepost rollback --list shows them")
    needed = [wanted]
    for later in kept[kept.index(wanted) + 1 :]:
        if any(_upon(later, one) for one in needed):
            needed.append(later)
    return tuple(reversed(needed))


def _upon(later: Applied, earlier: Applied) -> bool:
    return not _grounds(later).isdisjoint(_grounds(earlier))


def _grounds(one: Applied) -> frozenset[tuple[str, str]]:
    """What it changed: files, and our table."""
    return frozenset(_changed(one))


def _changed(one: Applied) -> Iterator[tuple[str, str]]:
    for step in one.plan.doing:
        yield from ((step.host, path) for path in paths(step))
        if step.kind is Kind.FIREWALL:
            yield step.host, ""


def roll_back(
    state: Path, record: Applied, reach: Reach, now: Callable[[], datetime], *, force: bool = False, by: str = ""
) -> Applied:
    """Take one kept apply back on all its hosts.

    Raises UsageError, with nothing changed, where somebody else changed a file since (unless `force`), and CannotLook
    where a host cannot be reached or another apply is under way there.
    """
    with journal.locked(state, at_it(by, f"taking back {record.id}", now())):
        reached = hands(record, reach)
        for hand in reached:
            hand.do("free")
            _refuse_missing(hand)
        if not force and (changed := [told for hand in reached for told in strangers(hand)]):
            raise UsageError("\n".join([*changed, "--force puts the old ones back all the same"]))
        begun = replace(record, ending=Ending.UNFINISHED, ended=None, why=f"taken back by {by or 'the operator'}")
        journal.write(state, begun)
        ended = _taken_back(begun, [_fate(hand) for hand in reached], now())
        journal.write(state, ended)
        return ended


def strangers(hand: Hand) -> tuple[str, ...]:
    """Files that are not as the apply left them, in words."""
    if guardian.told(hand).fate is Fate.UNDONE:
        return ()
    return tuple(f"{hand.host}: {path} was changed since" for path in hand.do("strangers").splitlines())


def _refuse_missing(hand: Hand) -> None:
    if guardian.told(hand).fate is Fate.NOTHING:
        raise UsageError(f"{hand.host}: its backup in {hand.directory} is gone; nothing can be taken back")
