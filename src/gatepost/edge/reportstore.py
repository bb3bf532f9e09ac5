"""The reports of others in SQLite: what was imported, and what it says of a domain in a span of days."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from gatepost.edge import state
from gatepost.edge.store import history
from gatepost.feedback.contents import Failed, Reporter, TlsFailure
from gatepost.feedback.joining import UNTOLD, causes
from gatepost.model.architecture import Endpoint
from gatepost.model.domain import Dated, ReportsRead, SourceSeen, TlsFailureSeen

LAST_TABLE = "tls_failure_of"  # the index made last: with it, all of them are there
RECENT = timedelta(days=30)
MOST = 500  # sources of a domain that an audit carries; the worst of them
ALIGNED = "dkim = 'pass' OR spf = 'pass' OR disposition = 'pass'"
SCHEMA = """
CREATE TABLE IF NOT EXISTS letter (
    digest TEXT PRIMARY KEY,
    reports INTEGER NOT NULL,
    imported TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS report (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    identity TEXT NOT NULL UNIQUE,
    content TEXT NOT NULL UNIQUE,
    reporter TEXT NOT NULL,
    report_id TEXT NOT NULL,
    domain TEXT NOT NULL,
    first TEXT NOT NULL,
    last TEXT NOT NULL,
    policy TEXT NOT NULL,
    lost TEXT NOT NULL,
    name TEXT NOT NULL,
    imported TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS report_days ON report (kind, last, first);
CREATE TABLE IF NOT EXISTS report_row (
    report INTEGER NOT NULL REFERENCES report,
    source TEXT NOT NULL,
    messages INTEGER NOT NULL,
    disposition TEXT NOT NULL,
    dkim TEXT NOT NULL,
    spf TEXT NOT NULL,
    domain TEXT NOT NULL,
    reasons TEXT NOT NULL,
    auth TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS report_row_of ON report_row (report);
CREATE TABLE IF NOT EXISTS tls_policy (
    id INTEGER PRIMARY KEY,
    report INTEGER NOT NULL REFERENCES report,
    type TEXT NOT NULL,
    domain TEXT NOT NULL,
    text TEXT NOT NULL,
    mx TEXT NOT NULL,
    successes INTEGER NOT NULL,
    failures INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS tls_policy_of ON tls_policy (report);
CREATE TABLE IF NOT EXISTS tls_failure (
    policy INTEGER NOT NULL REFERENCES tls_policy,
    type TEXT NOT NULL,
    sessions INTEGER NOT NULL,
    mx TEXT NOT NULL,
    address TEXT NOT NULL,
    sender TEXT NOT NULL,
    helo TEXT NOT NULL,
    code TEXT NOT NULL,
    info TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS tls_failure_of ON tls_failure (policy);
"""
KEPT = ("certificate", "tlsa", "mta-sts-policy")  # what a failure is joined with


def reported(
    directory: Path, domains: Iterable[str], now: datetime
) -> tuple[ReportsRead | SourceSeen | TlsFailureSeen, ...]:
    """What other sites reported on these domains in the last thirty days. Empty where nothing was imported."""
    since, until = (now - RECENT).date(), now.date()
    known = [one for domain in domains for one in _of(directory, domain, since, until)]
    return tuple(dict.fromkeys(known))


def _of(directory: Path, domain: str, since: date, until: date) -> Iterator[ReportsRead | SourceSeen | TlsFailureSeen]:
    yield from read(directory, domain, since, until)
    yield from sources(directory, domain, since, until, MOST)
    yield from failures(directory, domain, since, until)


def sources(directory: Path, domain: str | None, since: date, until: date, most: int = -1) -> tuple[SourceSeen, ...]:
    """Who sends as a domain (None: as any), those with most unaligned messages first; `most` of them, -1 for all."""
    with state.reading(directory, LAST_TABLE) as db:
        if db is None:
            return ()
        return tuple(
            SourceSeen(
                Endpoint(at), source, total, aligned, spf, dkim, delivered, quarantined, rejected,
                tuple(sorted(json.loads(names))), date.fromisoformat(first), date.fromisoformat(last),
                _authenticated(json.loads(auth)),
            )
            for (
                at, source, total, aligned, spf, dkim, delivered, quarantined, rejected, first, last, names, auth,
            ) in db.execute(_SOURCES, _span(domain, since, until) | {"most": most})
        )  # fmt: skip


def failures(directory: Path, domain: str | None, since: date, until: date) -> tuple[TlsFailureSeen, ...]:
    """Why TLS sessions failed, each cause once, joined with what this state directory knew of the day."""
    with state.reading(directory, LAST_TABLE) as db:
        if db is None:
            return ()
        failed = [*_told(db, domain, since, until), *_untold(db, domain, since, until)]
    return causes(failed, _kept(directory) if failed else ())


def read(directory: Path, domain: str | None, since: date, until: date) -> tuple[ReportsRead, ...]:
    """How many reports of each kind there are for a domain."""
    per_reporter: dict[tuple[str, str], list[ReportsRead]] = defaultdict(list)
    for one in reporters(directory, domain, since, until):
        per_reporter[one.read.at.host, one.read.kind].append(one.read)
    return tuple(_summed(several) for several in per_reporter.values())


def reporters(directory: Path, domain: str | None, since: date, until: date) -> tuple[Reporter, ...]:
    """The same, one for each reporter, by domain and kind."""
    with state.reading(directory, LAST_TABLE) as db:
        if db is None:
            return ()
        return tuple(
            Reporter(
                ReportsRead(
                    Endpoint(at), kind, count, (name,), date.fromisoformat(first), date.fromisoformat(last), total, bad,
                ),
                days,
            )
            for at, kind, name, count, days, first, last, total, bad in db.execute(
                _REPORTS, _span(domain, since, until)
            )
        )  # fmt: skip


def domains(directory: Path) -> tuple[str, ...]:
    """Every domain that any report is about."""
    with state.reading(directory, LAST_TABLE) as db:
        if db is None:
            return ()
        return tuple(name for (name,) in db.execute(_DOMAINS))


def _summed(several: list[ReportsRead]) -> ReportsRead:
    return replace(
        several[0],
        reports=sum(one.reports for one in several),
        reporters=tuple(name for one in several for name in one.reporters),
        first=min(one.first for one in several),
        last=max(one.last for one in several),
        sessions=sum(one.sessions for one in several),
        failures=sum(one.failures for one in several),
    )


@contextmanager
def opened(directory: Path) -> Iterator[sqlite3.Connection]:
    """The database with our tables, without a transaction: whoever writes opens one.

    Raises UsageError when the directory cannot be used.
    """
    with state.writing(directory) as db:
        if not state.has(db, LAST_TABLE):
            db.executescript(SCHEMA)
        yield db


def _span(domain: str | None, since: date, until: date) -> dict[str, str | int | None]:
    return {"domain": domain, "since": since.isoformat(), "until": until.isoformat()}


_DAYS = "last >= :since AND first <= :until"
_OF_DMARC = f"""
    FROM report JOIN report_row AS row ON row.report = report.id
    WHERE kind = 'dmarc' AND {_DAYS}
    AND (:domain IS NULL OR report.domain = :domain OR row.domain = :domain)
"""
_AT = "CASE row.domain WHEN '' THEN report.domain ELSE row.domain END"
_SOURCES = f"""
    SELECT {_AT} AS at, source, SUM(messages), SUM(messages * ({ALIGNED})), SUM(messages * (spf = 'pass')),
    SUM(messages * (dkim = 'pass')), SUM(messages * (disposition IN ('none', 'pass'))),
    SUM(messages * (disposition = 'quarantine')), SUM(messages * (disposition = 'reject')), MIN(first), MAX(last),
    json_group_array(DISTINCT reporter), json_group_array(DISTINCT auth)
    {_OF_DMARC} GROUP BY at, source
    ORDER BY SUM(messages * ({ALIGNED})) - SUM(messages), SUM(messages) DESC, at, source LIMIT :most
"""
_REPORTS = f"""
    SELECT domain, kind, reporter, COUNT(DISTINCT id), COUNT(DISTINCT last), MIN(first), MAX(last), SUM(total), SUM(bad)
    FROM (
        SELECT report.domain, kind, reporter, report.id, first, last,
        COALESCE(SUM(messages), 0) AS total, COALESCE(SUM(messages * NOT ({ALIGNED})), 0) AS bad
        FROM report LEFT JOIN report_row AS row ON row.report = report.id
        WHERE kind = 'dmarc' AND {_DAYS} AND (:domain IS NULL OR report.domain = :domain) GROUP BY report.id
        UNION ALL
        SELECT tls_policy.domain, kind, reporter, report.id, first, last, successes + failures, failures
        FROM report JOIN tls_policy ON tls_policy.report = report.id
        WHERE kind = 'tls' AND {_DAYS} AND (:domain IS NULL OR tls_policy.domain = :domain)
    ) GROUP BY domain, kind, reporter ORDER BY domain, kind, reporter COLLATE NOCASE
"""  # noqa: S608 - pieces of ours, values are bound
_DOMAINS = """
    SELECT domain FROM report WHERE kind = 'dmarc'
    UNION SELECT domain FROM report_row WHERE domain <> ''
    UNION SELECT domain FROM tls_policy ORDER BY domain
"""
_OF_TLS = f"""
    FROM report JOIN tls_policy AS policy ON policy.report = report.id
    LEFT JOIN tls_failure AS failure ON failure.policy = policy.id
    WHERE kind = 'tls' AND {_DAYS} AND (:domain IS NULL OR policy.domain = :domain)
"""
_TOLD = f"""
    SELECT policy.domain, policy.type, policy.text, reporter, first, last, failure.type, SUM(sessions), failure.mx,
    address, code, info {_OF_TLS} AND sessions > 0
    GROUP BY policy.domain, policy.type, policy.text, reporter, first, last, failure.type, failure.mx, address,
    code, info
"""
_UNTOLD = f"""
    SELECT policy.domain, policy.type, policy.text, reporter, first, last, failures - COALESCE(SUM(sessions), 0)
    {_OF_TLS} GROUP BY policy.id HAVING failures > COALESCE(SUM(sessions), 0)
"""


def _authenticated(auth: list[str]) -> tuple[str, ...]:
    """The domains of results that passed: `dkim example.org s1 pass`."""
    words = (line.split(" ") for one in auth for line in one.split("\n") if line.endswith(" pass"))
    return tuple(sorted({word[1] for word in words if word[1] != "-"}))


def _told(db: sqlite3.Connection, domain: str | None, since: date, until: date) -> Iterator[Failed]:
    for at, policy, text, reporter, first, last, kind, sessions, mx, address, code, info in db.execute(
        _TOLD, _span(domain, since, until)
    ):
        failure = TlsFailure(kind, sessions, mx, address, code=code, info=info)
        yield _failed(at, policy, text, failure, reporter, first, last)


def _untold(db: sqlite3.Connection, domain: str | None, since: date, until: date) -> Iterator[Failed]:
    """Failures that a report only counts."""
    for at, policy, text, reporter, first, last, sessions in db.execute(_UNTOLD, _span(domain, since, until)):
        yield _failed(at, policy, text, TlsFailure(UNTOLD, sessions), reporter, first, last)


def _failed(at: str, policy: str, text: str, failure: TlsFailure, reporter: str, first: str, last: str) -> Failed:
    applied = tuple(json.loads(text))
    return Failed(at, policy, applied, failure, reporter, date.fromisoformat(first), date.fromisoformat(last))


def _kept(directory: Path) -> tuple[Dated, ...]:
    return tuple(one for what in KEPT for one in history(directory, what))
