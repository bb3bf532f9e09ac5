"""Strangers' words and long lists, short enough to be read."""

from __future__ import annotations

from collections.abc import Iterable

MAX_SENTENCES = 20


def shown(text: str) -> str:
    """A stranger's words, short and with control characters escaped."""
    return repr(text if len(text) <= 60 else text[:57] + "…")


def one_line(text: str) -> str:
    """A stranger's words where the end of the line ends them."""
    return "".join(c if c.isprintable() else " " for c in text)


def bounded(sentences: Iterable[str]) -> tuple[str, ...]:
    """Each sentence once, and not more than an operator would read."""
    unlike = tuple(dict.fromkeys(sentences))
    if len(unlike) <= MAX_SENTENCES:
        return unlike
    return (*unlike[: MAX_SENTENCES - 1], f"and {len(unlike) - MAX_SENTENCES + 1} more like these")
