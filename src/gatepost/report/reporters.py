"""Who reports to us, and who no longer does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rich.text import Text

from gatepost.model.domain import ReportsRead
from gatepost.report.escape import printable
from gatepost.report.layout import Column, hanging, joined, paint, table, text
from gatepost.report.plain import Plain, to_plain
from gatepost.report.sheet import sheet
from gatepost.report.tally import plural

SCHEMA = "gatepost/reports/1"
FEW = 3  # reports; with fewer nobody has a habit
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


def silent(reads: Sequence[ReportsRead], today: date) -> tuple[Silent, ...]:
    """Measured against the newest report of the kind, so that a late import makes nobody silent."""
    newest: dict[str, date] = {}
    for one in reads:
        newest[one.kind] = max(one.last, newest.get(one.kind, one.last))
    found = (_silence(one, min(newest[one.kind], today)) for one in reads)
    return tuple(one for one in found if one)


def _silence(one: ReportsRead, newest: date) -> Silent | None:
    if one.reports < FEW:
        return None
    gap = max((one.last - one.first) / (one.reports - 1), timedelta(days=1))
    if newest - one.last <= max(PATIENCE, 3 * gap):
        return None
    return Silent(one.at.host, one.kind, one.reporters[0], one.last, round(gap / timedelta(days=1)))


def stale(reads: Sequence[ReportsRead], today: date) -> str:
    """A sentence when the newest report of all is old; empty otherwise."""
    newest = max((one.last for one in reads), default=today)
    if today - newest <= PATIENCE:
        return ""
    return f"the newest report is about {newest}: import again, or look why none arrive"


def reporters_text(asked: Asked, reads: Sequence[ReportsRead], today: date, *, colour: bool = False) -> str:
    count = sum(one.reports for one in reads)
    head = f"{plural(count, 'report')} on {asked.of}, {asked.days}"
    page = [text(head, "bold"), text("")]
    for domain in dict.fromkeys(one.at.host for one in reads):
        same = [one for one in reads if one.at.host == domain]
        page += [text(f"  {printable(domain, 80)}", "bold"), *_table(same), text("")]
    return paint([*page, *remarks(reads, today, width=100)] if reads else page[:1], colour=colour)


def remarks(reads: Sequence[ReportsRead], today: date, *, width: int) -> list[Text]:
    """Who fell silent, as lines below any of the pages."""
    told = [str(one) for one in silent(reads, today)]
    if old := stale(reads, today):
        told.append(old)
    return [line for one in told for line in hanging(text("  ◆", "yellow"), one, indent=4, width=width)]


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


def reporters_json(asked: Asked, reads: Sequence[ReportsRead], today: date) -> str:
    """Keys may be added, none is renamed or removed."""
    return document(SCHEMA, asked, {"reports": to_plain(tuple(reads)), "silent": to_plain(silent(reads, today))})


def reporters_csv(reads: Sequence[ReportsRead]) -> str:
    columns = ("domain", "kind", "reporter", "reports", "first", "last", "about", "bad")
    return sheet(
        columns,
        (
            (r.at.host, r.kind, "; ".join(r.reporters), r.reports, r.first, r.last, r.sessions, r.failures)
            for r in reads
        ),
    )


def document(schema: str, asked: Asked, told: dict[str, Plain]) -> str:
    head: dict[str, Plain] = {
        "schema": schema, "domain": asked.domain, "since": asked.since.isoformat(), "until": asked.until.isoformat(),
    }  # fmt: skip
    return json.dumps(head | told, indent=2, ensure_ascii=False) + "\n"
