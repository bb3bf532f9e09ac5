"""The tables [logs] and [watch]: how long logs are kept, who is never blocked, who is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gatepost.declaration.durations import DAY, seconds
from gatepost.declaration.inside import check_whom
from gatepost.declaration.paper import Paper
from gatepost.declaration.places import destination, listener, road
from gatepost.declaration.positions import Path
from gatepost.declaration.shapes import DeliveryShape, LogsShape, WatchShape
from gatepost.declaration.wording import shown
from gatepost.errors import UsageError
from gatepost.model.watching import Delivery, Watching

CARRIERS = ("tcp", "tls", "udp")
_OFFSET = re.compile(r"[+-](0[0-9]|1[0-4]):[0-5][0-9]")
_LENGTH = 'expected a length of time like "1h", "30m" or "7d"'


def read_watching(page: Paper) -> Watching:
    """What was not written is as `Watching` has it."""
    raw = page.tables
    logs = (page.rest(LogsShape, raw["logs"], ("logs",)) if "logs" in raw else None) or LogsShape.model_validate({})
    watch = (page.rest(WatchShape, raw["watch"], ("watch",)) if "watch" in raw else None) or WatchShape.model_validate(
        {}
    )
    check_whom(page, watch.allow, ("watch", "allow"))
    first = _seconds(page, watch.block_for, ("watch", "block_for"))
    longest = _seconds(page, watch.block_longest, ("watch", "block_longest"))
    if longest < first:
        page.problem(("watch", "block_longest"), "is shorter than block_for, which is the first block already")
    return Watching(
        zone=_zone(page, logs.zone),
        keep_days=_days(page, logs.keep, ("logs", "keep")),
        pseudonymise_days=_pseudonymise(page, logs),
        rules=tuple(watch.rules),
        off=tuple(watch.off),
        allow=tuple(watch.allow),
        block=watch.block,
        block_seconds=first,
        block_longest=longest,
        deliver=tuple(_delivery(page, one, ("watch", "deliver", n)) for n, one in enumerate(watch.deliver)),
        metrics=_told(page, watch.metrics, ("watch", "metrics"), listener),
        syslog=tuple(_told(page, one, ("logs", "syslog", n), _carried) for n, one in enumerate(logs.syslog)),
        policy=_told(page, watch.policy, ("watch", "policy"), _socket),
        line=page.line(("watch",)) or page.line(("logs",)),
    )


def _zone(page: Paper, text: str | None) -> str:
    if text is None or _OFFSET.fullmatch(text) or text == "UTC":
        return text or ""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        page.problem(("logs", "zone"), f"no time zone named {shown(text)}; expected one like Europe/Berlin or +02:00")
    return text


def _pseudonymise(page: Paper, logs: LogsShape) -> int | None:
    if logs.pseudonymise is None:
        return None
    found = _days(page, logs.pseudonymise, ("logs", "pseudonymise"))
    keep = seconds(logs.keep)
    if keep and found * DAY > keep:
        page.problem(("logs", "pseudonymise"), f"comes after {shown(logs.keep)}, when events are deleted anyway")
    return found


def _days(page: Paper, text: str, path: Path) -> int:
    found = seconds(text)
    if found is None or found % DAY:
        page.problem(path, f'expected whole days like "400d", got {shown(text)}')
    return max(1, (found or DAY) // DAY)


def _seconds(page: Paper, text: str, path: Path) -> int:
    found = seconds(text)
    if found is None:
        page.problem(path, f"{_LENGTH}, got {shown(text)}")
    return found or 1


def _delivery(page: Paper, one: DeliveryShape, path: Path) -> Delivery:
    here: Path = (*path, "to")
    to = _told(page, one.to, here, destination)
    _check_secret(page, one, path)
    if one.via is not None and not one.to.startswith("mailto:"):
        page.problem((*path, "via"), "only alerts by mail go by way of a server; drop this")
    via = _told(page, one.via, (*path, "via"), road)
    return Delivery(to, one.at.value, via, one.secret or "", page.line(path))


def _check_secret(page: Paper, one: DeliveryShape, path: Path) -> None:
    """What is wrong is said without the value: it may be the secret itself."""
    user, _, _ = (one.via or "").partition("://")[2].rpartition("@")
    if one.secret is None:
        if user and ":" not in user:
            page.problem((*path, "via"), "has a user without a password: name the file that holds it in secret")
        return
    here: Path = (*path, "secret")
    if not one.secret.startswith("/"):
        page.problem(here, "expected an absolute path of a file that holds the secret, not the secret itself")
    elif not one.to.startswith(("https:", "mailto:")):
        page.problem(here, "only webhooks and mail servers take a secret; drop this")
    elif one.to.startswith("mailto:") and (not user or ":" in user):
        page.problem(here, "is for nobody: via names no user without a password")


def _told(page: Paper, text: str | None, path: Path, plain: Callable[[str], str]) -> str:
    """In its usual spelling. `plain` raises UsageError with the sentence for what is wrong."""
    if text is None:
        return ""
    try:
        return plain(text)
    except UsageError as error:
        page.problem(path, str(error))
        return text


def _carried(text: str) -> str:
    carrier, _, place = text.partition(":")
    if carrier not in CARRIERS:
        raise UsageError(f"expected tcp:ADDR:PORT, tls:ADDR:PORT or udp:ADDR:PORT, got {shown(text)}")
    return f"{carrier}:{listener(place)}"


def _socket(text: str) -> str:
    if not text.startswith("/"):
        return listener(text)
    if not text.isprintable() or len(text) > 100:
        raise UsageError("a socket's path has at most 100 printable characters")
    return text
