"""Postfix's policy delegation protocol (SMTPD_POLICY_README): `name=value` lines, an empty line, an `action=`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gatepost.errors import PeerGarbled
from gatepost.policing.attempt import LONGEST, Answer, Attempt, Course, account

LARGEST = 1 << 16  # bytes of one request; Postfix sends one or two thousand


@dataclass(slots=True)
class Requests:
    """Requests out of a stream of bytes, wherever it was cut."""

    _rest: bytes = field(default=b"")

    def feed(self, data: bytes) -> tuple[Mapping[str, str], ...]:
        """Raises PeerGarbled for what is longer than a request can be."""
        *whole, self._rest = (self._rest + data).split(b"\n\n")
        if len(self._rest) > LARGEST:
            raise PeerGarbled(f"a request of more than {LARGEST} bytes")
        return tuple(_read(one) for one in whole)


def attempt(request: Mapping[str, str]) -> Attempt:
    """`port` needs Postfix 3.2, what is not sent stays unknown."""
    return Attempt(
        user=account(request.get("sasl_username", "")),
        client=request.get("client_address", ""),
        service="smtp",
        port=_number(request.get("server_port", "")),
        tls=bool(request["encryption_protocol"]) if "encryption_protocol" in request else None,
        session=request.get("instance", ""),
        stage=request.get("protocol_state", ""),
        recipients=_number(request.get("recipient_count", "")) or 0,
    )


def reply(answer: Answer) -> bytes:
    """DUNNO lets the next restriction decide: a policy service never allows on its own."""
    return f"action={_action(answer)}\n\n".encode("ascii", "replace")


def _action(answer: Answer) -> str:
    match answer.course:
        case Course.DENY:
            return f"REJECT 5.7.1 {answer.because}"
        case Course.DEFER:
            return f"DEFER 4.7.1 {answer.because}"
        case _:
            return "DUNNO"


def _read(block: bytes) -> Mapping[str, str]:
    lines = (line.decode("utf-8", "replace").partition("=") for line in block.split(b"\n") if b"=" in line)
    return {name: value[:LONGEST] for name, _, value in lines}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None
