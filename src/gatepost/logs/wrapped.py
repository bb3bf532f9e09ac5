"""Lines that a log shipper put into a JSON object: Vector, Fluent Bit, Docker, Filebeat, and journald's own form."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from gatepost.logs import journal, years
from gatepost.model.log import Clock, Line

LARGEST = 1024 * 1024  # characters of an object
LONGEST = 16384
Plain = Callable[[str, Clock], Line]

MESSAGES = ("message", "MESSAGE", "log", "msg")
TIMES = ("timestamp", "@timestamp", "time", "date", "ts", "start_time")
HOSTS = ("host", "hostname", "_HOSTNAME", "source_host")
TAGS = ("appname", "ident", "SYSLOG_IDENTIFIER", "syslog_identifier", "program", "app_name", "tag")
PIDS = ("procid", "pid", "SYSLOG_PID", "_PID")


def opened(text: str, clock: Clock, plain: Plain) -> Line | None:
    """The line inside an object; None where the text is no object.

    A shipper's own time is that of its reading. So it counts only where the line inside tells none of its own, or where
    the shipper took the header off and left the parts in fields of their own.
    """
    fields = _object(text)
    if fields is None:
        return None
    if journal.TIME in fields and "MESSAGE" in fields:
        return _cut(journal.entry(fields))
    message = next((fields[key] for key in MESSAGES if isinstance(fields.get(key), str | list)), None)
    if message is None or _is_event(fields):
        return _event(fields, text, clock)
    return _cut(_shipped(fields, journal.text(message).strip("\r\n"), clock, plain))


def _object(text: str) -> Mapping[str, object] | None:
    if len(text) > LARGEST:
        return None
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _shipped(fields: Mapping[str, object], message: str, clock: Clock, plain: Plain) -> Line:
    tag = _first(fields, TAGS)
    at = _time(fields, clock)
    host = _first(fields, HOSTS)
    pid = _first(fields, PIDS)
    process = fields.get("process")
    if not tag and isinstance(process, dict):  # the Elastic Common Schema
        tag, pid = journal.text(process.get("name")), journal.text(process.get("pid"))
    if tag and ("tag" not in fields or tag != fields["tag"] or "pid" in fields):
        number = int(pid) if pid.isascii() and pid.isdigit() and len(pid) <= 10 else None
        return Line(at, host, tag[:128], number, message)
    inner = plain(message, clock)
    if fields.get("stream") in {"stdout", "stderr"} and at is not None:
        inner = replace(inner, at=at)  # Docker notes the instant a line was written, with its zone
    return replace(inner, at=at if inner.at is None else inner.at, host=inner.host or host)


def _is_event(fields: Mapping[str, object]) -> bool:
    return any(mark in fields for mark in ("event_type", "categories")) or {"ts", "uid"} <= fields.keys()


def _event(fields: Mapping[str, object], text: str, clock: Clock) -> Line:
    """An object that is the event itself, for the dialect of whoever wrote it."""
    tag = ""
    if "event_type" in fields:
        tag = "suricata"
    elif {"ts", "uid"} <= fields.keys():
        tag = "zeek"
    elif "event" in fields and ("categories" in fields or "fields" in fields):
        tag = "dovecot"
    return Line(_time(fields, clock), _first(fields, HOSTS), tag, None, text)


def _first(fields: Mapping[str, object], names: tuple[str, ...]) -> str:
    for name in names:
        value = fields.get(name)
        if isinstance(value, dict):  # host: {name: …}
            value = value.get("name")
        if found := journal.text(value):
            return found[:255]
    return ""


def _time(fields: Mapping[str, object], clock: Clock) -> int | None:
    for name in TIMES:
        value = fields.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _epoch(value)
        if isinstance(value, str) and (at := _stamp(value, clock)) is not None:
            return at
    return None


def _epoch(value: float) -> int | None:
    """Seconds, milliseconds, microseconds or nanoseconds: told apart by their size, for any year until 2200."""
    for unit in (1, 1_000, 1_000_000, 1_000_000_000):
        if years.SOONEST <= value / unit < years.LATEST:
            return int(value * years.SECOND) if unit == 1 else int(value) * years.SECOND // unit
    return None


def _stamp(value: str, clock: Clock) -> int | None:
    if len(value) > 64:
        return None
    try:
        at = datetime.fromisoformat(value)
        at = at if at.tzinfo else at.replace(tzinfo=years.zone(clock.zone) or UTC)
        microseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // years.RESOLUTION
    except (ValueError, OverflowError):
        return years.yearless(value, clock.newest, clock.zone)
    return microseconds if years.FIRST <= at.year <= years.LAST else None


def _cut(line: Line) -> Line:
    message = line.message.replace("\0", "")
    message = message if len(message) <= LONGEST else message[: LONGEST - 1] + "…"
    return replace(line, message=message) if message != line.message else line
