"""Macro strings (RFC 7208 section 7): read once into pieces, expanded as often as a term is met."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

IN_TERMS = frozenset("slodipvh")
IN_EXPLANATIONS = IN_TERMS | frozenset("crt")

_ALL_PARTS = 999  # more labels than any name has: a larger number means the same
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPES = {"%": "%", "_": " ", "-": "%20"}
_PIECE = re.compile(
    r"%\{(?P<letter>[A-Za-z])(?P<parts>[0-9]*)(?P<reverse>[rR]?)(?P<delimiters>[.\-+,/_=]*)\}"
    r"|%(?P<escape>[%_-])|(?P<literal>[^%]+)"
)


@dataclass(frozen=True, slots=True)
class Literal:
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Escape:
    """`%%`, `%_` or `%-`: `mark` is the second character."""

    mark: str

    def __str__(self) -> str:
        return f"%{self.mark}"


@dataclass(frozen=True, slots=True)
class Macro:
    """`%{d2r.-}`. `parts` 0 keeps all of them; an upper-case letter asks for URL escapes (`escaped`)."""

    letter: str
    escaped: bool = False
    parts: int = 0
    reverse: bool = False
    delimiters: str = ""

    def __str__(self) -> str:
        letter = self.letter.upper() if self.escaped else self.letter
        return f"%{{{letter}{self.parts or ''}{'r' if self.reverse else ''}{self.delimiters}}}"


@dataclass(frozen=True, slots=True)
class MacroString:
    pieces: tuple[Literal | Escape | Macro, ...] = ()

    def __str__(self) -> str:
        return "".join(str(piece) for piece in self.pieces)

    @property
    def letters(self) -> frozenset[str]:
        """What must be known to expand it, in lower case."""
        return frozenset(piece.letter for piece in self.pieces if isinstance(piece, Macro))


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a text is not what it should be, in a clause that follows the text and a colon."""

    sentence: str


def read(text: str, letters: frozenset[str] = IN_TERMS) -> MacroString | Wrong:
    """`letters` are the macros allowed: three more of them in explanations (section 7.2)."""
    pieces: list[Literal | Escape | Macro] = []
    at = 0
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None:
            return Wrong(_stray(text[at:]))
        piece = _piece(found, letters)
        if isinstance(piece, Wrong):
            return piece
        pieces.append(piece)
        at = found.end()
    return MacroString(tuple(pieces))


def _piece(found: re.Match[str], letters: frozenset[str]) -> Literal | Escape | Macro | Wrong:
    if literal := found["literal"]:
        return Literal(literal)
    if escape := found["escape"]:
        return Escape(escape)
    letter, parts = found["letter"].lower(), found["parts"].lstrip("0")
    if letter not in letters:
        where = " outside explanations" if letter in IN_EXPLANATIONS else ""
        return Wrong(f"there is no macro {found['letter']!r}{where}")
    if found["parts"] and not parts:
        return Wrong(f"{found[0]} asks for no part at all")
    count = min(int(parts[:4] or "0"), _ALL_PARTS)
    return Macro(letter, found["letter"].isupper(), count, bool(found["reverse"]), found["delimiters"])


def _stray(rest: str) -> str:
    if rest.startswith("%{"):
        return f"{rest[:12]!r} begins a macro that is not one: a letter, digits, r and delimiters belong in the braces"
    return "a percent sign stands alone: only %{, %%, %_ and %- mean something"


def expand(string: MacroString, values: Mapping[str, str]) -> str:
    """`values` by lower-case letter."""
    return "".join(_expanded(piece, values) for piece in string.pieces)


def _expanded(piece: Literal | Escape | Macro, values: Mapping[str, str]) -> str:
    match piece:
        case Literal(text):
            return text
        case Escape(mark):
            return _ESCAPES[mark]
        case Macro():
            text = _transformed(values[piece.letter], piece)
            return _escaped(text) if piece.escaped else text


def _transformed(value: str, macro: Macro) -> str:
    """Split, reverse, keep the right-hand parts, join with dots (section 7.3)."""
    if not (macro.delimiters or macro.reverse or macro.parts):
        return value
    parts = re.split(f"[{re.escape(macro.delimiters or '.')}]", value)
    if macro.reverse:
        parts.reverse()
    return ".".join(parts[-macro.parts :])


def _escaped(text: str) -> str:
    return "".join(one if one in _UNRESERVED else f"%{ord(one):02X}" for one in text)
