"""SMTP and LMTP replies: three digits, a dash or a space, text (RFC 5321 section 4.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gatepost.errors import PeerGarbled, PeerLimited
from gatepost.wire.lines import MAX_LINES, Talk, printable

_LINE = re.compile(r"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """The code is that of the last line: postscreen's `220-` teaser may end in `521`."""

    code: int
    lines: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return 200 <= self.code < 300

    @property
    def later(self) -> bool:
        return 400 <= self.code < 500

    @property
    def text(self) -> str:
        """One line for people."""
        return printable(f"{self.code} {' / '.join(line for line in self.lines if line)}".rstrip())


@dataclass(slots=True)
class ReplyReader:
    """Eats lines, gives a reply when its last line is in."""

    _lines: list[str] = field(default_factory=list)

    def feed(self, line: str) -> Reply | None:
        found = _LINE.fullmatch(line)
        if found is None:
            raise PeerGarbled(f"not an SMTP reply: {printable(line, 80)!r}")
        self._lines.append(found[3] or "")
        if found[2] == "-":
            if len(self._lines) >= MAX_LINES:
                raise PeerGarbled(f"a reply of more than {MAX_LINES} lines")
            return None
        return Reply(int(found[1]), tuple(self._lines))


async def reply(talk: Talk) -> Reply:
    """The next reply. 421 ends a session whatever was asked, so it is raised as PeerLimited."""
    reader = ReplyReader()
    while (whole := reader.feed(await talk.line())) is None:
        pass
    if whole.code == 421:
        raise PeerLimited(whole.text)
    return whole


async def command(talk: Talk, line: str, *, shown: str | None = None) -> Reply:
    await talk.send(line, shown=shown)
    return await reply(talk)
