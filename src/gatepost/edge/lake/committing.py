"""One transaction of the manifest: new links, what they add and replace, and how far the sources were read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gatepost.edge.lake import chain, manifest
from gatepost.edge.lake.manifest import Segment
from gatepost.edge.lake.segments import Written


class Deed(StrEnum):
    """What a link tells."""

    ADDED = "added"  # rows that were read
    DERIVED = "derived"  # made from events, in the place of what was derived before
    MASKED = "masked"  # people and addresses became pseudonyms
    MERGED = "merged"  # many small files became one
    REMOVED = "removed"  # by retention: the links of what was removed stay


@dataclass(frozen=True, slots=True)
class Change:
    """What one link says. `sources` are (number, name, generation, from, to) of what was read for it."""

    deed: Deed
    dataset: str
    day: date | None
    written: Written | None = None
    replaces: tuple[Segment, ...] = ()
    sources: tuple[tuple[int, str, str, int, int], ...] = ()
    masked: bool = False


def commit(
    db: sqlite3.Connection, changes: tuple[Change, ...], now: int, beside: Callable[[], None] = lambda: None
) -> list[chain.Link]:
    """All changes in one transaction, and whatever `beside` writes to the same database."""
    with manifest.transaction(db):
        sequence, digest = manifest.head(db)
        links: list[chain.Link] = []
        for change in changes:
            sequence += 1
            links.append(chain.link(sequence, digest, _body(change, now)))
            digest = links[-1].digest
            _enter(db, change, links[-1], now)
        beside()
    return links


def _enter(db: sqlite3.Connection, change: Change, link: chain.Link, now: int) -> None:
    manifest.add_link(db, link)
    manifest.retire(db, change.replaces, link.sequence)
    if new := change.written:
        manifest.add_segment(db, _segment(new, link.sequence, now, masked=change.masked), change.deed.value)


def _segment(new: Written, sequence: int, now: int, *, masked: bool) -> Segment:
    return Segment(
        sequence=sequence,
        dataset=new.dataset,
        day=new.day,
        file=new.file,
        sha256=new.sha256,
        bytes=new.bytes,
        rows=new.rows,
        first=new.first,
        last=new.last,
        written=now,
        masked=masked,
        columns=new.columns,
    )


def _body(change: Change, now: int) -> dict[str, object]:
    body: dict[str, object] = {
        "deed": change.deed.value,
        "at": now,
        "dataset": change.dataset,
        "day": change.day.isoformat() if change.day else None,
        "replaces": [one.sequence for one in change.replaces],
        "sources": [list(one) for one in change.sources],
    }
    if new := change.written:
        body |= {
            "file": new.file,
            "sha256": new.sha256,
            "bytes": new.bytes,
            "rows": new.rows,
            "first": new.first,
            "last": new.last,
            "masked": change.masked,
        }
    return body
