"""How each failing setting is mended: by which value, where, at what risk, or why a person must decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from gatepost.catalogue import Raw, document
from gatepost.catalogue.settings import OUTWARD, Row, settings
from gatepost.catalogue.versions import Range


class How(StrEnum):
    """What becomes of the value that is there."""

    ADD = "add"
    ADDRESSES = "addresses"
    APPEND = "append"
    BLOCK = "block"
    DOMAINS = "domains"
    ELEMENTS = "elements"
    FILTER = "filter"
    LOOPBACK = "loopback"
    NETWORKS = "networks"
    PREPEND = "prepend"
    REMOVE = "remove"
    REPLACE = "replace"
    RESTRICTIONS = "restrictions"
    SHUT = "shut"
    SOCKET = "socket"


class Where(StrEnum):
    """Which place of Postfix' configuration is changed; Dovecot has its own."""

    MAIN = "main"
    SERVICE = "service"
    SERVICE_OR_MAIN = "service-or-main"


@dataclass(frozen=True, slots=True)
class Desired:
    """`certain` and `may` are findings seen on the wire, as control/check. `by_hand`: why it is not for us to do.

    `row` is None where no judge looks at the setting; the value then stands here.
    """

    id: str
    software: str
    setting: str
    applies_to: tuple[str, ...]
    controls: tuple[str, ...]
    why: str
    title: str
    row: Row | None = None
    risk: str = ""
    by_hand: str = ""
    commands: tuple[str, ...] = ()
    how: How = How.REPLACE
    where: Where = Where.MAIN
    fixed: str | None = None
    listed: tuple[str, ...] = ()
    enough: tuple[str, ...] = ()  # a list of these alone is right as it is
    otherwise: str = ""  # where removing leaves nothing
    first: tuple[str, ...] = ()  # what an empty list begins with
    who: str = ""  # relay_clients, proxies
    follows: str = ""
    needs: tuple[str, ...] = ()
    given: tuple[str, ...] = ()  # when it is this row that mends it, see enforcement.givens
    also: tuple[str, ...] = ()  # rows that have to be mended with it
    certain: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    closes: bool = False  # mended by closing listeners, see enforcement.services
    elements: tuple[tuple[Range, tuple[str, ...]], ...] = ()
    block: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    versions: Range = field(default=Range())  # where no judge has them

    @property
    def ports(self) -> frozenset[int]:
        """Empty where it is not about certain ports."""
        return frozenset(int(one) for one in self.applies_to if one.isdecimal())

    @property
    def outward(self) -> bool:
        return OUTWARD in self.applies_to

    @property
    def check(self) -> str:
        """The name of the judge of this row, as findings have it; empty where there is none."""
        return self.row.check.replace("_", "-") if self.row else ""

    @property
    def words(self) -> tuple[str, ...]:
        """Of a list: what is put in, or taken out."""
        if self.listed or self.row is None:
            return self.listed
        if self.how is How.ADD and self.row.safe.op != "tokens_include_all" and (one := self.row.sets()):
            return (one,)
        return self.row.safe.values

    def value(self, version: str, port: int = 0) -> str | None:
        """What is set in this version; None where it is worked out, or a decision."""
        if self.fixed is not None:
            return self.fixed
        return self.row.sets(version, str(port)) if self.row else None

    def spelled(self, version: str) -> tuple[str, ...]:
        """Elements of a log line in the spelling of this version."""
        return next((words for versions, words in self.elements if version in versions), ())

    @property
    def decidable(self) -> bool:
        """A person has to say so, but need not do it."""
        return bool(self.by_hand) and not self.closes and (self.how is not How.REPLACE or self.value("") is not None)

    def known_in(self, version: str) -> bool:
        return version in (self.row.versions if self.row else self.versions)


def row(name: str) -> Desired:
    return _by_id()[name]


@cache
def _by_id() -> dict[str, Desired]:
    return {one.id: one for one in rows()}


@cache
def rows() -> tuple[Desired, ...]:
    """A row for each setting that is judged, and what else mends findings of the wire."""
    told = document("desired")
    wire = (_desired(raw, None, raw) for raw in told["wire"])
    return (*(_judged(one, told["settings"][one.id]) for one in settings()), *wire)


def mending(finding: str) -> Iterator[Desired]:
    """Rows that mend a finding of the wire (control/check)."""
    return (one for one in rows() if finding in one.certain or finding in one.may)


def _judged(row: Row, raw: Raw) -> Desired:
    told = {
        "id": row.id, "software": row.software, "setting": row.setting, "applies_to": row.applies_to,
        "controls": row.controls, "why": row.why,
    }  # fmt: skip
    return _desired(told, row, raw)


def _desired(told: Raw, row: Row | None, raw: Raw) -> Desired:
    return Desired(
        id=told["id"],
        software=told["software"],
        setting=told["setting"],
        applies_to=tuple(told["applies_to"]),
        controls=tuple(told["controls"]),
        why=told["why"],
        title=raw["title"],
        row=row,
        risk=raw.get("risk", ""),
        by_hand=raw.get("by_hand", ""),
        commands=tuple(raw.get("commands", ())),
        how=How(raw.get("how", "replace")),
        where=Where(raw.get("where", "main")),
        fixed=raw.get("value"),
        listed=tuple(raw.get("words", ())),
        enough=tuple(raw.get("enough", ())),
        otherwise=raw.get("otherwise", ""),
        first=tuple(raw.get("first", ())),
        who=raw.get("who", ""),
        follows=raw.get("follows", ""),
        needs=tuple(raw.get("needs", ())),
        given=tuple(raw.get("given", ())),
        also=tuple(raw.get("also", ())),
        certain=tuple(raw.get("certain", ())),
        may=tuple(raw.get("may", ())),
        closes=bool(raw.get("closes")),
        elements=tuple((Range(terms), tuple(words)) for terms, words in raw.get("elements", {}).items()),
        block=tuple((name, tuple(inner.items())) for name, inner in raw.get("block", {}).items()),
        versions=Range(raw.get("versions", ""), tuple(raw.get("backports", ()))),
    )
