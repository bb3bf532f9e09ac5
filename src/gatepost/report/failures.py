"""Why TLS sessions failed on the way to a domain, by the TLS reports of others: one line for each cause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rich.text import Text

from gatepost.feedback.contents import Reporter
from gatepost.model.domain import TlsFailureSeen
from gatepost.report.escape import printable
from gatepost.report.layout import hanging, joined, paint, text
from gatepost.report.plain import to_plain
from gatepost.report.reporters import LONGEST_NAME, Asked, dated, plain_reports, remarks, silent
from gatepost.report.sheet import sheet
from gatepost.report.tally import plural

SCHEMA = "gatepost/failures/1"
SHOWN = 40
LONGEST_CAUSE = 400


def failures_text(
    asked: Asked,
    failures: Sequence[TlsFailureSeen],
    reporters: Sequence[Reporter],
    today: date,
    *,
    width: int = 100,
    colour: bool = False,
    everything: bool = False,
) -> str:
    heard = [one for one in reporters if one.read.kind == "tls"]
    shown = failures if everything else failures[:SHOWN]
    digits = max((len(f"{one.sessions:,}") for one in shown), default=0)
    page = [*hanging(text(""), text(_headline(asked, failures, heard), "bold"), indent=0, width=width), text("")]
    for one in shown:
        page += [*_failure(one, digits, width), text("")]
    if rest := len(failures) - len(shown):
        page += [text(f"  and {plural(rest, 'cause')} more: --all shows them", "dim"), text("")]
    page += remarks(heard, today, width=width)
    return paint(page, colour=colour)


def _headline(asked: Asked, failures: Sequence[TlsFailureSeen], heard: Sequence[Reporter]) -> str:
    total, failed = sum(one.read.sessions for one in heard), sum(one.sessions for one in failures)
    if not heard:
        return f"No TLS report on {asked.of}, {asked.days}"
    reporters = plural(len({name for one in heard for name in one.read.reporters}), "reporter")
    if not failures:
        return f"No TLS session to {asked.of} failed: {total:,} of {reporters} went well, {asked.days}"
    share = f" of {total:,} ({failed / total:.1%})" if total >= failed else ""
    sessions = plural(failed, "session")
    return f"TLS to {asked.of}: {sessions}{share} failed, {plural(len(failures), 'cause')}, {reporters}, {asked.days}"


def _failure(one: TlsFailureSeen, digits: int, width: int) -> list[Text]:
    label = joined("  ", text("✖", "bold red"), f" {one.sessions:>{digits},}")
    days = str(one.first) if one.first == one.last else f"{one.first} to {one.last}"
    names = ", ".join(printable(name, LONGEST_NAME) for name in one.reporters[:3])
    more = f" and {len(one.reporters) - 3} more" if len(one.reporters) > 3 else ""
    facts = [one.type, f"policy {one.policy}" if one.policy else "", f"to {one.at.host}", days, f"by {names}{more}"]
    small = " · ".join(printable(fact, 200) for fact in facts if fact)
    indent = digits + 6
    return [
        *hanging(label, printable(one.cause, LONGEST_CAUSE), indent=indent, width=width),
        *hanging(text(""), text(small, "dim"), indent=indent, width=width),
    ]


def failures_json(asked: Asked, failures: Sequence[TlsFailureSeen], reporters: Sequence[Reporter], today: date) -> str:
    heard = tuple(one for one in reporters if one.read.kind == "tls")
    quiet = to_plain(silent(heard, today))
    told = {"failures": to_plain(tuple(failures)), "reports": plain_reports(heard), "silent": quiet}
    return dated(SCHEMA, asked, told)


def failures_csv(failures: Sequence[TlsFailureSeen]) -> str:
    columns = ("domain", "type", "sessions", "cause", "mx", "address", "policy", "first", "last", "reporters")
    return sheet(columns, (_cells(one) for one in failures))


def _cells(f: TlsFailureSeen) -> tuple[object, ...]:
    reporters = "; ".join(f.reporters)
    return f.at.host, f.type, f.sessions, f.cause, f.mx, f.address, f.policy, f.first, f.last, reporters
