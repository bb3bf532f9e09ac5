"""A step together with what it covers, so that promises can be made for it."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.enforcement.edits import Edit
from gatepost.model.plan import Step


@dataclass(frozen=True, slots=True)
class Share:
    """`closed` are ports that nobody reaches afterwards; `rows` those mended by something that is no single value.

    `shut`: the firewall admits nothing else than is declared, but for the ports in `spared`.
    """

    step: Step
    edits: tuple[Edit, ...] = ()
    rows: frozenset[str] = frozenset()
    closed: frozenset[int] = frozenset()
    shut: frozenset[str] = frozenset()  # directions: input, output, forward
    spared: frozenset[int] = frozenset()
