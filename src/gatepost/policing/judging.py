"""The decision on one attempt, in the order of response: delay, close the account to strangers, refuse the network."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from gatepost.policing.attempt import ALLOW, Answer, Attempt, Course
from gatepost.policing.memory import Memory


@dataclass(frozen=True, slots=True)
class Lock:
    """An account that was closed, by the operator or by an alert. `until` is seconds since 1970.

    `strangers` only: networks that logged in before still may.
    """

    user: str
    until: float
    why: str
    by: str
    strangers: bool = True


def login(
    attempt: Attempt,
    memory: Memory,
    locks: Mapping[str, Lock],
    now: float,
    slowed: Container[str] = (),
) -> Answer:
    """Asked before the password is checked, and again after. `slowed` are networks that an alert is about."""
    known = memory.knows(attempt.user, attempt.network, now)
    locked = _locked(attempt, locks, now, known=known)
    if locked or known:
        return locked or ALLOW
    told = Answer(Course.DELAY, memory.limits.longest_delay, f"{attempt.network} is in an alert")
    return _gravest(
        _gravest(_account(attempt, memory, now), _network(attempt, memory, now)),
        told if attempt.network in slowed else ALLOW,
    )


def sending(attempt: Attempt, memory: Memory, locks: Mapping[str, Lock], now: float) -> Answer:
    """Asked for a recipient or a whole message: a session that was open when its account was locked ends here."""
    if not attempt.user:
        return ALLOW
    locked = _locked(attempt, locks, now, known=memory.knows(attempt.user, attempt.network, now))
    return locked or _surge(attempt, memory, now)


def _locked(attempt: Attempt, locks: Mapping[str, Lock], now: float, *, known: bool) -> Answer | None:
    lock = locks.get(attempt.user)
    if lock is None or lock.until <= now or (lock.strangers and known):
        return None
    return Answer(Course.DENY, because="This account is locked. Ask your administrator.")


def _account(attempt: Attempt, memory: Memory, now: float) -> Answer:
    limits, guesses = memory.limits, memory.guesses(attempt.user, now)
    if guesses >= limits.closing_guesses and memory.has_history(attempt.user, now):
        return Answer(Course.DENY, because=f"{guesses} different passwords were tried for {attempt.user}")
    return _delayed(
        guesses - limits.free_guesses, limits.longest_delay, f"{guesses} different passwords were tried for the account"
    )


def _network(attempt: Attempt, memory: Memory, now: float) -> Answer:
    limits, accounts = memory.limits, memory.failed_accounts(attempt.network, now)
    if accounts >= limits.closing_accounts:
        return Answer(Course.DENY, because=f"{attempt.network} failed at {accounts} accounts")
    return _delayed(
        accounts - limits.free_accounts, limits.longest_delay, f"{attempt.network} failed at {accounts} accounts"
    )


def _delayed(over: int, longest: int, because: str) -> Answer:
    """1, 2, 4 … seconds once the free ones are used up."""
    if over < 0:
        return ALLOW
    return Answer(Course.DELAY, min(longest, 1 << min(over, 10)), because)


def _gravest(one: Answer, other: Answer) -> Answer:
    order = (Course.ALLOW, Course.DELAY, Course.DEFER, Course.DENY)
    return max(one, other, key=lambda answer: (order.index(answer.course), answer.seconds))


def _surge(attempt: Attempt, memory: Memory, now: float) -> Answer:
    limit = memory.limits.recipients
    if not limit or attempt.stage != "RCPT":
        return ALLOW
    sent = memory.sent(attempt.user, 1, now)
    if sent <= limit:
        return ALLOW
    return Answer(Course.DEFER, because=f"More than {limit} recipients within {memory.limits.window // 60} minutes.")
