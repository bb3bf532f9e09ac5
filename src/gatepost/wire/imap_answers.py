"""IMAP answers: untagged lines, literals in them, and the tagged line that ends them (RFC 3501 section 2.2.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gatepost.errors import PeerClosed, PeerGarbled, PeerLimited
from gatepost.wire.lines import MAX_LINES, Talk, printable

MAX_LITERAL = 65536  # octets in one answer; nothing we ask for comes near

_LITERAL = re.compile(r".*\{(\d{1,9})\}", re.DOTALL)
_STATUS = re.compile(r"(OK|NO|BAD|BYE|PREAUTH)(?: (.*))?", re.DOTALL | re.IGNORECASE)
_CAPABILITY = re.compile(r"\[CAPABILITY ([^\]\r\n]*)\]|^CAPABILITY (.*)$", re.IGNORECASE)
_NEWS = re.compile(r"(?:OK|NO|BAD|BYE|PREAUTH|CAPABILITY|ID|ENABLED)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is OK, NO, BAD, or `+` when the server waits for us; `untagged` without their `* `."""

    status: str
    text: str
    untagged: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.status == "OK"

    @property
    def words(self) -> str:
        return printable(f"{self.status} {self.text}".rstrip())

    def capabilities(self) -> tuple[str, ...] | None:
        """None when the answer has none."""
        for line in (*self.untagged, self.text):
            if (found := capability_words(line)) is not None:
                return found
        return None

    def unasked(self) -> tuple[str, ...]:
        """Untagged lines about mailboxes and messages, which nobody can have asked for before login."""
        return tuple(line for line in self.untagged if not _NEWS.match(line))


def capability_words(line: str) -> tuple[str, ...] | None:
    found = _CAPABILITY.search(line)
    return tuple(printable(w).upper() for w in (found[1] or found[2] or "").split()) if found else None


async def greeting(talk: Talk) -> tuple[str, str]:
    """OK or PREAUTH, and its text. BYE is a limit: the server is there and will not talk now."""
    line = await _line(talk)
    found = _STATUS.fullmatch(line.removeprefix("* ")) if line.startswith("* ") else None
    status = found[1].upper() if found else ""
    if found is None or status in {"NO", "BAD"}:
        raise PeerGarbled(f"not an IMAP greeting: {printable(line, 80)!r}")
    if status == "BYE":
        raise PeerLimited(printable(line))
    return status, found[2] or ""


async def command(talk: Talk, tag: str, line: str, *, shown: str | None = None, challenge: bool = False) -> Answer:
    await talk.send(f"{tag} {line}", shown=f"{tag} {shown}" if shown is not None else None)
    return await answer(talk, tag, challenge=challenge)


async def answer(talk: Talk, tag: str, *, among: tuple[str, ...] = (), challenge: bool = False) -> Answer:
    """Up to the line with our tag, or to `+` where a challenge is in order.

    Lines with a tag of `among` are kept as if untagged, whole.

    A connection that ends behind `* BYE` raises PeerLimited with its text.
    """
    untagged: list[str] = []
    for _ in range(MAX_LINES):
        try:
            line = await _line(talk)
        except PeerClosed:
            if parting := next((u for u in untagged if u.upper().startswith("BYE")), None):
                raise PeerLimited(printable(f"* {parting}")) from None
            raise
        if challenge and line.startswith("+"):
            return Answer("+", line[1:].strip(), tuple(untagged))
        head, _, rest = line.partition(" ")
        if head == tag and (found := _STATUS.fullmatch(rest)):
            return Answer(found[1].upper(), found[2] or "", tuple(untagged))
        if head != "*" and head not in among:
            raise PeerGarbled(f"neither untagged nor our tag: {printable(line, 80)!r}")
        untagged.append(rest if head == "*" else line)
    raise PeerGarbled(f"more than {MAX_LINES} lines in one answer")


async def _line(talk: Talk) -> str:
    """One line with its literals drawn in."""
    line, room = await talk.line(), MAX_LITERAL
    while found := _LITERAL.fullmatch(line):
        count = int(found[1])
        if count > room:
            raise PeerGarbled(f"literals of more than {MAX_LITERAL} octets")
        room -= count + 64  # a flood of empty literals ends too
        octets = await talk.octets(count)
        line = f"{line}\n{octets.decode('latin-1')}" + await talk.line()
    return line
