"""Before anything is changed: is the plan fit, what of it is done already, and did somebody else change its files?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from gatepost.edge.host.backup import LOAD, listed, paths
from gatepost.edge.host.hand import Hand
from gatepost.errors import CannotLook, UsageError
from gatepost.firewall.rendering.normal import digest
from gatepost.firewall.rendering.words import Json
from gatepost.model.plan import Act, Kind, Plan, Step

HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,252}")
MOST_STEPS = 2000
LARGEST_TEXT = 16 * 1024 * 1024  # octets of one file or input


def refuse_unfit(plan: Plan, hosts: Mapping[str, object]) -> None:
    """Raises UsageError for a plan that nobody should carry out."""
    if len(plan.doing) > MOST_STEPS:
        raise UsageError(f"the plan has {len(plan.doing)} steps; at most {MOST_STEPS} are applied at once")
    for step in plan.doing:
        if not HOST_NAME.fullmatch(step.host):
            raise UsageError(f"{step.host[:80]!r} is no name of a host")
        if step.host not in hosts:
            raise UsageError(f"{step.host}: no way to this host is known: set via in the declaration")
        for sentence in _unfit(step):
            raise UsageError(f"{step.title or step.key}: {sentence}")


def _unfit(step: Step) -> Iterator[str]:
    for path in (*paths(step), *(one.path for one in step.found)):
        if not path.startswith("/") or "\0" in path or "\n" in path:
            yield f"{path[:80]!r} is no absolute path"
    acts = (*step.acts, *step.checks, *step.settles, *step.undo, *step.already)
    for act in acts:
        if not act.argv or not act.argv[0] or any("\0" in word for word in act.argv):
            yield "a command without words"
    if any(act.stdin for act in step.settles):
        yield "a reload takes no input"
    for text in (*(one.text for one in step.writes), *(act.stdin for act in acts)):
        if (octets := _octets(text)) is None:
            yield "its text is not Unicode"
        elif octets > LARGEST_TEXT:
            yield f"its text has more than {LARGEST_TEXT} octets"
    for one in step.writes:
        if not 0 <= one.mode <= 0o7777:
            yield f"{one.path}: {one.mode} are no permission bits"


def _octets(text: str) -> int | None:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return None


def remaining(steps: Sequence[Step], hands: Mapping[str, Hand]) -> tuple[Step, ...]:
    """Without those that are done already. Raises CannotLook where a host cannot be reached."""
    return tuple(step for step in steps if not _done(step, hands[step.host]))


def _done(step: Step, hand: Hand) -> bool:
    if step.kind is Kind.FIREWALL and not step.already:
        return _runs_already(step, hand)
    if not step.already and (step.acts or not step.writes):
        return False
    return _as_written(step, hand) and all(_succeeds(act, hand) for act in step.already)


def _runs_already(step: Step, hand: Hand) -> bool:
    """Whether the one table it loads is the one that runs."""
    match step.acts:
        case (Act(argv, text),) if argv == LOAD and not step.writes:
            running = listed(hand.runner, hand.host)
            return running is not None and digest({"nftables": running}) == digest(_loaded(text))
    return False


def _loaded(text: str) -> Json:
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _as_written(step: Step, hand: Hand) -> bool:
    wanted = tuple(sha256(one.text.encode()).hexdigest() for one in step.writes)
    return digests(hand, tuple(one.path for one in step.writes)) == wanted


def _succeeds(act: Act, hand: Hand) -> bool:
    return hand.runner.run(act.argv, stdin=act.stdin).ok


def digests(hand: Hand, names: Sequence[str]) -> tuple[str, ...]:
    """SHA-256 of each file on the host, empty for one that is not there."""
    if not names:
        return ()
    told = hand.do("digest", *names).split()
    if len(told) != len(names):
        raise CannotLook(f"{hand.host}: it told {len(told)} digests of {len(names)} files")
    return tuple("" if one == "-" else one.lower() for one in told)


def changed(steps: Sequence[Step], hands: Mapping[str, Hand]) -> tuple[str, ...]:
    """What is no longer as the plan found it, in words."""
    told = []
    for host in dict.fromkeys(step.host for step in steps):
        found = {one.path: one.digest.lower() for step in steps if step.host == host for one in step.found}
        now = digests(hands[host], tuple(found))
        told += [
            f"{host}: {path} {_became(digest, seen)} since the plan was made"
            for (path, digest), seen in zip(found.items(), now, strict=True)
            if seen != digest
        ]
    return tuple(told)


def _became(digest: str, seen: str) -> str:
    return "appeared" if not digest else "changed" if seen else "is gone"
