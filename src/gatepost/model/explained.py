"""A control told in full: the catalogue's row, how gatepost looks, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.model.finding import Control


@dataclass(frozen=True, slots=True)
class Explained:
    """`checks` are (name, promise); `remedies` are (software, settings), `any` first.

    `missing` names the witness that would be needed, where nothing looks yet; empty otherwise.
    """

    control: Control
    checks: tuple[tuple[str, str], ...]
    missing: str
    remedies: tuple[tuple[str, str], ...]
