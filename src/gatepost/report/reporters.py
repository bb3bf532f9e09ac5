"""Who reports to us, and who no longer does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rich.text import Text

from gatepost.feedback.contents import Reporter
from gatepost.model.domain import ReportsRead
from gatepost.report.escape import printable
from gatepost.report.layout import Column, joined, paint, table, text
from gatepost.report.page import document, listed
from gatepost.report.plain import Plain, to_plain
from gatepost.report.sheet import sheet
from gatepost.report.tally import plural
from gatepost.report.truth import Standing
from gatepost.report.wall import MARKS

SCHEMA = "gatepost/reports/1"
FEW = 3  # days with reports; with fewer nobody has a habit
SHOWN = 8  # silent reporters
PATIENCE = timedelta(days=3)  # reports come a day late, some senders have no mail for us on a day
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """Which reports a page is about. `domain` None: all."""

    domain: str | None
    since: date
    until: date

    @property
    def days(self) -> str:
        return f"{self.since} to {self.until}"

    @property
    def of(self) -> str:
        return printable(self.domain or "your domains", 80)


@dataclass(frozen=True, slots=True)
class Silent:
    """A reporter that used to report and stopped. `every`: days between its reports."""

    domain: str
    kind: str
    reporter: str
    last: date
    every: int

    def __str__(self) -> str:
        habit = "every day" if self.every <= 1 else f"every {self.every} days"
        what = {"dmarc": "DMARC", "tls": "TLS"}.get(self.kind, self.kind)
        whose = f"{printable(self.reporter, LONGEST_NAME)} on {printable(self.domain, 80)}"
        return f"no {what} report of {whose} since {self.last}, it used to come {habit}"


def silent(reporters: Sequence[Reporter], today: date) -> tuple[Silent, ...]:
    """Measured against the newest report of the kind, so that a late import makes nobody silent."""
    newest: dict[str, date] = {}
    for one in reporters:
        newest[one.read.kind] = max(one.read.last, newest.get(one.read.kind, one.read.last))
    found = (_silence(one, min(newest[one.read.kind], today)) for one in reporters)
    return tuple(one for one in found if one)


def _silence(one: Reporter, newest: date) -> Silent | None:
    if one.days < FEW:
        return None
    read = one.read
    gap = max((read.last - read.first) / (one.days - 1), timedelta(days=1))
    if newest - read.last <= max(PATIENCE, 3 * gap):
        return None
    return Silent(read.at.host, read.kind, read.reporters[0], read.last, round(gap / timedelta(days=1)))


def stale(reporters: Sequence[Reporter], today: date) -> str:
    """A sentence when the newest report of all is old; empty otherwise."""
    newest = max((one.read.last for one in reporters), default=today)
    if today - newest <= PATIENCE:
        return ""
    return f"the newest report is about {newest}: import again, or look why none arrive"


def reporters_text(asked: Asked, reporters: Sequence[Reporter], today: date, *, colour: bool = False) -> str:
    count = sum(one.read.reports for one in reporters)
    head = f"{plural(count, 'report')} on {asked.of}, {asked.days}"
    page = [text(head, "bold"), text("")]
    for domain in dict.fromkeys(one.read.at.host for one in reporters):
        same = [one.read for one in reporters if one.read.at.host == domain]
        page += [text(f"  {printable(domain, 80)}", "bold"), *_table(same), text("")]
    return paint([*page, *remarks(reporters, today, width=100)] if reporters else page[:1], colour=colour)


def remarks(reporters: Sequence[Reporter], today: date, *, width: int) -> list[Text]:
    """Who fell silent, as lines below any of the pages."""
    quiet = silent(reporters, today)
    told = [str(one) for one in quiet[:SHOWN]]
    if rest := len(quiet) - len(told):
        told.append(f"{plural(rest, 'more reporter')} fell silent: gatepost reports list --format json has all")
    if old := stale(reporters, today):
        told.append(old)
    return listed(MARKS[Standing.ATTENTION], told, width)


def _table(reads: Sequence[ReportsRead]) -> list[Text]:
    columns = (
        Column("KIND"), Column("REPORTER"), Column("REPORTS", right=True), Column("FIRST"), Column("LAST"),
        Column("ABOUT", right=True), Column("OF THESE"),
    )  # fmt: skip
    return table(columns, [_cells(one) for one in reads], indent=4)


def _cells(one: ReportsRead) -> tuple[Text, ...]:
    what, bad = ("messages", "not aligned") if one.kind == "dmarc" else ("sessions", "failed")
    wrong = text(f"{one.failures:,} {bad}", "yellow") if one.failures else text(f"0 {bad}", "dim")
    names = ", ".join(printable(name, LONGEST_NAME) for name in one.reporters)
    about = joined(f"{one.sessions:,} {what}")
    return (
        text(one.kind), text(names), text(f"{one.reports:,}"), text(str(one.first)), text(str(one.last)), about, wrong,
    )  # fmt: skip


def reporters_json(asked: Asked, reporters: Sequence[Reporter], today: date) -> str:
    told = {"reports": plain_reports(reporters), "silent": to_plain(silent(reporters, today))}
    return dated(SCHEMA, asked, told)


def plain_reports(reporters: Sequence[Reporter]) -> Plain:
    return to_plain(tuple(one.read for one in reporters))


def reporters_csv(reporters: Sequence[Reporter]) -> str:
    columns = ("domain", "kind", "reporter", "reports", "days", "first", "last", "about", "bad")
    return sheet(columns, (_line(one.read, one.days) for one in reporters))


def _line(r: ReportsRead, days: int) -> tuple[object, ...]:
    return r.at.host, r.kind, "; ".join(r.reporters), r.reports, days, r.first, r.last, r.sessions, r.failures


def dated(schema: str, asked: Asked, told: dict[str, Plain]) -> str:
    """A document about reports of a time."""
    head: dict[str, Plain] = {
        "domain": asked.domain, "since": asked.since.isoformat(), "until": asked.until.isoformat(),
    }  # fmt: skip
    return document(schema, head | told)
