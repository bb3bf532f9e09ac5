"""ManageSieve responses: lines of strings, ended by OK, NO or BYE (RFC 5804 section 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gatepost.errors import PeerGarbled, PeerLimited
from gatepost.wire.lines import MAX_LINES, Talk, printable

MAX_LITERAL = 65536  # octets in one response

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|\{(\d{1,9})\+?\}$|([()])|([^\s()"{}]+)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """`string` tells `"OK"` from `OK`."""

    text: str
    string: bool


@dataclass(frozen=True, slots=True)
class Response:
    """`status` is OK, NO, or `+` for a challenge; `lines` are the strings before it, line by line."""

    status: str
    text: str
    lines: tuple[tuple[str, ...], ...] = ()

    @property
    def ok(self) -> bool:
        return self.status == "OK"

    @property
    def words(self) -> str:
        return printable(f"{self.status} {self.text}".rstrip())

    def capabilities(self) -> tuple[str, ...]:
        return tuple(printable(" ".join((line[0].upper(), *line[1:])), 1000).rstrip() for line in self.lines if line)


async def response(talk: Talk, *, challenge: bool = False) -> Response:
    """The next response. BYE ends a session whatever was asked, so it is raised as PeerLimited."""
    lines: list[tuple[str, ...]] = []
    for _ in range(MAX_LINES):
        tokens = await _tokens(talk)
        first = tokens[0] if tokens else Token("", string=False)
        if first.string and all(token.string for token in tokens):
            if challenge and len(tokens) == 1:
                return Response("+", first.text)
            lines.append(tuple(token.text for token in tokens))
            continue
        status, text = first.text.upper(), _joined(tokens[1:])
        if status == "BYE":
            raise PeerLimited(printable(f"BYE {text}".rstrip()))
        if first.string or status not in {"NO", "OK"}:
            raise PeerGarbled(f"not a ManageSieve response: {printable(first.text, 80)!r}")
        return Response(status, text, tuple(lines))
    raise PeerGarbled(f"more than {MAX_LINES} lines in one response")


def _joined(tokens: list[Token]) -> str:
    """The code in brackets and the text, as a line for people."""
    return " ".join(token.text for token in tokens).replace("( ", "(").replace(" )", ")")


async def command(talk: Talk, line: str, *, shown: str | None = None, challenge: bool = False) -> Response:
    await talk.send(line, shown=shown)
    return await response(talk, challenge=challenge)


async def _tokens(talk: Talk) -> list[Token]:
    """One line, its literals drawn in."""
    tokens: list[Token] = []
    room = MAX_LITERAL
    while True:
        line = await talk.line()
        count = _read_tokens(line, tokens)
        if count is None:
            return tokens
        room -= count + 64  # a flood of empty literals ends too
        if room < 0:
            raise PeerGarbled(f"literals of more than {MAX_LITERAL} octets")
        tokens.append(Token((await talk.octets(count)).decode("latin-1"), string=True))


def _read_tokens(line: str, tokens: list[Token]) -> int | None:
    """Adds the tokens of a line; returns the size of the literal it ends in."""
    at = 0
    while at < len(line):
        if line[at] in " \t":
            at += 1
            continue
        found = _TOKEN.match(line, at)
        if found is None:
            raise PeerGarbled(f"not a ManageSieve response: {printable(line, 80)!r}")
        at = found.end()
        quoted, literal, bracket, atom = found.groups()
        if literal is not None:
            return int(literal)
        text = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) if quoted is not None else bracket or atom
        tokens.append(Token(text, string=quoted is not None))
    return None
