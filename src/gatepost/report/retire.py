"""A retirement on the terminal: who would break, the trend, the dates, how far it has come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from gatepost.model.event import MICROSECONDS
from gatepost.report.escape import printable
from gatepost.report.layout import Column, fitted, hanging, joined, paint, text, wrapped
from gatepost.report.page import document, heading
from gatepost.report.plain import Plain, to_plain
from gatepost.report.tally import plural
from gatepost.report.weeks import day, sparkline
from gatepost.retiring.assessment import Account, Assessment, Dates, Fallout, next_steps, trend
from gatepost.retiring.stages import Milestone, Stage

SCHEMA = "gatepost/retire/1"
SHOWN = 30
ENOUGH = 28  # days of log, within which monthly jobs and people on holiday come by
DONE, WAITING, TROUBLE = "green", "yellow", "red"


def to_text(
    found: Assessment, when: Dates, milestones: Sequence[Milestone], lost: Fallout | None, *, width: int, colour: bool
) -> str:
    """`lost` only once it is closed."""
    lines = [*_head(found, width, closed=lost is not None), *_accounts(found, width), *_milestones(milestones)]
    if lost is None:
        lines += [*_dates(found, when, milestones, width)]
    else:
        lines += [text(""), *_fallout(lost, width)]
    return paint(lines, colour=colour)


def to_json(found: Assessment, when: Dates, milestones: Sequence[Milestone], lost: Fallout | None) -> str:
    told: dict[str, Plain] = {
        "target": found.target.name,
        "title": found.target.title,
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "accounts": to_plain(found.accounts),
        "weeks": to_plain(found.weeks),
        "trend": trend(found.weeks),
        "sessions_of_nobody": found.strangers,
        "proposed": {"rehearse": when.rehearse.isoformat(), "close": when.close.isoformat()},
        "milestones": to_plain(tuple(milestones)),
        "fallout": to_plain(lost),
    }
    return document(SCHEMA, told)


def _head(found: Assessment, width: int, *, closed: bool) -> Iterator[Text]:
    count, maybe = len(found.certain), len(found.maybe)
    words = f"{plural(count, 'account')} would break" if count else "no account is known to use it"
    if closed:
        words = f"closed; {plural(count, 'account')} used it before"
    if maybe:
        words += f", {maybe:,} more perhaps"
    yield joined(
        text(found.target.title, "bold"),
        ": ",
        text(words, TROUBLE if count and not closed else WAITING if maybe else DONE),
    )
    going = trend(found.weeks)
    bars = f"{sparkline(found.weeks)}  sessions a week{f', {going}' if going else ''}"
    yield from wrapped(joined(text(f"{found.since} to {found.until}  ", "dim"), text(bars)), width)
    if maybe:
        yield from wrapped(
            "“Perhaps”: the log does not tell port or encryption. It will with login_log_format_elements of Dovecot "
            "(2.3: lport=%a, tls=%k; 2.4: lport=%{local_port}, tls=%{ssl_security}) and smtpd_tls_loglevel = 1 of "
            "Postfix.", width,
        )  # fmt: skip
    known = (found.until - found.since).days + 1
    if known < ENOUGH:
        yield from wrapped(f"Only {plural(known, 'day')} of log are known: who comes less often is not counted.", width)


def _accounts(found: Assessment, width: int) -> Iterator[Text]:
    if not found.accounts:
        return
    yield text("")
    rows = [_row(one) for one in found.accounts[:SHOWN]]
    columns = (
        Column("account"),
        Column(""),
        Column("last"),
        Column("sessions", right=True, spare=2),
        Column("from", spare=1),
        Column("note"),
    )
    yield from fitted(columns, rows, indent=2, width=width)
    if (more := len(found.accounts) - SHOWN) > 0:
        yield text(f"  … and {more:,} more: --format json names all", "dim")


def _row(one: Account) -> list[Text]:
    where = ", ".join(one.networks[:1]) + (f" +{len(one.networks) - 1}" if len(one.networks) > 1 else "")
    return [
        text(printable(one.user, 40)),
        text("" if one.certain else "perhaps", WAITING),
        text(f"{day(one.last)}"),
        text(f"{one.sessions:,}"),
        text(where),
        text("has another way" if one.elsewhere else printable(", ".join(one.hints[:1]), 30), "dim"),
    ]


def _milestones(milestones: Sequence[Milestone]) -> Iterator[Text]:
    if milestones:
        yield text("")
        yield heading("So far")
    for one in milestones:
        on = f" for {one.on}" if one.on and one.stage is Stage.ANNOUNCED else ""
        said = f"{one.stage}{on} by {printable(one.by, 40)}" + (f": {printable(one.note, 120)}" if one.note else "")
        yield joined(text(f"  {day(int(one.at * MICROSECONDS))}  ", "dim"), text(said))


def _dates(found: Assessment, when: Dates, milestones: Sequence[Milestone], width: int) -> Iterator[Text]:
    last = max(milestones, key=lambda one: one.at, default=None)
    stage = "" if last is None or last.stage is Stage.CANCELLED else last.stage.value
    yield text("")
    yield heading("Next")
    if found.maybe:
        yield text("  first      let the log tell what “perhaps” leaves open, and wait two weeks")
    if not stage:
        yield text(f"  propose    a trial hour on {when.rehearse:%a %d %b %Y}, the end on {when.close:%a %d %b %Y}")
    for step in next_steps(found, stage):
        command, _, why = step.partition("  ")
        yield from hanging(text(f"  {command}  ", "bold"), why.strip(), indent=44, width=width)


def _fallout(lost: Fallout, width: int) -> Iterator[Text]:
    yield heading("Since it closed")
    rows = ((len(lost.moved), "came back another way", DONE), (len(lost.failing), "try, and fail", TROUBLE),
            (len(lost.silent), "not seen since", WAITING))  # fmt: skip
    for count, words, style in rows:
        yield joined(text(f"  {count:>5}  ", style if count else ""), text(words))
    yield text(f"  {lost.knocking:>5}  sessions still arrive at what is closed")
    for names, label in ((lost.failing, "failing"), (lost.silent, "silent")):
        if names:
            told = ", ".join(printable(one, 60) for one in names[:SHOWN])
            yield from hanging(text(f"  {label}  "), told, indent=11, width=width)
