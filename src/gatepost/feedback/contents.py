"""What a report says, once it is read: numbers are numbers, days are days, and what was missing is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from gatepost.errors import GatepostError
from gatepost.model.domain import ReportsRead


class ReportRefused(GatepostError):
    """A report cannot be used. `str()` is one sentence; words of the report in it are not escaped."""


class NoReport(ReportRefused):
    """It is something else, not a broken report: an invoice in XML, a photo. Told only where it was named."""


@dataclass(frozen=True, slots=True)
class Period:
    """What a report covers, as days in UTC. `begin` and `end`, in seconds, tell it from other reports."""

    begin: int
    end: int
    first: date
    last: date


class Row(NamedTuple):
    """One record of an aggregate report: messages from one address with one outcome.

    A plain tuple inside, because a report has a hundred thousand of them. Empty words: the report does not say.
    """

    source: str
    messages: int
    disposition: str  # none, quarantine, reject, or pass (RFC 9990) for mail that met the policy
    dkim: str  # aligned: pass or fail
    spf: str
    domain: str  # of the From header
    reasons: str  # why the policy was not followed, joined by newlines
    auth: str  # `dkim example.org s1 pass` and `spf bounce.example.net pass`, joined by newlines


@dataclass(frozen=True, slots=True)
class AggregateHead:
    """Everything of an aggregate report but its rows. `lost` counts by sentence what was missing or unusable."""

    reporter: str
    report_id: str
    domain: str  # the policy domain
    period: Period
    policy: str  # p= as the reporter saw it
    namespace: str
    rows: int
    lost: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TlsFailure:
    """One line of failure-details (RFC 8460 section 4.4)."""

    type: str
    sessions: int
    mx: str = ""
    address: str = ""  # receiving-ip
    sender: str = ""  # sending-mta-ip
    helo: str = ""
    code: str = ""  # failure-reason-code
    info: str = ""  # additional-information


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """One policy the sender applied, and how its sessions ended."""

    type: str  # sts, tlsa, no-policy-found
    domain: str
    text: tuple[str, ...]
    mx: tuple[str, ...]  # patterns
    successes: int
    failures: int
    details: tuple[TlsFailure, ...]


@dataclass(frozen=True, slots=True)
class TlsReport:
    reporter: str
    report_id: str
    period: Period
    policies: tuple[TlsPolicy, ...]
    lost: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Failed:
    """A failure from the store, with whose report it was: what is joined with what was known of that day."""

    domain: str
    policy: str  # its type
    applied: tuple[str, ...]  # the policy text the sender worked with
    failure: TlsFailure
    reporter: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import did. `lost` counts by name what reports left out, `others` what holds no report."""

    letters: int
    new: int
    dmarc: int  # of the new ones
    duplicates: int
    refused: int
    others: int
    rows: int
    lost: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Reporter:
    """What one reporter sent about one domain, and on how many different days it had something to tell."""

    read: ReportsRead
    days: int
