"""Carrying out a plan: record, save, guard, change, look again; then keep it, or take all of it back.

Whatever ends us in between, a guardian on each host undoes what was not kept, and `mending.settled` tells which it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from gatepost.edge.host import backup, guardian, journal
from gatepost.edge.host.backup import Nft, Share
from gatepost.edge.host.hand import ROOT, Hand, HostHeld, octets
from gatepost.edge.host.readiness import changed, refuse_unfit, remaining
from gatepost.edge.host.runner import Runner
from gatepost.errors import CannotLook, GatepostError, StepFailed, UsageError
from gatepost.model.plan import Act, Applied, Ending, Plan, Step


class Stage(StrEnum):
    """Where an apply stands; a moment of its own for whoever watches."""

    ACTED = "acted"
    ARMED = "armed"
    ASKED = "asked"
    BEGUN = "begun"
    CHECKED = "checked"  # the step is done
    ENDED = "ended"
    KEEPING = "keeping"
    KEPT = "kept"  # on one host
    LOOKED = "looked"
    LOOKING = "looking"
    OPENED = "opened"
    RECORDED = "recorded"
    SAVED = "saved"
    SETTLED = "settled"
    SETTLING = "settling"
    UNDOING = "undoing"
    UNDONE = "undone"  # on one host
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Moment:
    stage: Stage
    host: str = ""
    step: Step | None = None
    said: str = ""


Watch = Callable[[Moment], None]


@dataclass(frozen=True, slots=True)
class Terms:
    """Times in seconds. After `within` seconds without a sign of life a guardian undoes everything."""

    by: str = ""  # who applies
    within: float = 120.0
    look: float = 600.0  # for looking again
    confirm: float = 0.0  # for the operator to say that it is kept; 0: not asked
    backups: str = ROOT  # directory on each host


def apply(
    plan: Plan,
    runners: Mapping[str, Runner],
    look_again: Callable[[], str],
    *,
    state: Path,
    ways: Mapping[str, str],
    terms: Terms = Terms(),
    afresh: Callable[[str], Runner] | None = None,
    confirmed: Callable[[Applied], str] | None = None,
    watch: Watch = lambda _moment: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Applied:
    """Kept, or everything as it was before.

    `look_again` and `confirmed` return "" or why it must be taken back. `afresh` opens a new connection to a host: an
    old one would prove nothing about a firewall. `ways` are the words of `via` by host, for whoever mends this later.
    Raises UsageError and CannotLook while nothing is changed yet.
    """
    refuse_unfit(plan, runners)
    words = at_it(terms.by, f"plan {plan.id}", clock())
    with journal.locked(state, words):
        _refuse_unfinished(state, plan)
        name = journal.named(state, plan.id)
        hands = {host: Hand(host, runners[host], name, terms.backups) for host in plan.hosts if host in runners}
        todo = remaining(plan.doing, hands)
        record = Applied(
            replace(plan, steps=todo), clock(), Ending.UNFINISHED, by=terms.by, id=name, backups=terms.backups,
            ways=tuple((host, ways[host]) for host in dict.fromkeys(step.host for step in todo)),
        )  # fmt: skip
        if not todo:
            return replace(record, ending=Ending.KEPT, ended=record.started, id="")
        if told := changed(todo, hands):
            raise UsageError("\n".join(told))
        shares = tuple(Share(host, tuple(s for s in todo if s.host == host)) for host, _ in record.ways)
        course = _Course(record, shares, hands, state, terms, watch, clock, words)
        return course.run(look_again, confirmed, afresh)


def at_it(by: str, what: str, since: datetime) -> str:
    """For whoever finds the lock."""
    return f"{by or 'somebody'}, {what}, since {since:%Y-%m-%d %H:%M} UTC"


def _refuse_unfinished(state: Path, plan: Plan) -> None:
    for one in journal.unfinished(state):
        if common := sorted(set(one.plan.hosts) & set(plan.hosts)):
            raise CannotLook(f"{', '.join(common)}: {one.id} is still unfinished: gatepost rollback finishes it")


@dataclass(slots=True)
class _Course:
    """One apply under way. What it does is in `run`, from top to bottom."""

    record: Applied
    shares: tuple[Share, ...]
    hands: dict[str, Hand]
    state: Path
    terms: Terms
    watch: Watch
    clock: Callable[[], datetime]
    words: str  # for whoever finds the lock
    opened: list[str] = field(default_factory=list)
    armed: list[str] = field(default_factory=list)
    tables: dict[str, list[Nft] | None] = field(default_factory=dict)

    def run(
        self,
        look_again: Callable[[], str],
        confirmed: Callable[[Applied], str] | None,
        afresh: Callable[[str], Runner] | None,
    ) -> Applied:
        self._write(Stage.RECORDED)
        try:
            self._prepare()
            self._steps()
            self._look(look_again)
            self._confirm(confirmed)
            self._keep(afresh)
        except HostHeld as error:
            return self._not_begun(error)
        except GatepostError as error:
            return self._take_back(str(error))
        except KeyboardInterrupt:
            return self._take_back("interrupted by the operator")
        except BaseException as error:
            self._take_back(f"gatepost itself failed: {type(error).__name__}: {error}")
            raise
        self.record = replace(self.record, ending=Ending.KEPT, ended=self.clock(), kept=self.clock())
        self._write(Stage.ENDED)
        return self.record

    def _write(self, stage: Stage, said: str = "") -> None:
        journal.write(self.state, self.record)
        self.watch(Moment(stage, said=said))

    def _prepare(self) -> None:
        """Every host is locked and saved before any is changed, and guarded before it is."""
        for share in self.shares:
            hand = self.hands[share.host]
            self._open(hand)
            self.watch(Moment(Stage.OPENED, share.host))
            backup.save(hand, share)
            if share.filters:
                self.tables[share.host] = backup.listed(hand.runner, share.host)
            self.watch(Moment(Stage.SAVED, share.host))
        for share in self.shares:
            self.armed.append(share.host)
            guardian.arm(self.hands[share.host], self.terms.within)
            self.watch(Moment(Stage.ARMED, share.host))

    def _open(self, hand: Hand) -> None:
        try:
            hand.do("open", self.words)
        except (HostHeld, StepFailed):
            raise  # nothing of ours is there
        except CannotLook:
            self.opened.append(hand.host)  # it may have come that far
            raise
        self.opened.append(hand.host)

    def _steps(self) -> None:
        counted: dict[str, int] = {}
        share_of = {share.host: share for share in self.shares}
        for step in self.record.plan.steps:
            counted[step.host] = number = counted.get(step.host, 0) + 1
            self._step(share_of[step.host], step, number)
            self.record = replace(self.record, done=(*self.record.done, step.key))
            journal.write(self.state, self.record)
            self.watch(Moment(Stage.CHECKED, step.host, step))
            if due := share_of[step.host].due(number):
                self._settle(self.hands[step.host], *due)

    def _step(self, share: Share, step: Step, number: int) -> None:
        hand = self.hands[step.host]
        hand.do("begin", f"begun/{number}")
        self.watch(Moment(Stage.BEGUN, step.host, step))
        for one in step.writes:
            file = str(share.files.index(one.path) + 1)
            hand.do("put", file, f"{one.mode:o}", str(octets(one.text)), stdin=one.text)
        self.watch(Moment(Stage.WRITTEN, step.host, step))
        for act in step.acts:
            self._act(hand, act)
        self.watch(Moment(Stage.ACTED, step.host, step))
        for act in share.checks(number):
            self._act(hand, act)

    def _act(self, hand: Hand, act: Act) -> None:
        self._beat(self.terms.within)
        hand.act(act)

    def _settle(self, hand: Hand, which: int, acts: tuple[Act, ...]) -> None:
        words = ", ".join(" ".join(act.argv) for act in acts)
        hand.do("begin", f"settling/{which}")
        self.watch(Moment(Stage.SETTLING, hand.host, said=words))
        for act in acts:
            self._act(hand, act)
        self.watch(Moment(Stage.SETTLED, hand.host, said=words))

    def _beat(self, seconds: float) -> None:
        for host in self.armed:
            guardian.beat(self.hands[host], seconds)

    def _look(self, look_again: Callable[[], str]) -> None:
        self._beat(self.terms.look)
        self.watch(Moment(Stage.LOOKING))
        if why := look_again():
            raise StepFailed(why)
        self.watch(Moment(Stage.LOOKED))

    def _confirm(self, confirmed: Callable[[Applied], str] | None) -> None:
        if not self.terms.confirm or confirmed is None:
            return
        self._beat(self.terms.confirm)
        journal.ask(self.state, self.record.id)
        self.watch(Moment(Stage.ASKED))
        try:
            if why := confirmed(self.record):
                raise StepFailed(why)
        finally:
            journal.asked_no_more(self.state, self.record.id)

    def _keep(self, afresh: Callable[[str], Runner] | None) -> None:
        """Every host must answer a new connection before the first one is kept."""
        self._beat(self.terms.within)
        hands = [self._again(self.hands[host], afresh) for host in self.armed]
        for hand in hands:
            hand.do("after")
        self.watch(Moment(Stage.KEEPING))
        for hand in hands:
            guardian.keep(hand)
            self.watch(Moment(Stage.KEPT, hand.host))

    def _again(self, hand: Hand, afresh: Callable[[str], Runner] | None) -> Hand:
        if afresh is None:
            return hand
        fresh = replace(hand, runner=afresh(hand.host))
        try:
            guardian.told(fresh)
        except CannotLook as error:
            raise CannotLook(f"a new connection is no longer possible: {error}") from None
        return fresh

    def _not_begun(self, held: HostHeld) -> Applied:
        """Somebody else is at a host, and none was changed yet. Raises it again, unless a lock of ours may be left."""
        try:
            for host in reversed(self.opened):
                self._undo(host)
        except GatepostError:
            return self._take_back(str(held))
        journal.forget(self.state, self.record.id)
        raise held

    def _take_back(self, why: str) -> Applied:
        """The last host first. One that cannot be reached has its guardian; the record stays unfinished until told."""
        self.watch(Moment(Stage.UNDOING, said=why))
        troubles: list[str] = []
        left: list[str] = []
        for host in reversed(self.opened):
            try:
                troubles += self._undo(host)
            except GatepostError as error:
                left.append(str(error))
            else:
                self.watch(Moment(Stage.UNDONE, host))
        self.record = replace(
            self.record,
            ending=Ending.UNFINISHED if left else Ending.ROLLED_BACK,
            ended=None if left else self.clock(),
            why=". ".join([why, *troubles, *(f"not taken back yet: {one}" for one in left)]),
        )
        self._write(Stage.ENDED, self.record.why)
        return self.record

    def _undo(self, host: str) -> list[str]:
        """What went wrong beside it."""
        hand = self.hands[host]
        trouble = guardian.take_back(hand)
        told = [f"{host}: {trouble}"] if trouble else []
        if host in self.tables and not backup.alike(backup.listed(hand.runner, host), self.tables[host]):
            told.append(f"{host}: table {backup.FAMILY} {backup.TABLE} is not as before")
        return told
