"""Bringing reports into the store: one transaction each, and a mail counts as done only in the transaction of its last.

A report is first gathered in a temporary table, so that others wait for its commit and not for its parsing. Whoever
is killed on the way leaves whole reports; what was not committed is read again the next time.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gatepost.edge.mailbox import Letter, Unreadable
from gatepost.edge.reportstore import opened
from gatepost.edge.state import transaction
from gatepost.errors import because
from gatepost.feedback.aggregate import Aggregate
from gatepost.feedback.containers import MAX_XML, MIB, Document, Form, Refusal, documents
from gatepost.feedback.contents import AggregateHead, NoReport, Period, ReportRefused, Taken, TlsReport
from gatepost.feedback.tlsrpt import tls_reports

BATCH = 2000
_STAGED = """
CREATE TEMP TABLE staged (
    source TEXT, messages INTEGER, disposition TEXT, dkim TEXT, spf TEXT, domain TEXT, reasons TEXT, auth TEXT
)
"""
Tell = Callable[[str, str], None]  # the name of what was read, and what is wrong with it


def take_in(directory: Path, letters: Iterable[Letter | Unreadable], now: datetime, tell: Tell) -> Taken:
    """Import everything that was not imported before. Raises UsageError when the store cannot be used."""
    with opened(directory) as db:
        db.execute(_STAGED)
        intake = _Intake(db, now, tell)
        for letter in letters:
            intake.take(letter)
        return intake.taken()


@dataclass(frozen=True, slots=True)
class _Staged:
    """A report that is read and not yet committed; the rows of an aggregate are in the temporary table."""

    report: AggregateHead | TlsReport
    content: str
    name: str

    @property
    def domain(self) -> str:
        if isinstance(self.report, AggregateHead):
            return self.report.domain
        return self.report.policies[0].domain if self.report.policies else ""


class _Intake:
    def __init__(self, db: sqlite3.Connection, now: datetime, tell: Tell) -> None:
        self._db = db
        self._now = now
        self._tell = tell
        self._count: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()

    def taken(self) -> Taken:
        count = self._count
        return Taken(
            count["letters"], count["new"], count["dmarc"], count["duplicates"], count["refused"], count["others"],
            count["rows"], dict(self._lost),
        )  # fmt: skip

    def take(self, letter: Letter | Unreadable) -> None:
        self._count["letters"] += 1
        if isinstance(letter, Unreadable):
            self._refuse(letter.name, letter.why)
        elif letter.size > MAX_XML:
            self._refuse(letter.name, f"it has {letter.size // MIB:,} MiB; more than {MAX_XML // MIB} are not read")
        else:
            try:
                self._open(letter)
            except FileNotFoundError:
                self._other(letter, "no such file")  # in a mailbox mails are moved; the next import finds it again
            except OSError as error:
                self._refuse(letter.name, because(error))

    def _open(self, letter: Letter) -> None:
        digest = _digest(letter.chunks())
        done = self._db.execute("SELECT reports FROM letter WHERE digest = ?", (digest,)).fetchone()
        if done:
            self._count["duplicates"] += done[0]
            return
        before = self._count["refused"]
        waiting: tuple[_Staged, ...] = ()
        reports = 0
        for one in self._read(letter):
            self._commit(waiting, None, 0)
            waiting = one
            reports += len(one)
        if self._count["refused"] == before:
            self._commit(waiting, digest, reports)
        else:
            self._commit(waiting, None, 0)
        if not reports and self._count["refused"] == before:
            self._other(letter, "it holds no report")

    def _read(self, letter: Letter) -> Iterator[tuple[_Staged, ...]]:
        """The reports of one document at a time; the next is read once they are committed."""
        for found in documents(letter.name, letter.chunks()):
            try:
                if isinstance(found, Refusal):
                    raise found.why
                yield self._stage(found)
            except NoReport as why:
                if letter.named or found.name != letter.name:
                    self._refuse(found.name, str(why))
            except ReportRefused as why:
                self._refuse(found.name, str(why))

    def _stage(self, found: Document) -> tuple[_Staged, ...]:
        digest = hashlib.sha256()
        content = _hashed(found.content, digest)
        if found.form is Form.JSON:
            reports = tls_reports(content, self._now, found.name)
            return tuple(_Staged(one, f"{digest.hexdigest()} {n}", found.name) for n, one in enumerate(reports))
        head = self._gather(content, found.name)
        return (_Staged(head, digest.hexdigest(), found.name),)

    def _gather(self, content: Iterator[bytes], name: str) -> AggregateHead:
        reading = Aggregate(self._now, name)
        db = self._db
        db.execute("DELETE FROM staged")
        db.execute("BEGIN")  # of the temporary database alone: nobody waits for it
        try:
            rows = []
            for chunk in content:
                rows += reading.rows(chunk)
                if len(rows) >= BATCH:
                    db.executemany(_STAGE, rows)
                    rows.clear()
            db.executemany(_STAGE, rows + reading.end())
        finally:
            if db.in_transaction:
                db.execute("COMMIT")
        return reading.head()

    def _commit(self, waiting: tuple[_Staged, ...], letter: str | None, reports: int) -> None:
        """Everything or nothing: the reports, and with the last of them that the letter is done."""
        if not waiting:
            return
        db = self._db
        with transaction(db):
            kept = [one for one in waiting if self._insert(one)]
            if letter:
                db.execute("INSERT OR IGNORE INTO letter VALUES (?, ?, ?)", (letter, reports, _stamp(self._now)))
        self._counted(waiting, kept)

    def _counted(self, waiting: tuple[_Staged, ...], kept: list[_Staged]) -> None:
        self._count["new"] += len(kept)
        self._count["duplicates"] += len(waiting) - len(kept)
        for one in kept:
            self._lost.update(one.report.lost)
            if isinstance(one.report, AggregateHead):
                self._count["dmarc"] += 1
                self._count["rows"] += one.report.rows

    def _insert(self, one: _Staged) -> bool:
        """False for a duplicate."""
        report = one.report
        kind, policy = ("dmarc", report.policy) if isinstance(report, AggregateHead) else ("tls", "")
        made = self._db.execute(
            _REPORT,
            (
                kind, _identity(kind, one), one.content, report.reporter, report.report_id, one.domain,
                report.period.first.isoformat(), report.period.last.isoformat(), policy, json.dumps(dict(report.lost)),
                _held(one.name), _stamp(self._now),
            ),
        )  # fmt: skip
        if not made.rowcount:
            return False
        number = made.lastrowid
        if isinstance(report, AggregateHead):
            self._db.execute("INSERT INTO report_row SELECT ?, * FROM staged", (number,))
        else:
            self._policies(number, report)
        return True

    def _policies(self, number: int | None, report: TlsReport) -> None:
        for one in report.policies:
            text, mx = json.dumps(one.text), json.dumps(one.mx)
            made = self._db.execute(
                "INSERT INTO tls_policy VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
                (number, one.type, one.domain, text, mx, one.successes, one.failures),
            )
            self._db.executemany(
                "INSERT INTO tls_failure VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (made.lastrowid, f.type, f.sessions, f.mx, f.address, f.sender, f.helo, f.code, f.info)
                    for f in one.details
                ),
            )

    def _refuse(self, name: str, why: str) -> None:
        self._count["refused"] += 1
        self._tell(name, why)

    def _other(self, letter: Letter, why: str) -> None:
        """A mailbox holds other mail too: it is counted, and told only of a file that was named."""
        if letter.named:
            self._refuse(letter.name, why)
        else:
            self._count["others"] += 1


_STAGE = "INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_REPORT = (
    "INSERT INTO report"
    " (kind, identity, content, reporter, report_id, domain, first, last, policy, lost, name, imported)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


def _identity(kind: str, one: _Staged) -> str:
    """Reporter, id, domain and period, which a report keeps however often it is sent; without an id, its content."""
    report, period = one.report, one.report.period
    if not report.report_id:
        return one.content
    words = (kind, report.reporter, report.report_id, one.domain, _span(period))
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def _span(period: Period) -> str:
    return f"{period.begin} {period.end}"


def _digest(chunks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _hashed(chunks: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


def _held(name: str) -> str:
    """Names on disk need not be text."""
    return name.encode("utf-8", "replace").decode()[-300:]


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).isoformat()
