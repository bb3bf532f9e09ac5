"""Is the lake what was written? Every link, every file, the list of files and the end of the chain."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from gatepost.edge.lake import chain, manifest, segments
from gatepost.edge.lake.chain import HEADS, START, Link
from gatepost.edge.lake.holding import Lease
from gatepost.edge.lake.manifest import DATABASE

MOST = 20  # broken links that are told
FIELDS = ("dataset", "day", "file", "sha256", "bytes", "rows", "first", "last")


def broken(lake: Path, moved: Callable[[int, int], None] = lambda _done, _all: None) -> tuple[str, ...]:
    """What is broken, first things first, in words. `moved` is told bytes read of bytes to read."""
    heads = chain.heads(lake)
    lease = Lease(lake)
    try:
        db = manifest.readable(lake)
        if db is None:
            lost = f"{DATABASE} is missing, and {HEADS} knows {len(heads)} links: the whole manifest is gone"
            return (lost,) if heads else ()
        with closing(db):
            db.execute("BEGIN")
            return tuple(islice(_broken(db, lake, heads, moved), MOST))
    finally:
        lease.close()


@dataclass(slots=True)
class _Replay:
    """What the lake must hold, by the links alone."""

    live: dict[int, dict[str, Any]] = field(default_factory=dict)
    offsets: dict[tuple[str, str], int] = field(default_factory=dict)


def _broken(
    db: sqlite3.Connection, lake: Path, heads: dict[int, str], moved: Callable[[int, int], None]
) -> Iterator[str]:
    replay = _Replay()
    yield from _links(db, heads, replay)
    yield from _end(db, lake, heads)
    yield from _listed(db, replay)
    yield from _offsets(db, replay)
    yield from _files(lake, replay, moved)


def _links(db: sqlite3.Connection, heads: dict[int, str], replay: _Replay) -> Iterator[str]:
    previous, expected = START, 1
    for one in (Link(*row) for row in db.execute("SELECT sequence, digest, body FROM link ORDER BY sequence")):
        if one.sequence != expected:
            yield f"{_span(expected, one.sequence - 1)} missing from the manifest, in the middle of the chain"
        elif chain.digest(previous, one.sequence, one.body) != one.digest:
            yield f"{_name(one)}: its record was changed, or moved to another place in the chain"
        if one.sequence in heads and heads[one.sequence] != one.digest:
            yield f"{_name(one)}: {HEADS} noted another digest when it was written: the chain was written anew"
        yield from _replayed(one, replay)
        previous, expected = one.digest, one.sequence + 1


def _replayed(one: Link, replay: _Replay) -> Iterator[str]:
    try:
        body = json.loads(one.body)
        for old in body["replaces"]:
            if replay.live.pop(int(old), None) is None:
                yield f"{_name(one)}: it replaces link {old}, which holds no file"
        for _, name, generation, _, end in body["sources"]:
            replay.offsets[name, generation] = int(end)
        if "file" in body:
            replay.live[one.sequence] = {key: body[key] for key in FIELDS}
    except (ValueError, KeyError, TypeError, AttributeError):
        yield f"link {one.sequence}: its record cannot be read"


def _end(db: sqlite3.Connection, lake: Path, heads: dict[int, str]) -> Iterator[str]:
    """A crash leaves the manifest one transaction ahead of CHAIN.txt, never behind it."""
    last = manifest.head(db)[0]
    if (ahead := max(heads, default=0)) > last:
        yield f"{_span(last + 1, ahead)} missing from the end of the manifest: {HEADS} noted them"
    known = heads if last <= max(heads, default=0) else chain.heads(lake)  # a writer may be at work
    noted = max(known, default=0)
    first = min(known, default=1)
    if lost := next((one for one in range(first, min(last, noted)) if one not in known), 0):
        yield f"{HEADS} lacks link {lost}: a line of it was removed or changed"
    after = db.execute("SELECT count(DISTINCT json_extract(body, '$.at')) FROM link WHERE sequence > ?", (noted,))
    if first > 1 or after.fetchone()[0] > 1:
        has = f"has links {first} to {noted}" if known else "is missing or empty"
        yield f"{HEADS} {has}, the manifest 1 to {last}: whether the end of the chain was cut off cannot be told"


def _listed(db: sqlite3.Connection, replay: _Replay) -> Iterator[str]:
    """The table that readers use says the same as the chain."""
    names = ", ".join(FIELDS)
    rows = db.execute(f"SELECT sequence, {names} FROM segment WHERE gone IS NULL ORDER BY sequence")  # noqa: S608 - names are ours
    listed = {row[0]: dict(zip(FIELDS, row[1:], strict=True)) for row in rows}
    for sequence in sorted(listed.keys() | replay.live.keys()):
        if sequence not in listed:
            file = replay.live[sequence]["file"]
            yield f"link {sequence}: its file {file} was taken off the manifest's list of files"
        elif sequence not in replay.live:
            yield f"link {sequence}: the manifest lists {listed[sequence]['file']}, which the chain does not hold"
        elif wrong := [name for name in FIELDS if listed[sequence][name] != replay.live[sequence][name]]:
            yield f"link {sequence}: the manifest's list of files was edited ({', '.join(wrong)})"


def _offsets(db: sqlite3.Connection, replay: _Replay) -> Iterator[str]:
    """Positions may be beyond the chain (nothing worth a row was read), never before it."""
    for one in manifest.sources(db):
        at = one.position
        if at.offset < replay.offsets.get((at.source, at.generation), 0):
            yield f"source {at.source}: its position was set back: the same lines would be read twice"


def _files(lake: Path, replay: _Replay, moved: Callable[[int, int], None]) -> Iterator[str]:
    whole = sum(int(body["bytes"]) for body in replay.live.values())
    done = 0
    for sequence, body in sorted(replay.live.items()):
        where = f"link {sequence} ({body['dataset']} of {body['day'] or 'no day'}, {body['rows']} rows)"
        try:
            if segments.hashed(lake / body["file"]) != body["sha256"]:
                yield f"{where}: its file {body['file']} was changed"
        except FileNotFoundError:
            yield f"{where}: its file {body['file']} is missing"
        except OSError as error:
            yield f"{where}: its file {body['file']} cannot be read: {error.strerror}"
        done += int(body["bytes"])
        moved(done, whole)


def _span(first: int, last: int) -> str:
    return f"link {first} is" if first == last else f"links {first} to {last} are"


def _name(one: Link) -> str:
    try:
        body = json.loads(one.body)
        return f"link {one.sequence} ({body['dataset']} of {body['day'] or 'no day'}, {body['deed']})"
    except (ValueError, KeyError, TypeError):
        return f"link {one.sequence}"
