"""The lines that policyd writes: exact port, TLS and account of each attempt as data, for the lake to read."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from gatepost.policing.attempt import Answer, Attempt, Ended

TAG = "gatepost/policyd"


def asked(attempt: Attempt, answer: Answer) -> str:
    """The message of a line about a question and its answer."""
    return _json(attempt, answer=answer.course.value, seconds=answer.seconds or None, because=answer.because)


def told(ended: Ended) -> str:
    """The message of a line about the end of a login."""
    return _json(ended.attempt, outcome="refused" if ended.refused else "ok" if ended.success else "failed")


def line(now: float, host: str, pid: int, message: str) -> str:
    """A whole line, with the header of RFC 5424's time stamp and the older order of fields, as rsyslog writes."""
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds")
    return f"{at} {host} {TAG}[{pid}]: {message}\n"


def _json(attempt: Attempt, **more: object) -> str:
    """The digest of the password is left out: it belongs into no file."""
    row = {
        "stage": attempt.stage,
        "user": attempt.user,
        "client": attempt.client,
        "service": attempt.service,
        "port": attempt.port,
        "tls": attempt.tls,
        "device": attempt.device,
        "session": attempt.session,
        **more,
    }
    return json.dumps(
        {name: value for name, value in row.items() if value is not None and value != ""}, ensure_ascii=True
    )
