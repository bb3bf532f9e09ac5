"""Dovecot's authentication policy protocol, 2.2.34 to 2.4: JSON over HTTP.

`POST …?command=allow` asks before and after the password was checked, `command=report` tells how it ended. The
answer is `{"status": -1|0|seconds, "msg": …}`: refuse, go on, or wait so long.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from gatepost.errors import PeerGarbled
from gatepost.policing.attempt import LONGEST, Answer, Attempt, Course, Ended, account

REFUSE, GO_ON = -1, 0


def attempt(body: bytes) -> Attempt:
    """Raises PeerGarbled. The names are those of `auth_policy_request_attributes`, by default or as we print them."""
    return _attempt(_fields(body))


def ended(body: bytes) -> Ended:
    """Raises PeerGarbled."""
    told = _fields(body)
    return Ended(_attempt(told), success=told.get("success") is True, refused=told.get("policy_reject") is True)


def reply(answer: Answer) -> bytes:
    """The JSON that Dovecot waits for. A message is shown to the user only when refused."""
    status = {Course.ALLOW: GO_ON, Course.DELAY: answer.seconds}.get(answer.course, REFUSE)
    told = "Too many failed attempts. Try again later." if status == REFUSE else ""
    return json.dumps({"status": status, "msg": told}).encode()


def _fields(body: bytes) -> Mapping[str, object]:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        raise PeerGarbled("not JSON") from None
    if not isinstance(read, dict) or not isinstance(read.get("login"), str):
        raise PeerGarbled("no login named")
    return read


def _attempt(told: Mapping[str, object]) -> Attempt:
    secured = told.get("tls")
    return Attempt(
        user=account(str(told["login"])),
        client=_text(told, "remote"),
        service=_text(told, "protocol"),
        port=_number(told, "local_port"),
        tls=secured if isinstance(secured, bool) else None,
        digest=_text(told, "pwhash"),
        device=_text(told, "device_id"),
        session=_text(told, "session_id"),
    )


def _text(told: Mapping[str, object], name: str) -> str:
    value = told.get(name)
    return value[:LONGEST] if isinstance(value, str) else ""


def _number(told: Mapping[str, object], name: str) -> int | None:
    text = _text(told, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else None
