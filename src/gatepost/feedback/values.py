"""Single values of a report made safe: a stranger wrote them, so each is either usable or not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv6Address, ip_address

from gatepost.feedback.contents import Period, ReportRefused

MOST = 1_000_000_000  # messages or sessions of one record; above it is noise, and sums stay within 64 bits
OLDEST = date(2012, 1, 1)  # DMARC was published then
LONGEST = timedelta(days=100)  # of a period; reports are daily, some are monthly
AHEAD = timedelta(days=2)  # a report may be about today, and clocks differ
_WORD = re.compile(r"[^\s\x00-\x1f\x7f-\x9f]{1,253}")
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_NUMBER = re.compile(r"\+?([0-9]{1,15})(?:\.0*)?")


def text(value: object, limit: int = 200) -> str:
    """One line that a database can hold; empty when it is no text."""
    if not isinstance(value, str):
        return ""
    return _UNFIT.sub(" ", value[: limit * 4]).strip()[:limit]


def name(value: object) -> str:
    """A host or domain name in lower case without its final dot; empty when it cannot be one."""
    word = text(value, 254).lower().rstrip(".")
    return word if _WORD.fullmatch(word) else ""


def address(value: object) -> str:
    """An IP address in its usual spelling, IPv4 also where IPv6 carries it; empty when it is none."""
    if isinstance(value, str) and _IPV4.fullmatch(value):
        return value  # nearly all of them, and four times as quick
    word = text(value, 50).removeprefix("[").removesuffix("]").lower().removeprefix("ipv6:")
    if "%" in word:
        return ""
    try:
        read = ip_address(word)
    except ValueError:
        return ""
    if isinstance(read, IPv6Address) and read.ipv4_mapped:
        return str(read.ipv4_mapped)
    return str(read)


def number(value: object) -> int | None:
    """A count, written as a number or as text; None when it is negative, too large or none at all."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value.strip())
        value = int(found[1]) if found else None
    return value if isinstance(value, int) and 0 <= value <= MOST else None


def period(begin: object, end: object, now: datetime) -> Period:
    """Raises ReportRefused when it is missing, backwards, too long, or no time a report can be about."""
    first, last = _moment(begin, "begins"), _moment(end, "ends")
    if last < first:
        raise ReportRefused(f"it ends ({last:%Y-%m-%d}) before it begins ({first:%Y-%m-%d})")
    if first.date() < OLDEST or last > now + AHEAD:
        raise ReportRefused(f"it is about {first:%Y-%m-%d} to {last:%Y-%m-%d}, which no report can know")
    if last - first > LONGEST:
        raise ReportRefused(f"it covers {(last - first).days} days; more than {LONGEST.days} is no report")
    closing = last - timedelta(seconds=1) if last > first else last  # midnight belongs to the day before it
    return Period(int(first.timestamp()), int(last.timestamp()), first.date(), closing.date())


def _moment(value: object, verb: str) -> datetime:
    if value is None or value == "":
        raise ReportRefused(f"it does not say when it {verb}")
    for read in _SPELLINGS:
        try:
            found = read(value)
        except (ValueError, OverflowError, OSError):
            continue
        if found is not None:
            return found
    raise ReportRefused(f"it {verb} at {str(value)[:40]!r}, which is no time")


def _seconds(value: object) -> datetime | None:
    if isinstance(value, str) and (found := _NUMBER.fullmatch(value.strip())):
        value = int(found[1])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return datetime.fromtimestamp(value, UTC)


def _written(value: object) -> datetime | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    read = datetime.fromisoformat(value.strip())
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


_SPELLINGS: tuple[Callable[[object], datetime | None], ...] = (_seconds, _written)
