"""TLS reports (RFC 8460 section 4): JSON that many senders write in their own way, read as far as it makes sense."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NoReturn

from gatepost.feedback import values
from gatepost.feedback.contents import NoReport, Period, ReportRefused, TlsFailure, TlsPolicy, TlsReport

MAX_MARKS = 1_000_000  # commas and brackets: each value costs memory, whatever the size of the text
MAX_LINES = 50  # of a policy's text
Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Members = dict[str, Json]


def tls_reports(chunks: Iterable[bytes], now: datetime, hint: str = "") -> tuple[TlsReport, ...]:
    """The report, or each of a list of them. Raises ReportRefused, NoReport when it is other JSON."""
    found = _parsed(b"".join(chunks))
    several = found if isinstance(found, list) else [found]
    if not several or not all(_is_report(one) for one in several):
        raise NoReport("it is no TLS report: it has neither policies nor a report-id")
    return tuple(_report(_members(one), now, hint) for one in several)


def _parsed(data: bytes) -> Json:
    if sum(data.count(mark) for mark in (b",", b"[", b"{")) > MAX_MARKS:
        raise ReportRefused(f"its JSON has more than {MAX_MARKS:,} values")
    try:
        return json.loads(data.lstrip(), parse_constant=_no_constant)  # type: ignore[no-any-return] # JSON is what Json says
    except RecursionError:
        raise ReportRefused("its JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated"):
            raise ReportRefused("its JSON is empty or ends in the middle") from None
        raise ReportRefused(f"its JSON is broken at line {error.lineno}: {error.msg.lower()}") from None
    except UnicodeDecodeError:
        raise ReportRefused("its JSON is in no character set that JSON may use") from None
    except ValueError:
        raise ReportRefused("its JSON holds a number that is none") from None


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _is_report(one: Json) -> bool:
    return isinstance(one, dict) and bool({"policies", "report-id", "date-range"} & _members(one).keys())


def _report(report: Members, now: datetime, hint: str) -> TlsReport:
    lost: Counter[str] = Counter()
    period = _period(report, now)
    policies = tuple(_policies(report, lost))
    if not policies:
        lost["policies"] += 1
    for key in ("organization-name", "report-id"):
        if not values.text(report.get(key)):
            lost[key] += 1
    return TlsReport(
        values.text(report.get("organization-name")) or _sender(report, hint),
        values.text(report.get("report-id")),
        period,
        policies,
        dict(lost),
    )


def _sender(report: Members, hint: str) -> str:
    """From the contact address, or the file's name, which begins with the sender (RFC 8460 section 5.1)."""
    contact = values.name(values.text(report.get("contact-info")).rpartition("@")[2])
    file = values.name(hint.rpartition("/")[2].partition("!")[0]) if "!" in hint else ""
    return contact or file or "(unnamed)"


def _period(report: Members, now: datetime) -> Period:
    span = _members(report.get("date-range"))
    begin = _first(span, "start-datetime", "start-date-time", "start", "begin")
    end = _first(span, "end-datetime", "end-date-time", "end")
    return values.period(begin, end, now)


def _policies(report: Members, lost: Counter[str]) -> Iterator[TlsPolicy]:
    for one in _list(report.get("policies")):
        whole = _members(one)
        policy = _members(_only(whole.get("policy"))) or whole
        summary = _members(_only(whole.get("summary")))
        domain = values.name(_first(policy, "policy-domain", "domain"))
        if not domain:
            lost["policy left out for its policy-domain"] += 1
            continue
        details = tuple(_failures(whole, lost))
        yield TlsPolicy(
            values.name(policy.get("policy-type")) or "unknown",
            domain,
            tuple(values.text(line, 300) for line in _list(policy.get("policy-string"))[:MAX_LINES]),
            tuple(values.name(host) for host in _list(_first(policy, "mx-host", "mx-host-pattern"))[:MAX_LINES]),
            _count(summary, "total-successful-session-count", lost),
            max(_count(summary, "total-failure-session-count", lost), sum(one.sessions for one in details)),
            details,
        )


def _failures(policy: Members, lost: Counter[str]) -> Iterator[TlsFailure]:
    for one in _list(policy.get("failure-details")):
        detail = _members(one)
        sessions = values.number(_first(detail, "failed-session-count", "failed-sessions", "count"))
        if not detail or sessions is None:
            lost["failure left out for its failed-session-count"] += 1
            continue
        if not values.name(detail.get("result-type")):
            lost["result-type"] += 1
        if not values.address(detail.get("sending-mta-ip")):
            lost["sending-mta-ip"] += 1
        yield TlsFailure(
            values.name(detail.get("result-type")) or "unknown",
            sessions,
            values.name(detail.get("receiving-mx-hostname")),
            values.address(detail.get("receiving-ip")),
            values.address(detail.get("sending-mta-ip")),
            values.name(detail.get("receiving-mx-helo")),
            values.text(detail.get("failure-reason-code")),
            values.text(_first(detail, "additional-information", "additional-info"), 300),
        )


def _count(summary: Members, key: str, lost: Counter[str]) -> int:
    found = values.number(summary.get(key))
    if found is None:
        lost[key] += 1
    return found or 0


def _first(members: Members, *keys: str) -> Json:
    return next((members[key] for key in keys if members.get(key) is not None), None)


def _members(value: Json) -> Members:
    """An object's members, their names in lower case with hyphens."""
    if not isinstance(value, dict):
        return {}
    return {key.strip().lower().replace("_", "-"): one for key, one in value.items()}


def _list(value: Json) -> list[Json]:
    """One thing where a list belongs is a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _only(value: Json) -> Json:
    return value[0] if isinstance(value, list) and value else value
