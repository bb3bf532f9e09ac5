"""The story of a retirement: who would break, when it could go, and who was lost when it went.

    assess    uses of the last weeks + target -> the accounts concerned, the trend, dates to propose
    fallout   uses before and after the closing -> who came back another way, and who did not

Both are pure. `edge.retiring` remembers the stages and shuts a port on trial.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta

from gatepost.model.event import MICROSECONDS
from gatepost.model.use import Use
from gatepost.retiring.assessment import Account, Assessment, Dates, Fallout
from gatepost.retiring.target import Concerned, Target

NOTICE = {0: 7, 10: 30, 100: 60}  # up to so many accounts: days between the announcement and the end
LONGEST_NOTICE = 90  # days
REHEARSAL = 14  # days before the end
QUIET_FROM, QUIET_TO = (12, 18), (1, 7)  # nobody is at work to mend a printer
WEEK = 7
DAY = 86400 * MICROSECONDS


def assess(uses: Iterable[Use], target: Target, *, since: date, until: date) -> Assessment:
    """Over the days from `since` to `until`, both included."""
    kept = [use for use in uses if since <= use.day <= until]
    concerned = [use for use in kept if target.concerns(use) is not Concerned.NO]
    by_user: dict[str, list[Use]] = defaultdict(list)
    for use in concerned:
        if use.user and use.sessions > use.failures:
            by_user[use.user].append(use)
    others = {use.user for use in kept if target.concerns(use) is Concerned.NO and use.sessions > use.failures}
    accounts = (_account(user, mine, target, elsewhere=user in others) for user, mine in by_user.items())
    return Assessment(
        target,
        since,
        until,
        tuple(sorted(accounts, key=lambda one: (not one.certain, -one.last, one.user))),
        _weeks(concerned, since, until),
        sum(use.sessions for use in concerned if use.user not in by_user),
        len({use.network for use in concerned if use.network}),
    )


def dates(assessment: Assessment, today: date) -> Dates:
    """More accounts get more time; nothing ends on a Friday, at a weekend or around New Year.

    Accounts that perhaps use it do not count: first the log has to tell.
    """
    count = len(assessment.certain)
    days = next((days for most, days in NOTICE.items() if count <= most), LONGEST_NOTICE)
    close = working_day(today + timedelta(days=days))
    rehearse = close - timedelta(days=REHEARSAL)
    while rehearse > today and working_day(rehearse) != rehearse:
        rehearse -= timedelta(days=1)  # earlier, so that the weeks after it stay
    return Dates(min(max(rehearse, working_day(today + timedelta(days=1))), close), close)


def working_day(day: date) -> date:
    """The day itself, or the next on which somebody is there to help, and the day after too."""
    while day.weekday() > 3 or (day.month, day.day) >= QUIET_FROM or (day.month, day.day) < QUIET_TO:
        day += timedelta(days=1)
    return day


def fallout(uses: Iterable[Use], target: Target, closed: int, *, looking_back: int = 90) -> Fallout:
    """`closed` is the moment it went, in microseconds. A row of that day tells when its first and last use were."""
    every = tuple(uses)
    begins = closed - looking_back * DAY
    lost = {u.user for u in every if _came(u) and begins <= u.first < closed and target.concerns(u) is Concerned.YES}
    after = [use for use in every if use.last > closed and not (use.first <= closed and _ends(use, target))]
    well = {use.user for use in after if _came(use)}
    trying = {use.user for use in after if use.failures} - well
    return Fallout(
        tuple(sorted(lost & well)),
        tuple(sorted(lost & trying)),
        tuple(sorted(lost - well - trying)),
        sum(use.sessions for use in after if target.concerns(use) is Concerned.YES),
    )


def _came(use: Use) -> bool:
    return bool(use.user) and use.sessions > use.failures


def _ends(use: Use, target: Target) -> bool:
    """A connection that stood when the port was closed goes on: that is nobody who came back."""
    return target.concerns(use) is not Concerned.NO


def _account(user: str, uses: list[Use], target: Target, *, elsewhere: bool) -> Account:
    certain = any(target.concerns(use) is Concerned.YES for use in uses)
    return Account(
        user,
        certain,
        sum(use.sessions - use.failures for use in uses),
        min(use.first for use in uses),
        max(use.last for use in uses),
        _distinct(uses, lambda use: use.host),
        _distinct(uses, lambda use: use.service),
        _distinct(uses, lambda use: use.network),
        _distinct(uses, lambda use: use.hint),
        elsewhere,
    )


def _distinct(uses: list[Use], of: Callable[[Use], str]) -> tuple[str, ...]:
    return tuple(sorted({of(use) for use in uses} - {""}))


def _weeks(uses: Iterable[Use], since: date, until: date) -> tuple[int, ...]:
    """Whole weeks back from the last day."""
    count = max(1, -(-((until - since).days + 1) // WEEK))
    found = [0] * count
    for use in uses:
        found[count - 1 - (until - use.day).days // WEEK] += use.sessions
    return tuple(found)
